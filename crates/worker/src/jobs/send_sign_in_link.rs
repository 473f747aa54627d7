//! Sends a link to sign in with.

use std::sync::Arc;

use chrono::Utc;
use queue::HandlerError;
use workflow::SendLinkJob;

use crate::Worker;

/// Replay sends another link, which does no harm: each is good once.
pub(crate) async fn send_sign_in_link(
    worker: Arc<Worker>,
    job: SendLinkJob,
) -> Result<(), HandlerError> {
    workflow::send_link(&worker.db, &job, Utc::now()).await?;
    Ok(())
}
