//! What was received and what its assessment came to.

pub mod paged;
mod standing;

use std::collections::BTreeMap;

use access::ActorId;
use chrono::{DateTime, Utc};
use cycle::{SubmissionFacts, SubmissionState, Verb};
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use finding::{CellRef, Outcome, parse_column_letters};
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::cycles::{ROUND, Round, RoundRow};
use crate::handovers::{self, verb_of};
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

pub use standing::{
    Answering, OtherRound, counts_now, standing_before, standing_earlier, standing_in,
    standing_last, standing_other, standing_year_ago,
};

/// One version of an organisation's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub id: Uuid,
    pub obligation_id: i64,
    pub organisation: String,
    pub organisation_name: String,
    pub round: Round,
    pub version_number: u32,
    pub file_name: String,
    pub sha256: String,
    /// Where the file store keeps it.
    pub file_key: String,
    pub bytes: u64,
    /// It says that there is nothing to report: its file is that declaration, and there is nothing to read in it.
    pub is_nil: bool,
    pub uploaded_by: String,
    /// `None`: it was not kept.
    pub sent_by: Option<ActorId>,
    pub submitted_by: Option<ActorId>,
    /// What was done with it last.
    pub last: Option<Verb>,
    /// `None`: the sender wants no messages.
    pub contact_email: Option<String>,
    pub received_at: DateTime<Utc>,
    pub assessed_at: Option<DateTime<Utc>>,
    pub outcome: Option<Outcome>,
    pub spec_hash: Option<String>,
    pub state: SubmissionState,
}

impl Submission {
    /// Whether checking it was given up, and nobody has had it tried again.
    pub fn needs_attention(&self) -> bool {
        self.state == SubmissionState::NeedsAttention
    }
}

/// A version to store.
#[derive(Debug, Clone)]
pub struct NewSubmission<'a> {
    pub id: Uuid,
    pub obligation_id: i64,
    pub organisation: &'a str,
    pub sha256: &'a str,
    pub file_name: &'a str,
    pub is_nil: bool,
    pub uploaded_by: &'a str,
    pub sent_by: ActorId,
    pub contact_email: Option<&'a str>,
    pub received_at: DateTime<Utc>,
    pub idempotency_key: &'a str,
}

/// The outcome of the word that is stored.
pub(crate) fn outcome_of(word: &str) -> Result<Outcome, DbError> {
    [
        Outcome::Ready,
        Outcome::NeedsExplanation,
        Outcome::NeedsCorrection,
        Outcome::Refused,
    ]
    .into_iter()
    .find(|outcome| outcome.as_str() == word)
    .ok_or_else(|| DbError::stored(format!("outcome {word}")))
}

