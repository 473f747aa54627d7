//! What is different between two versions as CSV: a line for each figure that is another one now, and for each value of
//! a record that came or went.

mod lined_up;

use std::collections::HashMap;
use std::sync::Arc;

use db::records::{
    Change, ChangedRecord, ChangedRecords, Comparison, Counted, InVersion, RecordPlace,
};
use db::submissions::{self, TableRows};
use db::{Conn, DbError, Tx};
use report::csv::inert;
use spec::layout::Layout;
use spec::{Accumulation, ItemKind};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

pub use self::lined_up::{Answering, ItemsOf, LinedUp, LinedUpTables, SideOf};
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

/// A table of two sets of submissions, and where its columns stand in their files.
#[derive(Debug, Clone)]
pub struct TableOfTwo<'a> {
    pub lined_up: Arc<LinedUp<'a>>,
    pub comparison: Comparison<'a>,
    files: HashMap<Uuid, TableRows>,
}

/// The tables of two sets of submissions, as far as there is something of them.
pub async fn tables_of_two<'a>(
    conn: &mut Conn,
    all: &[Arc<LinedUp<'a>>],
    old: SideOf<'_>,
    new: SideOf<'_>,
) -> Result<Vec<TableOfTwo<'a>>, DbError> {
    let both = old.submissions.iter().chain(new.submissions);
    let ids: Vec<Uuid> = both.map(|(id, _)| *id).collect();
    let files = submissions::tables_of(conn, &ids).await?;
    let tables = all.iter().map(|lined_up| {
        let comparison = lined_up.comparison(old, new);
        let files = files.iter().filter(|(id, rows)| {
            let name = version_of(&comparison, *id).map(|version| &version.table.name);
            name == Some(&rows.table)
        });
        TableOfTwo {
            files: files.cloned().collect(),
            lined_up: Arc::clone(lined_up),
            comparison,
        }
    });
    Ok(tables.collect())
}

/// The table as the version has it that a submission answers.
fn version_of<'c, 'a>(comparison: &'c Comparison<'a>, id: Uuid) -> Option<&'c InVersion<'a>> {
    let sides = [&comparison.old, &comparison.new];
    let mut all = sides.into_iter().flat_map(|side| &side.submissions);
    let (_, place) = all.find(|(of, _)| *of == id)?;
    comparison.versions.get(*place)
}

impl TableOfTwo<'_> {
    /// What a record is called: its keys, or its line's name.
    pub fn name_of(&self, record: &ChangedRecord) -> String {
        let line_item = match &self.lined_up.table.layout {
            Layout::Matrix(matrix) => Some(&matrix.line_item),
            Layout::Records(_) | Layout::TurnAround { .. } => None,
        };
        let mut names = Vec::new();
        for (idx, compared) in self.comparison.items.iter().enumerate() {
            if !compared.is_key {
                continue;
            }
            let key = record.value(idx).unwrap_or_default();
            let item = self.lined_up.columns.get(idx).map(|(_, item)| &item.name);
            if item.is_some() && item == line_item {
                names.push(self.line_name(key));
            } else {
                names.push(key.to_owned());
            }
        }
        if names.is_empty() {
            let place = record.new.or(record.old);
            return format!("row {}", place.map_or(0, |place| place.row_number));
        }
        names.join(", ")
    }

    fn line_name(&self, code: &str) -> String {
        let label = match &self.lined_up.table.layout {
            Layout::Matrix(matrix) => matrix.lines.iter().find(|line| line.code == code),
            Layout::Records(_) | Layout::TurnAround { .. } => None,
        };
        match label {
            Some(line) if line.label != code => format!("{} ({code})", line.label),
            _ => code.to_owned(),
        }
    }

    /// `Sheet!B12` of something compared, by its place, in the file that a record was read from.
    pub fn cell(&self, idx: usize, record: Option<RecordPlace>) -> Option<String> {
        let RecordPlace {
            submission_id,
            row_number,
        } = record?;
        let version = version_of(&self.comparison, submission_id)?;
        let item = (*version.items.get(idx)?)?;
        let file = self.files.get(&submission_id)?;
        Some(file.cell(item, row_number)?.to_string())
    }

    /// Rows that the newer ones have.
    pub fn n_now(&self) -> u64 {
        let new = self.comparison.new.submissions.iter();
        let rows = new.filter_map(|(id, _)| self.files.get(id));
        rows.map(|rows| rows.n_loaded).sum()
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
    let n_records = write_tables(tx, None, tables, out).await?;
    out.flush().await?;
    Ok(n_records)
}

