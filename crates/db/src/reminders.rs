//! The log of reminders: what was sent, and what was left out and why.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::cycles::{Obligation, obligations_of, select};
use crate::extensions::is_given_until;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Until the transaction is over nobody else decides on reminders.
pub async fn lock(tx: &mut Tx) -> Result<(), DbError> {
    statement("SELECT pg_advisory_xact_lock(hashtext('lgdp reminders'))")
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// What is due on a day or later, by organisation and day.
pub async fn due_from(
    conn: &mut Conn,
    from: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select(&format!(
        "WHERE c.due_on >= $1 OR {} ORDER BY o.organisation, c.due_on, o.id",
        is_given_until(">= $1")
    )))
    .bind::<Date, _>(from)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

/// What is due from one day up to and on another, by its own day or the round's, and what is due later and was moved.
pub async fn to_tell(
    conn: &mut Conn,
    (from, until): (NaiveDate, NaiveDate),
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let rows = statement(select(&format!(
        "WHERE c.due_on BETWEEN $1 AND $2
            OR {}
            OR (c.due_on > $2 AND (SELECT count(*) FROM cycle_date d WHERE d.cycle_id = c.id AND d.kind = 'due') > 1)
         ORDER BY o.organisation, c.due_on, o.id",
        is_given_until("BETWEEN $1 AND $2")
    )))
    .bind::<Date, _>(from)
    .bind::<Date, _>(until)
    .load(conn.connection())
    .await?;
    obligations_of(rows, today)
}

/// A step that was decided on.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Decided {
    #[diesel(sql_type = BigInt)]
    pub obligation_id: i64,
    /// `None`: for everybody.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub person_id: Option<Uuid>,
    /// The step, or `moved`, `cancelled` or `reinstated`.
    #[diesel(sql_type = Text)]
    pub rung: String,
    #[diesel(sql_type = Date)]
    pub due_on: NaiveDate,
    /// The fact about a day that was told of or passed over.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_date_id: Option<i64>,
    /// Otherwise it was left out.
    #[diesel(sql_type = Bool)]
    pub was_sent: bool,
}

