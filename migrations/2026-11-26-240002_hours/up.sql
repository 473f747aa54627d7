-- How long a return took its organisation, as whoever signs it off says, if they say it.

ALTER TABLE handover ADD COLUMN quarter_hours integer
    CHECK (quarter_hours BETWEEN 1 AND 40000),
    ADD CONSTRAINT hours_are_of_a_sign_off CHECK (quarter_hours IS NULL OR verb = 'sign_off');
COMMENT ON COLUMN handover.quarter_hours IS 'Of a sign-off: quarters of an hour that everybody worked on the return, as its organisation reckons; null: it was not said.';
