-- Servers that are called when something happens to a submission: who asked for it, what was told, and how each attempt went.

CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    organisation text REFERENCES organisation,
    return_id text,
    url text NOT NULL CHECK (url <> '' AND length(url) <= 2000),
    secret bytea NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    made_at timestamptz NOT NULL DEFAULT now(),
    made_by uuid REFERENCES person,
    failing_since timestamptz,
    ended_at timestamptz,
    is_ended_by_failing boolean NOT NULL DEFAULT false,
    CHECK ((organisation IS NULL) <> (return_id IS NULL)),
    CHECK (ended_at IS NOT NULL OR NOT is_ended_by_failing)
);
CREATE INDEX webhook_of_organisation ON webhook (organisation) WHERE ended_at IS NULL;
CREATE INDEX webhook_of_return ON webhook (return_id) WHERE ended_at IS NULL;
COMMENT ON TABLE webhook IS 'An address that is called when something happens to a submission.';
COMMENT ON COLUMN webhook.id IS 'Given by the form it was asked for in, so that one that is sent twice is there once.';
COMMENT ON COLUMN webhook.organisation IS 'Of whose submissions it is told; null: of a return''s.';
COMMENT ON COLUMN webhook.return_id IS 'Of which return''s submissions it is told once they are handed over; null: of an organisation''s.';
COMMENT ON COLUMN webhook.url IS 'Where the messages go.';
COMMENT ON COLUMN webhook.secret IS 'What messages are signed with. It has to be read to sign, and is shown once.';
COMMENT ON COLUMN webhook.made_at IS 'When it was asked for.';
COMMENT ON COLUMN webhook.made_by IS 'Who asked for it, and is told when it is ended.';
COMMENT ON COLUMN webhook.failing_since IS 'Since when nothing was taken; null: the last message was, or there was none.';
COMMENT ON COLUMN webhook.ended_at IS 'From when on it is not called; null: it is.';
COMMENT ON COLUMN webhook.is_ended_by_failing IS 'Whether it was ended because it had failed for long.';

CREATE TABLE webhook_message (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES webhook,
    organisation text REFERENCES organisation,
    event text NOT NULL CHECK (event <> ''),
    submission_id uuid NOT NULL REFERENCES submission,
    data jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    taken_at timestamptz,
    given_up_at timestamptz,
    UNIQUE (webhook_id, event, submission_id)
);
COMMENT ON TABLE webhook_message IS 'What a webhook is told, once for each event of a submission.';
COMMENT ON COLUMN webhook_message.id IS 'The same at each attempt: whoever takes it twice can tell.';
COMMENT ON COLUMN webhook_message.webhook_id IS 'Who is told.';
COMMENT ON COLUMN webhook_message.organisation IS 'As of the webhook.';
COMMENT ON COLUMN webhook_message.event IS 'What happened: submission.assessed and others.';
COMMENT ON COLUMN webhook_message.submission_id IS 'To which version.';
COMMENT ON COLUMN webhook_message.data IS 'Facts and counts of it, and no values.';
COMMENT ON COLUMN webhook_message.made_at IS 'When it happened.';
COMMENT ON COLUMN webhook_message.taken_at IS 'When it was taken; null: not yet.';
COMMENT ON COLUMN webhook_message.given_up_at IS 'When it was tried for the last time in vain; null: it was not.';

CREATE TABLE webhook_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES webhook_message,
    organisation text REFERENCES organisation,
    at timestamptz NOT NULL,
    status integer CHECK (status BETWEEN 100 AND 599),
    failure text CHECK (failure <> '')
);
CREATE INDEX webhook_attempt_of_message ON webhook_attempt (message_id, id DESC);
COMMENT ON TABLE webhook_attempt IS 'An attempt to deliver a message.';
COMMENT ON COLUMN webhook_attempt.id IS 'Internal number.';
COMMENT ON COLUMN webhook_attempt.message_id IS 'Which message.';
COMMENT ON COLUMN webhook_attempt.organisation IS 'As of the webhook.';
COMMENT ON COLUMN webhook_attempt.at IS 'When.';
COMMENT ON COLUMN webhook_attempt.status IS 'The answer''s; null: there was none.';
COMMENT ON COLUMN webhook_attempt.failure IS 'Why it was not taken; null: it was.';

SELECT wall('webhook', 'organisation');
SELECT wall('webhook_message', 'organisation');
SELECT wall('webhook_attempt', 'organisation');
GRANT SELECT, INSERT, UPDATE (failing_since, ended_at, is_ended_by_failing) ON webhook TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (taken_at, given_up_at) ON webhook_message TO lgdp_app;
GRANT SELECT, INSERT ON webhook_attempt TO lgdp_app;
