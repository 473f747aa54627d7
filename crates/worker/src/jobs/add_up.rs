//! Adds up what an organisation's records come to, for the first look.

use std::sync::Arc;

use queue::HandlerError;
use workflow::AddUpJob;

use crate::Worker;

/// Replay is harmless: what is kept already is not added up again.
pub(crate) async fn add_up(worker: Arc<Worker>, job: AddUpJob) -> Result<(), HandlerError> {
    workflow::add_up(&worker.db, &Worker::actor(), &worker.specs, &job).await?;
    let AddUpJob {
        return_id,
        organisation,
    } = job;
    tracing::debug!(return_id, organisation, "records are added up");
    Ok(())
}
