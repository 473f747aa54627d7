REVOKE UPDATE (id) ON attempt FROM lgdp_app;
DROP INDEX attempt_by_age;
REVOKE UPDATE (organisation) ON person FROM lgdp_app;
ALTER TABLE person DROP COLUMN organisation;
DROP TABLE organisation_fact;
