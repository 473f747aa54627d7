//! Rounds and obligations a page at a time, the newest first.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{Obligation, ROUND, Round, RoundRow, obligations_of, select};
use crate::statement::statement;
use crate::submissions::paged::Filter;
use crate::{Conn, DbError};

/// At most `limit`, those that were there before `before`.
pub async fn obligations(
    conn: &mut Conn,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select(
        "WHERE ($1::text IS NULL OR o.organisation = $1)
           AND ($2::text[] IS NULL OR c.return_id = ANY ($2))
           AND ($3::text IS NULL OR c.period_label = $3)
           AND ($4::bigint IS NULL OR o.id < $4)
         ORDER BY o.id DESC LIMIT $5",
    ))
    .bind::<Nullable<Text>, _>(&filter.organisation)
    .bind::<Nullable<Array<Text>>, _>(&filter.returns)
    .bind::<Nullable<Text>, _>(&filter.period)
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

#[derive(QueryableByName)]
struct NumberedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(embed)]
    round: RoundRow,
}

/// At most `limit` rounds of a return, or of all, with their numbers: those that were there before `before`.
pub async fn rounds(
    conn: &mut Conn,
    return_id: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<(i64, Round)>, DbError> {
    let rows: Vec<NumberedRow> = statement(format!(
        "SELECT c.id, {ROUND}
         FROM cycle c JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         WHERE ($1::text IS NULL OR c.return_id = $1) AND ($2::bigint IS NULL OR c.id < $2)
         ORDER BY c.id DESC LIMIT $3"
    ))
    .bind::<Nullable<Text>, _>(return_id)
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<BigInt, _>(limit)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.id, row.round.try_into()?)))
        .collect()
}
