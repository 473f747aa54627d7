//! Workbooks with their findings marked in them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// What came of marking a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkedWorkbook {
    Kept {
        sha256: String,
        n_bytes: u64,
        /// Where the file store keeps it.
        key: String,
    },
    /// Why not, as a clause for the sender.
    Not { why: String },
}

/// Stores what came of it; the first one for an assessment stays.
pub async fn add(
    tx: &mut Tx,
    submission_id: Uuid,
    assessed_at: DateTime<Utc>,
    marked: &MarkedWorkbook,
) -> Result<(), DbError> {
    let (sha256, n_bytes, key, why) = match marked {
        MarkedWorkbook::Kept {
            sha256,
            n_bytes,
            key,
        } => (
            Some(sha256),
            Some(i64::try_from(*n_bytes).unwrap_or(i64::MAX)),
            Some(key),
            None,
        ),
        MarkedWorkbook::Not { why } => (None, None, None, Some(why)),
    };
    statement(
        "INSERT INTO marked_workbook (submission_id, assessed_at, sha256, n_bytes, stored_key, why_not)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Timestamptz, _>(assessed_at)
    .bind::<Nullable<Text>, _>(sha256)
    .bind::<Nullable<BigInt>, _>(n_bytes)
    .bind::<Nullable<Text>, _>(key)
    .bind::<Nullable<Text>, _>(why)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct MarkedRow {
    #[diesel(sql_type = Nullable<Text>)]
    sha256: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    n_bytes: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    stored_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    why_not: Option<String>,
}

/// What came of marking the workbook with the findings of an assessment; `None`: it was not tried yet.
pub async fn find(
    conn: &mut Conn,
    submission_id: Uuid,
    assessed_at: DateTime<Utc>,
) -> Result<Option<MarkedWorkbook>, DbError> {
    let row: Option<MarkedRow> = statement(
        "SELECT sha256, n_bytes, stored_key, why_not FROM marked_workbook
         WHERE submission_id = $1 AND assessed_at = $2",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Timestamptz, _>(assessed_at)
    .get_result(conn.connection())
    .await
    .optional()?;
    row.map(
        |row| match (row.sha256, row.n_bytes, row.stored_key, row.why_not) {
            (Some(sha256), Some(n_bytes), Some(key), None) => Ok(MarkedWorkbook::Kept {
                sha256,
                n_bytes: n_bytes.unsigned_abs(),
                key,
            }),
            (None, None, None, Some(why)) => Ok(MarkedWorkbook::Not { why }),
            _ => Err(DbError::stored("a marked workbook and why there is none")),
        },
    )
    .transpose()
}
