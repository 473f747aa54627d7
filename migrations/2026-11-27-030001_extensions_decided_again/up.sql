-- What was decided on a request for more time can be decided anew: a day given by mistake is taken back or changed, and
-- what was said before stays to be read. What was decided last counts.
-- The first is the default for processes of the version before, which still run meanwhile.

ALTER TABLE extension_decision
    ADD COLUMN ordinal integer NOT NULL DEFAULT 1 CHECK (ordinal >= 1),
    DROP CONSTRAINT extension_decision_pkey,
    ADD PRIMARY KEY (extension_id, ordinal);
COMMENT ON TABLE extension_decision IS 'What was decided on a request for more time; the last decision counts.';
COMMENT ON COLUMN extension_decision.ordinal IS 'Which decision on the request it is, from 1 on.';
COMMENT ON COLUMN extension_decision.due_on IS 'The last day on which a file is in time by it; null: no more time is given.';
