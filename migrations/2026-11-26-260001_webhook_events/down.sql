DELETE FROM webhook_attempt WHERE message_id IN (SELECT id FROM webhook_message WHERE submission_id IS NULL);
DELETE FROM webhook_message WHERE submission_id IS NULL;
DROP INDEX webhook_message_is_told_once;
ALTER TABLE webhook_message
    DROP COLUMN release_id,
    DROP COLUMN cycle_id,
    ALTER COLUMN submission_id SET NOT NULL,
    ADD UNIQUE (webhook_id, event, submission_id);
