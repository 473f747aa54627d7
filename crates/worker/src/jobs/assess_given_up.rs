//! Says that checking a submission was given up.

use std::sync::Arc;

use queue::HandlerError;
use workflow::AssessGivenUpJob;

use crate::Worker;

/// Replay is harmless: a submission is marked once, and its sender told once.
pub(crate) async fn assess_given_up(
    worker: Arc<Worker>,
    job: AssessGivenUpJob,
) -> Result<(), HandlerError> {
    tracing::error!(submission = %job.submission_id, "checking a submission was given up; when the cause is mended: lgdp admin retry");
    workflow::give_up(&worker.db, &Worker::actor(), job.submission_id).await?;
    Ok(())
}
