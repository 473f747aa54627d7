DROP TABLE look_sum;
