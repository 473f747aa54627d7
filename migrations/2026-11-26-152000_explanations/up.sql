-- What was said about queries, and standing exceptions from them. Both are about records, by the findings' keys, so that
-- they stay where another version moves the rows. Only ever added to: what was said before stays, and the newest counts.

CREATE TABLE explanation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisation,
    obligation_id bigint NOT NULL REFERENCES obligation,
    return_id text NOT NULL,
    rule text NOT NULL CHECK (rule <> ''),
    key text NOT NULL CHECK (key <> ''),
    text text NOT NULL CHECK (text <> '' AND length(text) <= 4000),
    submission_id uuid NOT NULL REFERENCES submission,
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system'))
);
-- By period, and the same record in earlier ones.
CREATE INDEX explanation_by_obligation ON explanation (obligation_id, key, id DESC);
CREATE INDEX explanation_by_record ON explanation (organisation, return_id, key, id DESC);
COMMENT ON TABLE explanation IS 'Why a figure that was queried is right. Of each record''s the newest counts.';
COMMENT ON COLUMN explanation.id IS 'Internal number, ascending.';
COMMENT ON COLUMN explanation.organisation IS 'Whose figure it is.';
COMMENT ON COLUMN explanation.obligation_id IS 'The return and period.';
COMMENT ON COLUMN explanation.return_id IS 'The return, to be found again in its next period.';
COMMENT ON COLUMN explanation.rule IS 'The check that queried it.';
COMMENT ON COLUMN explanation.key IS 'The finding''s key: the same check on the same record in every version.';
COMMENT ON COLUMN explanation.text IS 'The explanation. May hold personal data: it is shown where values are shown, and goes into no email, event or log.';
COMMENT ON COLUMN explanation.submission_id IS 'The version that it was written about.';
COMMENT ON COLUMN explanation.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN explanation.by_kind IS 'What wrote it: person, client or system.';
COMMENT ON COLUMN explanation.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN explanation.by_name IS 'Who wrote it, as the audit trail calls them.';

CREATE TABLE waiver (
    id uuid PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisation,
    return_id text NOT NULL,
    rule text NOT NULL CHECK (rule <> ''),
    key text CHECK (key <> ''),
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    submission_id uuid NOT NULL REFERENCES submission,
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    UNIQUE (id, organisation)
);
CREATE INDEX waiver_by_organisation ON waiver (organisation, return_id, rule);
CREATE INDEX waiver_by_return ON waiver (return_id, at DESC);
COMMENT ON TABLE waiver IS 'A standing exception that was asked for: while it is granted, queries of a check need no explanation.';
COMMENT ON COLUMN waiver.id IS 'Given by the form it was asked for in, so that one that is sent twice is there once.';
COMMENT ON COLUMN waiver.organisation IS 'Who asks.';
COMMENT ON COLUMN waiver.return_id IS 'The return, in every period.';
COMMENT ON COLUMN waiver.rule IS 'The check.';
COMMENT ON COLUMN waiver.key IS 'The one finding it is for, by its key; null: every one of the check.';
COMMENT ON COLUMN waiver.reason IS 'Why it is asked for. May hold personal data: it goes into no email, event or log.';
COMMENT ON COLUMN waiver.submission_id IS 'The version in which it came up.';
COMMENT ON COLUMN waiver.at IS 'When it was asked for, by the database''s clock.';
COMMENT ON COLUMN waiver.by_kind IS 'What asked: person, client or system.';
COMMENT ON COLUMN waiver.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN waiver.by_name IS 'Who asked, as the audit trail calls them.';

CREATE TABLE waiver_decision (
    waiver_id uuid PRIMARY KEY,
    organisation text NOT NULL,
    ends_on date,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    FOREIGN KEY (waiver_id, organisation) REFERENCES waiver (id, organisation)
);
COMMENT ON TABLE waiver_decision IS 'What the return''s team decided on a waiver, once.';
COMMENT ON COLUMN waiver_decision.waiver_id IS 'The waiver.';
COMMENT ON COLUMN waiver_decision.organisation IS 'Who asked for it.';
COMMENT ON COLUMN waiver_decision.ends_on IS 'The last day on which it holds; null: it was refused.';
COMMENT ON COLUMN waiver_decision.reason IS 'Why. May hold personal data: it goes into no email, event or log.';
COMMENT ON COLUMN waiver_decision.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN waiver_decision.by_kind IS 'What decided: person, client or system.';
COMMENT ON COLUMN waiver_decision.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN waiver_decision.by_name IS 'Who decided, as the audit trail calls them.';

DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['explanation', 'waiver', 'waiver_decision'] LOOP
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
