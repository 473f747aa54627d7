DROP TABLE schedule_change;
DROP FUNCTION schedule_takes_change();
REVOKE INSERT (name, rule, zone, job_kind, purpose, return_id) ON schedule FROM lgdp_app;
GRANT UPDATE (rule, zone, is_on) ON schedule TO lgdp_app;
ALTER TABLE schedule DROP CONSTRAINT schedule_ended_is_off;
ALTER TABLE schedule DROP COLUMN is_ended;
ALTER TABLE schedule DROP COLUMN return_id;
ALTER TABLE schedule DROP CONSTRAINT schedule_name_check;
ALTER TABLE schedule ADD CONSTRAINT schedule_name_check CHECK (name ~ '^[a-z]+(-[a-z]+)*$');
