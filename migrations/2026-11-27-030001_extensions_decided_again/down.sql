-- Fails where something was decided anew: nothing that was decided is forgotten.
ALTER TABLE extension_decision DROP CONSTRAINT extension_decision_pkey, ADD PRIMARY KEY (extension_id);
ALTER TABLE extension_decision DROP COLUMN ordinal;
COMMENT ON TABLE extension_decision IS 'What was decided on a request for more time, once.';
COMMENT ON COLUMN extension_decision.due_on IS 'The last day on which a file is in time now; null: it was refused.';
