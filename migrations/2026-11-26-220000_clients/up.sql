-- Who made a program's token, and when it was last used; no token is good for long.

ALTER TABLE client ADD COLUMN made_by uuid REFERENCES person;
ALTER TABLE client ADD COLUMN used_at timestamptz;
-- The verb says 90 days; a day more, since its clock and the database's are two.
ALTER TABLE client ADD CHECK (expires_at <= made_at + interval '91 days');
ALTER TABLE client ADD CHECK (length(name) <= 100);
COMMENT ON COLUMN client.made_by IS 'The person who made it and is told before it ends; null: the command line.';
COMMENT ON COLUMN client.used_at IS 'When its token was last used, to the minute; null: never.';
GRANT UPDATE (used_at) ON client TO lgdp_app;
