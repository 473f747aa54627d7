-- What is to be done again and again, and each time that it was: one row for a schedule and a moment, put in with the job
-- by the one transaction that gets there first.

CREATE TABLE schedule (
    name text PRIMARY KEY CHECK (name ~ '^[a-z]+(-[a-z]+)*$'),
    rule text NOT NULL CHECK (rule <> ''),
    zone text NOT NULL CHECK (zone <> ''),
    job_kind text NOT NULL CHECK (job_kind <> ''),
    purpose text NOT NULL CHECK (purpose <> ''),
    since timestamptz NOT NULL DEFAULT now(),
    is_on boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE schedule IS 'What is to be done again and again.';
COMMENT ON COLUMN schedule.name IS 'What it is called.';
COMMENT ON COLUMN schedule.rule IS 'When, in cron''s five fields, by the clock on the wall.';
COMMENT ON COLUMN schedule.zone IS 'Whose clock, as Europe/London.';
COMMENT ON COLUMN schedule.job_kind IS 'The kind of job that is put in each time.';
COMMENT ON COLUMN schedule.purpose IS 'What it is for, in a sentence.';
COMMENT ON COLUMN schedule.since IS 'Times before this moment are none of it: when it was put in, changed or turned on.';
COMMENT ON COLUMN schedule.is_on IS 'Whether anything is done.';

CREATE TABLE schedule_fire (
    schedule text NOT NULL REFERENCES schedule,
    nominal_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    is_late boolean NOT NULL,
    PRIMARY KEY (schedule, nominal_at)
);
COMMENT ON TABLE schedule_fire IS 'Each time that a schedule''s job was put in, once for a moment however many processes look.';
COMMENT ON COLUMN schedule_fire.schedule IS 'The schedule.';
COMMENT ON COLUMN schedule_fire.nominal_at IS 'The moment it was for.';
COMMENT ON COLUMN schedule_fire.fired_at IS 'When the job was put in, by the database''s clock.';
COMMENT ON COLUMN schedule_fire.is_late IS 'Whether nobody was there when it was time, so that it was made up for.';

INSERT INTO schedule (name, rule, zone, job_kind, purpose) VALUES
    ('turn-rounds', '1 0 * * *', 'Europe/London', 'turn-rounds', 'Notes that rounds have opened, fallen due and closed.'),
    ('propose-rounds', '0 6 * * mon', 'Europe/London', 'propose-rounds', 'Proposes the next year''s rounds from this year''s, as provisional.'),
    ('remind', '30 7 * * *', 'Europe/London', 'remind', 'Reminds whoever has a return to send, once a person and day.');

CREATE TABLE cycle_turn (
    cycle_id bigint NOT NULL REFERENCES cycle,
    turn text NOT NULL CHECK (turn IN ('issue', 'open', 'due', 'sign_off', 'close', 'publish')),
    on_day date NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cycle_id, turn, on_day)
);
COMMENT ON TABLE cycle_turn IS 'That a day of a round has come, noted once.';
COMMENT ON COLUMN cycle_turn.cycle_id IS 'The round.';
COMMENT ON COLUMN cycle_turn.turn IS 'What the day is for, as in cycle_date.';
COMMENT ON COLUMN cycle_turn.on_day IS 'The day.';
COMMENT ON COLUMN cycle_turn.at IS 'When it was noted.';

SELECT rows_never_change('schedule_fire'), rows_never_change('cycle_turn');
GRANT SELECT ON schedule TO lgdp_app;
-- What is locked is changed by nobody else meanwhile.
GRANT UPDATE (rule, zone, since, is_on) ON schedule TO lgdp_app;
GRANT SELECT, INSERT ON schedule_fire, cycle_turn TO lgdp_app;
