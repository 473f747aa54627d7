-- Handing a return over: who sent, submitted, signed off, accepted, sent back or withdrew which version, and what was
-- written about it. Facts in the order they became true; a state follows from them and is stored nowhere.

-- By whom, beside the name that the trail shows: the same person may change their name, and two may share one.
ALTER TABLE submission ADD COLUMN uploaded_by_kind text CHECK (uploaded_by_kind IN ('person', 'client', 'system'));
ALTER TABLE submission ADD COLUMN uploaded_by_id uuid;
ALTER TABLE submission ADD CHECK ((uploaded_by_id IS NOT NULL) = (uploaded_by_kind IS NOT NULL AND uploaded_by_kind <> 'system'));
ALTER TABLE submission ADD COLUMN is_nil boolean NOT NULL DEFAULT false;
ALTER TABLE submission ADD UNIQUE (id, organisation);
COMMENT ON COLUMN submission.uploaded_by_kind IS 'What sent it: person, client or system; null: sent before that was kept, and nobody may sign it off.';
COMMENT ON COLUMN submission.uploaded_by_id IS 'Which person or client; null: the system, or not kept.';
COMMENT ON COLUMN submission.is_nil IS 'Whether it says that there is nothing to report: its file is that declaration, and it has no records.';
DROP TRIGGER assessed_once ON submission;
CREATE TRIGGER assessed_once BEFORE UPDATE ON submission
    FOR EACH ROW WHEN (
        OLD.assessed_at IS NOT NULL
        OR ROW(OLD.id, OLD.obligation_id, OLD.organisation, OLD.version_number, OLD.file_sha256, OLD.file_name,
               OLD.uploaded_by, OLD.uploaded_by_kind, OLD.uploaded_by_id, OLD.is_nil,
               OLD.contact_email, OLD.received_at, OLD.idempotency_key)
           IS DISTINCT FROM
           ROW(NEW.id, NEW.obligation_id, NEW.organisation, NEW.version_number, NEW.file_sha256, NEW.file_name,
               NEW.uploaded_by, NEW.uploaded_by_kind, NEW.uploaded_by_id, NEW.is_nil,
               NEW.contact_email, NEW.received_at, NEW.idempotency_key)
    ) EXECUTE FUNCTION refuse_change();

ALTER TABLE event ADD COLUMN actor_kind text CHECK (actor_kind IN ('person', 'client', 'system'));
ALTER TABLE event ADD COLUMN actor_id uuid;
COMMENT ON COLUMN event.actor_kind IS 'What did it: person, client or system; null: done before that was kept, or by nobody who had signed in.';
COMMENT ON COLUMN event.actor_id IS 'Which person or client; null: none.';

CREATE TABLE own_sign_off (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisation,
    until date NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> '')
);
CREATE INDEX own_sign_off_by_organisation ON own_sign_off (organisation, id DESC);
COMMENT ON TABLE own_sign_off IS 'Leave for an organisation with too few people: who signs off may sign off what they sent themselves. The newest row of an organisation counts; a row that is over ends it early.';
COMMENT ON COLUMN own_sign_off.id IS 'Internal number.';
COMMENT ON COLUMN own_sign_off.organisation IS 'Who has leave.';
COMMENT ON COLUMN own_sign_off.until IS 'The last day of it.';
COMMENT ON COLUMN own_sign_off.reason IS 'Why it was given.';
COMMENT ON COLUMN own_sign_off.at IS 'When it was given.';
COMMENT ON COLUMN own_sign_off.by_kind IS 'What gave it: person, client or system.';
COMMENT ON COLUMN own_sign_off.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN own_sign_off.by_name IS 'Who gave it, as the audit trail calls them.';

-- A chain for each submission: every link but the first follows on one that is there, and nothing is followed by two.
CREATE TABLE handover (
    submission_id uuid NOT NULL,
    organisation text NOT NULL,
    verb text NOT NULL,
    follows text,
    ordinal smallint NOT NULL GENERATED ALWAYS AS (
        CASE verb WHEN 'submit' THEN 1 WHEN 'sign_off' THEN 2 WHEN 'accept' THEN 3 ELSE 4 END
    ) STORED,
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    reason text CHECK (reason <> ''),
    own_sign_off_id bigint REFERENCES own_sign_off,
    PRIMARY KEY (submission_id, verb),
    UNIQUE NULLS NOT DISTINCT (submission_id, follows),
    FOREIGN KEY (submission_id, organisation) REFERENCES submission (id, organisation),
    FOREIGN KEY (submission_id, follows) REFERENCES handover (submission_id, verb),
    CHECK (CASE verb
        WHEN 'submit' THEN follows IS NULL
        WHEN 'sign_off' THEN follows IS NOT DISTINCT FROM 'submit'
        WHEN 'accept' THEN follows IS NOT DISTINCT FROM 'sign_off'
        WHEN 'send_back' THEN coalesce(follows, '') IN ('sign_off', 'accept') AND reason IS NOT NULL
        WHEN 'withdraw' THEN coalesce(follows, 'submit') = 'submit'
        ELSE false
    END),
    CHECK (own_sign_off_id IS NULL OR verb = 'sign_off'),
    CHECK ((by_id IS NULL) = (by_kind = 'system'))
);
COMMENT ON TABLE handover IS 'What was done with a version on its way to being accepted: each thing at most once, and only in an order that there is.';
COMMENT ON COLUMN handover.submission_id IS 'The version.';
COMMENT ON COLUMN handover.organisation IS 'Whose it is.';
COMMENT ON COLUMN handover.verb IS 'submit, sign_off, accept, send_back (of an accepted one: opened again) or withdraw.';
COMMENT ON COLUMN handover.follows IS 'What had been done last; null: nothing.';
COMMENT ON COLUMN handover.ordinal IS 'How far that is: 1 submitted, 2 signed off, 3 accepted, 4 at its end.';
COMMENT ON COLUMN handover.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN handover.by_kind IS 'What did it: person, client or system.';
COMMENT ON COLUMN handover.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN handover.by_name IS 'Who did it, as the audit trail calls them.';
COMMENT ON COLUMN handover.reason IS 'Why, in their words: always of what is sent back. May hold personal data.';
COMMENT ON COLUMN handover.own_sign_off_id IS 'The leave by which somebody signed off what they had sent themselves; null: it was another''s.';

