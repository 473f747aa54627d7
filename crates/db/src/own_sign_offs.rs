//! Leave to sign off what one has sent oneself, for an organisation with too few people.

use access::ActorId;
use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;

use crate::actors::columns_of;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Leave to give, or to end early: the newest one of an organisation counts.
#[derive(Debug, Clone)]
pub struct NewLeave<'a> {
    /// GSS code.
    pub organisation: &'a str,
    /// The last day of it.
    pub until: NaiveDate,
    pub reason: &'a str,
    pub by: ActorId,
    pub by_name: &'a str,
}

pub async fn add(tx: &mut Tx, new: &NewLeave<'_>) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(new.by);
    statement(
        "INSERT INTO own_sign_off (organisation, until, reason, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Text, _>(new.organisation)
    .bind::<Date, _>(new.until)
    .bind::<Text, _>(new.reason)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by_name)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Leave as it was given.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Leave {
    /// The last day of it.
    #[diesel(sql_type = Date)]
    pub until: NaiveDate,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Text)]
    pub by_name: String,
}

/// What an organisation was given last, whether or not it is over.
pub async fn newest(conn: &mut Conn, organisation: &str) -> Result<Option<Leave>, DbError> {
    Ok(statement(
        "SELECT until, reason, by_name FROM own_sign_off WHERE organisation = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind::<Text, _>(organisation)
    .get_result(conn.connection())
    .await
    .optional()?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The leave that an organisation has on a day, by its number.
pub async fn in_force(
    conn: &mut Conn,
    organisation: &str,
    today: NaiveDate,
) -> Result<Option<i64>, DbError> {
    let row: Option<Id> = statement(
        "SELECT id FROM (
            SELECT id, until FROM own_sign_off WHERE organisation = $1 ORDER BY id DESC LIMIT 1
         ) newest WHERE until >= $2",
    )
    .bind::<Text, _>(organisation)
    .bind::<Date, _>(today)
    .get_result(conn.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.id))
}
