-- A submission whose assess job is given up says so, until a person puts it right.
-- By trigger, because a job can be given up by whoever next looks for work after its worker vanished:
-- however it happens, the submission and the event follow in the same transaction.

ALTER TABLE submission ADD COLUMN attention_at timestamptz;
COMMENT ON COLUMN submission.attention_at IS 'When its assess job was given up, through no fault of the sender; null: it was not, or is tried again.';

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
