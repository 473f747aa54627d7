-- Which day off a proposed day stands for, so that the years after are not planned from the day it was moved to.

ALTER TABLE cycle_date ADD COLUMN instead_of date CHECK (instead_of < on_day);
COMMENT ON COLUMN cycle_date.instead_of IS 'The day off that was meant, where the day was proposed and moved to the next working day; null: the day itself.';
