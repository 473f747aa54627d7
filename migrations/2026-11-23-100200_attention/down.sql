DROP TRIGGER call_for_attention ON job;
DROP FUNCTION call_for_attention();
ALTER TABLE submission DROP COLUMN attention_at;
