-- Work to do and messages to send, enqueued in the transaction that gives the reason for them.

CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind <> ''),
    payload jsonb NOT NULL,
    dedupe_key text,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'dead')),
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts integer NOT NULL CHECK (max_attempts >= 1),
    n_lapses integer NOT NULL DEFAULT 0 CHECK (n_lapses >= 0),
    lease_token uuid,
    lease_until timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'running') = (lease_token IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('done', 'dead')) = (finished_at IS NOT NULL))
);
CREATE INDEX job_to_claim ON job (run_at, id) WHERE state IN ('ready', 'running');
CREATE UNIQUE INDEX job_waits_once ON job (dedupe_key) WHERE state IN ('ready', 'running');
COMMENT ON TABLE job IS 'Work to do. A job runs at least once; its effect happens once.';
COMMENT ON COLUMN job.id IS 'Internal number.';
COMMENT ON COLUMN job.kind IS 'What kind of work; decides who runs it.';
COMMENT ON COLUMN job.payload IS 'What the work is about, as JSON: ids, never personal data.';
COMMENT ON COLUMN job.dedupe_key IS 'While a job with this key waits or runs, a second one is not added; null: always added.';
COMMENT ON COLUMN job.state IS 'ready (waiting for run_at), running (leased), done, or dead (given up; needs a person).';
COMMENT ON COLUMN job.run_at IS 'Not to be run before this moment.';
COMMENT ON COLUMN job.attempts IS 'How often it was started.';
COMMENT ON COLUMN job.max_attempts IS 'It is given up after this many failed attempts.';
COMMENT ON COLUMN job.n_lapses IS 'How often its worker vanished without a word, so that the lease ran out.';
COMMENT ON COLUMN job.lease_token IS 'Who runs it: only the holder of this token may finish it.';
COMMENT ON COLUMN job.lease_until IS 'Another worker may take it after this moment; a heartbeat moves it on.';
COMMENT ON COLUMN job.last_error IS 'Why the last attempt failed.';
COMMENT ON COLUMN job.created_at IS 'When it was enqueued.';
COMMENT ON COLUMN job.finished_at IS 'When it was done or given up.';

CREATE FUNCTION notify_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('job', '');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION notify_job() IS 'Wakes the workers once the transaction that enqueued a job is committed.';
CREATE TRIGGER wake_workers AFTER INSERT ON job
    FOR EACH STATEMENT EXECUTE FUNCTION notify_job();

CREATE TABLE email (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('receipt', 'outcome')),
    submission_id uuid NOT NULL REFERENCES submission,
    recipient text NOT NULL CHECK (recipient <> ''),
    payload jsonb NOT NULL,
    message_id text NOT NULL UNIQUE,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'undeliverable')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    UNIQUE (submission_id, kind),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
COMMENT ON TABLE email IS 'The outbox: messages to send, one of each kind for a submission however often its job is replayed.';
COMMENT ON COLUMN email.id IS 'Internal number.';
COMMENT ON COLUMN email.kind IS 'Which message: receipt or outcome.';
COMMENT ON COLUMN email.submission_id IS 'The submission it tells of.';
COMMENT ON COLUMN email.recipient IS 'The address it goes to.';
COMMENT ON COLUMN email.payload IS 'The message''s variables as JSON: counts and names, never a cell''s value.';
COMMENT ON COLUMN email.message_id IS 'Message-ID header, the same at each attempt, so that a mailbox can drop a repeat.';
COMMENT ON COLUMN email.state IS 'queued, sent (the mail server took it), or undeliverable (given up).';
COMMENT ON COLUMN email.attempts IS 'How often sending was tried and failed.';
COMMENT ON COLUMN email.last_error IS 'Why the last attempt failed.';
COMMENT ON COLUMN email.created_at IS 'When it was put into the outbox.';
COMMENT ON COLUMN email.sent_at IS 'When the mail server took it.';
