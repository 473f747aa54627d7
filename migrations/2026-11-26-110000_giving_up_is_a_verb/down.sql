-- What was sent without an address can't go back to having one: then this fails, and nothing is changed.
ALTER TABLE submission ALTER COLUMN contact_email SET NOT NULL;
COMMENT ON COLUMN submission.contact_email IS 'Where the receipt and the outcome are sent.';

ALTER TABLE email DROP CONSTRAINT email_kind_check;
ALTER TABLE email ADD CONSTRAINT email_kind_check CHECK (kind IN ('receipt', 'outcome'));
COMMENT ON COLUMN email.kind IS 'Which message: receipt or outcome.';

ALTER TABLE job DROP COLUMN then_kind;

CREATE FUNCTION call_for_attention() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH stuck AS (
        UPDATE submission SET attention_at = now()
        WHERE id::text = NEW.payload ->> 'submission_id' AND assessed_at IS NULL
        RETURNING id, obligation_id, organisation
    )
    INSERT INTO event (actor, verb, organisation, obligation_id, submission_id, details)
    SELECT 'queue', 'give_up', organisation, obligation_id, id,
           jsonb_build_object('job', NEW.id, 'attempts', NEW.attempts, 'n_lapses', NEW.n_lapses)
    FROM stuck;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION call_for_attention() IS 'Marks the submission whose assess job was given up, and appends the event.';
CREATE TRIGGER call_for_attention AFTER UPDATE ON job
    FOR EACH ROW WHEN (NEW.kind = 'assess' AND NEW.state = 'dead' AND OLD.state <> 'dead')
    EXECUTE FUNCTION call_for_attention();
