//! What the records of each organisation come to in each period: how many there are, what they add up to, the one in
//! the middle, and how many there are of each code. The database counts and adds; no record leaves it.

mod kept;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::sql_types::{Array, BigInt, Date, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use spec::{Accumulation, ItemKind};
use uuid::Uuid;

use super::{Missing, Source, Span, ddl};
use crate::statement::statement;
use crate::{Conn, DbError};

pub use kept::{Key, all_kept, forget, keep, kept, which_are_kept};

/// What is added up. Items are by their place in [`Source::items`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adding {
    /// How many records there are.
    Records,
    /// What an item's figures add up to, and the one in the middle.
    Figures(usize),
    /// How many there are of each of an item's codes.
    Codes(usize),
}

/// Of these submissions, in the order in which they count, the last one most, each with the period that it is for, from
/// 0 on. Where records accumulate, those that were sent before the first belong to it.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    pub submissions: &'a [Uuid],
    pub period_idxs: &'a [usize],
}

/// A period of an organisation.
pub type Wanted = (String, usize);

/// What the records of an organisation come to in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub n_records: u64,
    /// In how many the item is filled in.
    pub n_filled: u64,
    /// Exact, in Postgres text form; `None`: none of them has a figure.
    pub total: Option<String>,
    /// The figure in the middle; of an even number, the lower of the two.
    pub middle: Option<String>,
    /// How many there are of each code.
    pub codes: BTreeMap<String, u64>,
    /// Where it is one record: its row.
    pub only_row: Option<u32>,
}

/// The columns of [`Sums`].
#[derive(QueryableByName)]
struct SumsColumns {
    #[diesel(sql_type = BigInt)]
    n_records: i64,
    #[diesel(sql_type = BigInt)]
    n_filled: i64,
    #[diesel(sql_type = Nullable<Text>)]
    total: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    middle: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    codes: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<Integer>)]
    only_row: Option<i32>,
}

impl SumsColumns {
    fn sums(self) -> Result<Sums, DbError> {
        let codes = self.codes.map(serde_json::from_value).transpose();
        Ok(Sums {
            n_records: self.n_records.unsigned_abs(),
            n_filled: self.n_filled.unsigned_abs(),
            total: self.total,
            middle: self.middle,
            codes: codes.map_err(DbError::stored)?.unwrap_or_default(),
            only_row: self.only_row.map(i32::unsigned_abs),
        })
    }
}

#[derive(QueryableByName)]
struct SumsRow {
    #[diesel(sql_type = Integer)]
    place: i32,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Integer)]
    period_idx: i32,
    #[diesel(embed)]
    sums: SumsColumns,
}

