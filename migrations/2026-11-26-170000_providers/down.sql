DROP TABLE provider_visit;
DROP TABLE identity;
DELETE FROM session WHERE by_way_of = 'provider';
ALTER TABLE session DROP CONSTRAINT session_by_way_of_check;
ALTER TABLE session ADD CONSTRAINT session_by_way_of_check CHECK (by_way_of IN ('link', 'demo'));
COMMENT ON COLUMN session.by_way_of IS 'How: link (and code), or demo.';
