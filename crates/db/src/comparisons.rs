//! What a submission was compared with when it was assessed.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// One thing beyond the file that rules read.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct StoredComparison {
    /// `earlier` or `return`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub spec_hash: Option<String>,
    /// `None`: there was none that could be read.
    #[diesel(sql_type = Nullable<Text>)]
    pub sha256: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    pub rules_not_run: Vec<String>,
}

pub async fn add(
    tx: &mut Tx,
    submission_id: Uuid,
    comparison: &StoredComparison,
) -> Result<(), DbError> {
    statement(
        "INSERT INTO submission_comparison (submission_id, kind, name, title, version, spec_hash, sha256, rules_not_run)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Text, _>(&comparison.kind)
    .bind::<Text, _>(&comparison.name)
    .bind::<Text, _>(&comparison.title)
    .bind::<Nullable<Text>, _>(&comparison.version)
    .bind::<Nullable<Text>, _>(&comparison.spec_hash)
    .bind::<Nullable<Text>, _>(&comparison.sha256)
    .bind::<Array<Text>, _>(&comparison.rules_not_run)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Of one submission, by kind and name.
pub async fn of(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<StoredComparison>, DbError> {
    Ok(statement(
        "SELECT kind, name, title, version, spec_hash, sha256, rules_not_run
         FROM submission_comparison WHERE submission_id = $1 ORDER BY kind, name",
    )
    .bind::<SqlUuid, _>(submission_id)
    .load(conn.connection())
    .await?)
}
