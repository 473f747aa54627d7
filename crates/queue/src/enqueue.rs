//! Adding work, in the caller's transaction.

use chrono::{DateTime, Utc};
use db::statement::statement;
use db::{DbError, Tx};
use diesel::sql_types::{Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// How often a job is tried, unless it says otherwise.
pub(crate) const ATTEMPTS: u32 = 10;

/// Work to add.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    pub kind: &'a str,
    /// Ids, never personal data.
    pub payload: serde_json::Value,
    /// While a job with this key waits or runs, no second one is added.
    pub dedupe_key: Option<&'a str>,
    /// `None`: now.
    pub run_at: Option<DateTime<Utc>>,
    pub max_attempts: u32,
    /// The kind of job that is put in when this one is given up, with the same payload.
    pub then: Option<&'a str>,
}

impl<'a> NewJob<'a> {
    pub fn new(kind: &'a str, payload: serde_json::Value) -> Self {
        Self {
            kind,
            payload,
            dedupe_key: None,
            run_at: None,
            max_attempts: ATTEMPTS,
            then: None,
        }
    }

    pub fn once(mut self, dedupe_key: &'a str) -> Self {
        self.dedupe_key = Some(dedupe_key);
        self
    }

    pub fn when_given_up(mut self, kind: &'a str) -> Self {
        self.then = Some(kind);
        self
    }
}

/// Adds a job, which runs once the transaction is committed; false where its key waits or runs already.
pub async fn enqueue(tx: &mut Tx, job: &NewJob<'_>) -> Result<bool, DbError> {
    let n_added = statement(
        "INSERT INTO job (kind, payload, dedupe_key, run_at, max_attempts, then_kind)
         VALUES ($1, $2, $3, coalesce($4, now()), $5, $6)
         ON CONFLICT (dedupe_key) WHERE state IN ('ready', 'running') DO NOTHING",
    )
    .bind::<Text, _>(job.kind)
    .bind::<Jsonb, _>(&job.payload)
    .bind::<Nullable<Text>, _>(job.dedupe_key)
    .bind::<Nullable<Timestamptz>, _>(job.run_at)
    .bind::<Integer, _>(i32::try_from(job.max_attempts).unwrap_or(i32::MAX))
    .bind::<Nullable<Text>, _>(job.then)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}
