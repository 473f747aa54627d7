//! What an organisation and a return's team write to each other about a version.

use access::Action;
use db::messages::{self, NewMessage};
use db::submissions::{self, Submission};
use db::{Db, DbError};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, home_of, object, record, sees};
use crate::explain::written;
use crate::news::{self, TellNewsJob};
use crate::{Actor, Denied, ExplainError};

pub use db::messages::Message;

#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("nothing was written")]
    NoText,
    #[error("the text is too long")]
    LongText,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Keeps a message about a version. `id` is the form's: sent twice, it is there once.
pub async fn write_message(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    id: Uuid,
    text: &str,
) -> Result<(), MessageError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let found = submissions::find(&mut tx, submission_id).await?;
    let submission = found.ok_or(Denied::NotThere)?;
    allowed(actor, Action::WriteMessage, &object(&submission))?;
    let text = match written(text) {
        Ok(text) => text,
        Err(ExplainError::LongText) => return Err(MessageError::LongText),
        Err(_) => return Err(MessageError::NoText),
    };
    let message = NewMessage {
        id,
        submission_id,
        organisation: &submission.organisation,
        by: actor.id,
        by_name: &actor.name,
        by_organisation: home_of(actor, &submission.organisation),
        text: &text,
    };
    if messages::add(&mut tx, &message).await? {
        // What was written may be personal: it stays where it was written.
        let deed = Deed {
            verb: "write_message",
            organisation: Some(&submission.organisation),
            obligation_id: Some(submission.obligation_id),
            submission_id: Some(submission_id),
            details: json!({"message": id}),
        };
        record(&mut tx, actor, deed).await?;
        news::enqueue(&mut tx, &TellNewsJob::Message { message_id: id }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What was written about a version, oldest first; `None` where it is not to be read.
pub async fn messages(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
) -> Result<Option<Vec<Message>>, DbError> {
    if allowed(actor, Action::SeeMessages, &object(submission)).is_err() {
        return Ok(None);
    }
    let mut conn = db.read(&sees(actor)).await?;
    messages::of_submission(&mut conn, submission.id)
        .await
        .map(Some)
}

/// Whether an actor may read what was written about a version.
pub fn may_read_messages(actor: &Actor, submission: &Submission) -> bool {
    allowed(actor, Action::SeeMessages, &object(submission)).is_ok()
}

/// Whether an actor may write about a version.
pub fn may_write(actor: &Actor, submission: &Submission) -> bool {
    allowed(actor, Action::WriteMessage, &object(submission)).is_ok()
}
