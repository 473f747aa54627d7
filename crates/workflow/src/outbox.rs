//! Messages: put into the outbox in the transaction they tell of, sent by a job of their own.

use std::time::Duration;

use db::emails::{self, About, NewEmail};
use db::{Db, DbError, Tx};
use mail::{Email, Message, RenderError};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::Actor;
use crate::actor::{Deed, record, sees};

/// The job: send one message of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendEmailJob {
    pub email_id: Uuid,
}

impl SendEmailJob {
    pub const KIND: &'static str = "send-email";
}

/// The pauses after each failed attempt; after one more a message is undeliverable.
const PAUSES: [Duration; 7] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(24),
];

/// More than a message's attempts, since a worker may fail before it gets to count one.
const MAX_JOB_ATTEMPTS: u32 = 20;

/// Puts a message into the outbox; nothing happens where the submission has one of its kind, or its sender wants none.
pub(crate) async fn post(
    tx: &mut Tx,
    submission_id: Uuid,
    recipient: Option<&str>,
    message: &Message,
) -> Result<(), DbError> {
    let about = About::Submission(submission_id);
    match recipient {
        Some(recipient) => put(tx, about, None, recipient, message).await,
        None => Ok(()),
    }
}

/// Puts a message into the outbox that tells of one of many such things; nothing happens where its recipient was told.
pub(crate) async fn post_on(
    tx: &mut Tx,
    occasion: Uuid,
    about: About,
    recipient: &str,
    message: &Message,
) -> Result<(), DbError> {
    put(tx, about, Some(occasion), recipient, message).await
}

/// Puts a message to somebody into the outbox.
pub(crate) async fn post_to_person(
    tx: &mut Tx,
    person_id: Uuid,
    recipient: &str,
    message: &Message,
) -> Result<(), DbError> {
    put(tx, About::Person(person_id), None, recipient, message).await
}

async fn put(
    tx: &mut Tx,
    about: About,
    occasion: Option<Uuid>,
    recipient: &str,
    message: &Message,
) -> Result<(), DbError> {
    let id = Uuid::now_v7();
    let payload =
        serde_json::to_value(message).map_err(|error| DbError::Stored(error.to_string()))?;
    let email = NewEmail {
        id,
        kind: message.kind(),
        about,
        occasion,
        recipient,
        payload,
        message_id: &format!("{id}@lgdp"),
    };
    if emails::add(tx, &email).await? {
        let job = NewJob {
            max_attempts: MAX_JOB_ATTEMPTS,
            ..NewJob::new(SendEmailJob::KIND, json!(SendEmailJob { email_id: id }))
        };
        queue::enqueue(tx, &job).await?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    #[error("the stored message can't be read: {0}")]
    Payload(#[from] serde_json::Error),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A message as it goes out; `None` where it no longer waits. Links begin with `base_url`, which has no slash at its end.
pub async fn email_to_send(
    db: &Db,
    actor: &Actor,
    email_id: Uuid,
    base_url: &str,
) -> Result<Option<Email>, EmailError> {
    let queued = emails::find_queued(&mut *db.read(&sees(actor)).await?, email_id).await?;
    let Some(queued) = queued else {
        return Ok(None);
    };
    let message: Message = serde_json::from_value(queued.payload)?;
    Ok(Some(message.render(
        &queued.recipient,
        &queued.message_id,
        base_url,
    )?))
}

/// The mail server took it; harmless when repeated.
pub async fn mark_email_sent(db: &Db, actor: &Actor, email_id: Uuid) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    if let Some(submission_id) = emails::set_sent(&mut tx, email_id).await? {
        let deed = told("send_email", submission_id, email_id);
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await
}

/// When to try a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    After(Duration),
    Undeliverable,
}

/// Counts a failed attempt and says when to try again.
pub async fn mark_email_failed(
    db: &Db,
    actor: &Actor,
    email_id: Uuid,
    error: &str,
) -> Result<NextAttempt, DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let attempts = emails::count_failure(&mut tx, email_id, error).await?;
    let pause = attempts
        .and_then(|attempts| usize::try_from(attempts).ok())
        .and_then(|attempts| PAUSES.get(attempts.saturating_sub(1)));
    let next = match pause {
        Some(&pause) => NextAttempt::After(pause),
        None => {
            if let Some(submission_id) = emails::set_undeliverable(&mut tx, email_id).await? {
                let deed = told("give_up_email", submission_id, email_id);
                record(&mut tx, actor, deed).await?;
            }
            NextAttempt::Undeliverable
        }
    };
    tx.commit().await?;
    Ok(next)
}

fn told(verb: &'static str, submission_id: Option<Uuid>, email_id: Uuid) -> Deed<'static> {
    Deed {
        verb,
        organisation: None,
        obligation_id: None,
        submission_id,
        details: json!({"email": email_id}),
    }
}
