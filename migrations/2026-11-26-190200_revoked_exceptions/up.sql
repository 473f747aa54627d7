-- A standing exception may end before its day: what was granted stays on record, and so does that it was taken back.

CREATE TABLE waiver_revocation (
    waiver_id uuid PRIMARY KEY REFERENCES waiver_decision,
    organisation text NOT NULL,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    FOREIGN KEY (waiver_id, organisation) REFERENCES waiver (id, organisation)
);
COMMENT ON TABLE waiver_revocation IS 'That a granted waiver was taken back before its last day, once.';
COMMENT ON COLUMN waiver_revocation.waiver_id IS 'The waiver.';
COMMENT ON COLUMN waiver_revocation.organisation IS 'Who had asked for it.';
COMMENT ON COLUMN waiver_revocation.reason IS 'Why. May hold personal data: it goes into no email, event or log.';
COMMENT ON COLUMN waiver_revocation.at IS 'When, by the database''s clock: from then on it makes no explanation unnecessary.';
COMMENT ON COLUMN waiver_revocation.by_kind IS 'What took it back: person, client or system.';
COMMENT ON COLUMN waiver_revocation.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN waiver_revocation.by_name IS 'Who took it back, as the audit trail calls them.';

CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON waiver_revocation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE waiver_revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE waiver_revocation FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON waiver_revocation USING (
    (SELECT current_setting('lgdp.sees', true)) = 'everyone'
    OR organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
);
GRANT SELECT, INSERT ON waiver_revocation TO lgdp_app;
