//! Who is signed in, and what they prove it with. Only hashes of secrets come here.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// SHA-256 of a secret.
pub type Digest = [u8; 32];

/// A session that was not ended. Whether it is too old is for the caller to say.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Session {
    #[diesel(sql_type = SqlUuid)]
    pub person_id: Uuid,
    #[diesel(sql_type = Text)]
    pub person_name: String,
    #[diesel(sql_type = Text)]
    pub person_email: String,
    #[diesel(sql_type = Timestamptz)]
    pub began_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
    /// `None`: the second proof is still to come.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub proved_at: Option<DateTime<Utc>>,
}

/// Begins a session.
pub async fn begin(
    tx: &mut Tx,
    token: Digest,
    person_id: Uuid,
    by_way_of: &str,
    now: DateTime<Utc>,
    is_proved: bool,
) -> Result<(), DbError> {
    statement(
        "INSERT INTO session (token_sha256, person_id, began_at, seen_at, proved_at, by_way_of)
         VALUES ($1, $2, $3, $3, CASE WHEN $4 THEN $3 END, $5)",
    )
    .bind::<Binary, _>(token.to_vec())
    .bind::<SqlUuid, _>(person_id)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(is_proved)
    .bind::<Text, _>(by_way_of)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The session of a token, unless it or its person's access was ended.
pub async fn find(conn: &mut Conn, token: Digest) -> Result<Option<Session>, DbError> {
    Ok(statement(
        "SELECT s.person_id, p.name AS person_name, p.email AS person_email, s.began_at, s.seen_at, s.proved_at
         FROM session s JOIN person p ON p.id = s.person_id
         WHERE s.token_sha256 = $1 AND s.ended_at IS NULL AND p.disabled_at IS NULL",
    )
    .bind::<Binary, _>(token.to_vec())
    .get_result(conn.connection())
    .await
    .optional()?)
}

pub async fn set_seen(tx: &mut Tx, token: Digest, now: DateTime<Utc>) -> Result<(), DbError> {
    statement("UPDATE session SET seen_at = greatest(seen_at, $2) WHERE token_sha256 = $1")
        .bind::<Binary, _>(token.to_vec())
        .bind::<Timestamptz, _>(now)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub async fn set_ended(tx: &mut Tx, token: Digest, now: DateTime<Utc>) -> Result<(), DbError> {
    statement("UPDATE session SET ended_at = $2 WHERE token_sha256 = $1 AND ended_at IS NULL")
        .bind::<Binary, _>(token.to_vec())
        .bind::<Timestamptz, _>(now)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Ends every session of a person and gives their number.
pub async fn end_all(tx: &mut Tx, person_id: Uuid, now: DateTime<Utc>) -> Result<u64, DbError> {
    let n_ended =
        statement("UPDATE session SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL")
            .bind::<SqlUuid, _>(person_id)
            .bind::<Timestamptz, _>(now)
            .execute(tx.connection())
            .await?;
    Ok(n_ended as u64)
}

/// Stores a link's secret.
pub async fn add_link(
    tx: &mut Tx,
    token: Digest,
    person_id: Uuid,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    statement(
        "INSERT INTO sign_in_link (token_sha256, person_id, made_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind::<Binary, _>(token.to_vec())
    .bind::<SqlUuid, _>(person_id)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(expires_at)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Whose {
    #[diesel(sql_type = SqlUuid)]
    person_id: Uuid,
}

/// Uses a link up and says whose it is; `None`: it is none, or was used, or is too old.
pub async fn use_link(
    tx: &mut Tx,
    token: Digest,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DbError> {
    let row: Option<Whose> = statement(
        "UPDATE sign_in_link SET used_at = $2
         WHERE token_sha256 = $1 AND used_at IS NULL AND expires_at > $2
         RETURNING person_id",
    )
    .bind::<Binary, _>(token.to_vec())
    .bind::<Timestamptz, _>(now)
    .get_result(tx.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.person_id))
}

/// The app that shows a person's six digits.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct CodeGenerator {
    #[diesel(sql_type = Binary)]
    pub secret: Vec<u8>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub confirmed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub last_step: i64,
}

/// Locks it until the transaction ends, so that one code can't be used twice at once.
pub async fn code_generator(
    tx: &mut Tx,
    person_id: Uuid,
) -> Result<Option<CodeGenerator>, DbError> {
    Ok(statement(
        "SELECT secret, confirmed_at, last_step FROM code_generator WHERE person_id = $1 FOR UPDATE",
    )
    .bind::<SqlUuid, _>(person_id)
    .get_result(tx.connection())
    .await
    .optional()?)
}

/// Keeps a new secret, unless one is confirmed already.
pub async fn offer_secret(
    tx: &mut Tx,
    person_id: Uuid,
    secret: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    statement(
        "INSERT INTO code_generator (person_id, secret, made_at) VALUES ($1, $2, $3)
         ON CONFLICT (person_id) DO UPDATE SET secret = excluded.secret, made_at = excluded.made_at
         WHERE code_generator.confirmed_at IS NULL",
    )
    .bind::<SqlUuid, _>(person_id)
    .bind::<Binary, _>(secret.to_vec())
    .bind::<Timestamptz, _>(now)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A code of this half minute was right: the generator is confirmed, and the code is not good again.
pub async fn accept_code(
    tx: &mut Tx,
    person_id: Uuid,
    step: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    statement(
        "UPDATE code_generator SET confirmed_at = coalesce(confirmed_at, $3), last_step = $2 WHERE person_id = $1",
    )
    .bind::<SqlUuid, _>(person_id)
    .bind::<BigInt, _>(step)
    .bind::<Timestamptz, _>(now)
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Counts an attempt and gives how many there were since a moment, this one with them. All that are older are forgotten.
pub async fn count_attempt(
    tx: &mut Tx,
    what: &str,
    who: Digest,
    now: DateTime<Utc>,
    since: DateTime<Utc>,
) -> Result<u64, DbError> {
    // Of everybody, so that what was tried once is not kept for ever; what another transaction is at is left to it.
    statement(
        "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE at < $1 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(since)
    .execute(tx.connection())
    .await?;
    statement("INSERT INTO attempt (what, who_sha256, at) VALUES ($1, $2, $3)")
        .bind::<Text, _>(what)
        .bind::<Binary, _>(who.to_vec())
        .bind::<Timestamptz, _>(now)
        .execute(tx.connection())
        .await?;
    let row: Count = statement(
        "SELECT count(*) AS n FROM attempt WHERE what = $1 AND who_sha256 = $2 AND at >= $3",
    )
    .bind::<Text, _>(what)
    .bind::<Binary, _>(who.to_vec())
    .bind::<Timestamptz, _>(since)
    .get_result(tx.connection())
    .await?;
    Ok(row.n.unsigned_abs())
}
