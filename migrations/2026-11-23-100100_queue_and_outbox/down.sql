DROP TABLE email, job;
DROP FUNCTION notify_job();