/// Records that the file store has these bytes; harmless when repeated, also at the same moment:
/// the key follows from the hash, so whichever of the two constraints is met first, the row is the same.
pub async fn put_file(tx: &mut Tx, sha256: &str, n_bytes: u64, key: &str) -> Result<(), DbError> {
    statement(
        "INSERT INTO file (sha256, n_bytes, stored_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(sha256)
    .bind::<BigInt, _>(i64::try_from(n_bytes).unwrap_or(i64::MAX))
    .bind::<Text, _>(key)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct VersionNumber {
    #[diesel(sql_type = Integer)]
    version_number: i32,
}

/// Stores the next version of an obligation and gives its number; `None` where the idempotency key is taken.
/// Versions of one obligation are numbered one after the other: the obligation's row is locked until the transaction ends.
pub async fn add(tx: &mut Tx, new: &NewSubmission<'_>) -> Result<Option<u32>, DbError> {
    handovers::lock(tx, new.obligation_id).await?;
    let (kind, sender) = columns_of(new.sent_by);
    let row: Option<VersionNumber> = statement(
        "INSERT INTO submission (id, obligation_id, organisation, version_number, file_sha256, file_name,
                                 uploaded_by, contact_email, received_at, idempotency_key,
                                 uploaded_by_kind, uploaded_by_id, is_nil)
         SELECT $1, $2, $3, coalesce(max(version_number), 0) + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12
         FROM submission WHERE obligation_id = $2
         ON CONFLICT (organisation, idempotency_key) DO NOTHING
         RETURNING version_number",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<BigInt, _>(new.obligation_id)
    .bind::<Text, _>(new.organisation)
    .bind::<Text, _>(new.sha256)
    .bind::<Text, _>(new.file_name)
    .bind::<Text, _>(new.uploaded_by)
    .bind::<Nullable<Text>, _>(new.contact_email)
    .bind::<Timestamptz, _>(new.received_at)
    .bind::<Text, _>(new.idempotency_key)
    .bind::<Nullable<Text>, _>(kind)
    .bind::<Nullable<SqlUuid>, _>(sender)
    .bind::<Bool, _>(new.is_nil)
    .get_result(tx.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.version_number.unsigned_abs()))
}

/// Locks a submission until the transaction ends, so that two workers can't both store an assessment.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    statement("SELECT id FROM submission WHERE id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(id)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores what the assessment came to; the database refuses a second time.
pub async fn set_assessed(
    tx: &mut Tx,
    id: Uuid,
    outcome: Outcome,
    spec_hash: &str,
) -> Result<(), DbError> {
    statement(
        "UPDATE submission SET assessed_at = now(), outcome = $2, spec_hash = $3 WHERE id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(outcome.as_str())
    .bind::<Text, _>(spec_hash)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Its checks were given up. False where it is assessed, or was marked before.
pub async fn set_attention(tx: &mut Tx, id: Uuid) -> Result<bool, DbError> {
    let n_marked = statement(
        "UPDATE submission SET attention_at = now() WHERE id = $1 AND assessed_at IS NULL AND attention_at IS NULL",
    )
    .bind::<SqlUuid, _>(id)
    .execute(tx.connection())
    .await?;
    Ok(n_marked == 1)
}

/// It is tried again.
pub async fn clear_attention(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    statement("UPDATE submission SET attention_at = NULL WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .execute(tx.connection())
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct SubmissionRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    obligation_id: i64,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(embed)]
    round: RoundRow,
    #[diesel(sql_type = Integer)]
    version_number: i32,
    #[diesel(sql_type = Text)]
    file_name: String,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = Text)]
    file_key: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Bool)]
    is_nil: bool,
    #[diesel(sql_type = Text)]
    uploaded_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    uploaded_by_kind: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    uploaded_by_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    submitted_by_kind: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    submitted_by_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    last: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    contact_email: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    assessed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    spec_hash: Option<String>,
    #[diesel(sql_type = Bool)]
    given_up: bool,
    #[diesel(sql_type = Bool)]
    is_overtaken: bool,
}

impl TryFrom<SubmissionRow> for Submission {
    type Error = DbError;

    fn try_from(row: SubmissionRow) -> Result<Self, DbError> {
        let outcome = row.outcome.as_deref().map(outcome_of).transpose()?;
        let last = row.last.as_deref().map(verb_of).transpose()?;
        Ok(Submission {
            state: SubmissionState::of(&SubmissionFacts {
                outcome,
                given_up: row.given_up,
                last,
                is_overtaken: row.is_overtaken,
            }),
            outcome,
            is_nil: row.is_nil,
            sent_by: id_of(row.uploaded_by_kind.as_deref(), row.uploaded_by_id)?,
            submitted_by: id_of(row.submitted_by_kind.as_deref(), row.submitted_by_id)?,
            last,
            id: row.id,
            obligation_id: row.obligation_id,
            organisation: row.organisation,
            organisation_name: row.organisation_name,
            round: row.round.try_into()?,
            version_number: row.version_number.unsigned_abs(),
            file_name: row.file_name,
            sha256: row.sha256,
            file_key: row.file_key,
            bytes: row.bytes.unsigned_abs(),
            uploaded_by: row.uploaded_by,
            contact_email: row.contact_email,
            received_at: row.received_at,
            assessed_at: row.assessed_at,
            spec_hash: row.spec_hash,
        })
    }
}

