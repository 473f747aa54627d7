DELETE FROM email WHERE occasion IS NOT NULL;
DROP INDEX email_once_for_an_occasion, email_once_for_a_submission;
ALTER TABLE email DROP COLUMN occasion;
ALTER TABLE email ADD CONSTRAINT email_submission_id_kind_recipient_key UNIQUE (submission_id, kind, recipient);
COMMENT ON TABLE email IS 'The outbox: messages to send, one of each kind for a submission and recipient however often its job is replayed.';
