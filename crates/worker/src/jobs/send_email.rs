//! Sends one email of the outbox.

use std::sync::Arc;

use queue::HandlerError;
use workflow::{NextAttempt, SendEmailJob};

use crate::Worker;

/// Replay is harmless: what was sent is not sent again, but for the moment between the mail server's yes and our note of it,
/// and then the Message-ID is the same.
pub(crate) async fn send_email(worker: Arc<Worker>, job: SendEmailJob) -> Result<(), HandlerError> {
    let (db, actor, id) = (&worker.db, Worker::actor(), job.email_id);
    let Some(email) = workflow::email_to_send(db, &actor, id, &worker.base_url).await? else {
        return Ok(());
    };
    let Err(error) = worker.mailer.send(&email).await else {
        workflow::mark_email_sent(db, &actor, id).await?;
        return Ok(());
    };
    let reason = error.to_string();
    match workflow::mark_email_failed(db, &actor, id, &reason).await? {
        NextAttempt::After(pause) => Err(HandlerError::after(pause, reason)),
        NextAttempt::Undeliverable => {
            tracing::warn!(email = %id, reason, "an email is undeliverable");
            Ok(())
        }
    }
}
