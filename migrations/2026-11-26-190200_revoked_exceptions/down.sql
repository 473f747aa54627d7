DROP TABLE waiver_revocation;
