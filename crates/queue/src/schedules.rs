//! Schedules: each moment's job is put in once, by whichever process gets there first, also where none was there in time.

use chrono::{DateTime, TimeDelta, Utc};
use cycle::Schedule;
use db::statement::statement;
use db::{Conn, DbError, Tx};
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{NewJob, enqueue};

/// What a job of a schedule is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledJob {
    pub schedule: String,
    /// The moment it is for; when it runs may be much later.
    pub nominal_at: DateTime<Utc>,
}

/// What came of looking at a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Moments whose job was put in now, in order.
    pub fired: Vec<DateTime<Utc>>,
    /// The next moment; `None` where it is turned off or another process looks at it.
    pub next: Option<DateTime<Utc>>,
    /// The time it is.
    pub now: DateTime<Utc>,
}

/// A job is late that was put in this long after its moment.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// No more are made up for in one go; those that are left are next time.
const MOST_AT_ONCE: usize = 500;

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// All that are turned on.
pub async fn names(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let rows: Vec<Name> = statement("SELECT name FROM schedule WHERE is_on ORDER BY name")
        .load(conn.connection())
        .await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

#[derive(QueryableByName)]
struct ScheduleRow {
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    zone: String,
    #[diesel(sql_type = Text)]
    job_kind: String,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    nominal_at: Option<DateTime<Utc>>,
}

/// Puts in the jobs of every moment of a schedule that has come and was not seen to, in order. The time is the database's,
/// unless a test says it. Where the clock was put back there is nothing to do until it is past the newest moment again.
pub async fn look(tx: &mut Tx, name: &str, now: Option<DateTime<Utc>>) -> Result<Looked, DbError> {
    // Who holds it sees to it: nobody waits.
    let found: Option<ScheduleRow> = statement(
        "SELECT rule, zone, job_kind, since, coalesce($2, clock_timestamp()) AS now
         FROM schedule WHERE name = $1 AND is_on FOR UPDATE SKIP LOCKED",
    )
    .bind::<Text, _>(name)
    .bind::<Nullable<Timestamptz>, _>(now)
    .get_result(tx.connection())
    .await
    .optional()?;
    let Some(found) = found else {
        return Ok(Looked {
            fired: Vec::new(),
            next: None,
            now: now.unwrap_or_default(),
        });
    };
    // In a statement of its own: what whoever held it put in is seen now.
    let newest: Newest =
        statement("SELECT max(nominal_at) AS nominal_at FROM schedule_fire WHERE schedule = $1")
            .bind::<Text, _>(name)
            .get_result(tx.connection())
            .await?;
    let schedule = Schedule::parse(&found.rule, &found.zone)
        .map_err(|error| DbError::Stored(format!("schedule {name}: {error}")))?;
    let seen_to = newest
        .nominal_at
        .map_or(found.since, |newest| newest.max(found.since));
    let mut fired = Vec::new();
    for nominal_at in schedule.between(seen_to, found.now, MOST_AT_ONCE) {
        let is_late = found.now.signed_duration_since(nominal_at) > LATE;
        let n_new = statement(
            "INSERT INTO schedule_fire (schedule, nominal_at, fired_at, is_late)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(nominal_at)
        .bind::<Timestamptz, _>(found.now)
        .bind::<Bool, _>(is_late)
        .execute(tx.connection())
        .await?;
        if n_new == 1 {
            let payload = json!(ScheduledJob {
                schedule: name.to_owned(),
                nominal_at,
            });
            enqueue(tx, &NewJob::new(&found.job_kind, payload)).await?;
            fired.push(nominal_at);
        }
    }
    let seen_to = fired.last().copied().unwrap_or(seen_to);
    let next = schedule.after(seen_to).next();
    Ok(Looked {
        fired,
        next,
        now: found.now,
    })
}
