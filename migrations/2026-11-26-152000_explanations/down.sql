DROP TABLE waiver_decision;
DROP TABLE waiver;
DROP TABLE explanation;
