-- What records come to, kept so that nobody waits for it. All of it follows from records that never change, and is made
-- again where it is not there.

CREATE TABLE look_sum (
    key bytea PRIMARY KEY CHECK (length(key) = 32),
    return_id text NOT NULL,
    organisation text NOT NULL REFERENCES organisation,
    n_records bigint NOT NULL CHECK (n_records >= 0),
    n_filled bigint NOT NULL CHECK (n_filled BETWEEN 0 AND n_records),
    total numeric,
    middle numeric,
    codes jsonb NOT NULL CHECK (jsonb_typeof(codes) = 'object'),
    only_row integer CHECK (only_row >= 1)
);
CREATE INDEX look_sum_whose ON look_sum (organisation, return_id);
COMMENT ON TABLE look_sum IS 'What an organisation''s records of a table came to when certain versions counted: for the first look at a return. Rows that nothing asks for any more are deleted.';
COMMENT ON COLUMN look_sum.key IS 'SHA-256 of everything that it follows from: which versions counted, in which order, and which columns were added up.';
COMMENT ON COLUMN look_sum.return_id IS 'Of which return.';
COMMENT ON COLUMN look_sum.organisation IS 'GSS code of the organisation whose records they are.';
COMMENT ON COLUMN look_sum.n_records IS 'How many records there are.';
COMMENT ON COLUMN look_sum.n_filled IS 'In how many of them the item is filled in.';
COMMENT ON COLUMN look_sum.total IS 'What the item''s figures add up to; null: it has none.';
COMMENT ON COLUMN look_sum.middle IS 'The figure in the middle; null: it has none.';
COMMENT ON COLUMN look_sum.codes IS 'How many records there are of each of the item''s codes.';
COMMENT ON COLUMN look_sum.only_row IS 'Where there is one record: its row in the sheet.';
SELECT wall('look_sum', 'organisation');
GRANT SELECT, INSERT, DELETE ON look_sum TO lgdp_app;
