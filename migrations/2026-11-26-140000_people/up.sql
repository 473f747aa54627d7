-- Who works here, what each may do, and how they prove that they are who they are.
-- Secrets are kept as hashes only: whoever reads these tables can't sign in with what they find.

CREATE TABLE person (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email <> '' AND email = lower(email)),
    name text NOT NULL CHECK (name <> ''),
    invited_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);
COMMENT ON TABLE person IS 'Somebody who may sign in.';
COMMENT ON COLUMN person.id IS 'Internal number.';
COMMENT ON COLUMN person.email IS 'Work address in lower case: by it a person is invited and found again.';
COMMENT ON COLUMN person.name IS 'Name as it is shown to colleagues and in the audit trail.';
COMMENT ON COLUMN person.invited_at IS 'When the person was invited.';
COMMENT ON COLUMN person.disabled_at IS 'From when on the person can''t sign in; null: may.';

CREATE TABLE membership (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person,
    role text NOT NULL,
    organisation text REFERENCES organisation,
    return_id text,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CHECK (began_at <= ended_at),
    -- What each role is held for.
    CHECK (CASE
        WHEN role IN ('uploader', 'approver', 'auditor') THEN organisation IS NOT NULL AND return_id IS NULL
        WHEN role = 'dataset_team' THEN organisation IS NULL AND return_id IS NOT NULL
        WHEN role IN ('scheduler', 'register_editor', 'admin') THEN organisation IS NULL AND return_id IS NULL
        ELSE false
    END)
);
CREATE UNIQUE INDEX membership_once ON membership (person_id, role, coalesce(organisation, ''), coalesce(return_id, ''))
    WHERE ended_at IS NULL;
CREATE INDEX membership_by_organisation ON membership (organisation) WHERE ended_at IS NULL;
COMMENT ON TABLE membership IS 'A role that a person has, and what it is held for. Ended, never deleted.';
COMMENT ON COLUMN membership.id IS 'Internal number.';
COMMENT ON COLUMN membership.person_id IS 'Who has it.';
COMMENT ON COLUMN membership.role IS 'The role, as the access matrix names it.';
COMMENT ON COLUMN membership.organisation IS 'The organisation it is held for; null: for none.';
COMMENT ON COLUMN membership.return_id IS 'The return it is held for; null: for none.';
COMMENT ON COLUMN membership.began_at IS 'Since when.';
COMMENT ON COLUMN membership.ended_at IS 'Until when; null: still.';

CREATE TABLE sign_in_link (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    person_id uuid NOT NULL REFERENCES person,
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CHECK (made_at < expires_at)
);
CREATE INDEX sign_in_link_by_person ON sign_in_link (person_id, made_at DESC);
COMMENT ON TABLE sign_in_link IS 'Links that were sent to sign in with, each good once and for a short time.';
COMMENT ON COLUMN sign_in_link.token_sha256 IS 'SHA-256 of the link''s secret.';
COMMENT ON COLUMN sign_in_link.person_id IS 'Whom it signs in.';
COMMENT ON COLUMN sign_in_link.made_at IS 'When it was made.';
COMMENT ON COLUMN sign_in_link.expires_at IS 'Until when it is good.';
COMMENT ON COLUMN sign_in_link.used_at IS 'When it was used; null: not yet.';

