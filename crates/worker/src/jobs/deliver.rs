//! Delivers a message to a server that asked for it.

use std::sync::Arc;

use chrono::Utc;
use queue::{Claimed, HandlerError};
use webhook::{Message, PostError, Secret};
use workflow::{DeliverJob, NextDelivery};

use crate::Worker;

/// Replay is harmless: what was taken is not sent again, but for the moment between the server's yes and our note of it,
/// and then its id is the same.
pub(crate) async fn deliver(
    worker: Arc<Worker>,
    job: DeliverJob,
    claimed: Claimed,
) -> Result<(), HandlerError> {
    let (db, actor) = (&worker.db, Worker::actor());
    let wanted = workflow::to_deliver(db, &actor, &job, &worker.base_url).await?;
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let message = Message {
        id: wanted.id,
        body: wanted.body,
    };
    let secret = Secret::of(wanted.secret);
    let posted = worker
        .poster
        .post(&wanted.url, &secret, &message, Utc::now())
        .await;
    let failure = posted.as_ref().err().map(ToString::to_string);
    let went = match &posted {
        Ok(status) => Ok(*status),
        Err(error) => Err((PostError::status(error), failure.as_deref().unwrap_or("?"))),
    };
    let (id, nth) = (job.message_id, claimed.attempts.unsigned_abs());
    match workflow::note_delivery(db, &actor, id, nth, went, Utc::now()).await? {
        NextDelivery::Done => Ok(()),
        NextDelivery::After(pause) => Err(HandlerError::after(pause, failure.unwrap_or_default())),
        NextDelivery::GivenUp => {
            tracing::warn!(message = %id, failure, "a message to a server was given up");
            Ok(())
        }
    }
}
