//! What the schedules have done to rounds: days that have come are noted, people reminded, next rounds proposed,
//! releases drafted.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cycle::clock;
use queue::HandlerError;
use workflow::{Drafted, ScheduledJob};

use crate::Worker;

/// Now, and not before the moment that a job is for: the clock that put it in may be ahead of this machine's.
fn now(job: &ScheduledJob) -> DateTime<Utc> {
    Utc::now().max(job.nominal_at)
}

pub(crate) async fn turn(worker: Arc<Worker>, job: ScheduledJob) -> Result<(), HandlerError> {
    let today = clock::day(now(&job));
    workflow::turn_rounds(&worker.db, &Worker::actor(), today).await?;
    Ok(())
}

/// A job that runs late reminds of what is due when it runs: what it was for is past.
pub(crate) async fn remind(worker: Arc<Worker>, job: ScheduledJob) -> Result<(), HandlerError> {
    let told = workflow::remind(&worker.db, &Worker::actor(), now(&job)).await?;
    tracing::info!(
        sent = told.n_sent,
        emails = told.n_emails,
        left_out = told.n_left_out,
        "reminded people of their returns"
    );
    Ok(())
}

pub(crate) async fn propose(worker: Arc<Worker>, job: ScheduledJob) -> Result<(), HandlerError> {
    let today = clock::day(now(&job));
    let actor = Worker::actor();
    // What is a guess is for whoever plans the rounds to look at.
    let sure = |proposal: &workflow::Proposal| proposal.is_sure;
    workflow::plan_proposals(&worker.db, &actor, &worker.specs, sure, today).await?;
    Ok(())
}

pub(crate) async fn draft_release(
    worker: Arc<Worker>,
    job: ScheduledJob,
) -> Result<(), HandlerError> {
    let (db, actor) = (&worker.db, Worker::actor());
    match workflow::draft_scheduled(db, &actor, &worker.specs, &job).await? {
        Drafted::Release(id) => tracing::info!(schedule = job.schedule, release = %id, "drafted"),
        Drafted::Nothing => {
            tracing::info!(schedule = job.schedule, "nothing to draft a release of");
        }
    }
    Ok(())
}
