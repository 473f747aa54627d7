//! Telling people of what was written, asked for and decided: by a job that is put in with the deed, since whoever has to
//! be told may be nobody that its doer is shown. What was written is read at the link.

use access::{ActorId, Grant, Reach, Role};
use chrono::NaiveDate;
use db::emails::About;
use db::people::Person;
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, Tx, extensions, handovers, messages, people, waivers};
use mail::Message;
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::sees;
use crate::tell::team_of;
use crate::{Actor, outbox, reminders};

/// The job: tell who has to know of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum TellNewsJob {
    Message {
        message_id: Uuid,
    },
    WaiverAsked {
        waiver_id: Uuid,
    },
    WaiverRevoked {
        waiver_id: Uuid,
    },
    ExtensionAsked {
        extension_id: Uuid,
    },
    ExtensionDecided {
        extension_id: Uuid,
    },
    /// `occasion` is of this decision alone, as one request may be decided on more than twice.
    ExtensionDecidedAnew {
        extension_id: Uuid,
        occasion: Uuid,
        /// The return, from this decision on.
        due_on: NaiveDate,
    },
}

impl TellNewsJob {
    pub const KIND: &'static str = "tell-news";
    /// Of what workers of earlier versions do not know: they leave it to those that do.
    pub const KIND_ANEW: &'static str = "tell-decided-anew";

    fn kind(self) -> &'static str {
        match self {
            Self::ExtensionDecidedAnew { .. } => Self::KIND_ANEW,
            _ => Self::KIND,
        }
    }
}

pub(crate) async fn enqueue(tx: &mut Tx, news: &TellNewsJob) -> Result<(), DbError> {
    queue::enqueue(tx, &NewJob::new(news.kind(), json!(news))).await?;
    Ok(())
}

/// Puts the messages into the outbox, one for each who has to know. Replaying it adds none.
pub async fn tell_news(db: &Db, actor: &Actor, news: &TellNewsJob) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    match *news {
        TellNewsJob::Message { message_id } => message(&mut tx, message_id).await?,
        TellNewsJob::WaiverAsked { waiver_id } => waiver_asked(&mut tx, waiver_id).await?,
        TellNewsJob::WaiverRevoked { waiver_id } => waiver_revoked(&mut tx, waiver_id).await?,
        TellNewsJob::ExtensionAsked { extension_id } => {
            extension_asked(&mut tx, extension_id).await?;
        }
        TellNewsJob::ExtensionDecided { extension_id } => {
            extension_decided(&mut tx, extension_id).await?;
        }
        TellNewsJob::ExtensionDecidedAnew {
            extension_id,
            occasion,
            due_on,
        } => extension_decided_anew(&mut tx, extension_id, occasion, due_on).await?,
    }
    tx.commit().await
}

/// What an organisation writes goes to the return's team once it has the version; what the team writes, to those of the
/// organisation who have had to do with the version.
async fn message(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    let Some(author) = messages::author(tx, id).await? else {
        return Ok(());
    };
    let Some(submission) = submissions::find(tx, author.submission_id).await? else {
        return Ok(());
    };
    let round = &submission.round;
    let told = Message::Written(mail::MessageWritten {
        submission_id: submission.id.to_string(),
        organisation_name: submission.organisation_name.clone(),
        return_title: round.return_title.clone(),
        period: round.period.in_words(),
        version_number: submission.version_number,
        by: author.by_name.clone(),
    });
    let about = About::Submission(submission.id);
    let mut recipients = match author.by_organisation {
        Some(_) if submission.submitted_by.is_none() => Vec::new(),
        Some(_) => team_of(tx, &round.return_id).await?,
        None => {
            if let Some(contact) = &submission.contact_email {
                outbox::post_on(tx, id, about, contact, &told).await?;
            }
            own_people(tx, &submission).await?
        }
    };
    recipients.retain(|person| author.by != Some(ActorId::Person(person.id)));
    for person in recipients {
        outbox::post_on(tx, id, about, &person.email, &told).await?;
    }
    Ok(())
}

/// Those of a version's organisation who sent it, handed it over or wrote about it, and still work here.
async fn own_people(conn: &mut Conn, submission: &Submission) -> Result<Vec<Person>, DbError> {
    let mut ids = vec![submission.sent_by];
    let chain = handovers::of_submission(conn, submission.id).await?;
    ids.extend(chain.iter().map(|link| link.by));
    let authors = messages::authors(conn, submission.id).await?;
    ids.extend(authors.iter().map(|author| author.by));
    let mut found: Vec<Person> = Vec::new();
    for id in ids.into_iter().flatten() {
        let ActorId::Person(id) = id else {
            continue;
        };
        if found.iter().any(|person| person.id == id) {
            continue;
        }
        let grants = people::grants(conn, id).await?;
        let own = Reach::Organisation(submission.organisation.clone());
        if grants.iter().any(|grant| grant.reach == own) {
            found.extend(people::find_active(conn, id).await?);
        }
    }
    Ok(found)
}

