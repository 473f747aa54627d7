-- Whoever waits for a job is told what is being done with it.
ALTER TABLE job ADD COLUMN stage text CHECK (stage <> '');
COMMENT ON COLUMN job.stage IS 'What its worker said last that it is doing: a word, no values. Emptied when a worker takes it; null: nothing was said.';
