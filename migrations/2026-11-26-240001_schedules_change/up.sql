-- Schedules are added, changed, paused and ended by people: what was done stays, and the newest counts. Only a trigger puts
-- what counts beside the schedule, where those who look for what is due find it.

-- A schedule may be about one return, whose id is in its name.
ALTER TABLE schedule DROP CONSTRAINT schedule_name_check;
ALTER TABLE schedule ADD CONSTRAINT schedule_name_check CHECK (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$');
ALTER TABLE schedule ADD COLUMN return_id text CHECK (return_id <> '');
ALTER TABLE schedule ADD COLUMN is_ended boolean NOT NULL DEFAULT false;
ALTER TABLE schedule ADD CONSTRAINT schedule_ended_is_off CHECK (NOT (is_on AND is_ended));
COMMENT ON COLUMN schedule.return_id IS 'The return that it is about; null: about none in particular.';
COMMENT ON COLUMN schedule.is_ended IS 'Whether it was ended, and is turned on no more.';

CREATE TABLE schedule_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule text NOT NULL REFERENCES schedule,
    what text NOT NULL CHECK (what IN ('add', 'change', 'pause', 'resume', 'end')),
    rule text NOT NULL CHECK (rule <> ''),
    zone text NOT NULL CHECK (zone <> ''),
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system'))
);
CREATE INDEX schedule_change_by_schedule ON schedule_change (schedule, id);
COMMENT ON TABLE schedule_change IS 'What was done with a schedule. None is ever changed.';
COMMENT ON COLUMN schedule_change.id IS 'Internal number, in the order in which it was done.';
COMMENT ON COLUMN schedule_change.schedule IS 'The schedule.';
COMMENT ON COLUMN schedule_change.what IS 'What was done: add, change, pause, resume or end.';
COMMENT ON COLUMN schedule_change.rule IS 'When it is, from then on, in cron''s five fields.';
COMMENT ON COLUMN schedule_change.zone IS 'Whose clock, from then on.';
COMMENT ON COLUMN schedule_change.reason IS 'Why.';
COMMENT ON COLUMN schedule_change.at IS 'When it was done, by the database''s clock: times before it are none of what it says.';
COMMENT ON COLUMN schedule_change.by_kind IS 'What did it: person, client or system.';
COMMENT ON COLUMN schedule_change.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN schedule_change.by_name IS 'Who did it, as the audit trail calls them.';

CREATE FUNCTION schedule_takes_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE public.schedule SET
        rule = NEW.rule,
        zone = NEW.zone,
        since = NEW.at,
        is_on = CASE NEW.what WHEN 'change' THEN is_on ELSE NEW.what IN ('add', 'resume') END,
        is_ended = NEW.what = 'end'
    WHERE name = NEW.schedule AND NOT is_ended;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the schedule % was ended', NEW.schedule;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION schedule_takes_change() IS 'Puts what was done with a schedule beside it.';

-- What there is, as it was. The trigger comes after it: from when these count does not change.
INSERT INTO schedule_change (schedule, what, rule, zone, reason, at, by_kind, by_name)
SELECT name, 'add', rule, zone, 'It is part of the service', since, 'system', 'migration' FROM schedule ORDER BY name;

CREATE TRIGGER beside_the_schedule AFTER INSERT ON schedule_change
    FOR EACH ROW EXECUTE FUNCTION schedule_takes_change();
SELECT rows_never_change('schedule_change');
-- What is left is asked for by locking a row.
REVOKE UPDATE (rule, zone, is_on) ON schedule FROM lgdp_app;
GRANT INSERT (name, rule, zone, job_kind, purpose, return_id) ON schedule TO lgdp_app;
GRANT SELECT, INSERT ON schedule_change TO lgdp_app;
