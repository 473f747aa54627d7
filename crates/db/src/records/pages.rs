//! Records in bulk: as texts in one piece, as the database copies them.

use memchr::memchr2_iter;
use uuid::Uuid;

use super::read::{Record, Source, own};
use super::{ddl, table_name};
use crate::{Db, DbError, Sees};

/// Records of one submission, all with the same items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    text: String,
    /// `n_fields` for each record: its values, then its own columns.
    fields: Vec<Field>,
    n_fields: usize,
    /// 1-based, as the sheet has them.
    row_numbers: Vec<u32>,
}

/// A part of the text: where it starts and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field(u32, u32);

/// Nothing is there, which is not the same as an empty text.
const NULL: Field = Field(0, u32::MAX);

/// One of [`Records`].
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    /// 1-based, as the sheet has it.
    pub row_number: u32,
    text: &'a str,
    fields: &'a [Field],
}

impl<'a> RecordRef<'a> {
    /// The value of an item, by its place in the [`Source`], in Postgres text form.
    pub fn value(&self, idx: usize) -> Option<&'a str> {
        let (_own, values) = self.fields.split_last()?;
        self.field(*values.get(idx)?)
    }

    /// The sender's own columns of the row: heading → value, as JSON.
    pub fn own(&self) -> Option<&'a str> {
        self.field(*self.fields.last()?)
    }

    fn field(&self, Field(start, len): Field) -> Option<&'a str> {
        if len == NULL.1 {
            return None;
        }
        let start = start as usize;
        self.text.get(start..start + len as usize)
    }
}

impl Records {
    pub fn len(&self) -> usize {
        self.row_numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.row_numbers.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = RecordRef<'_>> + Clone {
        let fields = self.fields.chunks_exact(self.n_fields.max(1));
        fields
            .zip(&self.row_numbers)
            .map(|(fields, row_number)| RecordRef {
                row_number: *row_number,
                text: &self.text,
                fields,
            })
    }

    /// The row of the last one.
    pub fn last_row(&self) -> Option<u32> {
        self.row_numbers.last().copied()
    }

    /// What was read otherwise.
    pub fn of(records: &[Record]) -> Self {
        let mut all = Reader::new(records.first().map_or(0, |first| first.values.len()));
        for record in records {
            for value in &record.values {
                all.field(value.as_deref().map(str::as_bytes));
            }
            let own = (!record.own.is_null()).then(|| record.own.to_string());
            all.field(own.as_deref().map(str::as_bytes));
            all.row_numbers.push(record.row_number);
        }
        // Texts stay what they are.
        all.finish().unwrap_or_default()
    }
}

/// The next records of one submission after a row, by row.
pub async fn copied(
    db: &Db,
    sees: &Sees,
    source: &Source<'_>,
    submission_id: Uuid,
    after_row: u32,
    limit: usize,
) -> Result<Records, DbError> {
    let columns = ddl::columns(source.table)?;
    let mut selected = "r.row_number".to_owned();
    for item in source.items {
        let column = item.and_then(|item| columns.iter().find(|of| of.item.name == item));
        selected.push_str(", ");
        match column {
            // Copied as t and f otherwise.
            Some(column) if column.item.kind == spec::ItemKind::Boolean => {
                selected.push_str(&format!("r.\"{}\"::text", column.name));
            }
            Some(column) => selected.push_str(&format!("r.\"{}\"", column.name)),
            None => selected.push_str("NULL"),
        }
    }
    let query = format!(
        "SELECT {selected}, {} FROM {} r
         WHERE r.submission_id = '{submission_id}' AND r.row_number > {after_row}
         ORDER BY r.row_number LIMIT {limit}",
        own(source),
        table_name(source.spec, source.table)?,
    );
    let mut records = Reader::new(source.items.len());
    db.copy(sees, &query, |row| records.row(row)).await?;
    records.finish()
}

/// Puts copied rows together.
struct Reader {
    text: Vec<u8>,
    fields: Vec<Field>,
    n_fields: usize,
    row_numbers: Vec<u32>,
}

impl Reader {
    fn new(n_values: usize) -> Self {
        Self {
            text: Vec::new(),
            fields: Vec::new(),
            n_fields: n_values + 1,
            row_numbers: Vec::new(),
        }
    }

