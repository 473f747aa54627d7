ALTER TABLE handover DROP COLUMN quarter_hours;
