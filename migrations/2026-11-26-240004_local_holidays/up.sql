-- Days on which one organisation does not work and others do: a council's own holidays. No secret of anybody's.

CREATE TABLE local_holiday (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisation,
    on_day date NOT NULL,
    name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
    is_off boolean NOT NULL,
    source text NOT NULL CHECK (source <> '' AND length(source) <= 1000),
    confidence text NOT NULL CHECK (confidence IN ('published', 'partial', 'inferred')),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    CHECK ((by_id IS NULL) = (by_kind = 'system'))
);
CREATE INDEX local_holiday_newest ON local_holiday (organisation, on_day, id DESC);
COMMENT ON TABLE local_holiday IS 'A day on which an organisation does not work, or works after all. The newest of a day counts; none is ever changed.';
COMMENT ON COLUMN local_holiday.id IS 'Internal number, in the order in which it was said.';
COMMENT ON COLUMN local_holiday.organisation IS 'Whose day it is.';
COMMENT ON COLUMN local_holiday.on_day IS 'The day.';
COMMENT ON COLUMN local_holiday.name IS 'What it is called there.';
COMMENT ON COLUMN local_holiday.is_off IS 'True: nobody works; false: that was taken back.';
COMMENT ON COLUMN local_holiday.source IS 'Where it is from, or why it was taken back.';
COMMENT ON COLUMN local_holiday.confidence IS 'published, partial or inferred.';
COMMENT ON COLUMN local_holiday.at IS 'When it was said, by the database''s clock.';
COMMENT ON COLUMN local_holiday.by_kind IS 'What said so: person, client or system.';
COMMENT ON COLUMN local_holiday.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN local_holiday.by_name IS 'Who said so, as the audit trail calls them.';
SELECT rows_never_change('local_holiday');
GRANT SELECT, INSERT ON local_holiday TO lgdp_app;
