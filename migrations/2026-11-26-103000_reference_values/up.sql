-- Central figures that returns are checked against. They arrive after a return version is published, and may be corrected:
-- a correction is a row of its own, and the newest row of a set and period counts.

CREATE TABLE reference_values (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    set_name text NOT NULL CHECK (set_name <> ''),
    period_label text NOT NULL CHECK (period_label <> ''),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    csv text NOT NULL CHECK (csv <> ''),
    published_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reference_values_newest ON reference_values (set_name, period_label, id DESC);
COMMENT ON TABLE reference_values IS 'Central figures by organisation, such as grant: one row for each file that was published. The newest of a set and period counts.';
COMMENT ON COLUMN reference_values.id IS 'In the order of publication.';
COMMENT ON COLUMN reference_values.set_name IS 'Which figures, as the folder in reference-values/ is called.';
COMMENT ON COLUMN reference_values.period_label IS 'The period they are of, such as 2026-27.';
COMMENT ON COLUMN reference_values.sha256 IS 'Hash of the file: which figures an assessment used.';
COMMENT ON COLUMN reference_values.csv IS 'The file: organisation, name, value, source and confidence of each figure.';
COMMENT ON COLUMN reference_values.published_at IS 'When it was published here.';

CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reference_values
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