async fn waiver_asked(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    let Some(waiver) = waivers::find(tx, id).await? else {
        return Ok(());
    };
    let told = Message::WaiverAsked(mail::WaiverAsked {
        waiver_id: id.to_string(),
        organisation_name: waiver.organisation_name.clone(),
        return_title: waiver.return_title.clone(),
        rule: waiver.rule.clone(),
    });
    for person in team_of(tx, &waiver.return_id).await? {
        let about = About::Person(person.id);
        outbox::post_on(tx, id, about, &person.email, &told).await?;
    }
    Ok(())
}

async fn waiver_revoked(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    let Some(waiver) = waivers::find(tx, id).await? else {
        return Ok(());
    };
    let told = Message::WaiverRevoked(mail::WaiverRevoked {
        waiver_id: id.to_string(),
        organisation_name: waiver.organisation_name.clone(),
        return_title: waiver.return_title.clone(),
        rule: waiver.rule.clone(),
    });
    to_who_asked(tx, id, waiver.by, &told).await
}

async fn extension_asked(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    let Some(extension) = extensions::find(tx, id).await? else {
        return Ok(());
    };
    let round = &extension.round;
    let told = Message::ExtensionAsked(mail::ExtensionAsked {
        page: page_of(&extension),
        organisation_name: extension.organisation_name.clone(),
        return_title: round.return_title.clone(),
        period: round.period.in_words(),
        asked_until: extension.asked_until,
    });
    let mut recipients = team_of(tx, &round.return_id).await?;
    if recipients.is_empty() {
        let planners = Grant {
            role: Role::Scheduler,
            reach: Reach::Everything,
        };
        recipients = people::holding(tx, &planners).await?;
    }
    for person in recipients {
        let about = About::Person(person.id);
        outbox::post_on(tx, id, about, &person.email, &told).await?;
    }
    Ok(())
}

async fn extension_decided(tx: &mut Tx, id: Uuid) -> Result<(), DbError> {
    let Some(extension) = extensions::find(tx, id).await? else {
        return Ok(());
    };
    // Where it was decided anew meanwhile, that alone is told: by a job of its own, which may have come first.
    let [decision] = &extension.decisions[..] else {
        return Ok(());
    };
    let round = &extension.round;
    let told = Message::ExtensionDecided(mail::ExtensionDecided {
        page: page_of(&extension),
        organisation_name: extension.organisation_name.clone(),
        return_title: round.return_title.clone(),
        period: round.period.in_words(),
        due_on: decision.due_on,
    });
    to_who_asked(tx, id, extension.by, &told).await
}

/// Told to all who are reminded of the day, and to who asked for the time.
async fn extension_decided_anew(
    tx: &mut Tx,
    id: Uuid,
    occasion: Uuid,
    due_on: NaiveDate,
) -> Result<(), DbError> {
    let Some(extension) = extensions::find(tx, id).await? else {
        return Ok(());
    };
    let round = &extension.round;
    let told = Message::ExtensionDecidedAnew(mail::ExtensionDecidedAnew {
        page: page_of(&extension),
        organisation_name: extension.organisation_name.clone(),
        return_title: round.return_title.clone(),
        period: round.period.in_words(),
        due_on,
    });
    for person in reminders::owners(tx, &extension.organisation).await? {
        let about = About::Person(person.id);
        outbox::post_on(tx, occasion, about, &person.email, &told).await?;
    }
    to_who_asked(tx, occasion, extension.by, &told).await
}

/// The address of the return's page of requests for more time, without the site's.
fn page_of(extension: &extensions::Extension) -> String {
    format!(
        "/returns/{}/{}/{}/more-time",
        extension.round.return_id, extension.round.period.label, extension.organisation
    )
}

/// Nobody where a program asked, or somebody who works here no more.
async fn to_who_asked(
    tx: &mut Tx,
    occasion: Uuid,
    by: Option<ActorId>,
    told: &Message,
) -> Result<(), DbError> {
    let Some(ActorId::Person(id)) = by else {
        return Ok(());
    };
    let Some(person) = people::find_active(tx, id).await? else {
        return Ok(());
    };
    let about = About::Person(person.id);
    outbox::post_on(tx, occasion, about, &person.email, told).await
}
