//! What the records of each organisation come to in each period: how many there are, what they add up to, the one in
//! the middle, and how many there are of each code. The database counts and adds; no record leaves it.

use chrono::NaiveDate;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use spec::{Accumulation, ItemKind};
use uuid::Uuid;

use super::{Source, ddl};
use crate::statement::statement;
use crate::{Conn, DbError};

/// What records come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// How many there are.
    Records,
    /// What their figures add up to.
    Total,
    /// The figure in the middle of theirs; of an even number, the lower of the two.
    Middle,
}

/// Which records are looked at. Items are by their place in [`Source::items`].
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    pub sum: Sum,
    /// Whose figures are added.
    pub figure: Option<usize>,
    /// Only records in which this item is filled in …
    pub coded: Option<usize>,
    /// … and is this.
    pub code: Option<&'a str>,
}

/// A submission, and which of the periods looked at it is for, from 0 on.
/// Where records accumulate, those that were sent before the first belong to it.
pub type Member = (Uuid, usize);

/// What the records of an organisation come to in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summed {
    pub organisation: String,
    pub period_idx: usize,
    pub n_records: u64,
    /// Exact, in Postgres text form; `None`: none of them has a figure.
    pub figure: Option<String>,
    /// Where it is one record: of which submission, and its row.
    pub only: Option<(Uuid, u32)>,
}

#[derive(QueryableByName)]
struct SummedRow {
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Integer)]
    period_idx: i32,
    #[diesel(sql_type = BigInt)]
    n_records: i64,
    #[diesel(sql_type = Nullable<Text>)]
    figure: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    only_submission: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    only_row: Option<i32>,
}

/// What records come to, for each organisation and period in which it has one.
/// `members` in the order in which they count, the last one most, over `n_periods` periods.
pub async fn summed(
    conn: &mut Conn,
    (sources, accumulation): (&[Source<'_>], Accumulation),
    (members, n_periods): (&[Member], usize),
    looked: Looked<'_>,
) -> Result<Vec<Summed>, DbError> {
    let Some(records) = in_force(sources, accumulation, looked)? else {
        return Ok(Vec::new());
    };
    let figure = match looked.sum {
        Sum::Records => "count(*)",
        Sum::Total => "sum(figure)",
        Sum::Middle => "percentile_disc(0.5) WITHIN GROUP (ORDER BY figure)",
    };
    let rows: Vec<SummedRow> = sql_query(format!(
        "SELECT organisation, period_idx, count(*) AS n_records, ({figure})::text AS figure,
            CASE WHEN count(*) = 1 THEN min(submission_id::text)::uuid END AS only_submission,
            CASE WHEN count(*) = 1 THEN min(row_number) END AS only_row
         FROM ({records}) r {} GROUP BY organisation, period_idx",
        of_code(looked)
    ))
    .bind::<Array<SqlUuid>, _>(ids(members))
    .bind::<Array<Integer>, _>(period_idxs(members))
    .bind::<Integer, _>(whole(n_periods))
    .bind::<Nullable<Text>, _>(looked.code)
    .load(conn.connection())
    .await?;
    let index = |idx: i32| usize::try_from(idx).unwrap_or_default();
    Ok(rows
        .into_iter()
        .map(|row| Summed {
            organisation: row.organisation,
            period_idx: index(row.period_idx),
            n_records: row.n_records.unsigned_abs(),
            figure: row.figure,
            only: row.only_submission.zip(row.only_row.map(i32::unsigned_abs)),
        })
        .collect())
}

#[derive(QueryableByName)]
struct CodeRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = BigInt)]
    n_records: i64,
}

