DROP TABLE release_publication, release_approval, release_file, release_submission, release;
DROP FUNCTION release_is_approved();
DROP FUNCTION release_is_built();
