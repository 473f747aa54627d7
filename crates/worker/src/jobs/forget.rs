//! Removes files that came in by the page and whose time is over, and marks those that could not be looked at.

use std::sync::Arc;

use queue::HandlerError;
use workflow::{ForgetJob, ParcelGivenUpJob};

use crate::{Worker, scratch};

/// Replay is harmless: what is gone stays gone.
pub(crate) async fn forget(worker: Arc<Worker>, job: ForgetJob) -> Result<(), HandlerError> {
    let actor = Worker::actor();
    scratch::sweep_or_warn(&worker.scratch).await;
    workflow::forget_in_time(&worker.db, &worker.files, &actor, job.parcel_id).await?;
    Ok(())
}

/// The sender may still say what it is, or send it again.
pub(crate) async fn given_up(
    worker: Arc<Worker>,
    job: ParcelGivenUpJob,
) -> Result<(), HandlerError> {
    tracing::error!(parcel = %job.parcel_id, "looking at a file was given up");
    workflow::give_up_parcel(&worker.db, &Worker::actor(), job.parcel_id).await?;
    Ok(())
}
