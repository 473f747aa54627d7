//! A submission whose checks were given up: said by the worker that finds it so, put right by a person.

use db::submissions;
use db::{Db, DbError};
use mail::Message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, is_system, record, sees};
use crate::{Actor, outbox, to_assess};

/// The job that follows an assess job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessGivenUpJob {
    pub submission_id: Uuid,
}

impl AssessGivenUpJob {
    pub const KIND: &'static str = "assess-given-up";
}

/// Marks a submission whose checks were given up, and tells its sender that this is no fault of theirs.
/// Nothing happens where it is assessed after all, or is marked already.
pub async fn give_up(db: &Db, actor: &Actor, submission_id: Uuid) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    submissions::lock(&mut tx, submission_id).await?;
    let Some(submission) = submissions::find(&mut tx, submission_id).await? else {
        return tx.rollback().await;
    };
    if !submissions::set_attention(&mut tx, submission_id).await? {
        return tx.rollback().await;
    }
    let message = Message::Delay(mail::Delay {
        submission_id: submission_id.to_string(),
        organisation_name: submission.organisation_name.clone(),
        return_title: submission.round.return_title.clone(),
        period: submission.round.period.in_words(),
        version_number: submission.version_number,
        file_name: submission.file_name.clone(),
    });
    outbox::post(
        &mut tx,
        submission_id,
        submission.contact_email.as_deref(),
        &message,
    )
    .await?;
    let deed = Deed {
        verb: "give_up",
        organisation: Some(&submission.organisation),
        obligation_id: Some(submission.obligation_id),
        submission_id: Some(submission_id),
        details: json!({}),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await
}

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
    if !is_system(actor) {
        return Err(RetryError::NotAllowed);
    }
    let mut tx = db.begin(&sees(actor)).await?;
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
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}
