-- Who is there: every code and name that an organisation goes by, with where it is from, and which organisation somebody
-- belongs to whose roles do not say so.

CREATE TABLE organisation_fact (
    organisation text NOT NULL REFERENCES organisation,
    about text NOT NULL CHECK (about IN ('code', 'name', 'sg_code', 'phs_code', 'superseded_code', 'alias', 'valid_from', 'valid_to')),
    value text NOT NULL CHECK (value <> ''),
    source text CHECK (source <> ''),
    url text CHECK (url <> ''),
    confidence text CHECK (confidence IN ('published', 'partial', 'inferred')),
    PRIMARY KEY (organisation, about, value),
    CHECK ((source IS NULL) = (confidence IS NULL)),
    CHECK (url IS NULL OR source IS NOT NULL)
);
CREATE UNIQUE INDEX organisation_goes_by ON organisation_fact (lower(value)) WHERE about NOT IN ('valid_from', 'valid_to');
COMMENT ON TABLE organisation_fact IS 'What is known of an organisation, as it was last published, and where it is from. No two go by the same code or name.';
COMMENT ON COLUMN organisation_fact.organisation IS 'Code of the organisation, as everything else here names it.';
COMMENT ON COLUMN organisation_fact.about IS 'code (GSS, or lgdp''s own where it begins with X), name, sg_code (Scottish Government), phs_code (Public Health Scotland), superseded_code (an earlier GSS code), alias, valid_from or valid_to.';
COMMENT ON COLUMN organisation_fact.value IS 'The code, name or day (ISO).';
COMMENT ON COLUMN organisation_fact.source IS 'Where that is from, in words; null: not told.';
COMMENT ON COLUMN organisation_fact.url IS 'And its address; null: it has none.';
COMMENT ON COLUMN organisation_fact.confidence IS 'published, partial or inferred; null: no source is told.';

ALTER TABLE person ADD COLUMN organisation text REFERENCES organisation;
CREATE INDEX person_by_organisation ON person (organisation) WHERE organisation IS NOT NULL;
COMMENT ON COLUMN person.organisation IS 'The team or body that somebody belongs to whose roles are held for returns or for everything; null: their roles say it, or it was not told.';

GRANT SELECT ON organisation_fact TO lgdp_app;
GRANT UPDATE (organisation) ON person TO lgdp_app;
-- For sweeping out the old ones.
CREATE INDEX attempt_by_age ON attempt (at);
-- The number never changes (it is GENERATED ALWAYS); the right is what locking a row asks for.
GRANT UPDATE (id) ON attempt TO lgdp_app;
