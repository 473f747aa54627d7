//! Runs of the collection rules over the standing submissions of a round.

use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use finding::Finding;
use uuid::Uuid;

use crate::findings::{FindingRow, NumberedFinding, without_nul};
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// The newest run of a round.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Run {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub version: String,
    #[diesel(sql_type = Text)]
    pub spec_hash: String,
}

/// A submission that was checked against the others.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Member {
    #[diesel(sql_type = SqlUuid)]
    pub submission_id: Uuid,
    /// GSS code.
    #[diesel(sql_type = Text)]
    pub organisation: String,
    #[diesel(sql_type = Text)]
    pub sha256: String,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Locks a round until the transaction ends, so that two workers can't both store a run of it.
/// `None`: there is no such round.
pub async fn lock_round(
    tx: &mut Tx,
    return_id: &str,
    period_label: &str,
) -> Result<Option<i64>, DbError> {
    let row: Option<Id> =
        statement("SELECT id FROM cycle WHERE return_id = $1 AND period_label = $2 FOR UPDATE")
            .bind::<Text, _>(return_id)
            .bind::<Text, _>(period_label)
            .get_result(tx.connection())
            .await
            .optional()?;
    Ok(row.map(|row| row.id))
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The version of the return that a round uses.
pub async fn version_of_round(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
) -> Result<Option<String>, DbError> {
    let row: Option<Version> =
        statement("SELECT version FROM cycle WHERE return_id = $1 AND period_label = $2")
            .bind::<Text, _>(return_id)
            .bind::<Text, _>(period_label)
            .get_result(conn.connection())
            .await
            .optional()?;
    Ok(row.map(|row| row.version))
}

pub async fn newest(
    conn: &mut Conn,
    return_id: &str,
    period_label: &str,
) -> Result<Option<Run>, DbError> {
    Ok(statement(
        "SELECT k.id, c.version, k.spec_hash FROM collection_check k JOIN cycle c ON c.id = k.cycle_id
         WHERE c.return_id = $1 AND c.period_label = $2 ORDER BY k.id DESC LIMIT 1",
    )
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// By organisation.
pub async fn members(conn: &mut Conn, run: i64) -> Result<Vec<Member>, DbError> {
    Ok(statement(
        "SELECT m.submission_id, s.organisation, s.file_sha256 AS sha256
         FROM collection_check_member m JOIN submission s ON s.id = m.submission_id
         WHERE m.check_id = $1 ORDER BY s.organisation",
    )
    .bind::<BigInt, _>(run)
    .load(conn.connection())
    .await?)
}

/// Adds a run and its members; gives its number.
pub async fn add(
    tx: &mut Tx,
    cycle_id: i64,
    spec_hash: &str,
    submissions: &[Uuid],
) -> Result<i64, DbError> {
    let row: Id = statement(
        "INSERT INTO collection_check (cycle_id, spec_hash) VALUES ($1, $2) RETURNING id",
    )
    .bind::<BigInt, _>(cycle_id)
    .bind::<Text, _>(spec_hash)
    .get_result(tx.connection())
    .await?;
    statement(
        "INSERT INTO collection_check_member (check_id, submission_id) SELECT $1, unnest($2)",
    )
    .bind::<BigInt, _>(row.id)
    .bind::<diesel::sql_types::Array<SqlUuid>, _>(submissions)
    .execute(tx.connection())
    .await?;
    Ok(row.id)
}

/// Adds one finding of a run.
pub async fn add_finding(
    tx: &mut Tx,
    run: i64,
    ordinal: u32,
    submission_id: Uuid,
    finding: &Finding,
) -> Result<(), DbError> {
    let row_number = finding.row_number.and_then(|n| i32::try_from(n).ok());
    statement(
        "INSERT INTO collection_finding (check_id, ordinal, submission_id, rule, severity, table_name, cell, row_number, item, value, message, fix, trial, key, own)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind::<BigInt, _>(run)
    .bind::<Integer, _>(i32::try_from(ordinal).unwrap_or(i32::MAX))
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Text, _>(finding.rule.as_str())
    .bind::<Text, _>(finding.severity.as_str())
    .bind::<Nullable<Text>, _>(finding.table.as_deref())
    .bind::<Nullable<Text>, _>(finding.cell.as_ref().map(ToString::to_string))
    .bind::<Nullable<Integer>, _>(row_number)
    .bind::<Nullable<Text>, _>(finding.item.as_deref())
    .bind::<Nullable<Text>, _>(finding.value.clone().map(without_nul))
    .bind::<Text, _>(without_nul(finding.message.clone()))
    .bind::<Text, _>(without_nul(finding.fix.to_string()))
    .bind::<Nullable<Text>, _>(finding.trial.map(|trial| trial.as_str().to_owned()))
    .bind::<Nullable<Text>, _>(finding.key.as_ref().map(ToString::to_string))
    .bind::<Jsonb, _>(serde_json::json!(finding.own))
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct AddressedRow {
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(embed)]
    finding: FindingRow,
}

/// The findings of a run in report order, each with the organisation whose record it is about.
pub async fn findings(conn: &mut Conn, run: i64) -> Result<Vec<(String, Finding)>, DbError> {
    let rows: Vec<AddressedRow> = statement(
        "SELECT s.organisation, f.ordinal, f.rule, f.severity, f.table_name, f.cell, f.row_number, f.item, f.value,
                f.message, f.fix, f.trial, f.key, f.own
         FROM collection_finding f JOIN submission s ON s.id = f.submission_id
         WHERE f.check_id = $1 ORDER BY f.ordinal",
    )
    .bind::<BigInt, _>(run)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let numbered = NumberedFinding::try_from(row.finding)?;
            Ok((row.organisation, numbered.finding))
        })
        .collect()
}
