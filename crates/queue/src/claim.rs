//! Taking a job, keeping it, and saying what became of it.

use std::time::Duration;

use db::statement::statement;
use db::{Conn, DbError};
use diesel::sql_types::{Array, BigInt, Double, Integer, Jsonb, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Settings;
use crate::enqueue::ATTEMPTS;

/// A job that is ours until its lease runs out.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Claimed {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: serde_json::Value,
    /// Counts this one.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Integer)]
    pub max_attempts: i32,
    /// How often a worker vanished with it.
    #[diesel(sql_type = Integer)]
    pub n_lapses: i32,
    #[diesel(sql_type = SqlUuid)]
    pub lease_token: Uuid,
}

impl Claimed {
    /// Whether a failure now is the last.
    pub fn is_last_attempt(&self) -> bool {
        self.attempts >= self.max_attempts
    }
}

/// Takes the job that has been due longest, of these kinds; `None` where there is none.
pub async fn claim(
    conn: &mut Conn,
    kinds: &[String],
    settings: &Settings,
) -> Result<Option<Claimed>, DbError> {
    quarantine(conn, settings).await?;
    Ok(statement(
        "UPDATE job SET
            state = 'running',
            attempts = attempts + 1,
            n_lapses = n_lapses + (state = 'running')::int,
            lease_token = $1,
            lease_until = now() + make_interval(secs => $2),
            stage = NULL
         WHERE id = (
            SELECT id FROM job
            WHERE kind = ANY ($3)
              AND ((state = 'ready' AND run_at <= now()) OR (state = 'running' AND lease_until < now()))
            ORDER BY run_at, id
            LIMIT 1
            FOR UPDATE SKIP LOCKED
         )
         RETURNING id, kind, payload, attempts, max_attempts, n_lapses, lease_token",
    )
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<Double, _>(settings.lease.as_secs_f64())
    .bind::<Array<Text>, _>(kinds)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// Gives up jobs whose worker vanished too often.
async fn quarantine(conn: &mut Conn, settings: &Settings) -> Result<(), DbError> {
    let given_up: Vec<GivenUp> = statement(giving_up(
        "n_lapses = n_lapses + 1, last_error = 'its worker vanished ' || n_lapses + 1 || ' times'",
        "id IN (
            SELECT id FROM job WHERE state = 'running' AND lease_until < now() AND n_lapses + 1 >= $1
            FOR UPDATE SKIP LOCKED
         )",
    ))
    .bind::<Integer, _>(i32::try_from(settings.max_lapses).unwrap_or(i32::MAX))
    .load(conn.connection())
    .await?;
    for GivenUp { id, kind } in given_up {
        tracing::error!(job = id, kind, "gave up a job whose workers kept vanishing");
    }
    Ok(())
}

#[derive(QueryableByName)]
struct GivenUp {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// One statement, whoever runs it: jobs are given up, and those that are to follow are put in.
fn giving_up(set: &str, which: &str) -> String {
    format!(
        "WITH given_up AS (
            UPDATE job SET state = 'dead', finished_at = now(), lease_token = NULL, lease_until = NULL, {set}
            WHERE {which}
            RETURNING id, kind, payload, then_kind
         ), following AS (
            INSERT INTO job (kind, payload, max_attempts)
            SELECT then_kind, payload, {ATTEMPTS} FROM given_up WHERE then_kind IS NOT NULL
         )
         SELECT id, kind FROM given_up"
    )
}

/// Keeps the job; false where it is no longer ours.
pub async fn extend(conn: &mut Conn, job: &Claimed, settings: &Settings) -> Result<bool, DbError> {
    let n_kept = statement(
        "UPDATE job SET lease_until = now() + make_interval(secs => $3) WHERE id = $1 AND lease_token = $2",
    )
    .bind::<BigInt, _>(job.id)
    .bind::<SqlUuid, _>(job.lease_token)
    .bind::<Double, _>(settings.lease.as_secs_f64())
    .execute(conn.connection())
    .await?;
    Ok(n_kept == 1)
}

/// It is done; false where it is no longer ours to say so.
pub async fn finish(conn: &mut Conn, job: &Claimed) -> Result<bool, DbError> {
    let n_finished = statement(
        "UPDATE job SET state = 'done', finished_at = now(), lease_token = NULL, lease_until = NULL
         WHERE id = $1 AND lease_token = $2",
    )
    .bind::<BigInt, _>(job.id)
    .bind::<SqlUuid, _>(job.lease_token)
    .execute(conn.connection())
    .await?;
    Ok(n_finished == 1)
}

/// It failed: again after a pause (`None`: the usual one), or given up after its last attempt.
pub async fn fail(
    conn: &mut Conn,
    job: &Claimed,
    reason: &str,
    pause: Option<Duration>,
    settings: &Settings,
) -> Result<bool, DbError> {
    if job.is_last_attempt() {
        return give_up(conn, job, reason).await;
    }
    let exponent = u32::try_from(job.attempts - 1).unwrap_or(0).min(30);
    let usual = settings
        .backoff
        .saturating_mul(2_u32.saturating_pow(exponent))
        .min(settings.longest_backoff);
    // Spread by a fifth, so that jobs that failed together do not come back together.
    let n_failed = statement(
        "UPDATE job SET state = 'ready', lease_token = NULL, lease_until = NULL, last_error = $3,
            run_at = now() + make_interval(secs => $4 * (0.9 + 0.2 * random()))
         WHERE id = $1 AND lease_token = $2",
    )
    .bind::<BigInt, _>(job.id)
    .bind::<SqlUuid, _>(job.lease_token)
    .bind::<Text, _>(reason)
    .bind::<Double, _>(pause.unwrap_or(usual).as_secs_f64())
    .execute(conn.connection())
    .await?;
    Ok(n_failed == 1)
}

/// It will not be tried again; a person has to look.
pub(crate) async fn give_up(conn: &mut Conn, job: &Claimed, reason: &str) -> Result<bool, DbError> {
    let given_up: Vec<GivenUp> =
        statement(giving_up("last_error = $3", "id = $1 AND lease_token = $2"))
            .bind::<BigInt, _>(job.id)
            .bind::<SqlUuid, _>(job.lease_token)
            .bind::<Text, _>(reason)
            .load(conn.connection())
            .await?;
    Ok(!given_up.is_empty())
}

/// Gives the job back unharmed: the worker stops. The attempt does not count.
pub async fn release(conn: &mut Conn, job: &Claimed) -> Result<bool, DbError> {
    let n_released = statement(
        "UPDATE job SET state = 'ready', attempts = attempts - 1, lease_token = NULL, lease_until = NULL
         WHERE id = $1 AND lease_token = $2",
    )
    .bind::<BigInt, _>(job.id)
    .bind::<SqlUuid, _>(job.lease_token)
    .execute(conn.connection())
    .await?;
    Ok(n_released == 1)
}
