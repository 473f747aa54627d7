//! Which submissions' records count, and the records themselves, a page at a time.
//!
//! What a submission has never changes, so that a list of submissions says what a table has, whenever its rows are read:
//! no transaction stays open while they are sent on, and the same list gives the same rows for ever.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use cycle::SubmissionState;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use spec::{Accumulation, ReturnSpec, TableSpec};
use uuid::Uuid;

use super::ddl;
use crate::cycles::{COUNTING, STANDING};
use crate::handovers::verb_of;
use crate::statement::statement;
use crate::{Conn, DbError, Sees, Tx};

/// Which rounds of a return, and whose.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    pub return_id: &'a str,
    /// Rounds whose last day is from this one …
    pub from_end: NaiveDate,
    /// … to this one.
    pub to_end: NaiveDate,
    /// Where records accumulate, all rounds up to the last day count.
    pub accumulation: Accumulation,
    /// Whose; the database holds to it too.
    pub sees: &'a Sees,
    /// Of these organisations only, by GSS code; none: of all.
    pub organisations: &'a [String],
    /// Without what only stands provisionally.
    pub only_accepted: bool,
}

/// A submission whose records count, with everything that is said of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub submission_id: Uuid,
    /// GSS code.
    pub organisation: String,
    pub organisation_name: String,
    pub sg_code: Option<String>,
    pub phs_code: Option<String>,
    pub period_label: String,
    pub period_start: NaiveDate,
    pub period_end: NaiveDate,
    pub return_version: String,
    pub version_number: u32,
    /// Accepted; or signed off or submitted, and so provisional.
    pub state: SubmissionState,
    /// It says that there is nothing to report.
    pub is_nil: bool,
    pub file_name: String,
    pub sha256: String,
    pub received_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct CountedRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sg_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    phs_code: Option<String>,
    #[diesel(sql_type = Text)]
    period_label: String,
    #[diesel(sql_type = Date)]
    period_start: NaiveDate,
    #[diesel(sql_type = Date)]
    period_end: NaiveDate,
    #[diesel(sql_type = Text)]
    return_version: String,
    #[diesel(sql_type = Integer)]
    version_number: i32,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    is_nil: bool,
    #[diesel(sql_type = Text)]
    file_name: String,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
}

impl TryFrom<CountedRow> for Counted {
    type Error = DbError;

    fn try_from(row: CountedRow) -> Result<Self, DbError> {
        Ok(Counted {
            submission_id: row.submission_id,
            organisation: row.organisation,
            organisation_name: row.organisation_name,
            sg_code: row.sg_code,
            phs_code: row.phs_code,
            period_label: row.period_label,
            period_start: row.period_start,
            period_end: row.period_end,
            return_version: row.return_version,
            version_number: row.version_number.unsigned_abs(),
            state: verb_of(&row.status)?.state(),
            is_nil: row.is_nil,
            file_name: row.file_name,
            sha256: row.sha256,
            received_at: row.received_at,
        })
    }
}

/// Whose alone: of those that are seen the ones that are asked for; `None`: everybody's.
pub(super) fn whose(span: &Span<'_>) -> Option<Vec<String>> {
    match (span.sees, span.organisations) {
        (Sees::Everyone, []) => None,
        (Sees::Everyone, asked) => Some(asked.to_vec()),
        (Sees::Organisations(seen), []) => Some(seen.clone()),
        (Sees::Organisations(seen), asked) => {
            let both = asked.iter().filter(|code| seen.contains(code));
            Some(both.cloned().collect())
        }
    }
}

/// What counts, by organisation, period and version.
pub async fn counted(conn: &mut Conn, span: &Span<'_>) -> Result<Vec<Counted>, DbError> {
    let (counts, from_end) = match span.accumulation {
        Accumulation::Cumulative => (COUNTING, None),
        Accumulation::Replace => (STANDING, Some(span.from_end)),
    };
    let rows: Vec<CountedRow> = statement(format!(
        "SELECT s.id AS submission_id, s.organisation, g.name AS organisation_name, g.sg_code, g.phs_code,
            c.period_label, c.period_start, c.period_end, c.version AS return_version,
            s.version_number, k.status, s.is_nil, s.file_name, s.file_sha256 AS sha256, s.received_at
         FROM cycle c
         JOIN obligation o ON o.cycle_id = c.id
         JOIN {counts} k ON true
         JOIN submission s ON s.id = k.submission_id
         JOIN organisation g ON g.code = s.organisation
         WHERE c.return_id = $1 AND ($2 IS NULL OR c.period_end >= $2) AND c.period_end <= $3
           AND (k.status = 'accept' OR NOT $4) AND ($5 IS NULL OR s.organisation = ANY ($5))
         ORDER BY s.organisation COLLATE \"C\", c.period_end, c.period_label, s.version_number"
    ))
    .bind::<Text, _>(span.return_id)
    .bind::<Nullable<Date>, _>(from_end)
    .bind::<Date, _>(span.to_end)
    .bind::<Bool, _>(span.only_accepted)
    .bind::<Nullable<Array<Text>>, _>(whose(span))
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Counted::try_from).collect()
}

