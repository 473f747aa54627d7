-- Addresses that a calendar subscribes to: whoever has one reads the feed, so that each can be revoked, and none is good
-- for longer than its maker may see what is in it.

CREATE TABLE calendar_feed (
    id uuid PRIMARY KEY,
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    organisation text REFERENCES organisation,
    of_what text NOT NULL CHECK (of_what IN ('everything', 'return', 'organisation')),
    return_id text,
    person_id uuid NOT NULL REFERENCES person,
    made_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CHECK ((of_what = 'return') = (return_id IS NOT NULL)),
    CHECK (of_what <> 'organisation' OR organisation IS NOT NULL)
);
CREATE INDEX calendar_feed_by_person ON calendar_feed (person_id, made_at);
COMMENT ON TABLE calendar_feed IS 'An address that a calendar subscribes to.';
COMMENT ON COLUMN calendar_feed.id IS 'Given by the form, so that one that is sent twice is there once.';
COMMENT ON COLUMN calendar_feed.token_sha256 IS 'SHA-256 of the secret in the address.';
COMMENT ON COLUMN calendar_feed.organisation IS 'Whose days, or, of a feed of everything or of a return, whose people made it; null: the office''s.';
COMMENT ON COLUMN calendar_feed.of_what IS 'everything, return (the rounds of one) or organisation (what one has to answer, by its own days).';
COMMENT ON COLUMN calendar_feed.return_id IS 'The return; null: it is of no single one.';
COMMENT ON COLUMN calendar_feed.person_id IS 'Who made it: what they may not see any more is not in it.';
COMMENT ON COLUMN calendar_feed.made_at IS 'When it was made.';
COMMENT ON COLUMN calendar_feed.revoked_at IS 'From when on it is not answered; null: it is.';

SELECT wall('calendar_feed', 'organisation');
GRANT SELECT, INSERT, UPDATE (revoked_at) ON calendar_feed TO lgdp_app;
