CREATE OR REPLACE FUNCTION cycle_takes_dates() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE public.cycle c SET
        opens_on = coalesce((SELECT n.on_day FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'open' ORDER BY n.id DESC LIMIT 1), c.opens_on),
        due_on = coalesce((SELECT n.on_day FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'due' ORDER BY n.id DESC LIMIT 1), c.due_on),
        is_provisional = coalesce((SELECT n.certainty = 'provisional' FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'due' ORDER BY n.id DESC LIMIT 1), c.is_provisional)
    WHERE c.id IN (SELECT cycle_id FROM fresh);
    RETURN NULL;
END $$;
ALTER TABLE cycle DROP COLUMN closes_on;