/// Whether a newer version than `s` has come at least as far as what was done with it `last`:
/// the chain of whatever was accepted has its submission and its sign-off in it.
const OVERTAKEN: &str = "EXISTS (
                SELECT FROM submission n
                WHERE n.obligation_id = s.obligation_id AND n.version_number > s.version_number
                  AND NOT EXISTS (SELECT FROM handover WHERE submission_id = n.id AND verb IN ('send_back', 'withdraw'))
                  AND CASE WHEN last.verb IS NULL THEN n.outcome IN ('ready', 'needs_explanation')
                           ELSE EXISTS (SELECT FROM handover WHERE submission_id = n.id AND verb = last.verb) END
            )";

/// The statement that reads submissions, a [`SubmissionRow`] each; `rest` says which.
fn select(rest: &str) -> String {
    format!(
        "SELECT s.id, s.obligation_id, s.organisation, g.name AS organisation_name, {ROUND},
            s.version_number, s.file_name, s.file_sha256 AS sha256, f.stored_key AS file_key, f.n_bytes AS bytes,
            s.is_nil, s.uploaded_by, s.uploaded_by_kind, s.uploaded_by_id,
            h.by_kind AS submitted_by_kind, h.by_id AS submitted_by_id, last.verb AS last,
            s.contact_email, s.received_at, s.assessed_at, s.outcome, s.spec_hash,
            s.attention_at IS NOT NULL AS given_up, {OVERTAKEN} AS is_overtaken
        FROM submission s
        LEFT JOIN handover h ON h.submission_id = s.id AND h.verb = 'submit'
        LEFT JOIN LATERAL (
            SELECT verb FROM handover WHERE submission_id = s.id ORDER BY ordinal DESC LIMIT 1
        ) last ON true
        JOIN file f ON f.sha256 = s.file_sha256
        JOIN obligation o ON o.id = s.obligation_id
        JOIN cycle c ON c.id = o.cycle_id
        JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
        JOIN organisation g ON g.code = s.organisation
        {rest}"
    )
}

