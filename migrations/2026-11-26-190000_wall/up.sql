-- How a table is walled, said once. The migrations before this one repeat it, and stay as they are.

CREATE FUNCTION wall(named regclass, by_what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- Each setting is read once a statement, not once a row.
    everyone constant text := $sql$(SELECT current_setting('lgdp.sees', true)) = 'everyone'$sql$;
    own constant text := CASE by_what
        WHEN 'organisation' THEN
            $sql$organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])$sql$
        -- The organisation is said once more, so that an index finds the few that are its own.
        WHEN 'submission' THEN
            $sql$submission_id IN (SELECT id FROM submission
                WHERE organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[]))$sql$
        WHEN 'everyone' THEN 'false'
    END;
BEGIN
    IF own IS NULL THEN
        RAISE EXCEPTION 'a table is walled by organisation, by submission or for everyone, and not by %', by_what;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', named);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', named);
    EXECUTE format('CREATE POLICY own_rows ON %s USING (%s OR %s)', named, everyone, own);
END $$;
REVOKE ALL ON FUNCTION wall(regclass, text) FROM PUBLIC;
COMMENT ON FUNCTION wall(regclass, text) IS 'Walls a table: its rows are seen by whom its column organisation or submission_id says, or only where everyone''s are.';

CREATE FUNCTION rows_never_change(named regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()$sql$, named);
END $$;
REVOKE ALL ON FUNCTION rows_never_change(regclass) FROM PUBLIC;
COMMENT ON FUNCTION rows_never_change(regclass) IS 'Has every change of a table''s rows refused.';
