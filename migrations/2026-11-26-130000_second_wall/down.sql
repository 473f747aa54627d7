DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['obligation', 'submission', 'event', 'submission_table', 'finding', 'submission_comparison',
                                 'marked_workbook', 'email', 'file'] LOOP
        EXECUTE format('DROP POLICY own_rows ON %I', named);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', named);
    END LOOP;
    FOREACH named IN ARRAY ARRAY['collection_check', 'collection_check_member', 'collection_finding'] LOOP
        EXECUTE format('DROP POLICY office_only ON %I', named);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', named);
    END LOOP;
END $$;
DROP POLICY kept_before_it_is_owned ON file;
ALTER VIEW standing_submission RESET (security_invoker);
-- The role belongs to the whole cluster and stays; its rights here go.
REVOKE ALL ON ALL TABLES IN SCHEMA public, ret FROM lgdp_app;
REVOKE USAGE ON SCHEMA public, ret FROM lgdp_app;
