-- A version may have many messages of one kind: one for each time that something is written about it.
-- What a message tells of makes it known again, so that a job that is run twice still puts in one.

ALTER TABLE email ADD COLUMN occasion uuid;
COMMENT ON COLUMN email.occasion IS 'What it tells of, where there may be many such: the message, the exception or the request for more time; null: there is one of its kind for the submission.';
ALTER TABLE email DROP CONSTRAINT email_submission_id_kind_recipient_key;
CREATE UNIQUE INDEX email_once_for_a_submission ON email (submission_id, kind, recipient) WHERE occasion IS NULL;
CREATE UNIQUE INDEX email_once_for_an_occasion ON email (occasion, kind, recipient);
COMMENT ON TABLE email IS 'The outbox: messages to send, one of each kind for a submission (or an occasion) and recipient however often its job is replayed.';
