//! Telling people what was done with a version: by a job that is put in with the deed, since who has to be told of it
//! may be nobody that its doer is shown.

use access::{ActorId, Grant, Reach, Role};
use chrono::{DateTime, Utc};
use cycle::{Verb, clock};
use db::handovers::{self, Handover};
use db::people::Person;
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, Tx, people, returns};
use mail::{Message, Reader};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::sees;
use crate::{Actor, handover, outbox, webhooks};

/// The job: tell who has to know of something that was done with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellJob {
    pub submission_id: Uuid,
    pub verb: Verb,
}

impl TellJob {
    pub const KIND: &'static str = "tell";
}

pub(crate) async fn enqueue(tx: &mut Tx, submission_id: Uuid, verb: Verb) -> Result<(), DbError> {
    let job = json!(TellJob {
        submission_id,
        verb
    });
    queue::enqueue(tx, &NewJob::new(TellJob::KIND, job)).await?;
    Ok(())
}

/// Puts the messages into the outbox, one for each who has to know. Replaying it adds none.
pub async fn tell(
    db: &Db,
    actor: &Actor,
    job: &TellJob,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let Some(submission) = submissions::find(&mut tx, job.submission_id).await? else {
        return tx.rollback().await;
    };
    let chain = handovers::of_submission(&mut tx, submission.id).await?;
    let Some(done) = chain.iter().find(|link| link.verb == job.verb) else {
        return tx.rollback().await;
    };
    let round = &submission.round;
    let is_personal =
        returns::has_personal_data(&mut tx, &round.return_id, &round.return_version).await?;
    for (recipient, reader) in readers(&mut tx, &submission, &chain, job.verb, now).await? {
        let message = Message::Handover(mail::Handover {
            submission_id: submission.id.to_string(),
            organisation_name: submission.organisation_name.clone(),
            return_title: round.return_title.clone(),
            period: round.period.in_words(),
            version_number: submission.version_number,
            file_name: submission.file_name.clone(),
            sha256: submission.sha256.clone(),
            verb: done.verb,
            by: done.by_name.clone(),
            at: done.at,
            // What is written about people's records may be about people.
            reason: done.reason.clone().filter(|_| !is_personal),
            reader,
        });
        outbox::post(&mut tx, submission.id, Some(&recipient), &message).await?;
    }
    webhooks::announce_deed(&mut tx, &submission, job.verb).await?;
    tx.commit().await
}

/// Who asks for a return.
pub(crate) async fn team_of(conn: &mut Conn, return_id: &str) -> Result<Vec<Person>, DbError> {
    let team = Grant {
        role: Role::DatasetTeam,
        reach: Reach::Return(return_id.to_owned()),
    };
    people::holding(conn, &team).await
}

/// Addresses, and what each is told.
async fn readers(
    conn: &mut Conn,
    submission: &Submission,
    chain: &[Handover],
    verb: Verb,
    now: DateTime<Utc>,
) -> Result<Vec<(String, Reader)>, DbError> {
    let next = match verb {
        Verb::Submit => handover::signers(conn, submission, clock::day(now)).await?,
        Verb::SignOff => team_of(conn, &submission.round.return_id).await?,
        Verb::Accept | Verb::SendBack | Verb::Withdraw => Vec::new(),
    };
    let mut readers: Vec<(String, Reader)> = next
        .into_iter()
        .map(|person| (person.email, Reader::Next))
        .collect();
    if matches!(verb, Verb::SignOff | Verb::Accept | Verb::SendBack) {
        let mut senders: Vec<String> = submission.contact_email.clone().into_iter().collect();
        // Who handed it over, and still works here.
        let own = [Verb::Submit, Verb::SignOff];
        for link in chain
            .iter()
            .filter(|link| own.contains(&link.verb) && link.verb != verb)
        {
            let Some(ActorId::Person(id)) = link.by else {
                continue;
            };
            let person = people::find_active(conn, id).await?;
            senders.extend(person.map(|person| person.email));
        }
        for sender in senders {
            if !readers
                .iter()
                .any(|(known, reader)| *known == sender && *reader == Reader::Sender)
            {
                readers.push((sender, Reader::Sender));
            }
        }
    }
    Ok(readers)
}
