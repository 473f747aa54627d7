-- The dates of a round, whether it takes place, and whether an organisation has to answer: facts with a history, of which
-- the newest counts. What counts stands beside the round and the obligation too, where queries look for it; only these
-- triggers put it there.

CREATE TABLE cycle_date (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cycle_id bigint NOT NULL REFERENCES cycle,
    kind text NOT NULL CHECK (kind IN ('issue', 'open', 'due', 'sign_off', 'close', 'publish')),
    on_day date NOT NULL,
    certainty text NOT NULL CHECK (certainty IN ('provisional', 'confirmed')),
    source text CHECK (source <> '' AND length(source) <= 1000),
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system'))
);
CREATE INDEX cycle_date_newest ON cycle_date (cycle_id, kind, id DESC);
COMMENT ON TABLE cycle_date IS 'A day of a round as it was set. The newest of a kind counts; none is ever changed.';
COMMENT ON COLUMN cycle_date.id IS 'Internal number, in the order in which they were set.';
COMMENT ON COLUMN cycle_date.cycle_id IS 'The round.';
COMMENT ON COLUMN cycle_date.kind IS 'What the day is for: issue, open, due, sign_off, close or publish.';
COMMENT ON COLUMN cycle_date.on_day IS 'The day.';
COMMENT ON COLUMN cycle_date.certainty IS 'provisional (it may still change) or confirmed.';
COMMENT ON COLUMN cycle_date.source IS 'Where it is from, such as a letter or a timetable; null: it was not said.';
COMMENT ON COLUMN cycle_date.reason IS 'Why it was set or moved.';
COMMENT ON COLUMN cycle_date.at IS 'When it was set, by the database''s clock: from then on organisations could know.';
COMMENT ON COLUMN cycle_date.by_kind IS 'What set it: person, client or system.';
COMMENT ON COLUMN cycle_date.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN cycle_date.by_name IS 'Who set it, as the audit trail calls them.';

CREATE TABLE cycle_cancellation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cycle_id bigint NOT NULL REFERENCES cycle,
    is_cancelled boolean NOT NULL,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system'))
);
CREATE INDEX cycle_cancellation_newest ON cycle_cancellation (cycle_id, id DESC);
COMMENT ON TABLE cycle_cancellation IS 'That a round was cancelled, or is to take place after all. The newest counts.';
COMMENT ON COLUMN cycle_cancellation.id IS 'Internal number, in the order in which it was said.';
COMMENT ON COLUMN cycle_cancellation.cycle_id IS 'The round.';
COMMENT ON COLUMN cycle_cancellation.is_cancelled IS 'True: nothing is owed in it; false: it takes place after all.';
COMMENT ON COLUMN cycle_cancellation.reason IS 'Why.';
COMMENT ON COLUMN cycle_cancellation.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN cycle_cancellation.by_kind IS 'What said so: person, client or system.';
COMMENT ON COLUMN cycle_cancellation.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN cycle_cancellation.by_name IS 'Who said so, as the audit trail calls them.';

CREATE TABLE obligation_requirement (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    obligation_id bigint NOT NULL,
    organisation text NOT NULL,
    is_required boolean NOT NULL,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    FOREIGN KEY (obligation_id, organisation) REFERENCES obligation (id, organisation)
);
CREATE INDEX obligation_requirement_newest ON obligation_requirement (obligation_id, id DESC);
COMMENT ON TABLE obligation_requirement IS 'That an organisation need not answer in a round, or has to after all. The newest counts.';
COMMENT ON COLUMN obligation_requirement.id IS 'Internal number, in the order in which it was said.';
COMMENT ON COLUMN obligation_requirement.obligation_id IS 'The duty.';
COMMENT ON COLUMN obligation_requirement.organisation IS 'Whose it is.';
COMMENT ON COLUMN obligation_requirement.is_required IS 'False: nothing is owed; true: it is.';
COMMENT ON COLUMN obligation_requirement.reason IS 'Why.';
COMMENT ON COLUMN obligation_requirement.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN obligation_requirement.by_kind IS 'What said so: person, client or system.';
COMMENT ON COLUMN obligation_requirement.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN obligation_requirement.by_name IS 'Who said so, as the audit trail calls them.';

