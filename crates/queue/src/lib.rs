//! A job table with leases; knows nothing of returns.
//!
//! A job is enqueued in the transaction that gives the reason for it, and runs at least once; what it does must bear being done again.
//! Whoever claims a job holds a lease and a token: the heartbeat extends the lease, and only the token's holder can finish the job.
//! A job can name another that is put in when it is given up, by the statement that gives it up, whoever runs that.
//! A schedule puts in its jobs the same way: one row for a moment, in one transaction with the job.
//! The database's clock alone decides what is due and whose lease is over.

mod claim;
mod enqueue;
mod progress;
mod runner;
pub mod schedules;

pub use claim::{Claimed, claim, extend, fail, finish, release};
pub use enqueue::{NewJob, enqueue};
pub use progress::{Progress, note_stage, progress};
pub use runner::{HandlerError, Retry, Runner, Stop};

use std::time::Duration;

/// How jobs are leased, retried and looked for. The durations are settings so that tests need no sleeping.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A worker that says nothing for this long is taken for dead.
    pub lease: Duration,
    /// How often a running job's lease is extended.
    pub heartbeat: Duration,
    /// How often to look for jobs when no notification comes.
    pub poll: Duration,
    /// The pause after the first failure; it doubles with each further one.
    pub backoff: Duration,
    /// The longest pause.
    pub longest_backoff: Duration,
    /// A job whose worker vanished this often is given up: it probably takes its worker with it.
    pub max_lapses: u32,
    /// Jobs run side by side.
    pub concurrency: usize,
    /// How long running jobs may go on after a stop is asked for; then they are given back.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(1),
            heartbeat: Duration::from_secs(15),
            poll: Duration::from_secs(5),
            backoff: Duration::from_secs(10),
            longest_backoff: Duration::from_hours(1),
            max_lapses: 3,
            concurrency: 2,
            grace: Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests;
