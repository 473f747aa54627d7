//! Tells people of what was written, asked for or decided.

use std::sync::Arc;

use queue::HandlerError;
use workflow::TellNewsJob;

use crate::Worker;

pub(crate) async fn tell_news(worker: Arc<Worker>, job: TellNewsJob) -> Result<(), HandlerError> {
    Ok(workflow::tell_news(&worker.db, &Worker::actor(), &job).await?)
}
