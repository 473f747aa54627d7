DROP TABLE local_holiday;
