//! Two sets of submissions side by side: which records came, which went, and which figures of which records are others now.
//!
//! A set is one version of a return; or, where records accumulate, all that an organisation sent, of which each record
//! counts as it came last. Records are known by their table's keys, so that the order of the rows makes no difference.
//! All of it happens in the database; what is read is a page, or a cursor's next rows.

mod statement;

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use spec::{Accumulation, ItemKind, ReturnSpec, TableSpec};
use uuid::Uuid;

use self::statement::Statement;
use crate::{Conn, DbError, Tx};

/// Something that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// One that holds what each version has of it.
    pub kind: ItemKind,
    /// A record is known by it.
    pub is_key: bool,
}

/// A table as one version of the return has it.
#[derive(Debug, Clone)]
pub struct InVersion<'a> {
    pub spec: &'a ReturnSpec,
    pub table: &'a TableSpec,
    /// What is compared, by its name here; `None`: this version does not ask for it.
    pub items: Vec<Option<&'a str>>,
    /// For each of them what a code is called that is called otherwise in what it is compared with.
    pub codes: Vec<BTreeMap<String, String>>,
}

/// One of the two that are compared.
#[derive(Debug, Clone)]
pub struct Side {
    /// Submissions, each with the place of its version in [`Comparison::versions`];
    /// in the order in which they count, the last one most.
    pub submissions: Vec<(Uuid, usize)>,
    /// Whether each record of theirs is in it, or of those with the same keys the last one.
    pub accumulation: Accumulation,
    /// What of them is not told: only that it is left out is compared, and not what it is.
    pub left_out: Vec<LeftOut>,
}

/// A figure that is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    pub record: RecordPlace,
    /// Its place in [`Comparison::items`].
    pub item: usize,
}

/// A table of two sets of submissions.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// None is a key: a record is known by all of its values, and can only come and go.
    pub items: Vec<Compared>,
    /// The newest first.
    pub versions: Vec<InVersion<'a>>,
    pub old: Side,
    pub new: Side,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Changed,
    Added,
    Gone,
}

impl Change {
    pub const ALL: [Change; 3] = [Change::Changed, Change::Added, Change::Gone];

    pub fn as_str(self) -> &'static str {
        match self {
            Change::Changed => "changed",
            Change::Added => "added",
            Change::Gone => "gone",
        }
    }
}

/// A row of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    pub submission_id: Uuid,
    /// 1-based, as the sheet has it.
    pub row_number: u32,
}

/// A record that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecord {
    pub change: Change,
    /// Where it was read.
    pub old: Option<RecordPlace>,
    pub new: Option<RecordPlace>,
    /// One for each of [`Comparison::items`].
    pub figures: Vec<Figure>,
}

impl ChangedRecord {
    /// The value by which it is known.
    pub fn value(&self, idx: usize) -> Option<&str> {
        let figure = self.figures.get(idx)?;
        figure.new.as_deref().or(figure.old.as_deref())
    }
}

/// What is compared of a record, in both, in Postgres text form; what is left out is [`MARK`](spec::disclosure::MARK).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub old: Option<String>,
    pub new: Option<String>,
    pub differs: bool,
    /// New less old, where both are numbers that are told.
    pub by: Option<String>,
    /// The same as a percentage of the old one, with one decimal place; `None` where that is nought.
    pub percent: Option<String>,
}

/// How many records and figures of a table are others now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    pub changed: u64,
    pub added: u64,
    pub gone: u64,
    /// In the records that changed.
    pub figures: u64,
}

impl ChangeCounts {
    pub fn records(&self) -> u64 {
        self.changed + self.added + self.gone
    }

    pub fn add(&mut self, other: ChangeCounts) {
        self.changed += other.changed;
        self.added += other.added;
        self.gone += other.gone;
        self.figures += other.figures;
    }
}

/// Which of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    pub only: Option<Change>,
    /// In one of the record's values, without case.
    pub text: Option<&'a str>,
    /// Or with one of these as its first key: the lines of a form whose names have the text.
    pub or_first_key: &'a [String],
    pub skipped: u64,
    pub limit: u32,
}

/// A page of changed records, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Whatever was asked for.
    pub counts: ChangeCounts,
    /// That were asked for.
    pub n_found: u64,
    /// By their rows, those that are gone among the others.
    pub records: Vec<ChangedRecord>,
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    changed: i64,
    #[diesel(sql_type = BigInt)]
    added: i64,
    #[diesel(sql_type = BigInt)]
    gone: i64,
    #[diesel(sql_type = BigInt)]
    figures: i64,
}

impl CountsRow {
    fn counts(&self) -> ChangeCounts {
        ChangeCounts {
            changed: self.changed.unsigned_abs(),
            added: self.added.unsigned_abs(),
            gone: self.gone.unsigned_abs(),
            figures: self.figures.unsigned_abs(),
        }
    }
}

