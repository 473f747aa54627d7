DROP INDEX finding_by_key;
ALTER TABLE finding DROP COLUMN own, DROP COLUMN key, DROP COLUMN trial;
