//! Handing a version over: submit, sign off, accept or send back, withdraw; and who may sign off what they sent.
//!
//! Each is a link of the version's chain. Whoever presses twice, or in two tabs, finds it done and changes nothing.

use access::{Action, ActorId, Grant, Object, Reach, Role};
use chrono::{DateTime, NaiveDate, Utc};
use cycle::{Hours, Step, SubmissionState, Verb, clock};
use db::handovers::{self, NewHandover};
use db::own_sign_offs::{self, NewLeave};
use db::people::{self, Person};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, home_of, object, record, sees};
use crate::explain::n_unexplained;
use crate::{Actor, Denied, collection, lake, look, tell};

pub use db::handovers::{Handover, NewerVersion};

/// Characters that a reason may have.
const LONGEST_REASON: usize = 4_000;

#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A sentence for whoever pressed.
    #[error("{0}")]
    NotNow(&'static str),
    #[error("version {} came later", .0.version_number)]
    Newer(NewerVersion),
    #[error("{n} figures are not explained yet")]
    NotExplained { n: u64 },
    #[error("a reason is asked for")]
    NoReason,
    #[error("the reason is too long")]
    LongReason,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandedOver {
    Now,
    /// It was done before: nothing was changed.
    Before,
}

/// Hands a version that is ready, or explained, to whoever signs off.
pub async fn submit(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    hand_over(db, actor, id, Verb::Submit, (None, None), now).await
}

/// Answers for a version on its organisation's behalf; not for what one has sent or submitted oneself.
pub async fn sign_off(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    sign_off_after(db, actor, id, None, now).await
}

/// The same, and says how long the return took the people of the organisation, where that is known.
pub async fn sign_off_after(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    hours: Option<Hours>,
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    hand_over(db, actor, id, Verb::SignOff, (None, hours), now).await
}

/// Takes a version on behalf of the return's team.
pub async fn accept(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    hand_over(db, actor, id, Verb::Accept, (None, None), now).await
}

/// Asks for another version, and says why; of one that was accepted, opens it again.
pub async fn send_back(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    if reason.trim().is_empty() {
        return Err(HandoverError::NoReason);
    }
    hand_over(db, actor, id, Verb::SendBack, (Some(reason), None), now).await
}

/// Takes back a version of one's own that is not signed off; a reason is welcome.
pub async fn withdraw(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    hand_over(db, actor, id, Verb::Withdraw, (reason, None), now).await
}

pub(crate) fn action_of(verb: Verb) -> Action {
    match verb {
        Verb::Submit => Action::Submit,
        Verb::SignOff => Action::SignOff,
        Verb::Accept | Verb::SendBack => Action::Decide,
        Verb::Withdraw => Action::Withdraw,
    }
}

async fn hand_over(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    verb: Verb,
    (reason, hours): (Option<&str>, Option<Hours>),
    now: DateTime<Utc>,
) -> Result<HandedOver, HandoverError> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded.into());
    }
    let reason = reason.map(cleaned).filter(|reason| !reason.is_empty());
    let is_long = |reason: &String| reason.chars().count() > LONGEST_REASON;
    if reason.as_ref().is_some_and(is_long) {
        return Err(HandoverError::LongReason);
    }
    let mut tx = db.begin(&sees(actor)).await?;
    let submission = locked(&mut tx, actor, verb, id).await?;
    let leave = may_do(&mut tx, actor, verb, &submission, clock::day(now)).await?;
    match verb.step(submission.state) {
        Step::Allowed => {}
        Step::Done => return already(&mut tx, actor, &submission, reason.as_deref()).await,
        Step::Refused(why) => return Err(refused(&mut tx, verb, &submission, why).await?),
    }
    if let Some(newer) = newer_that_counts(&mut tx, verb, &submission).await? {
        return Err(HandoverError::Newer(newer));
    }
    if verb == Verb::Submit {
        let n = n_unexplained(&mut tx, submission.id, clock::day(now)).await?;
        if n > 0 {
            return Err(HandoverError::NotExplained { n });
        }
    }
    let link = NewHandover {
        submission_id: submission.id,
        organisation: &submission.organisation,
        verb,
        follows: submission.last,
        by: actor.id,
        by_name: &actor.name,
        reason: reason.as_deref(),
        own_sign_off: leave,
        hours,
    };
    handovers::add(&mut tx, &link).await?;
    follow_up(&mut tx, actor, &submission, &link).await?;
    tx.commit().await?;
    Ok(HandedOver::Now)
}