#[derive(QueryableByName)]
struct PageRow {
    #[diesel(embed)]
    counts: CountsRow,
    #[diesel(sql_type = BigInt)]
    n_found: i64,
    #[diesel(embed)]
    record: RecordRow,
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    old_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    old_row: Option<i32>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    new_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    new_row: Option<i32>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    old_values: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    new_values: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Bool>>)]
    differ: Option<Vec<bool>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    differ_by: Option<Vec<Option<String>>>,
    #[diesel(sql_type = Nullable<Array<Nullable<Text>>>)]
    percents: Option<Vec<Option<String>>>,
}

impl RecordRow {
    /// `None`: there is no record on this page.
    fn record(self) -> Option<ChangedRecord> {
        let place = |(submission_id, row_number): (Uuid, i32)| RecordPlace {
            submission_id,
            row_number: row_number.unsigned_abs(),
        };
        let (old_place, new_place) = (
            self.old_id.zip(self.old_row).map(place),
            self.new_id.zip(self.new_row).map(place),
        );
        let change = match (old_place, new_place) {
            (Some(_), Some(_)) => Change::Changed,
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Gone,
            (None, None) => return None,
        };
        let mut old = self.old_values.unwrap_or_default().into_iter();
        let mut new = self.new_values.unwrap_or_default().into_iter();
        let mut by = self.differ_by.unwrap_or_default().into_iter();
        let mut percents = self.percents.unwrap_or_default().into_iter();
        let figures = self.differ.unwrap_or_default().into_iter();
        Some(ChangedRecord {
            change,
            old: old_place,
            new: new_place,
            figures: figures
                .map(|differs| Figure {
                    differs,
                    old: old.next().flatten(),
                    new: new.next().flatten(),
                    by: by.next().flatten(),
                    percent: percents.next().flatten(),
                })
                .collect(),
        })
    }
}

/// Compares, and reads a page of what is different.
pub async fn changes(
    conn: &mut Conn,
    comparison: &Comparison<'_>,
    asked: &Asked<'_>,
) -> Result<Changes, DbError> {
    let statement = Statement::of(comparison)?;
    let text = asked.text.map(|text| text.replace('\0', "\u{fffd}"));
    let rows: Vec<PageRow> = sql_query(statement.page())
        .bind::<Nullable<Text>, _>(asked.only.map(Change::as_str))
        .bind::<Nullable<Text>, _>(text)
        .bind::<Array<Text>, _>(asked.or_first_key)
        .bind::<BigInt, _>(i64::try_from(asked.skipped).unwrap_or(i64::MAX))
        .bind::<BigInt, _>(i64::from(asked.limit))
        .load(conn.connection())
        .await?;
    let first = rows.as_slice().first().map(|row| Changes {
        counts: row.counts.counts(),
        n_found: row.n_found.unsigned_abs(),
        records: Vec::new(),
    });
    let first = first.ok_or_else(|| DbError::stored("a comparison without counts"))?;
    Ok(Changes {
        records: rows
            .into_iter()
            .filter_map(|row| row.record.record())
            .collect(),
        ..first
    })
}

/// How much is different.
pub async fn n_changes(
    conn: &mut Conn,
    comparison: &Comparison<'_>,
) -> Result<ChangeCounts, DbError> {
    let row: CountsRow = sql_query(Statement::of(comparison)?.counts())
        .get_result(conn.connection())
        .await?;
    Ok(row.counts())
}

/// All that is different, read as it is asked for; a transaction has one at a time.
pub struct ChangedRecords {
    _private: (),
}

impl ChangedRecords {
    pub async fn open(tx: &mut Tx, comparison: &Comparison<'_>) -> Result<Self, DbError> {
        let all = Statement::of(comparison)?.all();
        sql_query(format!(
            "DECLARE changed_records NO SCROLL CURSOR FOR {all}"
        ))
        .execute(tx.connection())
        .await?;
        Ok(Self { _private: () })
    }

    /// Makes room for another one in the same transaction.
    pub async fn close(self, tx: &mut Tx) -> Result<(), DbError> {
        sql_query("CLOSE changed_records")
            .execute(tx.connection())
            .await?;
        Ok(())
    }

    /// The next ones, at most `limit`; none at the end.
    pub async fn fetch(&mut self, tx: &mut Tx, limit: u32) -> Result<Vec<ChangedRecord>, DbError> {
        let rows: Vec<RecordRow> = sql_query(format!("FETCH {limit} FROM changed_records"))
            .load(tx.connection())
            .await?;
        Ok(rows.into_iter().filter_map(RecordRow::record).collect())
    }
}
