DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['submission_table', 'finding', 'submission_comparison', 'marked_workbook', 'email'] LOOP
        EXECUTE format('DROP POLICY own_rows ON %I', named);
        EXECUTE format($policy$
            CREATE POLICY own_rows ON %I USING (
                (SELECT current_setting('lgdp.sees', true)) = 'everyone'
                OR submission_id IN (SELECT id FROM submission)
            )$policy$, named);
    END LOOP;
END $$;
DROP POLICY own_rows ON file;
CREATE POLICY own_rows ON file FOR SELECT USING (
    (SELECT current_setting('lgdp.sees', true)) = 'everyone'
    OR sha256 IN (SELECT file_sha256 FROM submission)
);
DROP INDEX submission_by_organisation;
