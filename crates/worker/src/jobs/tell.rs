//! Tells who has to know of something that was done with a version.

use std::sync::Arc;

use chrono::Utc;
use queue::HandlerError;
use workflow::TellJob;

use crate::Worker;

/// Replay is harmless: each is told once.
pub(crate) async fn tell(worker: Arc<Worker>, job: TellJob) -> Result<(), HandlerError> {
    workflow::tell(&worker.db, &Worker::actor(), &job, Utc::now()).await?;
    Ok(())
}
