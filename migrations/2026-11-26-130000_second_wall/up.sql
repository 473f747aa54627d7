-- The second wall: whatever the code asks for, the database gives an organisation's rows only where the transaction
-- says that it acts for that organisation. `lgdp.sees` is `everyone`, or GSS codes with commas between them.
-- Processes that serve and work act as `lgdp_app`, which owns nothing; the policies are forced on the owner too.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lgdp_app') THEN
        CREATE ROLE lgdp_app NOLOGIN;
    END IF;
    -- Whoever brings the tables up to date may also serve.
    EXECUTE format('GRANT lgdp_app TO %I', current_user);
END $$;

GRANT USAGE ON SCHEMA public, ret TO lgdp_app;
GRANT SELECT ON organisation, return_version, reference_values TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (opens_on, due_on) ON cycle TO lgdp_app;
-- The number never changes (it is GENERATED ALWAYS); the right is what locking a row asks for.
GRANT SELECT, INSERT, UPDATE (id) ON obligation TO lgdp_app;
GRANT SELECT, INSERT ON file, finding, submission_table, submission_comparison, marked_workbook, event TO lgdp_app;
GRANT SELECT, INSERT ON collection_check, collection_check_member, collection_finding TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (assessed_at, outcome, spec_hash, attention_at) ON submission TO lgdp_app;
GRANT SELECT, INSERT, UPDATE ON job TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (state, sent_at, attempts, last_error) ON email TO lgdp_app;
GRANT SELECT ON standing_submission TO lgdp_app;

-- With the rights, and so the rows, of whoever asks.
ALTER VIEW standing_submission SET (security_invoker = true);

-- Rows that name their organisation.
DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['obligation', 'submission', 'event'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        -- Each setting is read once a statement, not once a row.
        EXECUTE format($policy$
            CREATE POLICY own_rows ON %I USING (
                (SELECT current_setting('lgdp.sees', true)) = 'everyone'
                OR organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
            )$policy$, named);
    END LOOP;
END $$;

-- Rows of a submission: those of the submissions that are seen.
DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['submission_table', 'finding', 'submission_comparison', 'marked_workbook', 'email'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format($policy$
            CREATE POLICY own_rows ON %I USING (
                (SELECT current_setting('lgdp.sees', true)) = 'everyone'
                OR submission_id IN (SELECT id FROM submission)
            )$policy$, named);
    END LOOP;
END $$;

-- A file may be anybody's until a submission says whose it is.
ALTER TABLE file ENABLE ROW LEVEL SECURITY;
ALTER TABLE file FORCE ROW LEVEL SECURITY;
CREATE POLICY kept_before_it_is_owned ON file FOR INSERT WITH CHECK (true);
CREATE POLICY own_rows ON file FOR SELECT USING (
    (SELECT current_setting('lgdp.sees', true)) = 'everyone'
    OR sha256 IN (SELECT file_sha256 FROM submission)
);

-- What one organisation says of another is for the office alone.
DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['collection_check', 'collection_check_member', 'collection_finding'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format($policy$
            CREATE POLICY office_only ON %I USING ((SELECT current_setting('lgdp.sees', true)) = 'everyone')
            $policy$, named);
    END LOOP;
END $$;
