//! Central figures that returns are checked against.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// A file of a set and period.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct StoredValues {
    #[diesel(sql_type = Text)]
    pub sha256: String,
    #[diesel(sql_type = Text)]
    pub csv: String,
}

/// The newest file, or the newest that was published before a moment.
pub async fn newest(
    conn: &mut Conn,
    set: &str,
    period_label: &str,
    before: Option<DateTime<Utc>>,
) -> Result<Option<StoredValues>, DbError> {
    Ok(statement(
        "SELECT sha256, csv FROM reference_values WHERE set_name = $1 AND period_label = $2 AND ($3 IS NULL OR published_at < $3)
         ORDER BY id DESC LIMIT 1",
    )
    .bind::<Text, _>(set)
    .bind::<Text, _>(period_label)
    .bind::<Nullable<Timestamptz>, _>(before)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// Adds a file, which counts from then on.
pub async fn add(
    tx: &mut Tx,
    set: &str,
    period_label: &str,
    values: &StoredValues,
) -> Result<(), DbError> {
    statement(
        "INSERT INTO reference_values (set_name, period_label, sha256, csv) VALUES ($1, $2, $3, $4)",
    )
    .bind::<Text, _>(set)
    .bind::<Text, _>(period_label)
    .bind::<Text, _>(&values.sha256)
    .bind::<Text, _>(&values.csv)
    .execute(tx.connection())
    .await?;
    Ok(())
}
