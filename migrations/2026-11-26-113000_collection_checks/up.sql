-- Standing submissions of a round checked against each other: what one organisation says of another.
-- Each run is a row of its own and the newest of a round counts; nothing here is shown to an organisation.

CREATE TABLE collection_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cycle_id bigint NOT NULL REFERENCES cycle,
    spec_hash text NOT NULL CHECK (spec_hash <> ''),
    checked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX collection_check_newest ON collection_check (cycle_id, id DESC);
COMMENT ON TABLE collection_check IS 'One run of the collection rules over the standing submissions of a round. The newest of a round counts.';
COMMENT ON COLUMN collection_check.id IS 'In the order of the runs.';
COMMENT ON COLUMN collection_check.cycle_id IS 'The round.';
COMMENT ON COLUMN collection_check.spec_hash IS 'Hash of the spec whose rules ran.';
COMMENT ON COLUMN collection_check.checked_at IS 'When its findings were stored.';

CREATE TABLE collection_check_member (
    check_id bigint NOT NULL REFERENCES collection_check,
    submission_id uuid NOT NULL REFERENCES submission,
    PRIMARY KEY (check_id, submission_id)
);
COMMENT ON TABLE collection_check_member IS 'Which submissions were checked against each other: those that stood.';
COMMENT ON COLUMN collection_check_member.check_id IS 'The run.';
COMMENT ON COLUMN collection_check_member.submission_id IS 'A submission that stood.';

CREATE TABLE collection_finding (
    check_id bigint NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 1),
    submission_id uuid NOT NULL,
    rule text NOT NULL CHECK (rule <> ''),
    severity text NOT NULL CHECK (severity IN ('error', 'query', 'note')),
    table_name text,
    cell text,
    row_number integer CHECK (row_number >= 1),
    item text,
    value text,
    message text NOT NULL CHECK (message <> ''),
    fix text NOT NULL,
    trial text CHECK (trial IN ('error', 'query', 'note')),
    key text CHECK (key <> ''),
    own jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(own) = 'object'),
    PRIMARY KEY (check_id, ordinal),
    FOREIGN KEY (check_id, submission_id) REFERENCES collection_check_member
);
COMMENT ON TABLE collection_finding IS 'What does not fit between the submissions of a round. For the team that asks for the return: never shown to an organisation, not even to the one whose record it is about, because that it exists tells something of another one.';
COMMENT ON COLUMN collection_finding.check_id IS 'The run that found it.';
COMMENT ON COLUMN collection_finding.ordinal IS 'Place in the report, from 1.';
COMMENT ON COLUMN collection_finding.submission_id IS 'Whose record it is about. Its words hold values of that record alone.';
COMMENT ON COLUMN collection_finding.rule IS 'The rule that found it.';
COMMENT ON COLUMN collection_finding.severity IS 'How badly: error, query or note. It changes no submission''s outcome.';
COMMENT ON COLUMN collection_finding.table_name IS 'The spec''s table.';
COMMENT ON COLUMN collection_finding.cell IS 'The cell to look at, as Sheet!B12.';
COMMENT ON COLUMN collection_finding.row_number IS 'The sheet''s row.';
COMMENT ON COLUMN collection_finding.item IS 'The data item.';
COMMENT ON COLUMN collection_finding.value IS 'The value there. May be personal data.';
COMMENT ON COLUMN collection_finding.message IS 'What does not fit, one sentence.';
COMMENT ON COLUMN collection_finding.fix IS 'What to do, one sentence.';
COMMENT ON COLUMN collection_finding.trial IS 'The severity it would have if its rule were not on trial; null: the rule counts.';
COMMENT ON COLUMN collection_finding.key IS 'The same in the next run for the same rule on the same record.';
COMMENT ON COLUMN collection_finding.own IS 'The sender''s own columns of the row, by heading. May be personal data.';

CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON collection_check
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON collection_check_member
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON collection_finding
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
