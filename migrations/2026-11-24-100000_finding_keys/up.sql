-- A finding is known again in the sender's next file, so that what was said about it can follow it;
-- it tells when its rule is only on trial, and carries the sender's own columns.

ALTER TABLE finding
    ADD COLUMN trial text CHECK (trial IN ('blocker', 'error', 'query', 'note')),
    ADD COLUMN key text CHECK (key <> ''),
    ADD COLUMN own jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(own) = 'object');
COMMENT ON COLUMN finding.trial IS 'The severity it would have if its rule were not on trial; null: the rule counts.';
COMMENT ON COLUMN finding.key IS 'The same in the sender''s next file for the same rule on the same record; null: found before there were keys.';
COMMENT ON COLUMN finding.own IS 'The sender''s own columns of the row, by heading. May be personal data: shown to the sender''s organisation and the office only.';
CREATE UNIQUE INDEX finding_by_key ON finding (submission_id, key);
