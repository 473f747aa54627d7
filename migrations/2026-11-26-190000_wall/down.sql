DROP FUNCTION rows_never_change(regclass);
DROP FUNCTION wall(regclass, text);
