DROP TABLE cycle_turn;
DROP TABLE schedule_fire;
DROP TABLE schedule;
