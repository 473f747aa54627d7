//! Obligations and rounds by who owes them and when, a page at a time.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{Obligation, ROUND, Round, RoundRow, STANDING, obligations_of, select};
use crate::extensions::GIVEN_UNTIL;
use crate::statement::statement;
use crate::{Conn, DbError};

/// What these organisations owe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedBy {
    pub organisations: Vec<String>,
    /// `None`: of every return.
    pub return_id: Option<String>,
}

/// In no order that is promised.
pub async fn of(
    conn: &mut Conn,
    which: &OwedBy,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select(
        "WHERE o.organisation = ANY ($1) AND ($2 IS NULL OR c.return_id = $2)",
    ))
    .bind::<Array<Text>, _>(&which.organisations)
    .bind::<Nullable<Text>, _>(&which.return_id)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

/// One of them.
pub async fn one(
    conn: &mut Conn,
    obligation_id: i64,
    today: NaiveDate,
) -> Result<Option<Obligation>, DbError> {
    let rows = statement(select("WHERE o.id = $1"))
        .bind::<BigInt, _>(obligation_id)
        .load(conn.connection())
        .await?;
    Ok(obligations_of(rows, today)?.pop())
}

/// What was due from one day on and before another, and of which nothing was handed over that stands. These are few among
/// all that were due, so that they are looked for first and read afterwards.
pub async fn late(
    conn: &mut Conn,
    from: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select(&format!(
        "WHERE o.id IN (
            WITH past AS MATERIALIZED (
                SELECT o.id FROM obligation o JOIN cycle c ON c.id = o.cycle_id
                WHERE o.is_required AND NOT c.is_cancelled AND c.due_on < $2
                  AND greatest(c.due_on, {GIVEN_UNTIL})
                      BETWEEN $1 AND $2 - 1
            )
            SELECT o.id FROM past o LEFT JOIN {STANDING} s ON true WHERE s.submission_id IS NULL
         )"
    )))
    .bind::<Date, _>(from)
    .bind::<Date, _>(today)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

/// Of whoever owes something in these rounds.
pub async fn of_rounds(
    conn: &mut Conn,
    cycles: &[i64],
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select("WHERE o.cycle_id = ANY ($1)"))
        .bind::<Array<BigInt>, _>(cycles)
        .load(conn.connection())
        .await?;
    obligations_of(rows, today)
}

/// Of whoever owes something in one round, by the organisations' names.
pub async fn of_round(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select(
        "WHERE c.return_id = $1 AND c.period_label = $2 ORDER BY g.name, o.organisation",
    ))
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

/// Some of the rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rounds {
    /// `None`: of every return.
    pub returns: Option<Vec<String>>,
    /// Only those that were open on this day; those due last come first.
    pub opened_by: NaiveDate,
    /// So many are on the pages before.
    pub n_before: u32,
    pub n_most: u32,
}

#[derive(QueryableByName)]
struct CountedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    n_all: i64,
    #[diesel(embed)]
    round: RoundRow,
}

/// With their numbers, and how many there are on all pages.
pub async fn rounds(
    conn: &mut Conn,
    asked: &Rounds,
) -> Result<(Vec<(i64, Round)>, usize), DbError> {
    let rows: Vec<CountedRow> = statement(format!(
        "SELECT c.id, count(*) OVER () AS n_all, {ROUND}
         FROM cycle c JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         WHERE c.opens_on <= $1 AND ($2 IS NULL OR c.return_id = ANY ($2))
         ORDER BY c.due_on DESC, v.title, c.id LIMIT $3 OFFSET $4"
    ))
    .bind::<Date, _>(asked.opened_by)
    .bind::<Nullable<Array<Text>>, _>(asked.returns.as_ref())
    .bind::<BigInt, _>(i64::from(asked.n_most))
    .bind::<BigInt, _>(i64::from(asked.n_before))
    .load(conn.connection())
    .await?;
    let n_all = rows
        .as_slice()
        .first()
        .map_or(0, |row| row.n_all.unsigned_abs());
    let rounds: Result<Vec<_>, DbError> = rows
        .into_iter()
        .map(|row| Ok((row.id, row.round.try_into()?)))
        .collect();
    Ok((rounds?, usize::try_from(n_all).unwrap_or(usize::MAX)))
}
