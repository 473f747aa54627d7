-- What is collected, who owes it, what was received and what became of it.
-- Facts are stored and states are derived; nothing that was received is ever overwritten.

CREATE TABLE organisation (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z][0-9]{8}$'),
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    sg_code text,
    phs_code text,
    valid_from date,
    valid_to date,
    CHECK (valid_from <= valid_to)
);
COMMENT ON TABLE organisation IS 'A council or another body that owes returns.';
COMMENT ON COLUMN organisation.code IS 'GSS code, nine characters.';
COMMENT ON COLUMN organisation.name IS 'Name as it is shown.';
COMMENT ON COLUMN organisation.kind IS 'Type of organisation, as return specs name their respondents: council and others.';
COMMENT ON COLUMN organisation.sg_code IS 'The Scottish Government''s three digits, where it has them.';
COMMENT ON COLUMN organisation.phs_code IS 'Public Health Scotland''s two digits, where it has them.';
COMMENT ON COLUMN organisation.valid_from IS 'First day the organisation exists; null: always did.';
COMMENT ON COLUMN organisation.valid_to IS 'Last day the organisation exists; null: still does.';

CREATE TABLE return_version (
    return_id text NOT NULL CHECK (return_id ~ '^[a-z][a-z0-9]*$'),
    version text NOT NULL CHECK (version ~ '^[0-9]+(\.[0-9]+)*$'),
    title text NOT NULL CHECK (title <> ''),
    spec_hash text NOT NULL CHECK (spec_hash <> ''),
    facts jsonb NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (return_id, version)
);
COMMENT ON TABLE return_version IS 'A published version of a return. A version never changes: a change is a new version.';
COMMENT ON COLUMN return_version.return_id IS 'The return, as its spec folder is called.';
COMMENT ON COLUMN return_version.version IS 'The version, as its spec folder is called.';
COMMENT ON COLUMN return_version.title IS 'What the return is called.';
COMMENT ON COLUMN return_version.spec_hash IS 'Hash over the spec''s files: which rules an assessment used.';
COMMENT ON COLUMN return_version.facts IS 'The spec''s other facts as JSON: acronym, summary, owner, period kind, accumulation, sensitivity, tables.';
COMMENT ON COLUMN return_version.published_at IS 'When this version was published here.';

CREATE TABLE cycle (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    return_id text NOT NULL,
    version text NOT NULL,
    period_label text NOT NULL CHECK (period_label <> ''),
    period_start date NOT NULL,
    period_end date NOT NULL,
    opens_on date NOT NULL,
    due_on date NOT NULL,
    FOREIGN KEY (return_id, version) REFERENCES return_version,
    UNIQUE (return_id, period_label),
    CHECK (period_start <= period_end),
    CHECK (opens_on <= due_on)
);
CREATE INDEX cycle_by_period ON cycle (return_id, period_end);
COMMENT ON TABLE cycle IS 'One round of a return: a period, and when it may be sent.';
COMMENT ON COLUMN cycle.id IS 'Internal number.';
COMMENT ON COLUMN cycle.return_id IS 'The return that is collected.';
COMMENT ON COLUMN cycle.version IS 'The version of the return that this round uses.';
COMMENT ON COLUMN cycle.period_label IS 'The reference period as it is written, such as 2026-27-Q1.';
COMMENT ON COLUMN cycle.period_start IS 'First day of the reference period.';
COMMENT ON COLUMN cycle.period_end IS 'Last day of the reference period.';
COMMENT ON COLUMN cycle.opens_on IS 'First day a file may be sent.';
COMMENT ON COLUMN cycle.due_on IS 'Last day a file is in time; later ones are taken and are late.';

CREATE TABLE obligation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cycle_id bigint NOT NULL REFERENCES cycle,
    organisation text NOT NULL REFERENCES organisation,
    UNIQUE (cycle_id, organisation),
    UNIQUE (id, organisation)
);
CREATE INDEX obligation_by_organisation ON obligation (organisation);
COMMENT ON TABLE obligation IS 'An organisation''s duty in one round of a return.';
COMMENT ON COLUMN obligation.id IS 'Internal number.';
COMMENT ON COLUMN obligation.cycle_id IS 'The round.';
COMMENT ON COLUMN obligation.organisation IS 'Who has to answer.';

