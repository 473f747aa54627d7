//! Schedules as people see and change them; what is due of them is `queue`'s.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;

use crate::actors::columns_of;
use crate::explanations::By;
use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// What is done again and again.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Schedule {
    #[diesel(sql_type = Text)]
    pub name: String,
    /// In cron's five fields.
    #[diesel(sql_type = Text)]
    pub rule: String,
    /// As `Europe/London`.
    #[diesel(sql_type = Text)]
    pub zone: String,
    #[diesel(sql_type = Text)]
    pub job_kind: String,
    /// A sentence.
    #[diesel(sql_type = Text)]
    pub purpose: String,
    /// `None`: about no return in particular.
    #[diesel(sql_type = Nullable<Text>)]
    pub return_id: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_on: bool,
    #[diesel(sql_type = Bool)]
    pub is_ended: bool,
    /// The newest moment that was fired.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub n_late: i64,
}

/// The statement that reads schedules; `rest` says which.
fn select(rest: &str) -> String {
    format!(
        "SELECT s.name, s.rule, s.zone, s.job_kind, s.purpose, s.return_id, s.is_on, s.is_ended,
                (SELECT max(f.nominal_at) FROM schedule_fire f WHERE f.schedule = s.name) AS last_at,
                (SELECT count(*) FROM schedule_fire f WHERE f.schedule = s.name AND f.is_late) AS n_late
         FROM schedule s {rest}"
    )
}

/// Those that were not ended first.
pub async fn all(conn: &mut Conn) -> Result<Vec<Schedule>, DbError> {
    Ok(statement(select("ORDER BY s.is_ended, s.purpose, s.name"))
        .load(conn.connection())
        .await?)
}

pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<Schedule>, DbError> {
    Ok(statement(select("WHERE s.name = $1"))
        .bind::<Text, _>(name)
        .get_result(conn.connection())
        .await
        .optional()?)
}

/// As [`find`], for whoever changes it: nobody else does, nor fires it, until the transaction is over.
pub async fn lock(tx: &mut Tx, name: &str) -> Result<Option<Schedule>, DbError> {
    Ok(statement(select("WHERE s.name = $1 FOR UPDATE OF s"))
        .bind::<Text, _>(name)
        .get_result(tx.connection())
        .await
        .optional()?)
}

/// A moment that was fired.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Firing {
    #[diesel(sql_type = Timestamptz)]
    pub nominal_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub fired_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    pub is_late: bool,
}

/// The newest moments first, so many at most; only those that were late where it is so asked.
pub async fn firings(
    conn: &mut Conn,
    name: &str,
    which: Firings,
    n_most: u32,
) -> Result<Vec<Firing>, DbError> {
    Ok(statement(
        "SELECT nominal_at, fired_at, is_late FROM schedule_fire
         WHERE schedule = $1 AND (is_late OR NOT $2) ORDER BY nominal_at DESC LIMIT $3",
    )
    .bind::<Text, _>(name)
    .bind::<Bool, _>(which == Firings::Late)
    .bind::<BigInt, _>(i64::from(n_most))
    .load(conn.connection())
    .await?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firings {
    All,
    Late,
}

/// What was done with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Change {
    /// `add`, `change`, `pause`, `resume` or `end`.
    #[diesel(sql_type = Text)]
    pub what: String,
    /// From then on.
    #[diesel(sql_type = Text)]
    pub rule: String,
    #[diesel(sql_type = Text)]
    pub zone: String,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub by_name: String,
}

/// The newest first.
pub async fn changes(conn: &mut Conn, name: &str) -> Result<Vec<Change>, DbError> {
    Ok(statement(
        "SELECT what, rule, zone, reason, at, by_name FROM schedule_change WHERE schedule = $1 ORDER BY id DESC",
    )
    .bind::<Text, _>(name)
    .load(conn.connection())
    .await?)
}

/// A schedule to add. It counts once that it was added is kept as a change, too.
#[derive(Debug, Clone)]
pub struct NewSchedule<'a> {
    pub name: &'a str,
    pub rule: &'a str,
    pub zone: &'a str,
    pub job_kind: &'a str,
    pub purpose: &'a str,
    pub return_id: Option<&'a str>,
}

/// False where one of this name is there.
pub async fn add(tx: &mut Tx, new: &NewSchedule<'_>) -> Result<bool, DbError> {
    let n_added = statement(
        "INSERT INTO schedule (name, rule, zone, job_kind, purpose, return_id)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
    )
    .bind::<Text, _>(new.name)
    .bind::<Text, _>(new.rule)
    .bind::<Text, _>(new.zone)
    .bind::<Text, _>(new.job_kind)
    .bind::<Text, _>(new.purpose)
    .bind::<Nullable<Text>, _>(new.return_id)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// Something to do with a schedule.
#[derive(Debug, Clone)]
pub struct NewChange<'a> {
    pub schedule: &'a str,
    pub what: &'a str,
    pub rule: &'a str,
    pub zone: &'a str,
    pub reason: &'a str,
    /// From when on it counts; `None`: from now on.
    pub at: Option<DateTime<Utc>>,
    pub by: By<'a>,
}

/// Keeps what is done; the schedule is as it says from then on.
pub async fn change(tx: &mut Tx, new: &NewChange<'_>) -> Result<(), DbError> {
    let (by_kind, by_id) = columns_of(new.by.id);
    statement(
        "INSERT INTO schedule_change (schedule, what, rule, zone, reason, at, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, coalesce($6, clock_timestamp()), $7, $8, $9)",
    )
    .bind::<Text, _>(new.schedule)
    .bind::<Text, _>(new.what)
    .bind::<Text, _>(new.rule)
    .bind::<Text, _>(new.zone)
    .bind::<Text, _>(new.reason)
    .bind::<Nullable<Timestamptz>, _>(new.at)
    .bind::<Nullable<Text>, _>(by_kind)
    .bind::<Nullable<SqlUuid>, _>(by_id)
    .bind::<Text, _>(new.by.name)
    .execute(tx.connection())
    .await?;
    Ok(())
}