/// An organisation that has to answer in a round, and of which nothing counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Missing {
    #[diesel(sql_type = Text)]
    pub organisation: String,
    #[diesel(sql_type = Text)]
    pub organisation_name: String,
    #[diesel(sql_type = Text)]
    pub period_label: String,
}

/// Who has to answer and is missing, by period and organisation.
pub async fn missing(conn: &mut Conn, span: &Span<'_>) -> Result<Vec<Missing>, DbError> {
    Ok(statement(format!(
        "SELECT o.organisation, g.name AS organisation_name, c.period_label
         FROM cycle c
         JOIN obligation o ON o.cycle_id = c.id
         JOIN organisation g ON g.code = o.organisation
         LEFT JOIN {STANDING} k ON true
         WHERE c.return_id = $1 AND c.period_end BETWEEN $2 AND $3 AND o.is_required AND NOT c.is_cancelled
           AND (k.status IS NULL OR $4 AND k.status <> 'accept')
           AND ($5 IS NULL OR o.organisation = ANY ($5))
         ORDER BY c.period_end, c.period_label, o.organisation COLLATE \"C\""
    ))
    .bind::<Text, _>(span.return_id)
    .bind::<Date, _>(span.from_end)
    .bind::<Date, _>(span.to_end)
    .bind::<Bool, _>(span.only_accepted)
    .bind::<Nullable<Array<Text>>, _>(whose(span))
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many records submissions have in a table; where records accumulate, no more than these count.
pub async fn n_records(conn: &mut Conn, submissions: &[Uuid], table: &str) -> Result<u64, DbError> {
    let sum: Sum = statement(
        "SELECT coalesce(sum(n_loaded), 0)::bigint AS n FROM submission_table
         WHERE submission_id = ANY ($1) AND table_name = $2",
    )
    .bind::<Array<SqlUuid>, _>(submissions)
    .bind::<Text, _>(table)
    .get_result(conn.connection())
    .await?;
    Ok(sum.n.unsigned_abs())
}

/// Where a table's columns stand in a submission's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub sheet: Option<String>,
    /// Item name → column letters.
    pub columns: BTreeMap<String, String>,
}

#[derive(QueryableByName)]
struct PlacesRow {
    #[diesel(sql_type = Nullable<Text>)]
    sheet: Option<String>,
    #[diesel(sql_type = Jsonb)]
    columns: serde_json::Value,
}

/// Of a submission that has no such table: nowhere.
pub async fn places(conn: &mut Conn, submission_id: Uuid, table: &str) -> Result<Places, DbError> {
    let rows: Vec<PlacesRow> = statement(
        "SELECT sheet, columns FROM submission_table WHERE submission_id = $1 AND table_name = $2",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Text, _>(table)
    .load(conn.connection())
    .await?;
    match rows.into_iter().next() {
        Some(row) => Ok(Places {
            sheet: row.sheet,
            columns: serde_json::from_value(row.columns).map_err(DbError::stored)?,
        }),
        None => Ok(Places::default()),
    }
}

/// A table as one version of a return has it, read as the columns of another.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub spec: &'a ReturnSpec,
    pub table: &'a TableSpec,
    /// For each column that is asked for the item of this table that it is; `None`: this version has none.
    pub items: &'a [Option<&'a str>],
    /// For each of them what a code is called now that is called otherwise in this version. Sums know codes by that;
    /// records are given as they were sent. None at all: each is called what it was.
    pub codes: &'a [BTreeMap<String, String>],
    /// For each key of the columns that are asked for, likewise.
    pub keys: &'a [Option<&'a str>],
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub submission_id: Uuid,
    /// 1-based, as the sheet has it.
    pub row_number: u32,
    /// For each column that was asked for, in Postgres text form.
    pub values: Vec<Option<String>>,
    /// The sender's own columns of the row: heading → value, as JSON.
    pub own: serde_json::Value,
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Integer)]
    row_number: i32,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    record_values: Vec<Option<String>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    own: Option<serde_json::Value>,
}

impl From<RecordRow> for Record {
    fn from(row: RecordRow) -> Self {
        Record {
            submission_id: row.submission_id,
            row_number: row.row_number.unsigned_abs(),
            values: row.record_values,
            own: row.own.unwrap_or_default(),
        }
    }
}

