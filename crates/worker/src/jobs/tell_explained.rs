//! Tells a return's team that more is explained.

use std::sync::Arc;

use queue::HandlerError;
use workflow::TellExplainedJob;

use crate::Worker;

pub(crate) async fn tell_explained(
    worker: Arc<Worker>,
    job: TellExplainedJob,
) -> Result<(), HandlerError> {
    Ok(workflow::tell_explained(&worker.db, &Worker::actor(), &job).await?)
}