CREATE TABLE code_generator (
    person_id uuid PRIMARY KEY REFERENCES person,
    secret bytea NOT NULL CHECK (length(secret) >= 20),
    made_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE code_generator IS 'The app that shows a person''s six digits (RFC 6238), for those who sign in by link.';
COMMENT ON COLUMN code_generator.person_id IS 'Whose it is.';
COMMENT ON COLUMN code_generator.secret IS 'The secret that app and service share.';
COMMENT ON COLUMN code_generator.made_at IS 'When it was made.';
COMMENT ON COLUMN code_generator.confirmed_at IS 'When a code of it was first right; null: it is being set up.';
COMMENT ON COLUMN code_generator.last_step IS 'The last half minute whose code was used: no code is good twice.';

CREATE TABLE session (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    person_id uuid NOT NULL REFERENCES person,
    began_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    proved_at timestamptz,
    ended_at timestamptz,
    by_way_of text NOT NULL CHECK (by_way_of IN ('link', 'demo')),
    CHECK (began_at <= seen_at)
);
CREATE INDEX session_by_person ON session (person_id) WHERE ended_at IS NULL;
COMMENT ON TABLE session IS 'Somebody signed in at one browser.';
COMMENT ON COLUMN session.token_sha256 IS 'SHA-256 of the secret in the browser''s cookie.';
COMMENT ON COLUMN session.person_id IS 'Who.';
COMMENT ON COLUMN session.began_at IS 'When they came.';
COMMENT ON COLUMN session.seen_at IS 'When they last asked for something, to the minute.';
COMMENT ON COLUMN session.proved_at IS 'When both proofs were there; null: the code is still asked for, and nothing else is shown.';
COMMENT ON COLUMN session.ended_at IS 'When it was ended; null: it was not.';
COMMENT ON COLUMN session.by_way_of IS 'How: link (and code), or demo.';

CREATE TABLE client (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    role text NOT NULL,
    organisation text REFERENCES organisation,
    return_id text,
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CHECK (CASE
        WHEN role = 'sending_client' THEN organisation IS NOT NULL AND return_id IS NULL
        WHEN role = 'reading_client' THEN organisation IS NULL AND return_id IS NOT NULL
        ELSE false
    END)
);
COMMENT ON TABLE client IS 'A program that signs in with a token.';
COMMENT ON COLUMN client.id IS 'Internal number.';
COMMENT ON COLUMN client.name IS 'What its owners call it.';
COMMENT ON COLUMN client.role IS 'The role, as the access matrix names it.';
COMMENT ON COLUMN client.organisation IS 'The organisation it is held for; null: for none.';
COMMENT ON COLUMN client.return_id IS 'The return it is held for; null: for none.';
COMMENT ON COLUMN client.token_sha256 IS 'SHA-256 of its token.';
COMMENT ON COLUMN client.made_at IS 'When it was made.';
COMMENT ON COLUMN client.expires_at IS 'Until when its token is good.';
COMMENT ON COLUMN client.revoked_at IS 'From when on it is not, whatever the date; null: was not revoked.';

CREATE TABLE attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text NOT NULL CHECK (what <> ''),
    who_sha256 bytea NOT NULL CHECK (length(who_sha256) = 32),
    at timestamptz NOT NULL
);
CREATE INDEX attempt_of ON attempt (what, who_sha256, at DESC);
COMMENT ON TABLE attempt IS 'Attempts to sign in, counted so that nobody can try for long.';
COMMENT ON COLUMN attempt.id IS 'Internal number.';
COMMENT ON COLUMN attempt.what IS 'What was tried: link or code.';
COMMENT ON COLUMN attempt.who_sha256 IS 'SHA-256 of the address, or of the network address, that it was tried for.';
COMMENT ON COLUMN attempt.at IS 'When.';

-- Messages about people rather than about a submission.
ALTER TABLE email ALTER COLUMN submission_id DROP NOT NULL;
ALTER TABLE email ADD COLUMN person_id uuid REFERENCES person;
ALTER TABLE email ADD CHECK ((submission_id IS NULL) <> (person_id IS NULL));
ALTER TABLE email DROP CONSTRAINT email_kind_check;
ALTER TABLE email ADD CONSTRAINT email_kind_check CHECK (kind IN ('receipt', 'outcome', 'delay', 'invitation', 'sign-in'));
COMMENT ON COLUMN email.person_id IS 'The person it is to, where it is about no submission.';
COMMENT ON COLUMN email.submission_id IS 'The submission it tells of; null: it is about a person.';
COMMENT ON COLUMN email.kind IS 'Which message: receipt, outcome, delay (checking was given up for now), invitation or sign-in.';
COMMENT ON COLUMN email.payload IS 'The message''s variables as JSON: counts and names, never a cell''s value. Emptied of a link to sign in with once it is sent.';

GRANT SELECT, INSERT, UPDATE (name, disabled_at) ON person TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (ended_at) ON membership TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (used_at) ON sign_in_link TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (secret, made_at, confirmed_at, last_step) ON code_generator TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (seen_at, proved_at, ended_at) ON session TO lgdp_app;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON client TO lgdp_app;
GRANT SELECT, INSERT, DELETE ON attempt TO lgdp_app;
GRANT UPDATE (payload) ON email TO lgdp_app;

-- What proves who somebody is, is for the product's own verbs.
DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['person', 'membership', 'sign_in_link', 'code_generator', 'session', 'client', 'attempt'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format($policy$
            CREATE POLICY everyone ON %I USING ((SELECT current_setting('lgdp.sees', true)) = 'everyone')
            $policy$, named);
    END LOOP;
END $$;
-- Colleagues are seen.
CREATE POLICY own_rows ON membership FOR SELECT USING (
    organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
);
CREATE POLICY own_rows ON person FOR SELECT USING (id IN (SELECT person_id FROM membership));
CREATE POLICY own_rows ON client FOR SELECT USING (
    organisation = ANY ((SELECT string_to_array(current_setting('lgdp.sees', true), ','))::text[])
);
