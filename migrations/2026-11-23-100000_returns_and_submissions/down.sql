DROP SCHEMA ret CASCADE;
DROP VIEW standing_submission;
DROP TABLE event, finding, submission_table, submission, file, obligation, cycle, return_version, organisation;
DROP FUNCTION refuse_change();