CREATE TABLE file (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    n_bytes bigint NOT NULL CHECK (n_bytes >= 0),
    stored_key text NOT NULL UNIQUE,
    stored_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE file IS 'An original as it was received, kept once however often it is sent.';
COMMENT ON COLUMN file.sha256 IS 'SHA-256 of the bytes, lower-case hexadecimal.';
COMMENT ON COLUMN file.n_bytes IS 'Size in bytes.';
COMMENT ON COLUMN file.stored_key IS 'Where the file store keeps the bytes.';
COMMENT ON COLUMN file.stored_at IS 'When the bytes were first stored.';

CREATE TABLE submission (
    id uuid PRIMARY KEY,
    obligation_id bigint NOT NULL,
    organisation text NOT NULL,
    version_number integer NOT NULL CHECK (version_number >= 1),
    file_sha256 text NOT NULL REFERENCES file,
    file_name text NOT NULL CHECK (file_name <> ''),
    uploaded_by text NOT NULL CHECK (uploaded_by <> ''),
    contact_email text NOT NULL CHECK (contact_email <> ''),
    received_at timestamptz NOT NULL,
    idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
    assessed_at timestamptz,
    outcome text CHECK (outcome IN ('ready', 'needs_explanation', 'needs_correction', 'refused')),
    spec_hash text,
    FOREIGN KEY (obligation_id, organisation) REFERENCES obligation (id, organisation),
    UNIQUE (obligation_id, version_number),
    UNIQUE (organisation, idempotency_key),
    -- Assessed means all three facts; there is no half an assessment.
    CHECK ((assessed_at IS NULL) = (outcome IS NULL)),
    CHECK ((assessed_at IS NULL) = (spec_hash IS NULL))
);
COMMENT ON TABLE submission IS 'One version of an organisation''s answer for a period. What was received never changes; the assessment is set once.';
COMMENT ON COLUMN submission.id IS 'Number as shown to the sender; in the order of receipt.';
COMMENT ON COLUMN submission.obligation_id IS 'The duty it answers.';
COMMENT ON COLUMN submission.organisation IS 'Whose answer it is; always that of the obligation.';
COMMENT ON COLUMN submission.version_number IS 'Counts from 1 within the obligation.';
COMMENT ON COLUMN submission.file_sha256 IS 'The file that was received.';
COMMENT ON COLUMN submission.file_name IS 'What the sender calls the file.';
COMMENT ON COLUMN submission.uploaded_by IS 'Who sent it, as the audit trail calls them.';
COMMENT ON COLUMN submission.contact_email IS 'Where the receipt and the outcome are sent.';
COMMENT ON COLUMN submission.received_at IS 'When the whole file had arrived.';
COMMENT ON COLUMN submission.idempotency_key IS 'The sender''s key: an upload that is repeated with it makes no second version.';
COMMENT ON COLUMN submission.assessed_at IS 'When the assessment was stored; null: not yet.';
COMMENT ON COLUMN submission.outcome IS 'What the assessment came to: ready, needs_explanation, needs_correction or refused; null: not assessed yet.';
COMMENT ON COLUMN submission.spec_hash IS 'Hash of the spec that it was assessed with; null: not assessed yet.';

CREATE TABLE submission_table (
    submission_id uuid NOT NULL REFERENCES submission,
    table_name text NOT NULL,
    sheet text,
    n_rows bigint NOT NULL CHECK (n_rows >= 0),
    n_loaded bigint NOT NULL CHECK (n_loaded >= 0),
    n_rejected bigint NOT NULL CHECK (n_rejected >= 0),
    n_ignored bigint NOT NULL CHECK (n_ignored >= 0),
    ignored jsonb NOT NULL,
    columns jsonb NOT NULL,
    PRIMARY KEY (submission_id, table_name),
    -- Every row is accounted for.
    CHECK (n_rows = n_loaded + n_rejected + n_ignored)
);
COMMENT ON TABLE submission_table IS 'What became of the rows of each table of a submission, and which column each data item was in.';
COMMENT ON COLUMN submission_table.submission_id IS 'The submission.';
COMMENT ON COLUMN submission_table.table_name IS 'The spec''s table.';
COMMENT ON COLUMN submission_table.sheet IS 'The sheet it stood on; null: the workbook had none for it.';
COMMENT ON COLUMN submission_table.n_rows IS 'Rows of the table in the sheet.';
COMMENT ON COLUMN submission_table.n_loaded IS 'Rows loaded as records.';
COMMENT ON COLUMN submission_table.n_rejected IS 'Rows not loaded; a finding says why.';
COMMENT ON COLUMN submission_table.n_ignored IS 'Blank rows and rows that the spec says are not records.';
COMMENT ON COLUMN submission_table.ignored IS 'How many rows were ignored for which reason.';
COMMENT ON COLUMN submission_table.columns IS 'The letters of each data item''s column, by item name.';

CREATE TABLE finding (
    submission_id uuid NOT NULL REFERENCES submission,
    ordinal integer NOT NULL CHECK (ordinal >= 1),
    rule text NOT NULL CHECK (rule <> ''),
    severity text NOT NULL CHECK (severity IN ('blocker', 'error', 'query', 'note')),
    table_name text,
    cell text,
    row_number integer CHECK (row_number >= 1),
    item text,
    value text,
    message text NOT NULL CHECK (message <> ''),
    fix text NOT NULL,
    PRIMARY KEY (submission_id, ordinal)
);
COMMENT ON TABLE finding IS 'Something wrong with a submission, in words for its sender.';
COMMENT ON COLUMN finding.submission_id IS 'The submission.';
COMMENT ON COLUMN finding.ordinal IS 'Place in the report, from 1.';
COMMENT ON COLUMN finding.rule IS 'The rule that found it.';
COMMENT ON COLUMN finding.severity IS 'How badly: blocker, error, query or note.';
COMMENT ON COLUMN finding.table_name IS 'The spec''s table; null: the file as a whole.';
COMMENT ON COLUMN finding.cell IS 'The cell to look at, as Sheet!B12; null where no one cell is at fault.';
COMMENT ON COLUMN finding.row_number IS 'The sheet''s row as the sender sees it.';
COMMENT ON COLUMN finding.item IS 'The data item.';
COMMENT ON COLUMN finding.value IS 'The value as the sender sees it. May be personal data: shown to the sender''s organisation and the office only.';
COMMENT ON COLUMN finding.message IS 'What is wrong, one sentence.';
COMMENT ON COLUMN finding.fix IS 'How to mend it, one sentence.';

CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL CHECK (actor <> ''),
    actor_organisation text,
    verb text NOT NULL CHECK (verb <> ''),
    organisation text,
    obligation_id bigint REFERENCES obligation,
    submission_id uuid REFERENCES submission,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_by_submission ON event (submission_id);
COMMENT ON TABLE event IS 'The audit trail: one row for each thing done, written in the transaction that does it.';
COMMENT ON COLUMN event.id IS 'Order of the trail.';
COMMENT ON COLUMN event.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN event.actor IS 'Who did it.';
COMMENT ON COLUMN event.actor_organisation IS 'The organisation the actor belongs to; null: the office or the product itself.';
COMMENT ON COLUMN event.verb IS 'What was done.';
COMMENT ON COLUMN event.organisation IS 'The organisation it concerns, where there is just one.';
COMMENT ON COLUMN event.obligation_id IS 'The obligation it concerns.';
COMMENT ON COLUMN event.submission_id IS 'The submission it concerns.';
COMMENT ON COLUMN event.details IS 'Facts of it as JSON; never a cell''s value.';

-- The version of an obligation that counts.
CREATE VIEW standing_submission AS
SELECT DISTINCT ON (obligation_id)
    id AS submission_id, obligation_id, organisation, version_number, outcome
FROM submission
WHERE outcome IN ('ready', 'needs_explanation')
ORDER BY obligation_id, version_number DESC;
COMMENT ON VIEW standing_submission IS 'The submission of each obligation that stands: the newest that is ready or only needs explanation.';
COMMENT ON COLUMN standing_submission.submission_id IS 'The submission that stands.';
COMMENT ON COLUMN standing_submission.obligation_id IS 'The obligation it stands for.';
COMMENT ON COLUMN standing_submission.organisation IS 'Whose it is.';
COMMENT ON COLUMN standing_submission.version_number IS 'Its version number.';
COMMENT ON COLUMN standing_submission.outcome IS 'Its outcome.';

-- 42501 (insufficient privilege), since nobody has the right.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '42501';
END $$;
COMMENT ON FUNCTION refuse_change() IS 'Refuses UPDATE, DELETE and TRUNCATE on tables whose rows are never changed.';

CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON file
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON finding
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON submission_table
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON return_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rows_never_go BEFORE DELETE OR TRUNCATE ON submission
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A submission changes once, when its assessment is stored, and in nothing else.
CREATE TRIGGER assessed_once BEFORE UPDATE ON submission
    FOR EACH ROW WHEN (
        OLD.assessed_at IS NOT NULL
        OR ROW(OLD.id, OLD.obligation_id, OLD.organisation, OLD.version_number, OLD.file_sha256, OLD.file_name,
               OLD.uploaded_by, OLD.contact_email, OLD.received_at, OLD.idempotency_key)
           IS DISTINCT FROM
           ROW(NEW.id, NEW.obligation_id, NEW.organisation, NEW.version_number, NEW.file_sha256, NEW.file_name,
               NEW.uploaded_by, NEW.contact_email, NEW.received_at, NEW.idempotency_key)
    ) EXECUTE FUNCTION refuse_change();

CREATE SCHEMA ret;
COMMENT ON SCHEMA ret IS 'Records of returns: one table for each return version and record table, made when the version is published.';
