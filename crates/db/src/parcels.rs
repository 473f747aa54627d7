//! Files that came in by the page and are nobody's return yet.

use std::fmt;

use access::ActorId;
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use finding::Outcome;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::statement::statement;
use crate::submissions::outcome_of;
use crate::{Conn, DbError, Tx};

/// A file that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    pub id: Uuid,
    pub batch: Uuid,
    /// From 1.
    pub ordinal: u32,
    pub organisation: String,
    pub organisation_name: String,
    /// `None`: it was not kept.
    pub put_in_by: Option<ActorId>,
    pub contact_email: Option<String>,
    pub file_name: String,
    pub sha256: String,
    pub n_bytes: u64,
    pub state: ParcelState,
    /// Return and period's label: what it was taken for, and once the sender has said so, what it is for.
    pub round: Option<(String, String)>,
    pub recognition: Option<serde_json::Value>,
    pub submission_id: Option<Uuid>,
    pub answer_sha256: Option<String>,
    pub outcome: Option<Outcome>,
    pub came_at: DateTime<Utc>,
    pub goes_at: DateTime<Utc>,
    /// Whether that moment has come.
    pub is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParcelState {
    /// It is being put away.
    Arriving,
    /// Nobody has looked yet what it is.
    Waiting,
    /// The sender decides.
    Recognised,
    /// The sender wants nothing done with it.
    Left,
    Sent,
    Checking,
    Checked,
    /// It could not be looked at, by our fault.
    GivenUp,
}

impl ParcelState {
    pub const ALL: [ParcelState; 8] = [
        ParcelState::Arriving,
        ParcelState::Waiting,
        ParcelState::Recognised,
        ParcelState::Left,
        ParcelState::Sent,
        ParcelState::Checking,
        ParcelState::Checked,
        ParcelState::GivenUp,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ParcelState::Arriving => "arriving",
            ParcelState::Waiting => "waiting",
            ParcelState::Recognised => "recognised",
            ParcelState::Left => "left",
            ParcelState::Sent => "sent",
            ParcelState::Checking => "checking",
            ParcelState::Checked => "checked",
            ParcelState::GivenUp => "given-up",
        }
    }
}

impl fmt::Display for ParcelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A file to keep for a while.
#[derive(Debug, Clone)]
pub struct NewParcel<'a> {
    pub id: Uuid,
    pub batch: Uuid,
    pub ordinal: u32,
    pub organisation: &'a str,
    pub put_in_by: ActorId,
    pub contact_email: Option<&'a str>,
    pub idempotency_key: &'a str,
    pub file_name: &'a str,
    pub sha256: &'a str,
    pub n_bytes: u64,
    /// Return and period's label that it is only checked for; `None`: the sender decides.
    pub check_for: Option<(&'a str, &'a str)>,
    pub came_at: DateTime<Utc>,
    pub goes_at: DateTime<Utc>,
}

/// False where the form that it came with was sent before.
pub async fn add(tx: &mut Tx, new: &NewParcel<'_>) -> Result<bool, DbError> {
    let (kind, id) = columns_of(new.put_in_by);
    let n_added = statement(
        "INSERT INTO parcel (id, batch, ordinal, organisation, put_in_by_kind, put_in_by_id, contact_email,
                             idempotency_key, file_name, sha256, n_bytes, return_id, period_label, came_at, goes_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (organisation, idempotency_key, ordinal) DO NOTHING",
    )
    .bind::<SqlUuid, _>(new.id)
    .bind::<SqlUuid, _>(new.batch)
    .bind::<Integer, _>(i32::try_from(new.ordinal).unwrap_or(i32::MAX))
    .bind::<Text, _>(new.organisation)
    .bind::<Nullable<Text>, _>(kind)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<Nullable<Text>, _>(new.contact_email)
    .bind::<Text, _>(new.idempotency_key)
    .bind::<Text, _>(new.file_name)
    .bind::<Text, _>(new.sha256)
    .bind::<BigInt, _>(i64::try_from(new.n_bytes).unwrap_or(i64::MAX))
    .bind::<Nullable<Text>, _>(new.check_for.map(|round| round.0))
    .bind::<Nullable<Text>, _>(new.check_for.map(|round| round.1))
    .bind::<Timestamptz, _>(new.came_at)
    .bind::<Timestamptz, _>(new.goes_at)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// What changes of a parcel.
#[derive(Debug, Clone)]
pub enum Change<'a> {
    /// It is put away.
    PutAway,
    Recognised {
        recognition: serde_json::Value,
        round: Option<(&'a str, &'a str)>,
    },
    Leave,
    Send {
        round: (&'a str, &'a str),
        submission_id: Uuid,
    },
    Check {
        round: (&'a str, &'a str),
    },
    Checked {
        outcome: Outcome,
        answer_sha256: &'a str,
        goes_at: DateTime<Utc>,
    },
    GiveUp,
}

