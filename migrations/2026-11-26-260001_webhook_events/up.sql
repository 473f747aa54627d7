-- Servers are told of releases and of rounds too, and not of submissions alone: a message is about one of these.

ALTER TABLE webhook_message
    ALTER COLUMN submission_id DROP NOT NULL,
    ADD COLUMN release_id uuid REFERENCES release,
    ADD COLUMN cycle_id bigint REFERENCES cycle,
    DROP CONSTRAINT webhook_message_webhook_id_event_submission_id_key,
    ADD CHECK (num_nonnulls(submission_id, release_id, cycle_id) = 1);
-- A day of a round that was moved comes once more: the day is in the data, and is part of what it is told once of.
CREATE UNIQUE INDEX webhook_message_is_told_once ON webhook_message
    (webhook_id, event, coalesce(submission_id::text, release_id::text, cycle_id::text), (data ->> 'on'))
    NULLS NOT DISTINCT;

COMMENT ON TABLE webhook IS 'An address that is called when something happens to a submission, a release or a round.';
COMMENT ON TABLE webhook_message IS 'What a webhook is told, once for each event of a submission, a release or a day of a round.';
COMMENT ON COLUMN webhook_message.event IS 'What happened: submission.assessed, release.published and others.';
COMMENT ON COLUMN webhook_message.submission_id IS 'To which version; null: it is about something else.';
COMMENT ON COLUMN webhook_message.release_id IS 'Which release was published; null: it is about something else.';
COMMENT ON COLUMN webhook_message.cycle_id IS 'Of which round a day has come; null: it is about something else.';
