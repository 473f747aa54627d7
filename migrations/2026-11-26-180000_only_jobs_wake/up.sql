-- For each row: a statement that puts in no job wakes nobody. Whoever looks for work runs such a statement each time
-- (it gives up what nobody can do, and puts in what follows), so that every look would be the reason for the next.
-- One transaction's equal notifications are one.
DROP TRIGGER wake_workers ON job;
CREATE TRIGGER wake_workers AFTER INSERT ON job
    FOR EACH ROW EXECUTE FUNCTION notify_job();
