//! Servers of senders and teams that are called when something happens: counts and links, no values.
//!
//! What is told is put down in the transaction that it tells of, or by the job that tells people of it, once for each
//! server. A job delivers it, again with longer and longer pauses, and an address that takes nothing for days is ended.

mod announce;

use std::time::Duration;

use access::{Action, ActorId, Grant, Object, Reach};
use chrono::{DateTime, TimeDelta, Utc};
use cycle::clock;
use db::webhooks::{self as stored, About};
use db::{Conn, Db, DbError, Sees, Tx, people};
use mail::Message as Mail;
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::actor::{Deed, allowed, record, sees};
use crate::{Actor, Denied, outbox};

pub use announce::WebhookEvent;
pub(crate) use announce::{announce_assessed, announce_deed, announce_release, announce_turn};
pub use db::webhooks::{About as WebhookAbout, Message as WebhookMessage, Webhook};

/// The pauses after each failed attempt; after one more a message is given up.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
];
/// An address that took nothing for so long is not called any more.
const ENDED_AFTER: TimeDelta = TimeDelta::days(5);
/// More than the longest pause: of an address that was not called for so long nobody knows whether it failed meanwhile.
const QUIET: TimeDelta = TimeDelta::hours(12);
/// More than a message's attempts, since a worker may fail before it gets to count one.
const MAX_JOB_ATTEMPTS: u32 = 20;
/// Shown of one address.
const SHOWN: i64 = 100;
/// Of one organisation or return.
const MOST: usize = 10;

/// An address to call.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// So that a form that is sent twice asks once.
    pub id: Uuid,
    pub reach: Reach,
    pub url: String,
    pub secret: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("this was asked for before, and its secret is shown only once")]
    MadeBefore,
    #[error("there are {MOST} for this already")]
    TooMany,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The job: deliver a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverJob {
    pub message_id: Uuid,
    /// Also where it was taken already.
    pub again: bool,
}

impl DeliverJob {
    pub const KIND: &'static str = "deliver-webhook";
}

fn may_manage(actor: &Actor, reach: &Reach) -> Result<(), Denied> {
    let object = match reach {
        Reach::Organisation(code) => Object {
            organisation: Some(code),
            ..Object::default()
        },
        Reach::Return(id) => Object {
            return_id: Some(id),
            ..Object::default()
        },
        Reach::Everything => Object::default(),
    };
    allowed(actor, Action::ManageClients, &object).map(|_| ())
}

/// Asks for an address to be called. Whether it is one that may be called is for the caller to see to.
pub async fn add_webhook(db: &Db, actor: &Actor, new: &NewWebhook) -> Result<(), WebhookError> {
    may_manage(actor, &new.reach)?;
    let webhook = Webhook {
        id: new.id,
        reach: new.reach.clone(),
        url: new.url.clone(),
        secret: new.secret.clone(),
        made_at: Utc::now(),
        made_by: match actor.id {
            ActorId::Person(id) => Some(id),
            _ => None,
        },
        failing_since: None,
        ended_at: None,
        is_ended_by_failing: false,
    };
    let mut tx = db.begin(&Sees::Everyone).await?;
    let (organisation, return_id) = parts(&new.reach);
    let others = stored::called_for(&mut tx, organisation, return_id).await?;
    if others.len() >= MOST {
        tx.rollback().await?;
        return Err(WebhookError::TooMany);
    }
    if !stored::add(&mut tx, &webhook).await? {
        tx.rollback().await?;
        return Err(WebhookError::MadeBefore);
    }
    record(&mut tx, actor, deed("add_webhook", &webhook)).await?;
    tx.commit().await?;
    Ok(())
}

fn parts(reach: &Reach) -> (Option<&str>, Option<&str>) {
    match reach {
        Reach::Organisation(code) => (Some(code), None),
        Reach::Return(id) => (None, Some(id)),
        Reach::Everything => (None, None),
    }
}

/// Whether an actor looks after it, and so may see its address.
pub fn may_manage_webhook(actor: &Actor, webhook: &Webhook) -> bool {
    may_manage(actor, &webhook.reach).is_ok()
}

/// An address may have a secret in it: the trail names it by its id.
fn deed<'a>(verb: &'static str, webhook: &'a Webhook) -> Deed<'a> {
    let (organisation, return_id) = parts(&webhook.reach);
    Deed {
        verb,
        organisation,
        obligation_id: None,
        submission_id: None,
        details: json!({"webhook": webhook.id, "return": return_id}),
    }
}

