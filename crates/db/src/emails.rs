//! The outbox.

use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// A message to send.
#[derive(Debug, Clone)]
pub struct NewEmail<'a> {
    pub id: Uuid,
    /// As the message is called: `receipt`, `outcome` and others.
    pub kind: &'a str,
    pub about: About,
    /// What it tells of, where there may be many such.
    pub occasion: Option<Uuid>,
    pub recipient: &'a str,
    /// The message's variables.
    pub payload: serde_json::Value,
    pub message_id: &'a str,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Submission(Uuid),
    /// Whom it is to.
    Person(Uuid),
}

/// Puts a message into the outbox; false where the occasion, or without one the submission, has one of this kind to this
/// recipient already.
pub async fn add(tx: &mut Tx, email: &NewEmail<'_>) -> Result<bool, DbError> {
    let (submission_id, person_id) = match email.about {
        About::Submission(id) => (Some(id), None),
        About::Person(id) => (None, Some(id)),
    };
    let n_added = statement(
        "INSERT INTO email (id, kind, submission_id, person_id, recipient, payload, message_id, occasion)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(email.id)
    .bind::<Text, _>(email.kind)
    .bind::<Nullable<SqlUuid>, _>(submission_id)
    .bind::<Nullable<SqlUuid>, _>(person_id)
    .bind::<Text, _>(email.recipient)
    .bind::<Jsonb, _>(&email.payload)
    .bind::<Text, _>(email.message_id)
    .bind::<Nullable<SqlUuid>, _>(email.occasion)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// A message that waits to be sent.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct QueuedEmail {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub recipient: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: serde_json::Value,
    #[diesel(sql_type = Text)]
    pub message_id: String,
}

/// A message, if it still waits to be sent.
pub async fn find_queued(conn: &mut Conn, id: Uuid) -> Result<Option<QueuedEmail>, DbError> {
    Ok(statement(
        "SELECT id, kind, recipient, payload, message_id FROM email WHERE id = $1 AND state = 'queued'",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn.connection())
    .await
    .optional()?)
}

#[derive(QueryableByName)]
struct SubmissionOf {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    submission_id: Option<Uuid>,
}

/// The mail server took it, and a link to sign in with is forgotten.
/// Gives the submission it tells of, if it is about one; `None` where it no longer waited.
pub async fn set_sent(tx: &mut Tx, id: Uuid) -> Result<Option<Option<Uuid>>, DbError> {
    let row: Option<SubmissionOf> = statement(
        "UPDATE email SET state = 'sent', sent_at = now(),
            payload = CASE WHEN kind = 'sign-in' THEN '{}' ELSE payload END
         WHERE id = $1 AND state = 'queued' RETURNING submission_id",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(tx.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.submission_id))
}

#[derive(QueryableByName)]
struct Attempts {
    #[diesel(sql_type = Integer)]
    attempts: i32,
}

/// Counts a failed attempt and gives their number; `None` where it no longer waited.
pub async fn count_failure(tx: &mut Tx, id: Uuid, error: &str) -> Result<Option<u32>, DbError> {
    let row: Option<Attempts> = statement(
        "UPDATE email SET attempts = attempts + 1, last_error = $2 WHERE id = $1 AND state = 'queued' RETURNING attempts",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(error)
    .get_result(tx.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.attempts.unsigned_abs()))
}

/// It is given up. Gives the submission it tells of, if it is about one.
pub async fn set_undeliverable(tx: &mut Tx, id: Uuid) -> Result<Option<Option<Uuid>>, DbError> {
    let row: Option<SubmissionOf> = statement(
        "UPDATE email SET state = 'undeliverable',
            payload = CASE WHEN kind = 'sign-in' THEN '{}' ELSE payload END
         WHERE id = $1 AND state = 'queued' RETURNING submission_id",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(tx.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.submission_id))
}

/// Where a message of the outbox stands, for the pages and for whoever looks after the product.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct EmailState {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
}

/// The messages about a submission, in the order they were made.
pub async fn of_submission(
    conn: &mut Conn,
    submission_id: Uuid,
) -> Result<Vec<EmailState>, DbError> {
    Ok(
        statement("SELECT id, kind, state, attempts FROM email WHERE submission_id = $1 ORDER BY created_at, id")
            .bind::<SqlUuid, _>(submission_id)
            .load(conn.connection())
            .await?,
    )
}
