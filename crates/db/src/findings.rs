//! What is wrong with submissions.

mod changes;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use finding::{CellRef, Finding, FindingKey, Name, RuleId, Severity};
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

pub use changes::{RuleChanges, changes};

/// A finding with its place in the report, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedFinding {
    pub ordinal: u32,
    pub finding: Finding,
}

/// How many findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCount {
    pub severity: Severity,
    pub rule: RuleId,
    pub n_findings: u64,
}

/// Adds findings in report order, the first of them as `first_ordinal`.
pub async fn add(
    tx: &mut Tx,
    submission_id: Uuid,
    first_ordinal: u32,
    findings: &[Finding],
) -> Result<(), DbError> {
    let texts = |of: fn(&Finding) -> Option<String>| findings.iter().map(of).collect::<Vec<_>>();
    let row_numbers: Vec<Option<i32>> = findings
        .iter()
        .map(|f| f.row_number.and_then(|n| i32::try_from(n).ok()))
        .collect();
    let own = findings
        .iter()
        .map(|finding| serde_json::to_string(&finding.own).map_err(DbError::stored))
        .collect::<Result<Vec<_>, _>>()?;
    statement(
        "INSERT INTO finding (submission_id, ordinal, rule, severity, table_name, cell, row_number, item, value, message, fix, trial, key, own)
         SELECT $1, $2 + (n - 1)::int, rule, severity, table_name, cell, row_number, item, value, message, fix, trial, key, own::jsonb
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY
              AS f (rule, severity, table_name, cell, row_number, item, value, message, fix, trial, key, own, n)",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Integer, _>(i32::try_from(first_ordinal).unwrap_or(i32::MAX))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| Some(f.rule.as_str().to_owned())))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| Some(f.severity.as_str().to_owned())))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| f.table.as_ref().map(ToString::to_string)))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| f.cell.as_ref().map(ToString::to_string)))
    .bind::<Array<Nullable<Integer>>, _>(row_numbers)
    .bind::<Array<Nullable<Text>>, _>(texts(|f| f.item.as_ref().map(ToString::to_string)))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| f.value.clone().map(without_nul)))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| Some(without_nul(f.message.clone()))))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| Some(without_nul(f.fix.to_string()))))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| f.trial.map(|trial| trial.as_str().to_owned())))
    .bind::<Array<Nullable<Text>>, _>(texts(|f| f.key.as_ref().map(ToString::to_string)))
    .bind::<Array<Text>, _>(own)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Postgres has no NUL in a text, but a sender's cell may.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

#[derive(QueryableByName)]
pub(crate) struct FindingRow {
    #[diesel(sql_type = Integer)]
    ordinal: i32,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Nullable<Text>)]
    table_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    cell: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    row_number: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    item: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Text)]
    fix: String,
    #[diesel(sql_type = Nullable<Text>)]
    trial: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Jsonb)]
    own: serde_json::Value,
}

impl TryFrom<FindingRow> for NumberedFinding {
    type Error = DbError;

    fn try_from(row: FindingRow) -> Result<Self, DbError> {
        Ok(NumberedFinding {
            ordinal: row.ordinal.unsigned_abs(),
            finding: Finding {
                rule: RuleId::from(row.rule),
                severity: severity_of(&row.severity)?,
                table: row.table_name.map(Name::from),
                cell: row
                    .cell
                    .map(|cell| cell.parse())
                    .transpose()
                    .map_err(DbError::stored)?,
                row_number: row.row_number.map(i32::unsigned_abs),
                item: row.item.map(Name::from),
                value: row.value,
                message: row.message,
                fix: row.fix.into(),
                trial: row.trial.as_deref().map(severity_of).transpose()?,
                key: row.key.map(FindingKey::stored),
                own: serde_json::from_value(row.own).map_err(DbError::stored)?,
            },
        })
    }
}

fn severity_of(word: &str) -> Result<Severity, DbError> {
    Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str() == word)
        .ok_or_else(|| DbError::stored(format!("severity {word}")))
}