/// The addresses that an actor looks after, the newest first.
pub async fn webhooks(db: &Db, actor: &Actor) -> Result<Vec<Webhook>, DbError> {
    let mut all = stored::list(&mut *db.read(&sees(actor)).await?).await?;
    all.retain(|webhook| may_manage(actor, &webhook.reach).is_ok());
    Ok(all)
}

async fn managed(conn: &mut Conn, actor: &Actor, id: Uuid) -> Result<Webhook, Denied> {
    let found = stored::find(conn, id).await?;
    let webhook = found.ok_or(Denied::NotThere)?;
    may_manage(actor, &webhook.reach)?;
    Ok(webhook)
}

/// One of them, with what it was told last.
pub async fn webhook(
    db: &Db,
    actor: &Actor,
    id: Uuid,
) -> Result<(Webhook, Vec<WebhookMessage>), Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    let webhook = managed(&mut conn, actor, id).await?;
    let messages = stored::messages(&mut conn, id, SHOWN).await?;
    Ok((webhook, messages))
}

/// An address is not called any more; harmless when repeated.
pub async fn end_webhook(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Denied> {
    let webhook = managed(&mut *db.read(&sees(actor)).await?, actor, id).await?;
    let mut tx = db.begin(&Sees::Everyone).await?;
    if stored::end(&mut tx, id, now, false).await? {
        record(&mut tx, actor, deed("end_webhook", &webhook)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Ends those of somebody whose access ends; gives those that ended now.
pub(crate) async fn end_webhooks_of(
    tx: &mut Tx,
    actor: &Actor,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Webhook>, DbError> {
    let mut ended = Vec::new();
    for webhook in stored::made_by(tx, person_id).await? {
        if stored::end(tx, webhook.id, now, false).await? {
            record(tx, actor, deed("end_webhook", &webhook)).await?;
            ended.push(webhook);
        }
    }
    Ok(ended)
}

/// Has a message delivered once more, whatever became of it.
pub async fn send_again(
    db: &Db,
    actor: &Actor,
    webhook_id: Uuid,
    message_id: Uuid,
) -> Result<(), Denied> {
    let (webhook, message) = {
        let mut conn = db.read(&sees(actor)).await?;
        let webhook = managed(&mut conn, actor, webhook_id).await?;
        (webhook, stored::find_message(&mut conn, message_id).await?)
    };
    let message = message.filter(|message| message.webhook_id == webhook_id);
    let message = message.ok_or(Denied::NotThere)?;
    if webhook.ended_at.is_some() {
        return Ok(());
    }
    let mut tx = db.begin(&Sees::Everyone).await?;
    stored::set_given_up(&mut tx, message.id, None).await?;
    enqueue(&mut tx, message.id, true).await?;
    record(&mut tx, actor, deed("send_webhook_again", &webhook)).await?;
    tx.commit().await?;
    Ok(())
}

async fn enqueue(tx: &mut Tx, message_id: Uuid, again: bool) -> Result<(), DbError> {
    let job = NewJob {
        max_attempts: MAX_JOB_ATTEMPTS,
        ..NewJob::new(DeliverJob::KIND, json!(DeliverJob { message_id, again }))
    };
    queue::enqueue(tx, &job).await?;
    Ok(())
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDeliver {
    pub url: String,
    pub secret: Vec<u8>,
    pub id: String,
    /// JSON; links begin with the site's address.
    pub body: String,
}

/// A message that is to be delivered; `None`: not any more.
pub async fn to_deliver(
    db: &Db,
    actor: &Actor,
    job: &DeliverJob,
    base_url: &str,
) -> Result<Option<ToDeliver>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let Some(message) = stored::find_message(&mut conn, job.message_id).await? else {
        return Ok(None);
    };
    let webhook = stored::find(&mut conn, message.webhook_id).await?;
    let Some(webhook) = webhook.filter(|webhook| webhook.ended_at.is_none()) else {
        return Ok(None);
    };
    if message.taken_at.is_some() && !job.again {
        return Ok(None);
    }
    let mut data = message.data;
    let links = links(message.about, &data, base_url);
    if let Value::Object(fields) = &mut data {
        fields.insert("links".to_owned(), links);
    }
    let body = json!({"type": message.event, "timestamp": message.made_at, "data": data});
    Ok(Some(ToDeliver {
        url: webhook.url,
        secret: webhook.secret,
        id: message.id.to_string(),
        body: body.to_string(),
    }))
}

/// Where to read more: for a program, and for a person.
fn links(about: About, data: &Value, base_url: &str) -> Value {
    let (status, page) = match (about.submission_id, about.release_id) {
        (Some(id), _) => (
            format!("/api/submissions/{id}"),
            format!("/submissions/{id}"),
        ),
        (None, Some(id)) => (format!("/api/releases/{id}"), format!("/releases/{id}")),
        (None, None) => {
            let text = |name: &str| data[name].as_str().unwrap_or_default();
            let (return_id, period) = (text("return"), text("period"));
            (
                format!("/api/rounds?return={return_id}"),
                format!("/rounds/{return_id}/{period}"),
            )
        }
    };
    json!({"status": format!("{base_url}{status}"), "page": format!("{base_url}{page}")})
}

/// When to try a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextDelivery {
    Done,
    After(Duration),
    GivenUp,
}

/// Notes how the n-th attempt went, and says what now. `Err`: why it was not taken, and the answer's status.
pub async fn note_delivery(
    db: &Db,
    actor: &Actor,
    message_id: Uuid,
    nth: u32,
    went: Result<u16, (Option<u16>, &str)>,
    now: DateTime<Utc>,
) -> Result<NextDelivery, DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let Some(message) = stored::find_message(&mut tx, message_id).await? else {
        tx.rollback().await?;
        return Ok(NextDelivery::GivenUp);
    };
    let Some(webhook) = stored::find(&mut tx, message.webhook_id).await? else {
        tx.rollback().await?;
        return Ok(NextDelivery::GivenUp);
    };
    let noted = match went {
        Ok(status) => (Some(status), None),
        Err((status, failure)) => (status, Some(failure)),
    };
    let called_at = stored::last_called_at(&mut tx, webhook.id).await?;
    stored::add_attempt(&mut tx, message_id, &webhook, now, noted).await?;
    let next = if went.is_ok() {
        stored::set_taken(&mut tx, message_id, now).await?;
        stored::set_failing(&mut tx, webhook.id, None).await?;
        NextDelivery::Done
    } else {
        let was_quiet = called_at.is_none_or(|at| now - at > QUIET);
        let since = webhook.failing_since.filter(|_| !was_quiet).unwrap_or(now);
        stored::set_failing(&mut tx, webhook.id, Some(since)).await?;
        let is_over = now - since >= ENDED_AFTER;
        if is_over && stored::end(&mut tx, webhook.id, now, true).await? {
            record(&mut tx, actor, deed("end_webhook", &webhook)).await?;
            tell_ended(&mut tx, &webhook, since).await?;
        }
        let pause = usize::try_from(nth)
            .ok()
            .and_then(|nth| PAUSES.get(nth.checked_sub(1)?));
        match pause {
            Some(pause) if !is_over => NextDelivery::After(*pause),
            _ => {
                stored::set_given_up(&mut tx, message_id, Some(now)).await?;
                NextDelivery::GivenUp
            }
        }
    };
    tx.commit().await?;
    Ok(next)
}

async fn tell_ended(tx: &mut Tx, webhook: &Webhook, since: DateTime<Utc>) -> Result<(), DbError> {
    let Some(maker) = webhook.made_by else {
        return Ok(());
    };
    let Some(person) = people::find_active(tx, maker).await? else {
        return Ok(());
    };
    let message = Mail::WebhookEnded(mail::WebhookEnded {
        webhook_id: webhook.id.to_string(),
        host: host_of(&webhook.url).to_owned(),
        since: clock::moment_in_words(since),
    });
    let about = db::emails::About::Person(person.id);
    outbox::post_on(tx, webhook.id, about, &person.email, &message).await
}

/// Of an address its host alone: what follows it may be secret.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// What an actor may have addresses called for: `None` is every organisation and every return.
pub fn may_make_webhooks(actor: &Actor) -> Option<Vec<Reach>> {
    let grants = crate::may_make_clients(actor)?;
    Some(
        grants
            .into_iter()
            .map(|Grant { reach, .. }| reach)
            .collect(),
    )
}