    /// A row's number, its values and its own columns, with tabs in between.
    fn row(&mut self, row: &[u8]) -> Result<(), DbError> {
        let wrong = || DbError::Stored("a copied row is not what was asked for".to_owned());
        let tab = memchr::memchr(b'\t', row).ok_or_else(wrong)?;
        let (number, fields) = (&row[..tab], &row[tab + 1..]);
        let number = std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse().ok());
        self.row_numbers.push(number.ok_or_else(wrong)?);
        let n_before = self.fields.len();
        if !self.plain(fields) {
            self.fields.truncate(n_before);
            for field in fields.split(|byte| *byte == b'\t') {
                let field = (field != b"\\N").then(|| unescaped(field));
                self.field(field.as_deref());
            }
        }
        if self.fields.len() == n_before + self.n_fields {
            Ok(())
        } else {
            Err(wrong())
        }
    }

    /// Takes a row over as it is; `false`, with part of it taken, where something in it is escaped.
    fn plain(&mut self, row: &[u8]) -> bool {
        // More than fits into the places of one block is taken field by field, which says so.
        let base = self.text.len();
        self.text.extend_from_slice(row);
        let mut start = 0;
        let mut is_null = false;
        for at in memchr2_iter(b'\t', b'\\', row).chain(std::iter::once(row.len())) {
            match row.get(at) {
                Some(b'\\') => {
                    is_null = at == start
                        && matches!(row.get(at + 1..), Some([b'N'] | [b'N', b'\t', ..]));
                    if !is_null {
                        return false;
                    }
                }
                _ => {
                    self.fields.push(if is_null {
                        NULL
                    } else {
                        place(base + start, at - start)
                    });
                    is_null = false;
                    start = at + 1;
                }
            }
        }
        true
    }

    fn field(&mut self, field: Option<&[u8]>) {
        let field = field.map(|field| {
            let start = self.text.len();
            self.text.extend_from_slice(field);
            place(start, field.len())
        });
        self.fields.push(field.unwrap_or(NULL));
    }

    fn finish(self) -> Result<Records, DbError> {
        if u32::try_from(self.text.len()).is_err() {
            return Err(DbError::Stored(
                "a block of records is longer than 4 GB".to_owned(),
            ));
        }
        Ok(Records {
            text: String::from_utf8(self.text).map_err(DbError::stored)?,
            fields: self.fields,
            n_fields: self.n_fields,
            row_numbers: self.row_numbers,
        })
    }
}

/// What does not fit is refused when all are there.
fn place(start: usize, len: usize) -> Field {
    let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Field(short(start), short(len))
}

/// As `COPY` escapes texts.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = field.iter().copied();
    let mut plain = Vec::with_capacity(field.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 11,
                Some(other) => other,
                None => b'\\',
            },
            byte => byte,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use testkit::TestDb;

    use super::*;
    use crate::Config;

    fn read(n_values: usize, rows: &[&str]) -> Result<Records, DbError> {
        let mut reader = Reader::new(n_values);
        for row in rows {
            reader.row(row.as_bytes())?;
        }
        reader.finish()
    }

    fn values<'a>(record: &RecordRef<'a>) -> Vec<Option<&'a str>> {
        (0..record.fields.len() - 1)
            .map(|idx| record.value(idx))
            .collect()
    }

    #[tokio::test]
    async fn a_text_comes_back_as_it_was_stored() {
        let database = TestDb::new();
        let db = Db::connect(&Config::new(database.url())).await.unwrap();
        let texts = [
            "plain",
            "",
            "\t",
            "a\tb",
            "\n",
            "\r\n",
            "\\",
            "\\N",
            "\\.",
            "\\t",
            "N",
            "ends\\",
            "\u{8}\u{b}\u{c}",
            "é – 한",
        ];
        for text in texts {
            let quoted = text.replace('\'', "''");
            let query =
                format!("SELECT 7, '{quoted}'::text, NULL, 'next', '{{\"a\": \"b\"}}'::jsonb");
            let mut reader = Reader::new(3);
            db.copy(&Sees::Everyone, &query, |row| reader.row(row))
                .await
                .unwrap();
            let records = reader.finish().unwrap();
            let record = records.iter().next().unwrap();
            assert_eq!(
                values(&record),
                [Some(text), None, Some("next")],
                "{text:?}"
            );
            assert_eq!(
                (record.row_number, record.own()),
                (7, Some("{\"a\": \"b\"}"))
            );
        }
    }

    #[test]
    fn rows_keep_their_order_and_their_blanks() {
        let records = read(2, &["1\ta\t\\N\t{}", "3\t\\N\t\\\\N\t{}", "9\t\t\\N\t\\N"]).unwrap();
        let all: Vec<_> = records.iter().map(|r| (r.row_number, values(&r))).collect();
        assert_eq!(
            all,
            [
                (1, vec![Some("a"), None]),
                (3, vec![None, Some("\\N")]),
                (9, vec![Some(""), None])
            ]
        );
        assert_eq!((records.len(), records.last_row()), (3, Some(9)));
    }

    #[test]
    fn what_is_read_by_statement_is_the_same() {
        let record = |values: &[Option<&str>]| Record {
            submission_id: Uuid::nil(),
            row_number: 4,
            values: values
                .iter()
                .map(|value| value.map(str::to_owned))
                .collect(),
            own: serde_json::json!({"a": 1}),
        };
        let by_statement = Records::of(&[record(&[Some("x\\"), None, Some("")])]);
        let copied = read(3, &["4\tx\\\\\t\\N\t\t{\"a\":1}"]).unwrap();
        let plain = |records: &Records| {
            let record = records.iter().next().unwrap();
            let values: Vec<_> = values(&record)
                .into_iter()
                .map(|it| it.map(str::to_owned))
                .collect();
            (record.row_number, values, record.own().map(str::to_owned))
        };
        assert_eq!(plain(&by_statement), plain(&copied));
        assert!(Records::of(&[]).is_empty());
    }

    #[test]
    fn a_row_that_is_something_else_is_refused() {
        for rows in ["1\ta", "1\ta\tb\tc\td", "x\ta\tb\tc", "1"] {
            assert!(read(2, &[rows]).is_err(), "{rows}");
        }
    }
}
