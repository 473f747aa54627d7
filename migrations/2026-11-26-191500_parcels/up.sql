-- Files that came in by the page and are nobody's return yet: kept for a short time, to be looked at, sent or only checked.
-- No value of a file is in this table, and its rows go when their time is over.

CREATE TABLE parcel (
    id uuid PRIMARY KEY,
    batch uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 1),
    organisation text NOT NULL REFERENCES organisation,
    put_in_by_kind text,
    put_in_by_id uuid,
    contact_email text CHECK (contact_email <> ''),
    idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
    file_name text NOT NULL CHECK (file_name <> ''),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    n_bytes bigint NOT NULL CHECK (n_bytes >= 0),
    state text NOT NULL DEFAULT 'arriving'
        CHECK (state IN ('arriving', 'waiting', 'recognised', 'left', 'sent', 'checking', 'checked', 'given-up')),
    return_id text,
    period_label text,
    recognition jsonb,
    submission_id uuid REFERENCES submission,
    answer_sha256 text CHECK (answer_sha256 ~ '^[0-9a-f]{64}$'),
    outcome text,
    came_at timestamptz NOT NULL,
    goes_at timestamptz NOT NULL,
    UNIQUE (organisation, idempotency_key, ordinal),
    CHECK ((state = 'sent') = (submission_id IS NOT NULL)),
    CHECK ((state = 'checked') = (answer_sha256 IS NOT NULL)),
    CHECK ((state = 'checked') = (outcome IS NOT NULL)),
    CHECK ((return_id IS NULL) = (period_label IS NULL)),
    CHECK (state NOT IN ('sent', 'checking', 'checked') OR return_id IS NOT NULL)
);
CREATE INDEX parcel_by_batch ON parcel (batch, ordinal);
CREATE INDEX parcel_by_submission ON parcel (submission_id);
COMMENT ON TABLE parcel IS 'A file that came in by the page and is nobody''s return yet. Its row and its file go when its time is over; no value of it is kept here.';
COMMENT ON COLUMN parcel.id IS 'Internal number; the file lies in the file store under it until it is sent, checked or gone.';
COMMENT ON COLUMN parcel.batch IS 'The files that came in together.';
COMMENT ON COLUMN parcel.ordinal IS 'Which of them it is, from 1.';
COMMENT ON COLUMN parcel.organisation IS 'Whose it is.';
COMMENT ON COLUMN parcel.put_in_by_kind IS 'Who put it in: person or client; null: was not kept.';
COMMENT ON COLUMN parcel.put_in_by_id IS 'Which person or client.';
COMMENT ON COLUMN parcel.contact_email IS 'Where receipt and outcome go if it is sent; null: nowhere.';
COMMENT ON COLUMN parcel.idempotency_key IS 'Of the form that it came with: the same form sent again is the same batch.';
COMMENT ON COLUMN parcel.file_name IS 'As the sender calls the file.';
COMMENT ON COLUMN parcel.sha256 IS 'SHA-256 of its bytes, in hex.';
COMMENT ON COLUMN parcel.n_bytes IS 'Its size.';
COMMENT ON COLUMN parcel.state IS 'arriving (being put away), waiting (to be recognised), recognised (the sender decides), left (the sender wants nothing done), sent, checking, checked, or given-up (it could not be looked at, by our fault).';
COMMENT ON COLUMN parcel.return_id IS 'The return that it is sent in or checked for; before that, the one that it was taken for; null: not known.';
COMMENT ON COLUMN parcel.period_label IS 'The period likewise.';
COMMENT ON COLUMN parcel.recognition IS 'What it was taken for and by what, as JSON; null: nobody has looked yet.';
COMMENT ON COLUMN parcel.submission_id IS 'The version that was made of it; null: none.';
COMMENT ON COLUMN parcel.answer_sha256 IS 'SHA-256 of what checking it found, which lies in the file store beside where it lay; null: nothing does.';
COMMENT ON COLUMN parcel.outcome IS 'What checking it came to; null: it is not checked.';
COMMENT ON COLUMN parcel.came_at IS 'When it came in.';
COMMENT ON COLUMN parcel.goes_at IS 'When row, file and answer are removed.';

GRANT SELECT, INSERT, DELETE ON parcel TO lgdp_app;
GRANT UPDATE (state, return_id, period_label, recognition, submission_id, answer_sha256, outcome, goes_at) ON parcel TO lgdp_app;
ALTER TABLE parcel ENABLE ROW LEVEL SECURITY;
ALTER TABLE parcel FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON parcel USING (
    (SELECT current_setting('lgdp.sees', true)) = 'everyone'
    OR organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
);