/// Each line begins and ends with what is said of whose it is, where that is said.
async fn write_tables<W: AsyncWrite + Unpin + Send>(
    tx: &mut Tx,
    of: Option<&ChangesOfOne<'_>>,
    tables: &[TableOfTwo<'_>],
    out: &mut W,
) -> Result<u64, DatasetError> {
    let mut n_records = 0;
    for table in tables {
        let mut records = ChangedRecords::open(tx, &table.comparison).await?;
        loop {
            let batch = records.fetch(tx, BATCH).await?;
            if batch.is_empty() {
                break;
            }
            n_records += batch.len() as u64;
            let mut writer = csv::Writer::from_writer(Vec::new());
            for record in &batch {
                let beside = of.map(|of| of.beside(table, record));
                write(&mut writer, beside.as_ref(), table, record)?;
            }
            out.write_all(&bytes_of(writer)?).await?;
        }
        records.close(tx).await?;
    }
    Ok(n_records)
}

/// An organisation's return in two releases: of one period, or, where records accumulate, of all.
#[derive(Debug, Clone)]
pub struct ChangesOfOne<'a> {
    /// Its GSS code and its name.
    pub organisation: (&'a str, &'a str),
    pub old: &'a [Counted],
    pub new: &'a [Counted],
    pub tables: Vec<TableOfTwo<'a>>,
}

/// What each line of the changes of a release begins with …
const LEADING: [&str; 5] = [
    "organisation_code",
    "organisation_name",
    "period",
    "version_before",
    "version_now",
];

/// … and ends with.
const TRAILING: [&str; 1] = ["period_before"];

struct Beside {
    before: [String; LEADING.len()],
    after: [String; TRAILING.len()],
}

impl ChangesOfOne<'_> {
    /// What is said of a record: for which period and in which version its state before and its state now were sent.
    fn beside(&self, table: &TableOfTwo<'_>, record: &ChangedRecord) -> Beside {
        let accumulate = table.comparison.new.accumulation == Accumulation::Cumulative;
        let from = |place: Option<RecordPlace>, all: &'_ [Counted]| match (place, all) {
            (Some(place), _) => {
                let is_it = |counted: &&Counted| counted.submission_id == place.submission_id;
                all.iter().find(is_it).map(said)
            }
            // Of one period the other version is told where the record is not in it, too.
            (None, [only]) if !accumulate => Some(said(only)),
            (None, _) => None,
        };
        let (old, new) = (from(record.old, self.old), from(record.new, self.new));
        let (period_before, version_before) = old.clone().unwrap_or_default();
        let version_now = new.clone().map(|(_, version)| version);
        let period = new.or(old).map(|(period, _)| period);
        let (code, name) = self.organisation;
        Beside {
            before: [
                code.to_owned(),
                inert(name).into_owned(),
                period.unwrap_or_default(),
                version_before,
                version_now.unwrap_or_default(),
            ],
            after: [period_before],
        }
    }
}

/// Period and version.
fn said(counted: &Counted) -> (String, String) {
    (
        counted.period_label.clone(),
        counted.version_number.to_string(),
    )
}

/// As [`changes_csv`], of many organisations.
pub async fn release_changes_csv<W: AsyncWrite + Unpin + Send>(
    tx: &mut Tx,
    all: &[ChangesOfOne<'_>],
    out: &mut W,
) -> Result<u64, DatasetError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(LEADING.iter().chain(&HEADINGS).chain(&TRAILING))?;
    out.write_all("\u{feff}".as_bytes()).await?;
    out.write_all(&bytes_of(writer)?).await?;
    let mut n_records = 0;
    for one in all {
        n_records += write_tables(tx, Some(one), &one.tables, out).await?;
    }
    out.flush().await?;
    Ok(n_records)
}

fn write(
    writer: &mut csv::Writer<Vec<u8>>,
    beside: Option<&Beside>,
    table: &TableOfTwo<'_>,
    record: &ChangedRecord,
) -> Result<(), csv::Error> {
    let record_name = table.name_of(record);
    let columns = table.lined_up.columns.iter().zip(&record.figures);
    for (idx, ((column, item), figure)) in columns.enumerate() {
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
        let cell = |place| inert(&table.cell(idx, place).unwrap_or_default()).into_owned();
        for field in beside.iter().flat_map(|beside| &beside.before) {
            writer.write_field(field)?;
        }
        for field in [
            table.lined_up.table.name.as_str(),
            record.change.as_str(),
            &inert(&record_name),
            column,
            &value(&figure.old),
            &value(&figure.new),
            figure.by.as_deref().unwrap_or_default(),
            figure.percent.as_deref().unwrap_or_default(),
            &cell(record.old),
            &cell(record.new),
        ] {
            writer.write_field(field)?;
        }
        for field in beside.iter().flat_map(|beside| &beside.after) {
            writer.write_field(field)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}
