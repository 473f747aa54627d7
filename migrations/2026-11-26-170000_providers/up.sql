-- Signing in with an account of the organisation's own directory.

CREATE TABLE identity (
    issuer text NOT NULL CHECK (issuer <> ''),
    subject text NOT NULL CHECK (subject <> ''),
    person_id uuid NOT NULL REFERENCES person,
    first_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
-- Somebody has one account at a provider; another one that comes with the same address is somebody else's.
CREATE UNIQUE INDEX identity_once ON identity (person_id, issuer);
COMMENT ON TABLE identity IS 'The account at a provider by which a person is known again, whatever becomes of their address.';
COMMENT ON COLUMN identity.issuer IS 'The provider, as its tokens name it.';
COMMENT ON COLUMN identity.subject IS 'The provider''s own name for the account.';
COMMENT ON COLUMN identity.person_id IS 'Whose it is.';
COMMENT ON COLUMN identity.first_at IS 'When it was first signed in with.';

CREATE TABLE provider_visit (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    provider text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    began_at timestamptz NOT NULL
);
CREATE INDEX provider_visit_by_age ON provider_visit (began_at);
COMMENT ON TABLE provider_visit IS 'Browsers that were sent to a provider and have not come back; a row is taken away when one does, or is too old.';
COMMENT ON COLUMN provider_visit.token_sha256 IS 'SHA-256 of the secret in the browser''s cookie.';
COMMENT ON COLUMN provider_visit.provider IS 'Which provider, by its id in the settings.';
COMMENT ON COLUMN provider_visit.nonce IS 'What the provider''s token has to repeat.';
COMMENT ON COLUMN provider_visit.verifier IS 'What proves to the provider that whoever fetches the token is who asked for it (RFC 7636).';
COMMENT ON COLUMN provider_visit.began_at IS 'When the browser was sent there.';

GRANT SELECT, INSERT ON identity TO lgdp_app;
GRANT SELECT, INSERT, DELETE ON provider_visit TO lgdp_app;

ALTER TABLE session DROP CONSTRAINT session_by_way_of_check;
ALTER TABLE session ADD CONSTRAINT session_by_way_of_check CHECK (by_way_of IN ('link', 'provider', 'demo'));
COMMENT ON COLUMN session.by_way_of IS 'How: link (and code), provider, or demo.';

DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['identity', 'provider_visit'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format($policy$
            CREATE POLICY everyone ON %I USING ((SELECT current_setting('lgdp.sees', true)) = 'everyone')
            $policy$, named);
    END LOOP;
END $$;
