//! How far a job is: what its worker says while it does it, and how many come before one that waits.

use db::statement::statement;
use db::{Conn, DbError};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;

use crate::Claimed;

/// Of a job that waits or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub is_running: bool,
    /// As its worker noted it last; `None` before that.
    pub stage: Option<String>,
    /// How many jobs that are due are taken before this one, while it waits.
    pub n_before: u64,
    /// How often it was started and failed.
    pub n_failures: u32,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    is_running: bool,
    #[diesel(sql_type = Nullable<Text>)]
    stage: Option<String>,
    #[diesel(sql_type = BigInt)]
    n_before: i64,
    #[diesel(sql_type = Integer)]
    attempts: i32,
}

/// Keeps what the worker of a job says that it is doing; nothing is kept once the job is somebody else's.
pub async fn note_stage(conn: &mut Conn, job: &Claimed, stage: &str) -> Result<(), DbError> {
    statement("UPDATE job SET stage = $3 WHERE id = $1 AND lease_token = $2")
        .bind::<BigInt, _>(job.id)
        .bind::<SqlUuid, _>(job.lease_token)
        .bind::<Text, _>(stage)
        .execute(conn.connection())
        .await?;
    Ok(())
}

/// How far the job with this key is, among jobs of these kinds; `None` where none waits or runs.
pub async fn progress(
    conn: &mut Conn,
    dedupe_key: &str,
    kinds: &[&str],
) -> Result<Option<Progress>, DbError> {
    let row: Option<Row> = statement(
        "SELECT j.state = 'running' AND j.lease_until >= now() AS is_running, j.stage, j.attempts,
            (SELECT count(*) FROM job b
             WHERE b.state = 'ready' AND b.kind = ANY ($2) AND b.run_at <= now()
               AND (b.run_at, b.id) < (j.run_at, j.id)) AS n_before
         FROM job j WHERE j.dedupe_key = $1 AND j.state IN ('ready', 'running')",
    )
    .bind::<Text, _>(dedupe_key)
    .bind::<Array<Text>, _>(kinds)
    .get_result(conn.connection())
    .await
    .optional()?;
    Ok(row.map(|row| Progress {
        is_running: row.is_running,
        stage: row.stage,
        n_before: row.n_before.unsigned_abs(),
        n_failures: row
            .attempts
            .unsigned_abs()
            .saturating_sub(u32::from(row.is_running)),
    }))
}