ALTER TABLE cycle ADD COLUMN is_cancelled boolean NOT NULL DEFAULT false;
ALTER TABLE cycle ADD COLUMN is_provisional boolean NOT NULL DEFAULT false;
ALTER TABLE obligation ADD COLUMN is_required boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN cycle.opens_on IS 'First day a file may be sent: the newest date of that kind.';
COMMENT ON COLUMN cycle.due_on IS 'Last day a file is in time; later ones are taken and are late: the newest date of that kind.';
COMMENT ON COLUMN cycle.is_cancelled IS 'Whether the round was cancelled, as it was said last.';
COMMENT ON COLUMN cycle.is_provisional IS 'Whether the day it is due may still change, as it was said last.';
COMMENT ON COLUMN obligation.is_required IS 'Whether it has to be answered, as it was said last.';
CREATE INDEX cycle_by_due ON cycle (due_on);

-- All days of a statement at once, so that a round can be moved as a whole past its old days.
CREATE FUNCTION cycle_takes_dates() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE public.cycle c SET
        opens_on = coalesce((SELECT n.on_day FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'open' ORDER BY n.id DESC LIMIT 1), c.opens_on),
        due_on = coalesce((SELECT n.on_day FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'due' ORDER BY n.id DESC LIMIT 1), c.due_on),
        is_provisional = coalesce((SELECT n.certainty = 'provisional' FROM fresh n WHERE n.cycle_id = c.id AND n.kind = 'due' ORDER BY n.id DESC LIMIT 1), c.is_provisional)
    WHERE c.id IN (SELECT cycle_id FROM fresh);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION cycle_takes_dates() IS 'Puts the days that were set beside their round.';
CREATE TRIGGER beside_the_round AFTER INSERT ON cycle_date REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION cycle_takes_dates();

CREATE FUNCTION cycle_takes_cancellation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE public.cycle SET is_cancelled = NEW.is_cancelled WHERE id = NEW.cycle_id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION cycle_takes_cancellation() IS 'Puts beside a round whether it was cancelled.';
CREATE TRIGGER beside_the_round AFTER INSERT ON cycle_cancellation
    FOR EACH ROW EXECUTE FUNCTION cycle_takes_cancellation();

CREATE FUNCTION obligation_takes_requirement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE public.obligation SET is_required = NEW.is_required WHERE id = NEW.obligation_id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION obligation_takes_requirement() IS 'Puts beside an obligation whether it has to be answered.';
CREATE TRIGGER beside_the_obligation AFTER INSERT ON obligation_requirement
    FOR EACH ROW EXECUTE FUNCTION obligation_takes_requirement();

-- What the rounds so far have, as it was.
INSERT INTO cycle_date (cycle_id, kind, on_day, certainty, reason, by_kind, by_name)
SELECT c.id, d.kind, d.on_day, 'confirmed', 'Its day when days began to have a history', 'system', 'migration'
FROM cycle c CROSS JOIN LATERAL (VALUES ('open', c.opens_on), ('due', c.due_on)) d (kind, on_day);

SELECT rows_never_change('cycle_date'), rows_never_change('cycle_cancellation'), rows_never_change('obligation_requirement');
-- When a round takes place is no secret; what one organisation need not answer is its own.
SELECT wall('obligation_requirement', 'organisation');
REVOKE UPDATE (opens_on, due_on) ON cycle FROM lgdp_app;
-- The number never changes (it is GENERATED ALWAYS); the right is what locking a row asks for.
GRANT UPDATE (id) ON cycle TO lgdp_app;
GRANT SELECT, INSERT ON cycle_date, cycle_cancellation, obligation_requirement TO lgdp_app;
