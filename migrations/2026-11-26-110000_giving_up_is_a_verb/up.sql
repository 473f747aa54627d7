-- That a job is given up is followed by a job of its own, put in by the statement that gives it up:
-- whoever finds a job dead may be any worker, and what has to happen then is for a verb to do, with its event and its email.

DROP TRIGGER call_for_attention ON job;
DROP FUNCTION call_for_attention();

ALTER TABLE job ADD COLUMN then_kind text CHECK (then_kind <> '');
COMMENT ON COLUMN job.then_kind IS 'The kind of job that is put in when this one is given up, with the same payload; null: none.';
UPDATE job SET then_kind = 'assess-given-up' WHERE kind = 'assess' AND state IN ('ready', 'running');

ALTER TABLE email DROP CONSTRAINT email_kind_check;
ALTER TABLE email ADD CONSTRAINT email_kind_check CHECK (kind IN ('receipt', 'outcome', 'delay'));
COMMENT ON COLUMN email.kind IS 'Which message: receipt, outcome or delay (checking was given up for now).';

-- A program that sends a file has its receipt in the answer and asks for the outcome by itself.
ALTER TABLE submission ALTER COLUMN contact_email DROP NOT NULL;
COMMENT ON COLUMN submission.contact_email IS 'Where messages about it are sent; null: the sender wants none.';