/// How many records there are of each code of an item in the last period, the most frequent first.
pub async fn codes(
    conn: &mut Conn,
    (sources, accumulation): (&[Source<'_>], Accumulation),
    (members, n_periods): (&[Member], usize),
    coded: usize,
    n_most: u32,
) -> Result<Vec<(String, u64)>, DbError> {
    let looked = Looked {
        sum: Sum::Records,
        figure: None,
        coded: Some(coded),
        code: None,
    };
    let Some(records) = in_force(sources, accumulation, looked)? else {
        return Ok(Vec::new());
    };
    let rows: Vec<CodeRow> = sql_query(format!(
        "SELECT code, count(*) AS n_records FROM ({records}) r
         WHERE code IS NOT NULL AND period_idx = $3 - 1
         GROUP BY code ORDER BY count(*) DESC, code COLLATE \"C\" LIMIT {n_most}"
    ))
    .bind::<Array<SqlUuid>, _>(ids(members))
    .bind::<Array<Integer>, _>(period_idxs(members))
    .bind::<Integer, _>(whole(n_periods))
    .load(conn.connection())
    .await?;
    let counted = |row: CodeRow| (row.code, row.n_records.unsigned_abs());
    Ok(rows.into_iter().map(counted).collect())
}

/// The records that count in each period: once for each of the periods in which they do.
/// `$1` has the submissions, `$2` their periods, `$3` the number of periods.
fn in_force(
    sources: &[Source<'_>],
    accumulation: Accumulation,
    looked: Looked<'_>,
) -> Result<Option<String>, DbError> {
    let mut selects = Vec::new();
    let accumulates = accumulation == Accumulation::Cumulative;
    let has_keys = sources.iter().any(|source| !source.keys.is_empty());
    for source in sources {
        let keys = match accumulates && has_keys {
            true => super::read::texts(source, source.keys)?,
            false => "NULL::text[]".to_owned(),
        };
        selects.push(format!(
            "SELECT r.submission_id, r.organisation, r.row_number, {} AS figure, {} AS code, {keys} AS record_keys,
                m.period_idx, m.place
             FROM {} r JOIN member m ON m.id = r.submission_id",
            number(source, looked.figure)?,
            text(source, looked.coded)?,
            super::table_name(source.spec, source.table)?,
        ));
    }
    if selects.is_empty() {
        return Ok(None);
    }
    let member = "WITH member AS MATERIALIZED (
        SELECT id, period_idx, place FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY m (id, period_idx, place))";
    let all = selects.join(" UNION ALL ");
    if !accumulates {
        return Ok(Some(format!(
            "{member} SELECT all_of_them.* FROM ({all}) all_of_them WHERE period_idx < $3"
        )));
    }
    // A record counts until the same one is sent again; one without keys is known by nothing, and counts on.
    let until = match has_keys {
        true => {
            "lead(period_idx) OVER (PARTITION BY organisation, record_keys ORDER BY place, row_number)"
        }
        false => "NULL::integer",
    };
    Ok(Some(format!(
        "{member} SELECT r.submission_id, r.organisation, r.row_number, r.figure, r.code, p.period_idx
         FROM (SELECT all_of_them.*, {until} AS until_idx FROM ({all}) all_of_them) r
         JOIN generate_series(0, $3 - 1) p (period_idx)
           ON r.period_idx <= p.period_idx AND (r.until_idx IS NULL OR p.period_idx < r.until_idx)"
    )))
}

fn of_code(looked: Looked<'_>) -> &'static str {
    match looked.coded {
        Some(_) => "WHERE code IS NOT NULL AND ($4 IS NULL OR code = $4)",
        None => "WHERE $4 IS NULL",
    }
}

/// A version in which the item is no number, or is not there, has no figure.
fn number(source: &Source<'_>, item: Option<usize>) -> Result<String, DbError> {
    let columns = ddl::columns(source.table)?;
    let column = named(source, item)
        .and_then(|name| columns.iter().find(|column| column.item.name == name))
        .filter(|column| {
            matches!(
                column.item.kind,
                ItemKind::Integer | ItemKind::Decimal { .. }
            )
        });
    Ok(match column {
        Some(column) => format!("r.\"{}\"::numeric", column.name),
        None => "NULL::numeric".to_owned(),
    })
}

fn text(source: &Source<'_>, item: Option<usize>) -> Result<String, DbError> {
    let columns = ddl::columns(source.table)?;
    let column =
        named(source, item).and_then(|name| columns.iter().find(|column| column.item.name == name));
    Ok(match column {
        Some(column) => format!("r.\"{}\"::text", column.name),
        None => "NULL::text".to_owned(),
    })
}

fn named<'a>(source: &Source<'a>, item: Option<usize>) -> Option<&'a str> {
    *source.items.get(item?)?
}

fn ids(members: &[Member]) -> Vec<Uuid> {
    members.iter().map(|(id, _)| *id).collect()
}

fn period_idxs(members: &[Member]) -> Vec<i32> {
    members.iter().map(|(_, idx)| whole(*idx)).collect()
}

fn whole(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[derive(QueryableByName)]
struct RoundRow {
    #[diesel(sql_type = Text)]
    period_label: String,
    #[diesel(sql_type = Date)]
    period_start: NaiveDate,
    #[diesel(sql_type = Date)]
    period_end: NaiveDate,
}

/// The last rounds of a return up to a day, the newest first: label, first and last day.
pub async fn last_rounds(
    conn: &mut Conn,
    return_id: &str,
    to_end: NaiveDate,
    n_most: u32,
) -> Result<Vec<(String, NaiveDate, NaiveDate)>, DbError> {
    let rows: Vec<RoundRow> = statement(format!(
        "SELECT period_label, period_start, period_end FROM cycle
         WHERE return_id = $1 AND period_end <= $2
         ORDER BY period_end DESC, period_label DESC LIMIT {n_most}"
    ))
    .bind::<Text, _>(return_id)
    .bind::<Date, _>(to_end)
    .load(conn.connection())
    .await?;
    let round = |row: RoundRow| (row.period_label, row.period_start, row.period_end);
    Ok(rows.into_iter().map(round).collect())
}

#[derive(QueryableByName)]
struct LoadedRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = BigInt)]
    n_loaded: i64,
}

/// How many records each submission has in a table; one that has no such table is left out.
pub async fn n_loaded(
    conn: &mut Conn,
    submissions: &[Uuid],
    table: &str,
) -> Result<Vec<(Uuid, u64)>, DbError> {
    let rows: Vec<LoadedRow> = statement(
        "SELECT submission_id, n_loaded::bigint AS n_loaded FROM submission_table
         WHERE submission_id = ANY ($1) AND table_name = $2",
    )
    .bind::<Array<SqlUuid>, _>(submissions)
    .bind::<Text, _>(table)
    .load(conn.connection())
    .await?;
    let counted = |row: LoadedRow| (row.submission_id, row.n_loaded.unsigned_abs());
    Ok(rows.into_iter().map(counted).collect())
}
