ALTER TABLE cycle_date DROP COLUMN instead_of;
