//! Trying again what was given up.

use db::submissions;
use db::{Db, DbError};
use serde_json::json;
use uuid::Uuid;

use crate::actor::Deed;
use crate::{Actor, to_assess};

#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    #[error("only the office and its systems may try a submission again")]
    NotAllowed,
    #[error("there is no submission {0}")]
    UnknownSubmission(Uuid),
    #[error("submission {0} does not need attention: it is assessed, or will be")]
    NotNeeded(Uuid),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Assesses a submission that needs attention once more, from its first attempt on.
pub async fn retry(db: &Db, actor: &Actor, submission_id: Uuid) -> Result<(), RetryError> {
    if actor.only().is_some() {
        return Err(RetryError::NotAllowed);
    }
    let mut tx = db.begin().await?;
    submissions::lock(&mut tx, submission_id).await?;
    let submission = submissions::find(&mut tx, submission_id)
        .await?
        .ok_or(RetryError::UnknownSubmission(submission_id))?;
    if !submission.needs_attention() {
        return Err(RetryError::NotNeeded(submission_id));
    }
    submissions::clear_attention(&mut tx, submission_id).await?;
    to_assess::enqueue(&mut tx, submission_id).await?;
    let deed = Deed {
        verb: "retry",
        organisation: Some(&submission.organisation),
        obligation_id: Some(submission.obligation_id),
        submission_id: Some(submission_id),
        details: json!({}),
    };
    actor.records(&mut tx, deed).await?;
    tx.commit().await?;
    Ok(())
}
