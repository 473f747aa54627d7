-- The day on which a round closes stands beside it, as the days on which it opens and is due do: from then on no file is taken.

ALTER TABLE cycle ADD COLUMN closes_on date;
COMMENT ON COLUMN cycle.closes_on IS 'Last day on which a file is taken at all: the newest date of that kind, where it is confirmed; null: there is none.';

CREATE OR REPLACE FUNCTION cycle_takes_dates() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE public.cycle c SET
        opens_on = coalesce((SELECT n.on_day FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'open' ORDER BY n.id DESC LIMIT 1), c.opens_on),
        due_on = coalesce((SELECT n.on_day FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'due' ORDER BY n.id DESC LIMIT 1), c.due_on),
        is_provisional = coalesce((SELECT n.certainty = 'provisional' FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'due' ORDER BY n.id DESC LIMIT 1), c.is_provisional),
        closes_on = CASE WHEN EXISTS (SELECT FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'close')
            -- Nobody is held to one that is provisional.
            THEN (SELECT CASE n.certainty WHEN 'confirmed' THEN n.on_day END FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'close' ORDER BY n.id DESC LIMIT 1)
            ELSE c.closes_on END
    WHERE c.id IN (SELECT cycle_id FROM fresh);
    RETURN NULL;
END $$;

UPDATE cycle c SET closes_on = d.on_day
FROM (SELECT DISTINCT ON (cycle_id) cycle_id, on_day, certainty FROM cycle_date WHERE kind = 'close' ORDER BY cycle_id, id DESC) d
WHERE d.cycle_id = c.id AND d.certainty = 'confirmed';
