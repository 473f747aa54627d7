-- What an assessment was compared with, so that it can be repeated, and what it could not be compared with.

CREATE TABLE submission_comparison (
    submission_id uuid NOT NULL REFERENCES submission,
    kind text NOT NULL CHECK (kind IN ('earlier', 'return', 'reference_values')),
    name text NOT NULL CHECK (name <> ''),
    title text NOT NULL CHECK (title <> ''),
    version text,
    spec_hash text,
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    rules_not_run text[] NOT NULL,
    PRIMARY KEY (submission_id, kind, name),
    -- What is known is read by every rule that wants it.
    CHECK (sha256 IS NULL OR cardinality(rules_not_run) = 0)
);
COMMENT ON TABLE submission_comparison IS 'What rules read beyond the file itself when a submission was assessed.';
COMMENT ON COLUMN submission_comparison.submission_id IS 'The submission.';
COMMENT ON COLUMN submission_comparison.kind IS 'earlier (the same return of an earlier period), return (another return of the same organisation) or reference_values (central figures).';
COMMENT ON COLUMN submission_comparison.name IS 'previous, year_ago, the other return, or the set of figures and its period.';
COMMENT ON COLUMN submission_comparison.title IS 'What it is called in sentences.';
COMMENT ON COLUMN submission_comparison.version IS 'The other return''s version; null: no other return.';
COMMENT ON COLUMN submission_comparison.spec_hash IS 'Hash of the other return''s spec; null: no other return.';
COMMENT ON COLUMN submission_comparison.sha256 IS 'The file it was compared with; null: there was none that could be read.';
COMMENT ON COLUMN submission_comparison.rules_not_run IS 'The rules that did not run for want of it.';

CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON submission_comparison
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