/// A version as it is once nobody else is doing anything with its obligation, nor sending a newer one.
async fn locked(
    tx: &mut Tx,
    actor: &Actor,
    verb: Verb,
    id: Uuid,
) -> Result<Submission, HandoverError> {
    let found = submissions::find(tx, id).await?.ok_or(Denied::NotThere)?;
    // For whom it is not there nobody waits, nor do they learn by waiting that it is.
    if let Err(Denied::NotThere) = allowed(actor, action_of(verb), &object(&found)) {
        return Err(Denied::NotThere.into());
    }
    handovers::lock(tx, found.obligation_id).await?;
    let found = submissions::find(tx, id).await?.ok_or(Denied::NotThere)?;
    Ok(found)
}

/// Refuses whoever may not do it. Gives the leave by which somebody signs off what they sent themselves.
async fn may_do(
    conn: &mut Conn,
    actor: &Actor,
    verb: Verb,
    submission: &Submission,
    today: NaiveDate,
) -> Result<Option<i64>, HandoverError> {
    let action = action_of(verb);
    let without_leave = allowed(actor, action, &object(submission));
    let is_not_there = matches!(without_leave, Err(Denied::NotThere));
    if verb != Verb::SignOff || without_leave.is_ok() || is_not_there {
        return Ok(without_leave.map(|_| None)?);
    }
    let leave = own_sign_offs::in_force(conn, &submission.organisation, today).await?;
    let with_leave = Object {
        may_sign_off_own: leave.is_some(),
        ..object(submission)
    };
    allowed(actor, action, &with_leave)?;
    Ok(leave)
}

/// The same thing once more. A second reason would be lost, so whoever gives another one is told.
async fn already(
    conn: &mut Conn,
    actor: &Actor,
    submission: &Submission,
    reason: Option<&str>,
) -> Result<HandedOver, HandoverError> {
    let chain = handovers::of_submission(conn, submission.id).await?;
    let last = chain.last();
    let says_the_same = reason.is_none()
        || last.is_some_and(|last| last.by == Some(actor.id) && last.reason.as_deref() == reason);
    if says_the_same {
        return Ok(HandedOver::Before);
    }
    Err(HandoverError::NotNow(match submission.state {
        SubmissionState::Withdrawn => {
            "This version was withdrawn already. Write a message to add something."
        }
        _ => "This version was sent back already. Write a message to add something.",
    }))
}

/// A newer version is named where there is one.
async fn refused(
    conn: &mut Conn,
    verb: Verb,
    submission: &Submission,
    why: &'static str,
) -> Result<HandoverError, DbError> {
    let newer = if submission.state == SubmissionState::Superseded {
        newer_that_counts(conn, verb, submission).await?
    } else {
        None
    };
    Ok(newer.map_or(HandoverError::NotNow(why), HandoverError::Newer))
}

/// Only the newest version is handed over: whoever signs off answers for what was sent last.
async fn newer_that_counts(
    conn: &mut Conn,
    verb: Verb,
    submission: &Submission,
) -> Result<Option<NewerVersion>, DbError> {
    match verb {
        Verb::Submit | Verb::SignOff => handovers::newer(conn, submission.id).await,
        Verb::Accept | Verb::SendBack | Verb::Withdraw => Ok(None),
    }
}

/// What stands may be another one now. The event says who, and on what leave; a reason stays where it was written.
async fn follow_up(
    tx: &mut Tx,
    actor: &Actor,
    submission: &Submission,
    link: &NewHandover<'_>,
) -> Result<(), DbError> {
    let leave = match link.own_sign_off {
        Some(_) => own_sign_offs::newest(tx, &submission.organisation).await?,
        None => None,
    };
    collection::enqueue(tx, submission, link.verb).await?;
    lake::enqueue(tx, submission, link.verb).await?;
    look::enqueue(tx, submission).await?;
    tell::enqueue(tx, submission.id, link.verb).await?;
    let deed = Deed {
        verb: link.verb.as_str(),
        organisation: Some(&submission.organisation),
        obligation_id: Some(submission.obligation_id),
        submission_id: Some(submission.id),
        details: json!({
            "version_number": submission.version_number,
            "sha256": submission.sha256,
            "own_sign_off": link.own_sign_off,
            "allowed_by": leave.map(|leave| leave.by_name),
            "hours": link.hours.map(|hours| hours.to_string()),
        }),
    };
    record(tx, actor, deed).await
}

