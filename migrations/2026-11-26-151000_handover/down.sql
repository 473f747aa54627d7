DELETE FROM email WHERE kind NOT IN ('receipt', 'outcome', 'delay', 'invitation', 'sign-in');
ALTER TABLE email DROP CONSTRAINT email_kind_check;
ALTER TABLE email ADD CONSTRAINT email_kind_check CHECK (kind IN ('receipt', 'outcome', 'delay', 'invitation', 'sign-in'));
ALTER TABLE email DROP CONSTRAINT email_submission_id_kind_recipient_key;
ALTER TABLE email ADD UNIQUE (submission_id, kind);
-- Views of record tables hang on it.
DROP VIEW standing_submission CASCADE;
DROP VIEW counting_submission;
CREATE VIEW standing_submission WITH (security_invoker = true) AS
SELECT DISTINCT ON (obligation_id)
    id AS submission_id, obligation_id, organisation, version_number, outcome
FROM submission
WHERE outcome IN ('ready', 'needs_explanation')
ORDER BY obligation_id, version_number DESC;
GRANT SELECT ON standing_submission TO lgdp_app;
DROP TABLE message, handover, own_sign_off;
ALTER TABLE event DROP COLUMN actor_kind, DROP COLUMN actor_id;
DROP TRIGGER assessed_once ON submission;
ALTER TABLE submission DROP COLUMN uploaded_by_kind, DROP COLUMN uploaded_by_id, DROP COLUMN is_nil;
ALTER TABLE submission DROP CONSTRAINT submission_id_organisation_key;
CREATE TRIGGER assessed_once BEFORE UPDATE ON submission
    FOR EACH ROW WHEN (
        OLD.assessed_at IS NOT NULL
        OR ROW(OLD.id, OLD.obligation_id, OLD.organisation, OLD.version_number, OLD.file_sha256, OLD.file_name,
               OLD.uploaded_by, OLD.contact_email, OLD.received_at, OLD.idempotency_key)
           IS DISTINCT FROM
           ROW(NEW.id, NEW.obligation_id, NEW.organisation, NEW.version_number, NEW.file_sha256, NEW.file_name,
               NEW.uploaded_by, NEW.contact_email, NEW.received_at, NEW.idempotency_key)
    ) EXECUTE FUNCTION refuse_change();