fn one(row: Option<SubmissionRow>) -> Result<Option<Submission>, DbError> {
    row.map(Submission::try_from).transpose()
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Submission>, DbError> {
    one(statement(select("WHERE s.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?)
}

/// The versions of an obligation, newest first.
pub async fn of_obligation(
    conn: &mut Conn,
    obligation_id: i64,
) -> Result<Vec<Submission>, DbError> {
    let rows: Vec<SubmissionRow> = statement(select(
        "WHERE s.obligation_id = $1 ORDER BY s.version_number DESC",
    ))
    .bind::<BigInt, _>(obligation_id)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Submission::try_from).collect()
}

/// The submission an organisation made with an idempotency key.
pub async fn find_by_key(
    conn: &mut Conn,
    organisation: &str,
    idempotency_key: &str,
) -> Result<Option<Submission>, DbError> {
    one(statement(select(
        "WHERE s.organisation = $1 AND s.idempotency_key = $2",
    ))
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(idempotency_key)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// The newest version of an organisation with just these bytes that was not withdrawn.
pub async fn newest_of_file(
    conn: &mut Conn,
    organisation: &str,
    sha256: &str,
) -> Result<Option<Submission>, DbError> {
    one(statement(select(
        "WHERE s.organisation = $1 AND s.file_sha256 = $2 AND last.verb IS DISTINCT FROM 'withdraw'
         ORDER BY s.received_at DESC, s.id DESC LIMIT 1",
    ))
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(sha256)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// Newest first; only one organisation's where `only` is given.
pub async fn list(conn: &mut Conn, only: Option<&str>) -> Result<Vec<Submission>, DbError> {
    let rows: Vec<SubmissionRow> = statement(select(
        "WHERE $1 IS NULL OR s.organisation = $1 ORDER BY s.received_at DESC, s.id DESC",
    ))
    .bind::<Nullable<Text>, _>(only)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Submission::try_from).collect()
}

/// Which assessed submissions of a return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub return_id: String,
    /// Its label.
    pub period: Option<String>,
    /// GSS code.
    pub organisation: Option<String>,
    /// Just these, unless it is empty.
    pub submissions: Vec<Uuid>,
    pub which: Which,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    #[default]
    Every,
    /// Those that stand for their organisation and period.
    Standing,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The ids of assessed submissions, by organisation, period and version.
pub async fn assessed(conn: &mut Conn, selection: &Selection) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = statement(
        "SELECT s.id FROM submission s
         JOIN obligation o ON o.id = s.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         JOIN organisation g ON g.code = s.organisation
         WHERE c.return_id = $1 AND s.outcome IS NOT NULL AND NOT s.is_nil
           AND ($2 IS NULL OR c.period_label = $2)
           AND ($3 IS NULL OR s.organisation = $3)
           AND (cardinality($4::uuid[]) = 0 OR s.id = ANY ($4))
           AND (NOT $5 OR s.id IN (SELECT submission_id FROM standing_submission))
         ORDER BY g.name, s.organisation, c.period_end, s.version_number",
    )
    .bind::<Text, _>(&selection.return_id)
    .bind::<Nullable<Text>, _>(&selection.period)
    .bind::<Nullable<Text>, _>(&selection.organisation)
    .bind::<Array<SqlUuid>, _>(&selection.submissions)
    .bind::<Bool, _>(selection.which == Which::Standing)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// What became of one table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    pub table: String,
    /// `None`: the workbook had no sheet for it.
    pub sheet: Option<String>,
    pub n_rows: u64,
    pub n_loaded: u64,
    pub n_rejected: u64,
    pub n_ignored: u64,
    /// How many of them for which reason, as JSON.
    pub ignored: serde_json::Value,
    /// Item name → column letters.
    pub columns: BTreeMap<String, String>,
}

impl TableRows {
    /// Where an item of a record stands in the file, its row counted from 1.
    pub fn cell(&self, item: &str, row_number: u32) -> Option<CellRef> {
        let column_idx = parse_column_letters(self.columns.get(item)?)?;
        Some(CellRef::new(
            self.sheet.clone()?,
            row_number.checked_sub(1)?,
            column_idx,
        ))
    }
}

pub async fn add_table(tx: &mut Tx, submission_id: Uuid, table: &TableRows) -> Result<(), DbError> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    statement(
        "INSERT INTO submission_table (submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind::<SqlUuid, _>(submission_id)
    .bind::<Text, _>(&table.table)
    .bind::<Nullable<Text>, _>(&table.sheet)
    .bind::<BigInt, _>(count(table.n_rows))
    .bind::<BigInt, _>(count(table.n_loaded))
    .bind::<BigInt, _>(count(table.n_rejected))
    .bind::<BigInt, _>(count(table.n_ignored))
    .bind::<Jsonb, _>(&table.ignored)
    .bind::<Jsonb, _>(serde_json::json!(table.columns))
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct TableRow {
    #[diesel(sql_type = SqlUuid)]
    submission_id: Uuid,
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sheet: Option<String>,
    #[diesel(sql_type = BigInt)]
    n_rows: i64,
    #[diesel(sql_type = BigInt)]
    n_loaded: i64,
    #[diesel(sql_type = BigInt)]
    n_rejected: i64,
    #[diesel(sql_type = BigInt)]
    n_ignored: i64,
    #[diesel(sql_type = Jsonb)]
    ignored: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    columns: serde_json::Value,
}

/// The accounting of a submission by table name.
pub async fn tables(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<TableRows>, DbError> {
    let tables = tables_of(conn, &[submission_id]).await?;
    Ok(tables.into_iter().map(|(_, rows)| rows).collect())
}

/// That of several submissions, each table with the submission that it is of.
pub async fn tables_of(
    conn: &mut Conn,
    submissions: &[Uuid],
) -> Result<Vec<(Uuid, TableRows)>, DbError> {
    let rows: Vec<TableRow> = statement(
        "SELECT submission_id, table_name, sheet, n_rows, n_loaded, n_rejected, n_ignored, ignored, columns
         FROM submission_table WHERE submission_id = ANY ($1) ORDER BY table_name",
    )
    .bind::<Array<SqlUuid>, _>(submissions)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let rows = TableRows {
                table: row.table_name,
                sheet: row.sheet,
                n_rows: row.n_rows.unsigned_abs(),
                n_loaded: row.n_loaded.unsigned_abs(),
                n_rejected: row.n_rejected.unsigned_abs(),
                n_ignored: row.n_ignored.unsigned_abs(),
                ignored: row.ignored,
                columns: serde_json::from_value(row.columns).map_err(DbError::stored)?,
            };
            Ok((row.submission_id, rows))
        })
        .collect()
}
