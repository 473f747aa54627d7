//! Servers that are called when something happens, what they were told, and how it went.

use access::Reach;
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx, people};

/// An address that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: Uuid,
    /// Of an organisation's submissions, or of a return's.
    pub reach: Reach,
    pub url: String,
    pub secret: Vec<u8>,
    pub made_at: DateTime<Utc>,
    pub made_by: Option<Uuid>,
    pub failing_since: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub is_ended_by_failing: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    organisation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    return_id: Option<String>,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Binary)]
    secret: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    made_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    made_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    failing_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    is_ended_by_failing: bool,
}

const SELECT: &str = "SELECT w.id, w.organisation, w.return_id, w.url, w.secret, w.made_at, w.made_by, w.failing_since,
    w.ended_at, w.is_ended_by_failing FROM webhook w";

impl From<Row> for Webhook {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            reach: match (row.organisation, row.return_id) {
                (Some(code), _) => Reach::Organisation(code),
                (None, Some(id)) => Reach::Return(id),
                // The table holds that it is for one of them.
                (None, None) => Reach::Everything,
            },
            url: row.url,
            secret: row.secret,
            made_at: row.made_at,
            made_by: row.made_by,
            failing_since: row.failing_since,
            ended_at: row.ended_at,
            is_ended_by_failing: row.is_ended_by_failing,
        }
    }
}

