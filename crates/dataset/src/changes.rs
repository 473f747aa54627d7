//! What is different between two versions as CSV: a line for each figure that is another one now, and for each value of
//! a record that came or went.

use db::Tx;
use db::records::{Change, ChangedRecord, ChangedRecords, Counted, Pair};
use db::submissions::TableRows;
use report::csv::inert;
use spec::ItemKind;
use spec::layout::Layout;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::{BATCH, DatasetError, bytes_of};

/// The columns, in order; later ones are only ever added at the end.
const HEADINGS: [&str; 10] = [
    "table",
    "change",
    "record",
    "item",
    "before",
    "now",
    "difference",
    "difference_percent",
    "cell_before",
    "cell_now",
];

/// A table of two versions, and where its columns stand in their files.
#[derive(Debug, Clone)]
pub struct TableOfTwo<'a> {
    pub pair: Pair<'a>,
    pub old_rows: Option<TableRows>,
    pub new_rows: Option<TableRows>,
}

impl TableOfTwo<'_> {
    /// What a record is called: its keys, or its line's name.
    pub fn name_of(&self, record: &ChangedRecord) -> String {
        let table = self.pair.new.table;
        let line_item = match &table.layout {
            Layout::Matrix(matrix) => Some(&matrix.line_item),
            Layout::Records(_) | Layout::TurnAround { .. } => None,
        };
        let mut names = Vec::new();
        for (idx, item) in self.pair.items().iter().enumerate() {
            if !self.pair.keys().contains(&item.name) {
                continue;
            }
            let key = record.value(idx).unwrap_or_default();
            if line_item == Some(&item.name) {
                names.push(self.line_name(key));
            } else {
                names.push(key.to_owned());
            }
        }
        if names.is_empty() {
            let row = record.new_row.or(record.old_row).unwrap_or_default();
            return format!("row {row}");
        }
        names.join(", ")
    }

    fn line_name(&self, code: &str) -> String {
        let label = match &self.pair.new.table.layout {
            Layout::Matrix(matrix) => matrix.lines.iter().find(|line| line.code == code),
            Layout::Records(_) | Layout::TurnAround { .. } => None,
        };
        match label {
            Some(line) if line.label != code => format!("{} ({code})", line.label),
            _ => code.to_owned(),
        }
    }

    /// `Sheet!B12` of an item in the older file.
    pub fn old_cell(&self, item: &str, record: &ChangedRecord) -> Option<String> {
        Some(
            self.old_rows
                .as_ref()?
                .cell(item, record.old_row?)?
                .to_string(),
        )
    }

    pub fn new_cell(&self, item: &str, record: &ChangedRecord) -> Option<String> {
        Some(
            self.new_rows
                .as_ref()?
                .cell(item, record.new_row?)?
                .to_string(),
        )
    }
}

/// Writes the headings and all that is different; gives the number of records.
pub async fn changes_csv<W: AsyncWrite + Unpin + Send>(
    tx: &mut Tx,
    tables: &[TableOfTwo<'_>],
    out: &mut W,
) -> Result<u64, DatasetError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADINGS)?;
    // Excel takes a file without this mark for something else than UTF-8.
    out.write_all("\u{feff}".as_bytes()).await?;
    out.write_all(&bytes_of(writer)?).await?;
    let n_records = write_tables(tx, &[], tables, out).await?;
    out.flush().await?;
    Ok(n_records)
}

/// Each line begins with `lead`.
async fn write_tables<W: AsyncWrite + Unpin + Send>(
    tx: &mut Tx,
    lead: &[String],
    tables: &[TableOfTwo<'_>],
    out: &mut W,
) -> Result<u64, DatasetError> {
    let mut n_records = 0;
    for table in tables {
        let mut records = ChangedRecords::open(tx, &table.pair).await?;
        loop {
            let batch = records.fetch(tx, BATCH).await?;
            if batch.is_empty() {
                break;
            }
            n_records += batch.len() as u64;
            let mut writer = csv::Writer::from_writer(Vec::new());
            for record in &batch {
                write(&mut writer, lead, table, record)?;
            }
            out.write_all(&bytes_of(writer)?).await?;
        }
        records.close(tx).await?;
    }
    Ok(n_records)
}

/// An organisation's return in two releases.
#[derive(Debug, Clone)]
pub struct ChangesOfOne<'a> {
    pub old: Option<&'a Counted>,
    pub new: Option<&'a Counted>,
    pub tables: Vec<TableOfTwo<'a>>,
}

/// What each line of the changes of a release begins with.
const LEADING: [&str; 5] = [
    "organisation_code",
    "organisation_name",
    "period",
    "version_before",
    "version_now",
];

/// As [`changes_csv`], of many organisations.
pub async fn release_changes_csv<W: AsyncWrite + Unpin + Send>(
    tx: &mut Tx,
    all: &[ChangesOfOne<'_>],
    out: &mut W,
) -> Result<u64, DatasetError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(LEADING.iter().chain(&HEADINGS))?;
    out.write_all("\u{feff}".as_bytes()).await?;
    out.write_all(&bytes_of(writer)?).await?;
    let mut n_records = 0;
    for one in all {
        let Some(either) = one.new.or(one.old) else {
            continue;
        };
        let version = |of: Option<&Counted>| {
            of.map_or_else(String::new, |counted| counted.version_number.to_string())
        };
        let lead = [
            either.organisation.clone(),
            inert(&either.organisation_name).into_owned(),
            either.period_label.clone(),
            version(one.old),
            version(one.new),
        ];
        n_records += write_tables(tx, &lead, &one.tables, out).await?;
    }
    out.flush().await?;
    Ok(n_records)
}

fn write(
    writer: &mut csv::Writer<Vec<u8>>,
    lead: &[String],
    table: &TableOfTwo<'_>,
    record: &ChangedRecord,
) -> Result<(), csv::Error> {
    let name = table.name_of(record);
    for (item, figure) in table.pair.items().iter().zip(&record.figures) {
        let is_told = match record.change {
            Change::Changed => figure.differs,
            Change::Added => figure.new.is_some(),
            Change::Gone => figure.old.is_some(),
        };
        if !is_told {
            continue;
        }
        let value = |value: &Option<String>| {
            let value = value.as_deref().unwrap_or_default();
            match item.kind {
                ItemKind::Text => inert(value).into_owned(),
                ItemKind::Integer
                | ItemKind::Decimal { .. }
                | ItemKind::Date
                | ItemKind::Boolean => value.to_owned(),
            }
        };
        let cell = |cell: Option<String>| inert(&cell.unwrap_or_default()).into_owned();
        for field in lead {
            writer.write_field(field)?;
        }
        writer.write_record([
            table.pair.new.table.name.as_str(),
            record.change.as_str(),
            &inert(&name),
            &item.name,
            &value(&figure.old),
            &value(&figure.new),
            figure.by.as_deref().unwrap_or_default(),
            figure.percent.as_deref().unwrap_or_default(),
            &cell(table.old_cell(&item.name, record)),
            &cell(table.new_cell(&item.name, record)),
        ])?;
    }
    Ok(())
}
