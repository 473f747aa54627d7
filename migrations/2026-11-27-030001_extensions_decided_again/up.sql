-- What was decided on a request for more time can be decided anew: a day given by mistake is taken back or changed, and
-- what was said before stays to be read. What was decided last counts.
-- A table of its own, since processes of the version before hold to one decision in the other one.

CREATE TABLE extension_decided_anew (
    extension_id uuid NOT NULL REFERENCES extension_decision,
    ordinal integer NOT NULL CHECK (ordinal >= 2),
    organisation text NOT NULL,
    obligation_id bigint NOT NULL,
    due_on date,
    reason text NOT NULL CHECK (reason <> '' AND length(reason) <= 4000),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    PRIMARY KEY (extension_id, ordinal),
    CHECK ((by_id IS NULL) = (by_kind = 'system')),
    FOREIGN KEY (extension_id, organisation, obligation_id) REFERENCES extension (id, organisation, obligation_id)
);
COMMENT ON TABLE extension_decided_anew IS 'What was decided on a request for more time after it had been decided on once; the last decision counts.';
COMMENT ON COLUMN extension_decided_anew.extension_id IS 'The request.';
COMMENT ON COLUMN extension_decided_anew.ordinal IS 'Which decision on the request it is, from 2 on.';
COMMENT ON COLUMN extension_decided_anew.organisation IS 'Who had asked.';
COMMENT ON COLUMN extension_decided_anew.obligation_id IS 'The return and period.';
COMMENT ON COLUMN extension_decided_anew.due_on IS 'The last day on which a file is in time by it; null: no more time is given.';
COMMENT ON COLUMN extension_decided_anew.reason IS 'Why. May hold personal data: it goes into no email, event or log.';
COMMENT ON COLUMN extension_decided_anew.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN extension_decided_anew.by_kind IS 'What decided: person, client or system.';
COMMENT ON COLUMN extension_decided_anew.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN extension_decided_anew.by_name IS 'Who decided, as the audit trail calls them.';

SELECT rows_never_change('extension_decided_anew');
SELECT wall('extension_decided_anew', 'organisation');
GRANT SELECT, INSERT ON extension_decided_anew TO lgdp_app;
