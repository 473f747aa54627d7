//! The audit trail: appended to, never changed.

use access::ActorId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::columns_of;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Something that was done.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    pub actor: &'a str,
    pub actor_id: ActorId,
    /// `None` for the office and the product itself.
    pub actor_organisation: Option<&'a str>,
    pub verb: &'a str,
    pub organisation: Option<&'a str>,
    pub obligation_id: Option<i64>,
    pub submission_id: Option<Uuid>,
    /// Facts; never a cell's value.
    pub details: serde_json::Value,
}

pub async fn append(tx: &mut Tx, event: &NewEvent<'_>) -> Result<(), DbError> {
    let (actor_kind, actor_id) = columns_of(event.actor_id);
    statement(
        "INSERT INTO event (actor, actor_organisation, verb, organisation, obligation_id, submission_id, details, actor_kind, actor_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind::<Text, _>(event.actor)
    .bind::<Nullable<Text>, _>(event.actor_organisation)
    .bind::<Text, _>(event.verb)
    .bind::<Nullable<Text>, _>(event.organisation)
    .bind::<Nullable<BigInt>, _>(event.obligation_id)
    .bind::<Nullable<SqlUuid>, _>(event.submission_id)
    .bind::<Jsonb, _>(&event.details)
    .bind::<Nullable<Text>, _>(actor_kind)
    .bind::<Nullable<SqlUuid>, _>(actor_id)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A row of the trail.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Event {
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Text)]
    pub verb: String,
    #[diesel(sql_type = Jsonb)]
    pub details: serde_json::Value,
}

/// A row of the trail with what it concerns.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct TrailEvent {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub actor: String,
    #[diesel(sql_type = Text)]
    pub verb: String,
    /// GSS code.
    #[diesel(sql_type = Nullable<Text>)]
    pub organisation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub organisation_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub submission_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub version_number: Option<i32>,
    /// Of the round that it concerns.
    #[diesel(sql_type = Nullable<Text>)]
    pub return_title: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub period_label: Option<String>,
    #[diesel(sql_type = Jsonb)]
    pub details: serde_json::Value,
}

/// The newest events before a number (all where there is none), of one organisation or of all.
pub async fn newest(
    conn: &mut Conn,
    organisation: Option<&str>,
    before: Option<i64>,
    at_most: i64,
) -> Result<Vec<TrailEvent>, DbError> {
    Ok(statement(
        "SELECT e.id, e.at, e.actor, e.verb, e.organisation, g.name AS organisation_name, e.submission_id,
                s.version_number, v.title AS return_title, c.period_label, e.details
         FROM (
            SELECT * FROM event
            WHERE ($1 IS NULL OR organisation = $1) AND ($2 IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3
         ) e
         LEFT JOIN organisation g ON g.code = e.organisation
         LEFT JOIN submission s ON s.id = e.submission_id
         LEFT JOIN obligation o ON o.id = coalesce(e.obligation_id, s.obligation_id)
         LEFT JOIN cycle c ON c.id = o.cycle_id
         LEFT JOIN return_version v ON v.return_id = c.return_id AND v.version = c.version
         ORDER BY e.id DESC",
    )
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<BigInt, _>(at_most)
    .load(conn.connection())
    .await?)
}

/// How often something was done.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct VerbCount {
    #[diesel(sql_type = Text)]
    pub verb: String,
    #[diesel(sql_type = BigInt)]
    pub n: i64,
}

/// By what was done, of one organisation or of all.
pub async fn counts(
    conn: &mut Conn,
    organisation: Option<&str>,
) -> Result<Vec<VerbCount>, DbError> {
    Ok(statement(
        "SELECT verb, count(*) AS n FROM event WHERE $1 IS NULL OR organisation = $1 GROUP BY verb ORDER BY verb",
    )
    .bind::<Nullable<Text>, _>(organisation)
    .load(conn.connection())
    .await?)
}

/// What was done with one submission, oldest first.
pub async fn of_submission(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<Event>, DbError> {
    Ok(
        statement(
            "SELECT at, actor, verb, details FROM event WHERE submission_id = $1 ORDER BY id",
        )
        .bind::<SqlUuid, _>(submission_id)
        .load(conn.connection())
        .await?,
    )
}
