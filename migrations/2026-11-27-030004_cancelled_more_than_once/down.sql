-- Fails where somebody was told twice of one cancelling: nothing that was sent is forgotten.
DROP INDEX reminder_once;
CREATE UNIQUE INDEX reminder_once ON reminder (obligation_id, rung, due_on, person_id, cycle_date_id) NULLS NOT DISTINCT;
COMMENT ON COLUMN reminder.rung IS 'The step of the ladder (before_30 to escalation), or moved.';