/// What was decided on some duties, in the order in which it was.
pub async fn decided(conn: &mut Conn, obligations: &[i64]) -> Result<Vec<Decided>, DbError> {
    Ok(statement(
        "SELECT obligation_id, person_id, rung, due_on, cycle_date_id, digest_id IS NOT NULL AS was_sent
         FROM reminder WHERE obligation_id = ANY ($1) ORDER BY id",
    )
    .bind::<Array<BigInt>, _>(obligations)
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Who has had the email of a day.
pub async fn told_on(conn: &mut Conn, on: NaiveDate) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<Id> = statement("SELECT person_id AS id FROM reminder_digest WHERE on_day = $1")
        .bind::<Date, _>(on)
        .load(conn.connection())
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The email of a person's day; `None` where there was one.
pub async fn begin_digest(
    tx: &mut Tx,
    person_id: Uuid,
    on: NaiveDate,
) -> Result<Option<Uuid>, DbError> {
    let row: Option<Id> = statement(
        "INSERT INTO reminder_digest (id, person_id, on_day) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<SqlUuid, _>(person_id)
    .bind::<Date, _>(on)
    .get_result(tx.connection())
    .await
    .optional()?;
    Ok(row.map(|row| row.id))
}

/// A decision to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReminder {
    pub obligation_id: i64,
    pub organisation: String,
    pub person_id: Option<Uuid>,
    pub rung: &'static str,
    pub due_on: NaiveDate,
    /// The day before it, and the fact that moved it.
    pub moved: Option<(NaiveDate, i64)>,
    pub came_to: CameTo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameTo {
    /// In this email.
    Sent(Uuid),
    LeftOut(&'static str),
}

/// Keeps decisions; gives how many are new.
pub async fn add(tx: &mut Tx, new: &[NewReminder]) -> Result<usize, DbError> {
    let ids: Vec<i64> = new.iter().map(|one| one.obligation_id).collect();
    let organisations: Vec<&str> = new.iter().map(|one| one.organisation.as_str()).collect();
    let people: Vec<Option<Uuid>> = new.iter().map(|one| one.person_id).collect();
    let rungs: Vec<&str> = new.iter().map(|one| one.rung).collect();
    let days: Vec<NaiveDate> = new.iter().map(|one| one.due_on).collect();
    let froms: Vec<Option<NaiveDate>> = new
        .iter()
        .map(|one| one.moved.map(|(from, _)| from))
        .collect();
    let facts: Vec<Option<i64>> = new
        .iter()
        .map(|one| one.moved.map(|(_, fact)| fact))
        .collect();
    let whys: Vec<Option<&str>> = new
        .iter()
        .map(|one| match one.came_to {
            CameTo::LeftOut(why) => Some(why),
            CameTo::Sent(_) => None,
        })
        .collect();
    let digests: Vec<Option<Uuid>> = new
        .iter()
        .map(|one| match one.came_to {
            CameTo::Sent(digest) => Some(digest),
            CameTo::LeftOut(_) => None,
        })
        .collect();
    let n_new = statement(
        "INSERT INTO reminder (obligation_id, organisation, person_id, rung, due_on, moved_from, cycle_date_id, left_out_because, digest_id)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind::<Array<BigInt>, _>(&ids)
    .bind::<Array<Text>, _>(&organisations)
    .bind::<Array<Nullable<SqlUuid>>, _>(&people)
    .bind::<Array<Text>, _>(&rungs)
    .bind::<Array<Date>, _>(&days)
    .bind::<Array<Nullable<Date>>, _>(&froms)
    .bind::<Array<Nullable<BigInt>>, _>(&facts)
    .bind::<Array<Nullable<Text>>, _>(&whys)
    .bind::<Array<Nullable<SqlUuid>>, _>(&digests)
    .execute(tx.connection())
    .await?;
    Ok(n_new)
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Logged {
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// The step, or `moved`.
    #[diesel(sql_type = Text)]
    pub rung: String,
    #[diesel(sql_type = Date)]
    pub due_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    pub moved_from: Option<NaiveDate>,
    /// `None`: it was sent.
    #[diesel(sql_type = Nullable<Text>)]
    pub left_out_because: Option<String>,
    /// `None`: there was nobody.
    #[diesel(sql_type = Nullable<Text>)]
    pub person_name: Option<String>,
    #[diesel(sql_type = Text)]
    pub organisation: String,
    #[diesel(sql_type = Text)]
    pub organisation_name: String,
    /// Lines on all pages.
    #[diesel(sql_type = BigInt)]
    pub n_all: i64,
}

/// The statement that reads the log; `rest` says of what.
fn log(rest: &str) -> String {
    format!(
        "SELECT r.at, r.rung, r.due_on, r.moved_from, r.left_out_because, p.name AS person_name, r.organisation,
                g.name AS organisation_name, count(*) OVER () AS n_all
         FROM reminder r JOIN organisation g ON g.code = r.organisation LEFT JOIN person p ON p.id = r.person_id {rest}"
    )
}

/// What was decided on one duty, in order.
pub async fn log_of(conn: &mut Conn, obligation_id: i64) -> Result<Vec<Logged>, DbError> {
    Ok(statement(log("WHERE r.obligation_id = $1 ORDER BY r.id"))
        .bind::<BigInt, _>(obligation_id)
        .load(conn.connection())
        .await?)
}

/// What was decided in a round, the newest first: so many, after those of the pages before.
pub async fn log_of_round(
    conn: &mut Conn,
    cycle_id: i64,
    (n_before, n_most): (u32, u32),
) -> Result<Vec<Logged>, DbError> {
    Ok(statement(log(
        "WHERE r.obligation_id IN (SELECT id FROM obligation WHERE cycle_id = $1)
         ORDER BY r.id DESC LIMIT $2 OFFSET $3",
    ))
    .bind::<BigInt, _>(cycle_id)
    .bind::<BigInt, _>(i64::from(n_most))
    .bind::<BigInt, _>(i64::from(n_before))
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct Turned {
    #[diesel(sql_type = BigInt)]
    cycle_id: i64,
    #[diesel(sql_type = Text)]
    return_id: String,
    #[diesel(sql_type = Text)]
    period_label: String,
    #[diesel(sql_type = Text)]
    turn: String,
    #[diesel(sql_type = Date)]
    on_day: NaiveDate,
    #[diesel(sql_type = Text)]
    certainty: String,
}

/// A day of a round that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub cycle_id: i64,
    pub return_id: String,
    pub period_label: String,
    /// What the day is for.
    pub kind: String,
    pub on: NaiveDate,
    /// Whether the day was promised.
    pub certainty: String,
}

/// Notes the days of rounds that have come by today, and gives those that were not noted before. Days long past are none;
/// nor is a provisional day of closing, since files are still taken after it.
pub async fn note_turns(tx: &mut Tx, today: NaiveDate) -> Result<Vec<Turn>, DbError> {
    let rows: Vec<Turned> = statement(
        "WITH newest AS (
            SELECT DISTINCT ON (cycle_id, kind) cycle_id, kind, on_day, certainty FROM cycle_date ORDER BY cycle_id, kind, id DESC
         ), noted AS (
            INSERT INTO cycle_turn (cycle_id, turn, on_day)
            SELECT n.cycle_id, n.kind, n.on_day FROM newest n JOIN cycle c ON c.id = n.cycle_id
            WHERE n.on_day BETWEEN $1 - 31 AND $1 AND NOT c.is_cancelled AND (n.kind <> 'close' OR n.certainty = 'confirmed')
            ON CONFLICT DO NOTHING
            RETURNING cycle_id, turn, on_day
         )
         SELECT n.cycle_id, c.return_id, c.period_label, n.turn, n.on_day, w.certainty
         FROM noted n JOIN cycle c ON c.id = n.cycle_id JOIN newest w ON w.cycle_id = n.cycle_id AND w.kind = n.turn
         ORDER BY n.on_day, c.return_id, c.period_label",
    )
    .bind::<Date, _>(today)
    .load(tx.connection())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Turn {
            cycle_id: row.cycle_id,
            return_id: row.return_id,
            period_label: row.period_label,
            kind: row.turn,
            on: row.on_day,
            certainty: row.certainty,
        })
        .collect())
}
