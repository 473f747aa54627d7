-- A round may be cancelled, taken up again and cancelled: each is told. What somebody was told last of it decides that.

DROP INDEX reminder_once;
CREATE UNIQUE INDEX reminder_once ON reminder (obligation_id, rung, due_on, person_id, cycle_date_id) NULLS NOT DISTINCT
    WHERE rung NOT IN ('cancelled', 'reinstated');
COMMENT ON COLUMN reminder.rung IS 'The step of the ladder (before_30 to escalation), moved, cancelled or reinstated.';