/// Items as texts; what this version does not have is null.
fn texts(source: &Source<'_>, items: &[Option<&str>]) -> Result<String, DbError> {
    let columns = ddl::columns(source.table)?;
    let texts: Vec<String> = items
        .iter()
        .map(|item| {
            let column = item.and_then(|item| columns.iter().find(|of| of.item.name == item));
            match column {
                Some(column) => format!("r.\"{}\"::text", column.name),
                None => "NULL".to_owned(),
            }
        })
        .collect();
    Ok(format!("ARRAY[{}]::text[]", texts.join(", ")))
}

/// The own columns of a row, where there are any to read.
pub(super) fn own(source: &Source<'_>) -> &'static str {
    match source.spec.own_columns {
        Some(_) => "r._own",
        None => "NULL::jsonb",
    }
}

/// A few records of one submission after a row, by row, in whatever transaction there is.
pub async fn page(
    conn: &mut Conn,
    source: &Source<'_>,
    submission_id: Uuid,
    after_row: u32,
    limit: u32,
) -> Result<Vec<Record>, DbError> {
    let statement = format!(
        "SELECT r.submission_id, r.row_number, {} AS record_values, {} AS own
         FROM {} r WHERE r.submission_id = $1 AND r.row_number > $2
         ORDER BY r.row_number LIMIT {limit}",
        texts(source, source.items)?,
        own(source),
        super::table_name(source.spec, source.table)?,
    );
    let rows: Vec<RecordRow> = sql_query(statement)
        .bind::<SqlUuid, _>(submission_id)
        .bind::<Integer, _>(i32::try_from(after_row).unwrap_or(i32::MAX))
        .load(conn.connection())
        .await?;
    Ok(rows.into_iter().map(Record::from).collect())
}

/// Where records accumulate: of those with the same keys the one that came last, read by a server-side cursor.
pub struct Newest {
    _private: (),
}

impl Newest {
    /// `submissions` in the order in which they count, the last one most; rows come in that order too.
    /// A transaction has one at a time.
    pub async fn open(
        tx: &mut Tx,
        sources: &[Source<'_>],
        submissions: &[Uuid],
    ) -> Result<Self, DbError> {
        let mut selects = Vec::new();
        for source in sources {
            selects.push(format!(
                "SELECT r.submission_id, r.organisation, r.row_number, {} AS record_values, {} AS record_keys, {} AS own FROM {} r",
                texts(source, source.items)?,
                texts(source, source.keys)?,
                own(source),
                super::table_name(source.spec, source.table)?,
            ));
        }
        let members: Vec<String> = submissions
            .iter()
            .enumerate()
            .map(|(place, id)| format!("('{id}'::uuid, {place})"))
            .collect();
        let nothing = "SELECT NULL::uuid AS submission_id, 0 AS row_number, ARRAY[]::text[] AS record_values, NULL::jsonb AS own WHERE false".to_owned();
        let select = if selects.is_empty() || members.is_empty() {
            nothing
        } else {
            // A record without keys is known by nothing but its place.
            let has_keys = sources.iter().any(|source| !source.keys.is_empty());
            let known_by = if has_keys {
                "r.organisation, r.record_keys"
            } else {
                "m.place, r.row_number"
            };
            format!(
                "SELECT submission_id, row_number, record_values, own FROM (
                    SELECT DISTINCT ON ({known_by}) r.submission_id, r.row_number, r.record_values, r.own, m.place
                    FROM ({}) r
                    JOIN (VALUES {}) AS m (id, place) ON m.id = r.submission_id
                    ORDER BY {known_by}, m.place DESC, r.row_number DESC
                 ) newest ORDER BY place, row_number",
                selects.join(" UNION ALL "),
                members.join(", "),
            )
        };
        sql_query(format!("DECLARE records NO SCROLL CURSOR FOR {select}"))
            .execute(tx.connection())
            .await?;
        Ok(Self { _private: () })
    }

    /// Makes room for another one in the same transaction.
    pub async fn close(self, tx: &mut Tx) -> Result<(), DbError> {
        sql_query("CLOSE records").execute(tx.connection()).await?;
        Ok(())
    }

    /// The next records; none: that was all.
    pub async fn fetch(&mut self, tx: &mut Tx, limit: u32) -> Result<Vec<Record>, DbError> {
        let rows: Vec<RecordRow> = sql_query(format!("FETCH FORWARD {limit} FROM records"))
            .load(tx.connection())
            .await?;
        Ok(rows.into_iter().map(Record::from).collect())
    }
}
