-- Every reminder that went, and every one that was left out with why; one email for a person and day.

CREATE TABLE reminder_digest (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person,
    on_day date NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (person_id, on_day)
);
COMMENT ON TABLE reminder_digest IS 'An email with a person''s reminders of a day: one at most.';
COMMENT ON COLUMN reminder_digest.id IS 'The email''s occasion.';
COMMENT ON COLUMN reminder_digest.person_id IS 'Whom it is to.';
COMMENT ON COLUMN reminder_digest.on_day IS 'The day.';
COMMENT ON COLUMN reminder_digest.at IS 'When it was put into the outbox.';

CREATE TABLE reminder (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    obligation_id bigint NOT NULL,
    organisation text NOT NULL,
    person_id uuid REFERENCES person,
    rung text NOT NULL CHECK (rung <> ''),
    due_on date NOT NULL,
    moved_from date,
    cycle_date_id bigint REFERENCES cycle_date,
    left_out_because text CHECK (left_out_because <> ''),
    digest_id uuid REFERENCES reminder_digest,
    at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (obligation_id, organisation) REFERENCES obligation (id, organisation),
    -- It was sent, or there is a reason why not.
    CHECK ((digest_id IS NULL) = (left_out_because IS NOT NULL)),
    CHECK (digest_id IS NULL OR person_id IS NOT NULL),
    CHECK ((rung = 'moved') = (cycle_date_id IS NOT NULL)),
    CHECK ((rung = 'moved') = (moved_from IS NOT NULL))
);
CREATE UNIQUE INDEX reminder_once ON reminder (obligation_id, rung, due_on, person_id, cycle_date_id) NULLS NOT DISTINCT;
COMMENT ON TABLE reminder IS 'What somebody was reminded of, or was not and why: decided once for a duty, step, day and person.';
COMMENT ON COLUMN reminder.id IS 'Internal number.';
COMMENT ON COLUMN reminder.obligation_id IS 'The duty.';
COMMENT ON COLUMN reminder.organisation IS 'Whose it is.';
COMMENT ON COLUMN reminder.person_id IS 'Who; null: there was nobody.';
COMMENT ON COLUMN reminder.rung IS 'The step of the ladder (before_30 to escalation), or moved.';
COMMENT ON COLUMN reminder.due_on IS 'The day the return was due on, of which the step counts.';
COMMENT ON COLUMN reminder.moved_from IS 'The day it was due on before; null: it tells of no move.';
COMMENT ON COLUMN reminder.cycle_date_id IS 'The fact that it tells of; null: it tells of no move.';
COMMENT ON COLUMN reminder.left_out_because IS 'Why nothing was sent: met, overtaken and others; null: it was sent.';
COMMENT ON COLUMN reminder.digest_id IS 'The email that it is in; null: nothing was sent.';
COMMENT ON COLUMN reminder.at IS 'When it was decided.';

SELECT rows_never_change('reminder'), rows_never_change('reminder_digest');
SELECT wall('reminder', 'organisation'), wall('reminder_digest', 'everyone');
GRANT SELECT, INSERT ON reminder, reminder_digest TO lgdp_app;
