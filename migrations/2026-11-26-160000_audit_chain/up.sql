-- The trail is chained: each event's link holds a hash over the event and the link before, made by the owner's trigger,
-- so that an event can't be changed, taken away or put in between without every later link being wrong.

CREATE TABLE event_link (
    position bigint PRIMARY KEY CHECK (position > 0),
    event_id bigint NOT NULL UNIQUE REFERENCES event,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32)
);
COMMENT ON TABLE event_link IS 'The chain of the audit trail, in the order in which events were committed.';
COMMENT ON COLUMN event_link.position IS 'Counted from 1, without gaps.';
COMMENT ON COLUMN event_link.event_id IS 'The event.';
COMMENT ON COLUMN event_link.sha256 IS 'SHA-256 of the hash before (nothing for the first), then of each field of the event: its length in bytes, a colon, its text and a comma, or a hyphen and a comma where it is null.';
CREATE TRIGGER rows_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_link
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT ON event_link TO lgdp_app;

CREATE FUNCTION event_field(value text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT coalesce(octet_length(value) || ':' || value, '-') || ','
$$;

-- What is hashed of an event. `db::audit` makes the same text by itself.
CREATE FUNCTION event_text(e event) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT event_field(e.id::text) || event_field(((extract(epoch FROM e.at) * 1000000)::bigint)::text)
        || event_field(e.actor) || event_field(e.actor_kind) || event_field(e.actor_id::text)
        || event_field(e.actor_organisation) || event_field(e.verb) || event_field(e.organisation)
        || event_field(e.obligation_id::text) || event_field(e.submission_id::text) || event_field(e.details::text)
$$;

-- With its owner's rights, whoever's transaction it ends: the application may add an event and never a link.
CREATE FUNCTION link_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    last event_link;
BEGIN
    -- One transaction at a time, from here until it is committed: nothing else is waited for after this.
    PERFORM pg_advisory_xact_lock(hashtextextended('event_link', 0));
    SELECT * INTO last FROM event_link ORDER BY position DESC LIMIT 1;
    INSERT INTO event_link (position, event_id, sha256) VALUES (
        coalesce(last.position, 0) + 1,
        NEW.id,
        sha256(coalesce(last.sha256, ''::bytea) || convert_to(event_text(NEW), 'UTF8'))
    );
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION link_event() FROM PUBLIC;

CREATE INDEX event_by_organisation ON event (organisation, id DESC);

-- What there is already.
SELECT set_config('lgdp.sees', 'everyone', true);
DO $$
DECLARE
    e event;
    n bigint := 0;
    hash bytea := '';
BEGIN
    FOR e IN SELECT * FROM event ORDER BY id LOOP
        n := n + 1;
        hash := sha256(hash || convert_to(event_text(e), 'UTF8'));
        INSERT INTO event_link (position, event_id, sha256) VALUES (n, e.id, hash);
    END LOOP;
END $$;

-- At the transaction's end, so that others wait for its commit alone.
CREATE CONSTRAINT TRIGGER chained AFTER INSERT ON event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION link_event();
