//! Standing records to consolidated tables with their source cells.
//!
//! One row for each record that counts for a period, of all organisations, with the file, sheet, row and cell each value was read from.
//! What is different between two versions is written the same way.
//! Streamed from Postgres: memory does not grow with the number of records.
//! It knows nothing of permissions or of HTTP.

mod changes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use db::records::{Record, Records, Selection};
use db::{Db, DbError, Sees};
use report::csv::inert;
use spec::{ItemKind, ReturnSpec, TableSpec};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

pub use changes::{TableOfTwo, changes_csv};

/// Rows fetched at a time.
const BATCH: u32 = 500;

/// The first batch comes when all of them are sorted.
const SORTED_WITHIN: Duration = Duration::from_mins(5);

/// What a record's items are preceded by.
const SOURCE_COLUMNS: [&str; 9] = [
    "organisation_code",
    "organisation_name",
    "period",
    "submission_version",
    "submission_state",
    "source_file",
    "source_sha256",
    "source_sheet",
    "source_row",
];

/// What they are followed by where senders may bring columns of their own: a JSON object of heading and value.
/// One column, whatever the senders bring, so that the dataset's columns are the spec's.
const OWN_COLUMN: &str = "own_columns";

#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("{return_id} has no table {table}")]
    UnknownTable { return_id: String, table: String },
    #[error("the dataset could not be written: {0}")]
    Write(#[from] std::io::Error),
    #[error("the dataset could not be put into CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The finished name of an item's source column: `APPREF_cell`.
fn cell_heading(item: &str) -> String {
    format!("{item}_cell")
}

/// Writes a table of a period as CSV, in the order of organisation and row; gives the number of records.
/// The first row has the headings, also where there is no record. Only records of the organisations that are seen are in it.
pub async fn consolidated_csv<W: AsyncWrite + Unpin + Send>(
    db: &Db,
    sees: &Sees,
    spec: &ReturnSpec,
    table: &TableSpec,
    period_label: &str,
    out: &mut W,
) -> Result<u64, DatasetError> {
    let mut tx = db.begin_snapshot(sees).await?;
    tx.set_statement_timeout(SORTED_WITHIN).await?;
    let selection = Selection {
        spec,
        table,
        period_label,
        sees,
    };
    let mut records = Records::open(&mut tx, &selection).await?;
    let mut sheet = Sheet::new(spec, table);
    out.write_all(&sheet.heading()?).await?;
    let mut n_records = 0;
    loop {
        let batch = records.fetch(&mut tx, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        n_records += batch.len() as u64;
        out.write_all(&sheet.rows(&batch)?).await?;
    }
    out.flush().await?;
    tx.commit().await?;
    Ok(n_records)
}

/// Writes rows; remembers where the items of the last submission stood.
struct Sheet<'a> {
    table: &'a TableSpec,
    /// Whether the return lets senders bring columns of their own.
    has_own: bool,
    columns_of: Option<(Uuid, BTreeMap<String, String>)>,
}

impl<'a> Sheet<'a> {
    fn new(spec: &ReturnSpec, table: &'a TableSpec) -> Self {
        Self {
            table,
            has_own: spec.own_columns.is_some() && table.layout.records().is_some(),
            columns_of: None,
        }
    }

    fn heading(&self) -> Result<Vec<u8>, DatasetError> {
        let items = self.table.items.iter().map(|item| item.name.clone());
        let cells = self.table.items.iter().map(|item| cell_heading(&item.name));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(
            SOURCE_COLUMNS
                .map(str::to_owned)
                .into_iter()
                .chain(items)
                .chain(cells)
                .chain(self.has_own.then(|| OWN_COLUMN.to_owned())),
        )?;
        bytes_of(writer)
    }

    fn rows(&mut self, records: &[Record]) -> Result<Vec<u8>, DatasetError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for record in records {
            self.write(&mut writer, record)?;
        }
        bytes_of(writer)
    }

    fn write(
        &mut self,
        writer: &mut csv::Writer<Vec<u8>>,
        record: &Record,
    ) -> Result<(), DatasetError> {
        writer.write_field(&record.organisation)?;
        writer.write_field(&*inert(&record.organisation_name))?;
        writer.write_field(&record.period_label)?;
        writer.write_field(record.version_number.to_string())?;
        writer.write_field(record.state.as_str())?;
        writer.write_field(&*inert(&record.file_name))?;
        writer.write_field(&record.sha256)?;
        writer.write_field(&*inert(record.sheet.as_deref().unwrap_or_default()))?;
        writer.write_field(record.row_number.to_string())?;
        for (item, value) in self.table.items.iter().zip(&record.values) {
            let value = value.as_deref().unwrap_or_default();
            match item.kind {
                ItemKind::Text => writer.write_field(&*inert(value))?,
                ItemKind::Integer
                | ItemKind::Decimal { .. }
                | ItemKind::Date
                | ItemKind::Boolean => writer.write_field(value)?,
            }
        }
        let table = self.table;
        let columns = self.columns(record)?;
        for item in &table.items {
            match columns.get(&item.name) {
                Some(letters) => writer.write_field(format!("{letters}{}", record.row_number))?,
                None => writer.write_field("")?,
            }
        }
        if self.has_own {
            match &record.own {
                serde_json::Value::Object(own) if !own.is_empty() => {
                    writer.write_field(record.own.to_string())?;
                }
                _ => writer.write_field("")?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Records of one submission come one after the other, and share their columns.
    fn columns(&mut self, record: &Record) -> Result<&BTreeMap<String, String>, DatasetError> {
        let known = matches!(&self.columns_of, Some((id, _)) if *id == record.submission_id);
        if !known {
            let columns = match &record.columns {
                serde_json::Value::Null => BTreeMap::new(),
                columns => serde_json::from_value(columns.clone())
                    .map_err(|error| DbError::Stored(error.to_string()))?,
            };
            self.columns_of = Some((record.submission_id, columns));
        }
        Ok(&self
            .columns_of
            .get_or_insert_with(|| (record.submission_id, BTreeMap::new()))
            .1)
    }
}

fn bytes_of(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, DatasetError> {
    writer
        .into_inner()
        .map_err(|error| DatasetError::Write(error.into_error()))
}
