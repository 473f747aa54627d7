-- A sender gets their own workbook back with its faulty cells marked; a worker makes it once the findings are stored.

CREATE TABLE marked_workbook (
    submission_id uuid NOT NULL REFERENCES submission,
    assessed_at timestamptz NOT NULL,
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    n_bytes bigint CHECK (n_bytes > 0),
    stored_key text CHECK (stored_key <> ''),
    why_not text CHECK (why_not <> ''),
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission_id, assessed_at),
    CHECK ((why_not IS NULL) = (stored_key IS NOT NULL)),
    CHECK ((sha256 IS NULL) = (stored_key IS NULL)),
    CHECK ((n_bytes IS NULL) = (stored_key IS NULL))
);
COMMENT ON TABLE marked_workbook IS 'What a submission''s workbook looks like with its findings marked in it, or why it was not marked. Holds what the original holds: for the sender''s organisation and the office only.';
COMMENT ON COLUMN marked_workbook.submission_id IS 'The submission whose file it is.';
COMMENT ON COLUMN marked_workbook.assessed_at IS 'The moment of the assessment whose findings are marked.';
COMMENT ON COLUMN marked_workbook.sha256 IS 'SHA-256 of the marked workbook, lower-case hexadecimal; null: it was not marked.';
COMMENT ON COLUMN marked_workbook.n_bytes IS 'Its size in bytes; null: it was not marked.';
COMMENT ON COLUMN marked_workbook.stored_key IS 'Where the file store keeps it; null: it was not marked.';
COMMENT ON COLUMN marked_workbook.why_not IS 'Why it was not marked, as a clause for the sender; null: it was.';
COMMENT ON COLUMN marked_workbook.made_at IS 'When it was made.';
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON marked_workbook
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
