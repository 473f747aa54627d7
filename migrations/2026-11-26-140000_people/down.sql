DELETE FROM email WHERE submission_id IS NULL;
ALTER TABLE email DROP COLUMN person_id;
ALTER TABLE email ALTER COLUMN submission_id SET NOT NULL;
ALTER TABLE email DROP CONSTRAINT email_kind_check;
ALTER TABLE email ADD CONSTRAINT email_kind_check CHECK (kind IN ('receipt', 'outcome', 'delay'));
DROP TABLE attempt, client, session, code_generator, sign_in_link, membership, person;
