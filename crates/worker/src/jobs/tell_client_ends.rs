//! Tells who made a program's token that it ends soon.

use std::sync::Arc;

use chrono::Utc;
use queue::HandlerError;
use workflow::TellClientEndsJob;

use crate::Worker;

/// Replay is harmless: each is told once.
pub(crate) async fn tell_client_ends(
    worker: Arc<Worker>,
    job: TellClientEndsJob,
) -> Result<(), HandlerError> {
    workflow::tell_client_ends(&worker.db, &Worker::actor(), &job, Utc::now()).await?;
    Ok(())
}
