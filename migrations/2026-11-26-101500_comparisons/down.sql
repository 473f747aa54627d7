DROP TABLE submission_comparison;