CREATE TABLE message (
    id uuid PRIMARY KEY,
    submission_id uuid NOT NULL,
    organisation text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    by_kind text NOT NULL CHECK (by_kind IN ('person', 'client', 'system')),
    by_id uuid,
    by_name text NOT NULL CHECK (by_name <> ''),
    by_organisation text,
    text text NOT NULL CHECK (text <> '' AND length(text) <= 5000),
    FOREIGN KEY (submission_id, organisation) REFERENCES submission (id, organisation)
);
CREATE INDEX message_by_submission ON message (submission_id, at);
COMMENT ON TABLE message IS 'What an organisation and a return''s team write to each other about a version.';
COMMENT ON COLUMN message.id IS 'Given by the form it was written in, so that one that is sent twice is there once.';
COMMENT ON COLUMN message.submission_id IS 'The version.';
COMMENT ON COLUMN message.organisation IS 'Whose version it is.';
COMMENT ON COLUMN message.at IS 'When, by the database''s clock.';
COMMENT ON COLUMN message.by_kind IS 'What wrote it: person, client or system.';
COMMENT ON COLUMN message.by_id IS 'Which person or client; null: the system.';
COMMENT ON COLUMN message.by_name IS 'Who wrote it, as the audit trail calls them.';
COMMENT ON COLUMN message.by_organisation IS 'The organisation they wrote it for; null: the return''s team or the office.';
COMMENT ON COLUMN message.text IS 'What they wrote. May hold personal data: it goes into no email.';

DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['handover', 'message', 'own_sign_off'] LOOP
        EXECUTE format($trigger$
            CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()$trigger$, named);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format($policy$
            CREATE POLICY own_rows ON %I USING (
                (SELECT current_setting('lgdp.sees', true)) = 'everyone'
                OR organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
            )$policy$, named);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO lgdp_app', named);
    END LOOP;
END $$;

-- Versions that count: of each obligation those that have come farthest, but for what was sent back or withdrawn.
CREATE VIEW counting_submission WITH (security_invoker = true) AS
SELECT submission_id, obligation_id, organisation, version_number, outcome, status, is_nil
FROM (
    SELECT s.id AS submission_id, s.obligation_id, s.organisation, s.version_number, s.outcome, h.verb AS status, s.is_nil,
           h.ordinal, max(h.ordinal) OVER (PARTITION BY s.obligation_id) AS farthest
    FROM submission s
    JOIN LATERAL (
        SELECT verb, ordinal FROM handover WHERE submission_id = s.id ORDER BY ordinal DESC LIMIT 1
    ) h ON h.ordinal < 4
) handed_over
WHERE ordinal = farthest;
COMMENT ON VIEW counting_submission IS 'The submissions whose records count where records accumulate: of each obligation all that are accepted, where none is all that are signed off, where none is all that are submitted.';
COMMENT ON COLUMN counting_submission.submission_id IS 'The submission that counts.';
COMMENT ON COLUMN counting_submission.obligation_id IS 'The obligation it answers.';
COMMENT ON COLUMN counting_submission.organisation IS 'Whose it is.';
COMMENT ON COLUMN counting_submission.version_number IS 'Its version number.';
COMMENT ON COLUMN counting_submission.outcome IS 'Its outcome.';
COMMENT ON COLUMN counting_submission.status IS 'What was done with it last: submit, sign_off or accept. Until it is accepted it counts provisionally.';
COMMENT ON COLUMN counting_submission.is_nil IS 'Whether it says that there is nothing to report.';

CREATE OR REPLACE VIEW standing_submission WITH (security_invoker = true) AS
SELECT DISTINCT ON (obligation_id)
    submission_id, obligation_id, organisation, version_number, outcome, status, is_nil
FROM counting_submission
ORDER BY obligation_id, version_number DESC;
COMMENT ON VIEW standing_submission IS 'The submission of each obligation that stands: the newest accepted one; provisionally, where none is, the newest signed off, and where none is, the newest submitted.';
COMMENT ON COLUMN standing_submission.status IS 'What was done with it last: submit, sign_off or accept. Until it is accepted it stands provisionally.';
COMMENT ON COLUMN standing_submission.is_nil IS 'Whether it says that there is nothing to report.';
GRANT SELECT ON counting_submission, standing_submission TO lgdp_app;

-- One message may go to several people, and which messages there are is told by the code that writes them.
ALTER TABLE email DROP CONSTRAINT email_submission_id_kind_key;
ALTER TABLE email ADD UNIQUE (submission_id, kind, recipient);
ALTER TABLE email DROP CONSTRAINT email_kind_check;
ALTER TABLE email ADD CONSTRAINT email_kind_check CHECK (kind ~ '^[a-z]+(-[a-z]+)*$');
COMMENT ON TABLE email IS 'The outbox: messages to send, one of each kind for a submission and recipient however often its job is replayed.';
COMMENT ON COLUMN email.kind IS 'Which message, as the code calls it: receipt, outcome, accepted and others.';
