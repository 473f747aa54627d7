//! What the records of each organisation come to in each period: how many there are, what they add up to, the one in
//! the middle, and how many there are of each code. The database counts and adds; no record leaves it.

use chrono::NaiveDate;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use spec::{Accumulation, ItemKind};
use uuid::Uuid;

use super::{Missing, Source, Span, ddl};
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
    let accumulates = accumulation == Accumulation::Cumulative;
    let of_code = of_code(looked);
    let rows: Vec<SummedRow> = sql_query(match (looked.sum, accumulates) {
        (sum, false) => format!(
            "SELECT organisation, period_idx, count(*) AS n_records, ({})::text AS figure,
                CASE WHEN count(*) = 1 THEN min(submission_id::text)::uuid END AS only_submission,
                CASE WHEN count(*) = 1 THEN min(row_number) END AS only_row
             FROM ({records}) r {of_code} GROUP BY organisation, period_idx",
            come_to(sum)
        ),
        // Each of many periods has most of the records of the one before: those are put together first.
        (Sum::Records | Sum::Total, true) => format!(
            "SELECT organisation, p.period_idx, sum(n)::bigint AS n_records, sum({})::text AS figure,
                NULL::uuid AS only_submission, NULL::integer AS only_row
             FROM (SELECT organisation, period_idx AS from_idx, until_idx, count(*) AS n, sum(figure) AS figure
                FROM ({records}) r {of_code} GROUP BY organisation, period_idx, until_idx) r
             JOIN {COUNTS_IN} GROUP BY organisation, p.period_idx",
            if looked.sum == Sum::Records { "n" } else { "figure" }
        ),
        (Sum::Middle, true) => format!(
            "SELECT organisation, p.period_idx, count(*) AS n_records, ({})::text AS figure,
                NULL::uuid AS only_submission, NULL::integer AS only_row
             FROM (SELECT organisation, period_idx AS from_idx, until_idx, figure FROM ({records}) r {of_code}) r
             JOIN {COUNTS_IN} GROUP BY organisation, p.period_idx",
            come_to(Sum::Middle)
        ),
    })
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
         WHERE code IS NOT NULL AND {}
         GROUP BY code ORDER BY count(*) DESC, code COLLATE \"C\" LIMIT {n_most}",
        match accumulation {
            Accumulation::Replace => "period_idx = $3 - 1",
            Accumulation::Cumulative => "period_idx < $3 AND until_idx IS NULL",
        }
    ))
    .bind::<Array<SqlUuid>, _>(ids(members))
    .bind::<Array<Integer>, _>(period_idxs(members))
    .bind::<Integer, _>(whole(n_periods))
    .load(conn.connection())
    .await?;
    let counted = |row: CodeRow| (row.code, row.n_records.unsigned_abs());
    Ok(rows.into_iter().map(counted).collect())
}

/// The periods in which a record counts.
const COUNTS_IN: &str = "generate_series(0, $3 - 1) p (period_idx)
    ON from_idx <= p.period_idx AND (until_idx IS NULL OR p.period_idx < until_idx)";

fn come_to(sum: Sum) -> &'static str {
    match sum {
        Sum::Records => "count(*)",
        Sum::Total => "sum(figure)",
        Sum::Middle => "percentile_disc(0.5) WITHIN GROUP (ORDER BY figure)",
    }
}

/// The records with the period that they count from; where records accumulate, with that until which they do.
/// `$1` has the submissions, `$2` their periods, `$3` the number of periods.
fn in_force(
    sources: &[Source<'_>],
    accumulation: Accumulation,
    looked: Looked<'_>,
) -> Result<Option<String>, DbError> {
    let mut selects = Vec::new();
    let n_keys = sources.iter().map(|source| source.keys.len()).max();
    let n_keys = n_keys.filter(|_| accumulation == Accumulation::Cumulative);
    let n_keys = n_keys.unwrap_or_default();
    for source in sources {
        let mut keys = String::new();
        for idx in 0..n_keys {
            let key = known_by(source, source.keys.get(idx).copied().flatten())?;
            // In the order of their bytes, which is quick and as good as any.
            keys = format!("{keys}, {key} COLLATE \"C\" AS key_{idx}");
        }
        selects.push(format!(
            "SELECT r.submission_id, r.organisation, r.row_number, {} AS figure, {} AS code, m.period_idx, m.place{keys}
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
    if accumulation == Accumulation::Replace {
        return Ok(Some(format!(
            "{member} SELECT all_of_them.* FROM ({all}) all_of_them WHERE period_idx < $3"
        )));
    }
    // A record counts until the same one is sent again; one without keys is known by nothing, and counts on.
    let until = if n_keys > 0 {
        let keys: Vec<String> = (0..n_keys).map(|idx| format!("key_{idx}")).collect();
        format!(
            "lead(period_idx) OVER (PARTITION BY organisation COLLATE \"C\", {} ORDER BY place, row_number)",
            keys.join(", ")
        )
    } else {
        "NULL::integer".to_owned()
    };
    Ok(Some(format!(
        "{member} SELECT all_of_them.*, {until} AS until_idx FROM ({all}) all_of_them"
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
    known_by(source, named(source, item))
}

fn known_by(source: &Source<'_>, item: Option<&str>) -> Result<String, DbError> {
    let columns = ddl::columns(source.table)?;
    let column = item.and_then(|name| columns.iter().find(|column| column.item.name == name));
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
    label: String,
    #[diesel(sql_type = Date)]
    first_day: NaiveDate,
    #[diesel(sql_type = Date)]
    last_day: NaiveDate,
}

/// The last rounds of a return up to a day, the newest first: label, first and last day.
pub async fn last_rounds(
    conn: &mut Conn,
    return_id: &str,
    to_end: NaiveDate,
    n_most: u32,
) -> Result<Vec<(String, NaiveDate, NaiveDate)>, DbError> {
    let rows: Vec<RoundRow> = statement(format!(
        "SELECT period_label AS label, period_start AS first_day, period_end AS last_day FROM cycle
         WHERE return_id = $1 AND period_end <= $2
         ORDER BY period_end DESC, period_label DESC LIMIT {n_most}"
    ))
    .bind::<Text, _>(return_id)
    .bind::<Date, _>(to_end)
    .load(conn.connection())
    .await?;
    let round = |row: RoundRow| (row.label, row.first_day, row.last_day);
    Ok(rows.into_iter().map(round).collect())
}

/// Who has to answer, whether anything of it counts or not, by period and organisation.
pub async fn required(conn: &mut Conn, span: &Span<'_>) -> Result<Vec<Missing>, DbError> {
    Ok(statement(
        "SELECT o.organisation, g.name AS organisation_name, c.period_label
         FROM cycle c
         JOIN obligation o ON o.cycle_id = c.id
         JOIN organisation g ON g.code = o.organisation
         WHERE c.return_id = $1 AND c.period_end BETWEEN $2 AND $3 AND o.is_required
           AND ($4 IS NULL OR o.organisation = ANY ($4))
         ORDER BY c.period_end, c.period_label, o.organisation COLLATE \"C\"",
    )
    .bind::<Text, _>(span.return_id)
    .bind::<Date, _>(span.from_end)
    .bind::<Date, _>(span.to_end)
    .bind::<Nullable<Array<Text>>, _>(super::read::whose(span))
    .load(conn.connection())
    .await?)
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
