DROP TABLE reminder;
DROP TABLE reminder_digest;
