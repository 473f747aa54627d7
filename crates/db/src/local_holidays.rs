//! Days on which one organisation does not work: said, and taken back, by newer rows.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use spec::Confidence;

use crate::actors::columns_of;
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// A day that counts.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct LocalHoliday {
    #[diesel(sql_type = Date)]
    pub on_day: NaiveDate,
    /// `Glasgow Fair`
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub source: String,
    /// The word of a [`Confidence`].
    #[diesel(sql_type = Text)]
    pub confidence: String,
    #[diesel(sql_type = Text)]
    pub by_name: String,
}

/// An organisation's, from a day on, in order.
pub async fn of(
    conn: &mut Conn,
    organisation: &str,
    from: NaiveDate,
) -> Result<Vec<LocalHoliday>, DbError> {
    Ok(statement(
        "SELECT on_day, name, source, confidence, by_name FROM (
            SELECT DISTINCT ON (on_day) on_day, name, source, confidence, by_name, is_off FROM local_holiday
            WHERE organisation = $1 AND on_day >= $2 ORDER BY on_day, id DESC
         ) newest WHERE is_off ORDER BY on_day",
    )
    .bind::<Text, _>(organisation)
    .bind::<Date, _>(from)
    .load(conn.connection())
    .await?)
}

/// Something to say of a day.
#[derive(Debug, Clone)]
pub struct NewLocalHoliday<'a> {
    /// GSS code.
    pub organisation: &'a str,
    pub on_day: NaiveDate,
    pub name: &'a str,
    /// False: they work after all.
    pub is_off: bool,
    pub source: &'a str,
    pub confidence: Confidence,
    pub by: By<'a>,
}

pub async fn add(tx: &mut Tx, new: &NewLocalHoliday<'_>) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(new.by.id);
    statement(
        "INSERT INTO local_holiday (organisation, on_day, name, is_off, source, confidence, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind::<Text, _>(new.organisation)
    .bind::<Date, _>(new.on_day)
    .bind::<Text, _>(new.name)
    .bind::<Bool, _>(new.is_off)
    .bind::<Text, _>(new.source)
    .bind::<Text, _>(new.confidence.as_str())
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by.name)
    .execute(tx.connection())
    .await?;
    Ok(())
}
