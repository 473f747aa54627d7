//! What was done with a version on its way to being accepted.

use access::ActorId;
use chrono::{DateTime, Utc};
use cycle::{Hours, Verb};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::actors::{columns_of, id_of};
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Something to keep as done.
#[derive(Debug, Clone)]
pub struct NewHandover<'a> {
    pub submission_id: Uuid,
    /// GSS code.
    pub organisation: &'a str,
    pub verb: Verb,
    /// What had been done last.
    pub follows: Option<Verb>,
    pub by: ActorId,
    pub by_name: &'a str,
    pub reason: Option<&'a str>,
    /// The leave by which somebody signs off what they sent themselves.
    pub own_sign_off: Option<i64>,
    /// What whoever signs off says that it took.
    pub hours: Option<Hours>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    pub verb: Verb,
    pub at: DateTime<Utc>,
    pub by: Option<ActorId>,
    pub by_name: String,
    pub reason: Option<String>,
    /// Where somebody signed off what they had sent themselves: why they have leave to.
    pub own_sign_off: Option<String>,
    /// And who gave it.
    pub allowed_by: Option<String>,
    /// What whoever signed off said that it took.
    pub hours: Option<Hours>,
}

/// Locks the obligation of a submission until the transaction ends, as a new version of it does:
/// whatever is decided about its versions is decided one after the other.
pub async fn lock(tx: &mut Tx, obligation_id: i64) -> Result<(), DbError> {
    statement("SELECT id FROM obligation WHERE id = $1 FOR UPDATE")
        .bind::<BigInt, _>(obligation_id)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Adds the next link of a version's chain; the database refuses one that does not follow.
pub async fn add(tx: &mut Tx, new: &NewHandover<'_>) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(new.by);
    statement(
        "INSERT INTO handover (submission_id, organisation, verb, follows, by_kind, by_id, by_name, reason, own_sign_off_id,
                               quarter_hours)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<SqlUuid, _>(new.submission_id)
    .bind::<Text, _>(new.organisation)
    .bind::<Text, _>(new.verb.as_str())
    .bind::<Nullable<Text>, _>(new.follows.map(Verb::as_str))
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by_name)
    .bind::<Nullable<Text>, _>(new.reason)
    .bind::<Nullable<BigInt>, _>(new.own_sign_off)
    .bind::<Nullable<Integer>, _>(new.hours.map(|hours| hours.quarters().cast_signed()))
    .execute(tx.connection())
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct HandoverRow {
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    by_kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    by_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    by_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    own_sign_off: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    allowed_by: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    quarter_hours: Option<i32>,
}

/// The verb of the word that is stored.
pub(crate) fn verb_of(word: &str) -> Result<Verb, DbError> {
    Verb::parse(word).ok_or_else(|| DbError::stored(format!("verb {word}")))
}

/// The chain of a version, in its order.
pub async fn of_submission(conn: &mut Conn, submission_id: Uuid) -> Result<Vec<Handover>, DbError> {
    let rows: Vec<HandoverRow> = statement(
        "SELECT h.verb, h.at, h.by_kind, h.by_id, h.by_name, h.reason, w.reason AS own_sign_off, w.by_name AS allowed_by,
                h.quarter_hours
         FROM handover h LEFT JOIN own_sign_off w ON w.id = h.own_sign_off_id
         WHERE h.submission_id = $1 ORDER BY h.ordinal",
    )
    .bind::<SqlUuid, _>(submission_id)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Handover {
                verb: verb_of(&row.verb)?,
                at: row.at,
                by: id_of(Some(&row.by_kind), row.by_id)?,
                by_name: row.by_name,
                reason: row.reason,
                own_sign_off: row.own_sign_off,
                allowed_by: row.allowed_by,
                hours: row
                    .quarter_hours
                    .and_then(|quarters| Hours::of_quarters(quarters.unsigned_abs())),
            })
        })
        .collect()
}

/// Whose version for which round of which return was accepted at some time.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct OnceAccepted {
    /// GSS code.
    #[diesel(sql_type = Text)]
    pub organisation: String,
    #[diesel(sql_type = Text)]
    pub return_id: String,
    #[diesel(sql_type = Text)]
    pub period_label: String,
}

pub async fn once_accepted(conn: &mut Conn) -> Result<Vec<OnceAccepted>, DbError> {
    Ok(statement(
        "SELECT DISTINCT o.organisation, c.return_id, c.period_label
         FROM handover h
         JOIN submission s ON s.id = h.submission_id
         JOIN obligation o ON o.id = s.obligation_id
         JOIN cycle c ON c.id = o.cycle_id
         WHERE h.verb = 'accept' ORDER BY 2, 3, 1",
    )
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How much was done with the versions of what an organisation owes in a round: it only ever grows.
pub async fn n_done(
    conn: &mut Conn,
    organisation: &str,
    return_id: &str,
    period_label: &str,
) -> Result<i64, DbError> {
    let count: Count = statement(
        "SELECT count(h.verb) AS n
         FROM cycle c
         JOIN obligation o ON o.cycle_id = c.id
         JOIN submission s ON s.obligation_id = o.id
         JOIN handover h ON h.submission_id = s.id
         WHERE o.organisation = $1 AND c.return_id = $2 AND c.period_label = $3",
    )
    .bind::<Text, _>(organisation)
    .bind::<Text, _>(return_id)
    .bind::<Text, _>(period_label)
    .get_result(conn.connection())
    .await?;
    Ok(count.n)
}

/// A version that came after another, and was not withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct NewerVersion {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub version_number: i32,
    #[diesel(sql_type = Text)]
    pub uploaded_by: String,
    #[diesel(sql_type = Timestamptz)]
    pub received_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    pub is_nil: bool,
}

/// The newest version after this one that was not withdrawn.
pub async fn newer(conn: &mut Conn, submission_id: Uuid) -> Result<Option<NewerVersion>, DbError> {
    let mut rows: Vec<NewerVersion> = statement(
        "SELECT n.id, n.version_number, n.uploaded_by, n.received_at, n.is_nil
         FROM submission s JOIN submission n ON n.obligation_id = s.obligation_id AND n.version_number > s.version_number
         WHERE s.id = $1
           AND NOT EXISTS (SELECT FROM handover h WHERE h.submission_id = n.id AND h.verb = 'withdraw')
         ORDER BY n.version_number DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(submission_id)
    .load(conn.connection())
    .await?;
    Ok(rows.pop())
}