/// The newest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<Webhook>, DbError> {
    let rows: Vec<Row> = statement(format!("{SELECT} ORDER BY w.made_at DESC, w.id"))
        .load(conn.connection())
        .await?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Webhook>, DbError> {
    let row: Option<Row> = statement(format!("{SELECT} WHERE w.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?;
    Ok(row.map(Webhook::from))
}

/// Those that somebody named and that are called, the newest first.
pub async fn made_by(conn: &mut Conn, person_id: Uuid) -> Result<Vec<Webhook>, DbError> {
    let rows: Vec<Row> = statement(format!(
        "{SELECT} WHERE w.made_by = $1 AND w.ended_at IS NULL ORDER BY w.made_at DESC, w.id"
    ))
    .bind::<SqlUuid, _>(person_id)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// Those that are told of an organisation's submissions, or of a return's.
pub async fn called_for(
    conn: &mut Conn,
    organisation: Option<&str>,
    return_id: Option<&str>,
) -> Result<Vec<Webhook>, DbError> {
    let rows: Vec<Row> = statement(format!(
        "{SELECT} WHERE w.ended_at IS NULL AND (w.organisation = $1 OR w.return_id = $2) ORDER BY w.id"
    ))
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// Those that are told of a round: of its return, or of an organisation that has to answer in it.
pub async fn called_for_round(conn: &mut Conn, cycle_id: i64) -> Result<Vec<Webhook>, DbError> {
    let rows: Vec<Row> = statement(format!(
        "{SELECT} JOIN cycle c ON c.id = $1 WHERE w.ended_at IS NULL AND (w.return_id = c.return_id OR EXISTS (
            SELECT 1 FROM obligation o WHERE o.cycle_id = c.id AND o.organisation = w.organisation AND o.is_required))
         ORDER BY w.id"
    ))
    .bind::<BigInt, _>(cycle_id)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// False where there is one with its id.
pub async fn add(tx: &mut Tx, webhook: &Webhook) -> Result<bool, DbError> {
    let (organisation, return_id) = people::columns_of(&webhook.reach);
    let n_added = statement(
        "INSERT INTO webhook (id, organisation, return_id, url, secret, made_by) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(webhook.id)
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .bind::<Text, _>(&webhook.url)
    .bind::<Binary, _>(&webhook.secret)
    .bind::<Nullable<SqlUuid>, _>(webhook.made_by)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// It is not called any more; false where it was ended before.
pub async fn end(
    tx: &mut Tx,
    id: Uuid,
    at: DateTime<Utc>,
    is_by_failing: bool,
) -> Result<bool, DbError> {
    let n_ended = statement(
        "UPDATE webhook SET ended_at = $2, is_ended_by_failing = $3 WHERE id = $1 AND ended_at IS NULL",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(at)
    .bind::<Bool, _>(is_by_failing)
    .execute(tx.connection())
    .await?;
    Ok(n_ended == 1)
}

#[derive(QueryableByName)]
struct At {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

/// When it was last called.
pub async fn last_called_at(conn: &mut Conn, id: Uuid) -> Result<Option<DateTime<Utc>>, DbError> {
    let row: At = statement(
        "SELECT max(a.at) AS at FROM webhook_attempt a JOIN webhook_message m ON m.id = a.message_id
         WHERE m.webhook_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(conn.connection())
    .await?;
    Ok(row.at)
}

/// Since when nothing was taken.
pub async fn set_failing(
    tx: &mut Tx,
    id: Uuid,
    since: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    statement("UPDATE webhook SET failing_since = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Timestamptz>, _>(since)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// What a message is about: one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, QueryableByName)]
pub struct About {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub submission_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub release_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_id: Option<i64>,
}

impl About {
    pub fn submission(id: Uuid) -> Self {
        Self {
            submission_id: Some(id),
            ..Self::default()
        }
    }

    pub fn release(id: Uuid) -> Self {
        Self {
            release_id: Some(id),
            ..Self::default()
        }
    }

    pub fn round(cycle_id: i64) -> Self {
        Self {
            cycle_id: Some(cycle_id),
            ..Self::default()
        }
    }
}

/// What one is told.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Message {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub webhook_id: Uuid,
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(embed)]
    pub about: About,
    #[diesel(sql_type = Jsonb)]
    pub data: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    pub made_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub taken_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub given_up_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    #[diesel(sql_type = BigInt)]
    pub n_attempts: i64,
    /// Why the last attempt failed.
    #[diesel(sql_type = Nullable<Text>)]
    pub failure: Option<String>,
}

const MESSAGES: &str = "SELECT m.id, m.webhook_id, m.event, m.submission_id, m.release_id, m.cycle_id, m.data, m.made_at, m.taken_at, m.given_up_at,
        (SELECT count(*) FROM webhook_attempt a WHERE a.message_id = m.id) AS n_attempts,
        (SELECT a.failure FROM webhook_attempt a WHERE a.message_id = m.id ORDER BY a.id DESC LIMIT 1) AS failure
    FROM webhook_message m";

pub async fn find_message(conn: &mut Conn, id: Uuid) -> Result<Option<Message>, DbError> {
    Ok(statement(format!("{MESSAGES} WHERE m.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(conn.connection())
        .await
        .optional()?)
}

/// The newest `most`.
pub async fn messages(
    conn: &mut Conn,
    webhook_id: Uuid,
    most: i64,
) -> Result<Vec<Message>, DbError> {
    Ok(statement(format!(
        "{MESSAGES} WHERE m.webhook_id = $1 ORDER BY m.made_at DESC, m.id DESC LIMIT $2"
    ))
    .bind::<SqlUuid, _>(webhook_id)
    .bind::<BigInt, _>(most)
    .load(conn.connection())
    .await?)
}

/// False where it is told that already.
pub async fn add_message(
    tx: &mut Tx,
    id: Uuid,
    webhook: &Webhook,
    event: &str,
    about: About,
    data: &serde_json::Value,
) -> Result<bool, DbError> {
    let (organisation, _) = people::columns_of(&webhook.reach);
    let n_added = statement(
        "INSERT INTO webhook_message (id, webhook_id, organisation, event, submission_id, release_id, cycle_id, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(webhook.id)
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Text, _>(event)
    .bind::<Nullable<SqlUuid>, _>(about.submission_id)
    .bind::<Nullable<SqlUuid>, _>(about.release_id)
    .bind::<Nullable<BigInt>, _>(about.cycle_id)
    .bind::<Jsonb, _>(data)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

pub async fn set_taken(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    statement("UPDATE webhook_message SET taken_at = $2, given_up_at = NULL WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(at)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// `None`: it is to be tried again.
pub async fn set_given_up(tx: &mut Tx, id: Uuid, at: Option<DateTime<Utc>>) -> Result<(), DbError> {
    statement("UPDATE webhook_message SET given_up_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Timestamptz>, _>(at)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Notes how an attempt went.
pub async fn add_attempt(
    tx: &mut Tx,
    message_id: Uuid,
    webhook: &Webhook,
    at: DateTime<Utc>,
    (status, failure): (Option<u16>, Option<&str>),
) -> Result<(), DbError> {
    let (organisation, _) = people::columns_of(&webhook.reach);
    statement(
        "INSERT INTO webhook_attempt (message_id, organisation, at, status, failure) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind::<SqlUuid, _>(message_id)
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Timestamptz, _>(at)
    .bind::<Nullable<Integer>, _>(status.map(i32::from))
    .bind::<Nullable<Text>, _>(failure)
    .execute(tx.connection())
    .await?;
    Ok(())
}