/// False where it is in none of the states from which that can be, or is gone: then nothing changes.
pub async fn change(tx: &mut Tx, id: Uuid, change: &Change<'_>) -> Result<bool, DbError> {
    let (to, from) = match change {
        Change::PutAway => ("waiting", "state = 'arriving'"),
        Change::Recognised { .. } => ("recognised", "state = 'waiting'"),
        Change::Leave => ("left", "state IN ('waiting', 'recognised', 'given-up')"),
        Change::Send { .. } => ("sent", "state IN ('waiting', 'recognised', 'given-up')"),
        Change::Check { .. } => ("checking", "state IN ('waiting', 'recognised', 'given-up')"),
        Change::Checked { .. } => ("checked", "state = 'checking'"),
        Change::GiveUp => ("given-up", "state IN ('waiting', 'checking')"),
    };
    let round = match change {
        Change::Recognised { round, .. } => *round,
        Change::Send { round, .. } | Change::Check { round } => Some(*round),
        _ => None,
    };
    let submission_id = match change {
        Change::Send { submission_id, .. } => Some(*submission_id),
        _ => None,
    };
    let recognition = match change {
        Change::Recognised { recognition, .. } => Some(recognition),
        _ => None,
    };
    let checked = match change {
        Change::Checked {
            outcome,
            answer_sha256,
            goes_at,
        } => Some((outcome.as_str(), *answer_sha256, *goes_at)),
        _ => None,
    };
    let n_changed = statement(format!(
        "UPDATE parcel SET state = $2,
            return_id = coalesce($3, return_id), period_label = coalesce($4, period_label),
            recognition = coalesce($5, recognition), submission_id = $6,
            outcome = $7, answer_sha256 = $8, goes_at = coalesce($9, goes_at)
         WHERE id = $1 AND {from}"
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(to)
    .bind::<Nullable<Text>, _>(round.map(|round| round.0))
    .bind::<Nullable<Text>, _>(round.map(|round| round.1))
    .bind::<Nullable<Jsonb>, _>(recognition)
    .bind::<Nullable<SqlUuid>, _>(submission_id)
    .bind::<Nullable<Text>, _>(checked.map(|checked| checked.0))
    .bind::<Nullable<Text>, _>(checked.map(|checked| checked.1))
    .bind::<Nullable<Timestamptz>, _>(checked.map(|checked| checked.2))
    .execute(tx.connection())
    .await?;
    Ok(n_changed == 1)
}

/// Removes it; harmless where it is gone.
pub async fn remove(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    statement("DELETE FROM parcel WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .execute(tx.connection())
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct ParcelRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    batch: Uuid,
    #[diesel(sql_type = Integer)]
    ordinal: i32,
    #[diesel(sql_type = Text)]
    organisation: String,
    #[diesel(sql_type = Text)]
    organisation_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    put_in_by_kind: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    put_in_by_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    contact_email: Option<String>,
    #[diesel(sql_type = Text)]
    file_name: String,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = BigInt)]
    n_bytes: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    return_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    period_label: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    recognition: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    submission_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    answer_sha256: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    came_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    goes_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    is_over: bool,
}

impl TryFrom<ParcelRow> for Parcel {
    type Error = DbError;

    fn try_from(row: ParcelRow) -> Result<Self, DbError> {
        let state = ParcelState::ALL
            .into_iter()
            .find(|state| state.as_str() == row.state)
            .ok_or_else(|| DbError::stored(format!("parcel state {}", row.state)))?;
        Ok(Parcel {
            id: row.id,
            batch: row.batch,
            ordinal: row.ordinal.unsigned_abs(),
            organisation: row.organisation,
            organisation_name: row.organisation_name,
            put_in_by: id_of(row.put_in_by_kind.as_deref(), row.put_in_by_id)?,
            contact_email: row.contact_email,
            file_name: row.file_name,
            sha256: row.sha256,
            n_bytes: row.n_bytes.unsigned_abs(),
            state,
            round: row.return_id.zip(row.period_label),
            recognition: row.recognition,
            submission_id: row.submission_id,
            answer_sha256: row.answer_sha256,
            outcome: row.outcome.as_deref().map(outcome_of).transpose()?,
            came_at: row.came_at,
            goes_at: row.goes_at,
            is_over: row.is_over,
        })
    }
}

fn select(rest: &str) -> String {
    format!(
        "SELECT p.id, p.batch, p.ordinal, p.organisation, g.name AS organisation_name, p.put_in_by_kind, p.put_in_by_id,
            p.contact_email, p.file_name, p.sha256, p.n_bytes, p.state, p.return_id, p.period_label, p.recognition,
            p.submission_id, p.answer_sha256, p.outcome, p.came_at, p.goes_at, p.goes_at <= now() AS is_over
         FROM parcel p JOIN organisation g ON g.code = p.organisation
         {rest}"
    )
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Parcel>, DbError> {
    let row: Option<ParcelRow> = statement(select("WHERE p.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    row.map(Parcel::try_from).transpose()
}

/// As [`find`]; nobody else changes it until the transaction ends.
pub async fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<Parcel>, DbError> {
    let row: Option<ParcelRow> = statement(select("WHERE p.id = $1 FOR UPDATE OF p"))
        .bind::<SqlUuid, _>(id)
        .get_result(tx.connection())
        .await
        .optional()?;
    row.map(Parcel::try_from).transpose()
}

/// Of a batch, in the order in which they came; nothing where there is none, or none any more.
pub async fn of_batch(conn: &mut Conn, batch: Uuid) -> Result<Vec<Parcel>, DbError> {
    let rows: Vec<ParcelRow> = statement(select("WHERE p.batch = $1 ORDER BY p.ordinal"))
        .bind::<SqlUuid, _>(batch)
        .load(conn.connection())
        .await?;
    rows.into_iter().map(Parcel::try_from).collect()
}

/// Those that somebody put in and that were only checked.
pub async fn checked_of(conn: &mut Conn, whose: ActorId) -> Result<Vec<Parcel>, DbError> {
    let (kind, id) = columns_of(whose);
    let rows: Vec<ParcelRow> = statement(select(
        "WHERE p.state IN ('checking', 'checked') AND p.put_in_by_kind = $1 AND p.put_in_by_id = $2",
    ))
    .bind::<Nullable<Text>, _>(kind)
    .bind::<Nullable<SqlUuid>, _>(id)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Parcel::try_from).collect()
}

/// Those that came with a form.
pub async fn of_form(
    conn: &mut Conn,
    organisation: &str,
    idempotency_key: &str,
) -> Result<Vec<Parcel>, DbError> {
    let rows: Vec<ParcelRow> = statement(select(
        "WHERE p.organisation = $1 AND p.idempotency_key = $2 ORDER BY p.ordinal",
    ))
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(idempotency_key)
    .load(conn.connection())
    .await?;
    rows.into_iter().map(Parcel::try_from).collect()
}