fn cleaned(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\0', "\u{fffd}")
        .trim()
        .to_owned()
}

#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("a reason is asked for")]
    NoReason,
    #[error("no organisation has the code {0}")]
    UnknownOrganisation(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Lets those who sign off for an organisation sign off what they sent themselves, up to and on a day, for lack of people.
/// What was given last counts, so that a day that is past ends it.
pub async fn allow_own_sign_off(
    db: &Db,
    actor: &Actor,
    organisation: &str,
    until: NaiveDate,
    reason: &str,
) -> Result<(), LeaveError> {
    let whose = Object {
        organisation: Some(organisation),
        ..Object::default()
    };
    allowed(actor, Action::AllowOwnSignOff, &whose)?;
    let reason = cleaned(reason);
    if reason.is_empty() {
        return Err(LeaveError::NoReason);
    }
    let mut tx = db.begin(&sees(actor)).await?;
    if db::organisations::list(&mut tx, Some(organisation))
        .await?
        .is_empty()
    {
        return Err(LeaveError::UnknownOrganisation(organisation.to_owned()));
    }
    let leave = NewLeave {
        organisation,
        until,
        reason: &reason,
        by: actor.id,
        by_name: &actor.name,
    };
    own_sign_offs::add(&mut tx, &leave).await?;
    let deed = Deed {
        verb: "allow_own_sign_off",
        organisation: Some(organisation),
        obligation_id: None,
        submission_id: None,
        details: json!({"until": until}),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}

/// What can be done with a version now, by whoever asks, and whom it waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    /// What they may do.
    pub verbs: Vec<Verb>,
    /// What would be the next thing if it were not for a newer version.
    pub newer: Option<NewerVersion>,
    /// Figures that need an explanation before it may be submitted.
    pub n_unexplained: u64,
    /// Whether they sign off what they sent themselves, by the leave that their organisation has.
    pub by_leave: bool,
}

/// What an actor may do with a version now.
pub async fn next(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
    now: DateTime<Utc>,
) -> Result<Next, HandoverError> {
    let mut conn = db.read(&sees(actor)).await?;
    let mut next = Next {
        n_unexplained: n_unexplained(&mut conn, submission.id, clock::day(now)).await?,
        ..Next::default()
    };
    for verb in Verb::ALL {
        if verb.step(submission.state) != Step::Allowed {
            continue;
        }
        let leave = match may_do(&mut conn, actor, verb, submission, clock::day(now)).await {
            Ok(leave) => leave,
            Err(HandoverError::Denied(_)) => continue,
            Err(error) => return Err(error),
        };
        let newer = newer_that_counts(&mut conn, verb, submission).await?;
        if newer.is_some() {
            next.newer = newer;
        } else if verb != Verb::Submit || next.n_unexplained == 0 {
            next.verbs.push(verb);
            next.by_leave |= leave.is_some();
        }
    }
    Ok(next)
}

/// What was done with a version, in its order.
pub async fn history(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
) -> Result<Vec<Handover>, Denied> {
    allowed(actor, Action::SeeSubmission, &object(submission))?;
    let mut conn = db.read(&sees(actor)).await?;
    Ok(handovers::of_submission(&mut conn, submission.id).await?)
}

/// Who may sign a version off for its organisation, by name; nobody for whoever may not see that.
pub async fn who_signs_off(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
    now: DateTime<Utc>,
) -> Result<Vec<String>, DbError> {
    if allowed(actor, Action::SignOff, &object(submission)).is_err()
        && home_of(actor, &submission.organisation).is_none()
    {
        return Ok(Vec::new());
    }
    let mut conn = db.read(&sees(actor)).await?;
    let people = signers(&mut conn, submission, clock::day(now)).await?;
    Ok(people.into_iter().map(|person| person.name).collect())
}

/// The people who may sign a version off.
pub(crate) async fn signers(
    conn: &mut Conn,
    submission: &Submission,
    today: NaiveDate,
) -> Result<Vec<Person>, DbError> {
    let leave = own_sign_offs::in_force(conn, &submission.organisation, today).await?;
    let mut people = people::holding(
        conn,
        &Grant {
            role: Role::Approver,
            reach: Reach::Organisation(submission.organisation.clone()),
        },
    )
    .await?;
    let own = [submission.sent_by, submission.submitted_by];
    people.retain(|person| leave.is_some() || !own.contains(&Some(ActorId::Person(person.id))));
    Ok(people)
}