const COLUMNS: &str = "ordinal, rule, severity, table_name, cell, row_number, item, value, message, fix, trial, key, own";

/// At most `limit` findings in report order after an ordinal.
pub async fn page(
    conn: &mut Conn,
    submission_id: Uuid,
    after: u32,
    limit: u32,
) -> Result<Vec<NumberedFinding>, DbError> {
    let rows: Vec<FindingRow> = statement(format!(
        "SELECT {COLUMNS} FROM finding WHERE submission_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3"
    ))
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Integer, _>(i32::try_from(after).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(i64::from(limit))
    .load(conn.connection())
    .await?;
    rows.into_iter().map(NumberedFinding::try_from).collect()
}

/// The first `n` findings of each rule, in report order.
pub async fn first_of_each_rule(
    conn: &mut Conn,
    submission_id: Uuid,
    n: u32,
) -> Result<Vec<NumberedFinding>, DbError> {
    let rows: Vec<FindingRow> = statement(format!(
        "SELECT {COLUMNS} FROM (
            SELECT *, row_number() OVER (PARTITION BY rule ORDER BY ordinal) AS nth
            FROM finding WHERE submission_id = $1
         ) numbered WHERE nth <= $2 ORDER BY ordinal"
    ))
    .bind::<SqlUuid, _>(submission_id)
    .bind::<BigInt, _>(i64::from(n))
    .load(conn.connection())
    .await?;
    rows.into_iter().map(NumberedFinding::try_from).collect()
}

/// At most `limit` findings of a rule in report order, without the first `skipped`.
pub async fn of_rule(
    conn: &mut Conn,
    submission_id: Uuid,
    rule: &str,
    skipped: u32,
    limit: u32,
) -> Result<Vec<NumberedFinding>, DbError> {
    let rows: Vec<FindingRow> = statement(format!(
        "SELECT {COLUMNS} FROM finding WHERE submission_id = $1 AND rule = $2
         ORDER BY ordinal OFFSET $3 LIMIT $4"
    ))
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Text, _>(rule)
    .bind::<BigInt, _>(i64::from(skipped))
    .bind::<BigInt, _>(i64::from(limit))
    .load(conn.connection())
    .await?;
    rows.into_iter().map(NumberedFinding::try_from).collect()
}

/// What was found at a cell, in report order.
pub async fn at_cell(
    conn: &mut Conn,
    submission_id: Uuid,
    cell: &CellRef,
) -> Result<Vec<NumberedFinding>, DbError> {
    let rows: Vec<FindingRow> = statement(format!(
        "SELECT {COLUMNS} FROM finding WHERE submission_id = $1 AND cell = $2 ORDER BY ordinal"
    ))
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Text, _>(cell.to_string())
    .load(conn.connection())
    .await?;
    rows.into_iter().map(NumberedFinding::try_from).collect()
}

#[derive(QueryableByName)]
struct HeadingRow {
    #[diesel(sql_type = Text)]
    heading: String,
}

/// The headings of the sender's own columns that a submission's findings carry, sorted.
pub async fn own_headings(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<String>, DbError> {
    let rows: Vec<HeadingRow> = statement(
        "SELECT DISTINCT jsonb_object_keys(own) AS heading FROM finding
         WHERE submission_id = $1 AND own <> '{}' ORDER BY heading",
    )
    .bind::<SqlUuid, _>(submission_id)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(|row| row.heading).collect())
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = BigInt)]
    n_findings: i64,
}

/// How many findings by severity and rule, worst first, then by rule.
pub async fn counts(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<FindingCount>, DbError> {
    let rows: Vec<CountRow> = statement(
        "SELECT severity, rule, count(*) AS n_findings FROM finding WHERE submission_id = $1
         GROUP BY severity, rule
         ORDER BY array_position(ARRAY['blocker', 'error', 'query', 'note'], severity), rule",
    )
    .bind::<SqlUuid, _>(submission_id)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FindingCount {
                severity: severity_of(&row.severity)?,
                rule: RuleId::from(row.rule),
                n_findings: row.n_findings.unsigned_abs(),
            })
        })
        .collect()
}
