-- More time for one organisation's return: asked for with a reason, and given up to a day, or refused, once.
-- The day that a return is due on is the round's, or the latest that was given.

CREATE TABLE extension (
    id uuid PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisation,
    obligation_id bigint NOT NULL REFERENCES obligation,
    asked_until date NOT NULL,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    UNIQUE (id, organisation, obligation_id)
);
CREATE INDEX extension_by_obligation ON extension (obligation_id, at DESC);
COMMENT ON TABLE extension IS 'A request for more time for one organisation''s return.';
COMMENT ON COLUMN extension.id IS 'Given by the form it was asked for in, so that one that is sent twice is there once.';
COMMENT ON COLUMN extension.organisation IS 'Who asks.';
COMMENT ON COLUMN extension.obligation_id IS 'The return and period.';
COMMENT ON COLUMN extension.asked_until IS 'The day until which time is asked for.';
COMMENT ON COLUMN extension.reason IS 'Why. May hold personal data: it goes into no email, event or log.';
COMMENT ON COLUMN extension.at IS 'When it was asked for, by the database''s clock.';
COMMENT ON COLUMN extension.by_kind IS 'What asked: person, client or system.';
COMMENT ON COLUMN extension.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN extension.by_name IS 'Who asked, as the audit trail calls them.';

CREATE TABLE extension_decision (
    extension_id uuid PRIMARY KEY,
    organisation text NOT NULL,
    obligation_id bigint NOT NULL,
    due_on date,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    FOREIGN KEY (extension_id, organisation, obligation_id) REFERENCES extension (id, organisation, obligation_id)
);
CREATE INDEX extension_decision_by_obligation ON extension_decision (obligation_id, due_on);
COMMENT ON TABLE extension_decision IS 'What was decided on a request for more time, once.';
COMMENT ON COLUMN extension_decision.extension_id IS 'The request.';
COMMENT ON COLUMN extension_decision.organisation IS 'Who had asked.';
COMMENT ON COLUMN extension_decision.obligation_id IS 'The return and period.';
COMMENT ON COLUMN extension_decision.due_on IS 'The last day on which a file is in time now; null: it was refused.';
COMMENT ON COLUMN extension_decision.reason IS 'Why. May hold personal data: it goes into no email, event or log.';
COMMENT ON COLUMN extension_decision.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN extension_decision.by_kind IS 'What decided: person, client or system.';
COMMENT ON COLUMN extension_decision.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN extension_decision.by_name IS 'Who decided, as the audit trail calls them.';

DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['extension', 'extension_decision'] LOOP
        EXECUTE format($trigger$
            CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()$trigger$, named);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format($policy$
            CREATE POLICY own_rows ON %I USING (
                (SELECT current_setting('lgdp.sees', true)) = 'everyone'
                OR organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
            )$policy$, named);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO lgdp_app', named);
    END LOOP;
END $$;
