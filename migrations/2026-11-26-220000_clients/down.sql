REVOKE UPDATE (used_at) ON client FROM lgdp_app;
ALTER TABLE client DROP COLUMN used_at;
ALTER TABLE client DROP COLUMN made_by;
ALTER TABLE client DROP CONSTRAINT client_check1;
ALTER TABLE client DROP CONSTRAINT client_name_check1;