/// What records come to in the periods that are wanted, with the place of what is added up; where there are no records,
/// nothing. Of `line`, an item and its code, only that line's records.
pub async fn add_up(
    conn: &mut Conn,
    (sources, accumulation): (&[Source<'_>], Accumulation),
    members: Members<'_>,
    wanted: &[Wanted],
    adding: &[Adding],
    line: Option<(usize, &str)>,
) -> Result<Vec<(usize, Wanted, Sums)>, DbError> {
    if sources.is_empty() || adding.is_empty() || wanted.is_empty() {
        return Ok(Vec::new());
    }
    let organisations: Vec<&str> = wanted.iter().map(|(code, _)| code.as_str()).collect();
    let periods: Vec<i32> = wanted.iter().map(|(_, idx)| whole(*idx)).collect();
    let member_periods: Vec<i32> = members.period_idxs.iter().map(|idx| whole(*idx)).collect();
    let line_item = line.map(|(item, _)| item);
    let rows: Vec<SumsRow> = sql_query(adds_up(sources, accumulation, adding, line_item)?)
        .bind::<Array<SqlUuid>, _>(members.submissions)
        .bind::<Array<Integer>, _>(member_periods)
        .bind::<Array<Text>, _>(organisations)
        .bind::<Array<Integer>, _>(periods)
        .bind::<Nullable<Text>, _>(line.map(|(_, code)| code))
        .load(conn.connection())
        .await?;
    let index = |idx: i32| usize::try_from(idx).map_err(DbError::stored);
    rows.into_iter()
        .map(|row| {
            let wanted = (row.organisation, index(row.period_idx)?);
            Ok((index(row.place)?, wanted, row.sums.sums()?))
        })
        .collect()
}

/// `$1` has the submissions, `$2` their periods, `$3` and `$4` whose figures of which period are wanted, `$5` the line.
fn adds_up(
    sources: &[Source<'_>],
    accumulation: Accumulation,
    adding: &[Adding],
    line: Option<usize>,
) -> Result<String, DbError> {
    let n_keys = n_keys(sources, accumulation);
    let mut selects = Vec::new();
    for source in sources {
        let mut items = Vec::new();
        for (place, adding) in adding.iter().enumerate() {
            items.push(format!("{} AS item_{place}", item(source, *adding)?));
        }
        selects.push(format!(
            "SELECT r.submission_id, r.organisation, r.row_number, m.period_idx AS from_idx, m.place, {} AS line, {}{}
             FROM {} r JOIN member m ON m.id = r.submission_id",
            code(source, line)?,
            items.join(", "),
            keys(source, n_keys)?,
            super::table_name(source.spec, source.table)?,
        ));
    }
    let (until, counts_in) = match accumulation {
        Accumulation::Replace => ("NULL::integer".to_owned(), "r.from_idx = w.period_idx"),
        Accumulation::Cumulative => (
            until(n_keys),
            "r.from_idx <= w.period_idx AND (r.until_idx IS NULL OR w.period_idx < r.until_idx)",
        ),
    };
    let wanted = format!(
        "JOIN wanted w ON w.organisation = r.organisation AND {counts_in} GROUP BY r.organisation, w.period_idx"
    );
    let sums: Vec<String> = adding
        .iter()
        .enumerate()
        .map(|(place, adding)| match adding {
            Adding::Figures(_) => format!(
                "SELECT {place} AS place, r.organisation, w.period_idx, count(*) AS n_records, count(item_{place}) AS n_filled,
                    sum(item_{place})::text AS total,
                    (percentile_disc(0.5) WITHIN GROUP (ORDER BY item_{place}))::text AS middle, NULL::jsonb AS codes,
                    CASE WHEN count(*) = 1 THEN min(row_number) END AS only_row
                 FROM in_force r {wanted}"
            ),
            // Each of many periods has most of the records of the one before: those are put together first.
            Adding::Records | Adding::Codes(_) => format!(
                "SELECT {place} AS place, organisation, period_idx, sum(n)::bigint AS n_records,
                    coalesce(sum(n) FILTER (WHERE code IS NOT NULL), 0)::bigint AS n_filled,
                    NULL::text AS total, NULL::text AS middle,
                    jsonb_object_agg(code, n) FILTER (WHERE code IS NOT NULL) AS codes, NULL::integer AS only_row
                 FROM (SELECT r.organisation, w.period_idx, r.code, sum(r.n)::bigint AS n
                    FROM (SELECT organisation, from_idx, until_idx, item_{place} AS code, count(*) AS n
                        FROM in_force GROUP BY 1, 2, 3, 4) r {wanted}, r.code) coded
                 GROUP BY organisation, period_idx"
            ),
        })
        .collect();
    Ok(format!(
        "WITH member AS MATERIALIZED (
            SELECT id, period_idx, place FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY m (id, period_idx, place)),
         wanted AS MATERIALIZED (
            SELECT organisation, period_idx FROM unnest($3::text[], $4::integer[]) w (organisation, period_idx)),
         in_force AS MATERIALIZED (
            SELECT * FROM (SELECT of_all.*, {until} AS until_idx FROM ({}) of_all) r WHERE $5 IS NULL OR line = $5)
         {}",
        selects.join(" UNION ALL "),
        sums.join(" UNION ALL "),
    ))
}

/// A record counts until the same one is sent again; one without keys is known by nothing, and counts on.
fn until(n_keys: usize) -> String {
    if n_keys == 0 {
        return "NULL::integer".to_owned();
    }
    let keys: Vec<String> = (0..n_keys).map(|idx| format!("key_{idx}")).collect();
    format!(
        "lead(from_idx) OVER (PARTITION BY organisation COLLATE \"C\", {} ORDER BY place, row_number)",
        keys.join(", ")
    )
}

fn n_keys(sources: &[Source<'_>], accumulation: Accumulation) -> usize {
    let most = sources.iter().map(|source| source.keys.len()).max();
    most.filter(|_| accumulation == Accumulation::Cumulative)
        .unwrap_or_default()
}

fn keys(source: &Source<'_>, n_keys: usize) -> Result<String, DbError> {
    let mut keys = String::new();
    for idx in 0..n_keys {
        let key = known_by(source, source.keys.get(idx).copied().flatten())?;
        // In the order of their bytes, which is quick and as good as any.
        keys = format!("{keys}, {key} COLLATE \"C\" AS key_{idx}");
    }
    Ok(keys)
}

/// Everything that what comes of a submission's records follows from, but the submissions themselves: from which columns
/// of which table it is made, and what a record is known by.
pub fn made_from(
    (sources, accumulation): (&[Source<'_>], Accumulation),
    source: &Source<'_>,
    adding: Adding,
) -> Result<String, DbError> {
    Ok(format!(
        "{} {}{}",
        super::table_name(source.spec, source.table)?,
        item(source, adding)?,
        keys(source, n_keys(sources, accumulation))?,
    ))
}

fn item(source: &Source<'_>, adding: Adding) -> Result<String, DbError> {
    match adding {
        Adding::Records => Ok("NULL::text".to_owned()),
        Adding::Figures(item) => number(source, item),
        Adding::Codes(item) => code(source, Some(item)),
    }
}

/// A version in which the item is no number, or is not there, has no figure.
fn number(source: &Source<'_>, item: usize) -> Result<String, DbError> {
    let columns = ddl::columns(source.table)?;
    let column = named(source, Some(item))
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

/// An item's code by what it is called now.
fn code(source: &Source<'_>, item: Option<usize>) -> Result<String, DbError> {
    let code = known_by(source, named(source, item))?;
    let codes = item.and_then(|item| source.codes.get(item));
    Ok(match codes.filter(|codes| !codes.is_empty()) {
        Some(codes) => ddl::now_called(&code, codes),
        None => code,
    })
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
         WHERE c.return_id = $1 AND c.period_end BETWEEN $2 AND $3 AND o.is_required AND NOT c.is_cancelled
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
struct OrganisationRow {
    #[diesel(sql_type = Text)]
    organisation: String,
}

/// Who has handed over anything of a return, by GSS code.
pub async fn who_handed_over(conn: &mut Conn, return_id: &str) -> Result<Vec<String>, DbError> {
    let rows: Vec<OrganisationRow> = statement(
        "SELECT DISTINCT o.organisation FROM cycle c
         JOIN obligation o ON o.cycle_id = c.id
         JOIN submission s ON s.obligation_id = o.id
         JOIN handover h ON h.submission_id = s.id
         WHERE c.return_id = $1 ORDER BY 1",
    )
    .bind::<Text, _>(return_id)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(|row| row.organisation).collect())
}

#[derive(QueryableByName)]
struct LoadedRow {
    #[diesel(sql_type = BigInt)]
    n_loaded: i64,
}

/// How many records submissions have in tables of these names.
pub async fn n_loaded(
    conn: &mut Conn,
    submissions: &[Uuid],
    tables: &[&str],
) -> Result<u64, DbError> {
    let row: LoadedRow = statement(
        "SELECT coalesce(sum(n_loaded), 0)::bigint AS n_loaded FROM submission_table
         WHERE submission_id = ANY ($1) AND table_name = ANY ($2)",
    )
    .bind::<Array<SqlUuid>, _>(submissions)
    .bind::<Array<Text>, _>(tables)
    .get_result(conn.connection())
    .await?;
    Ok(row.n_loaded.unsigned_abs())
}
