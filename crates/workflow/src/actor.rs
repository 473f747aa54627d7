//! On whose behalf: what the database shows an actor, what it may do to a submission, and how the trail names it.

use access::{Action, Actor, ActorId, Object, Reach, Stage, Verdict, View};
use db::events::{self, NewEvent};
use db::submissions::Submission;
use db::{DbError, Sees, Tx};
use uuid::Uuid;

/// What the database shows this actor, whatever is asked of it: an organisation's people see that organisation's rows.
/// Who works for several teams or the office is held by the matrix alone.
pub(crate) fn sees(actor: &Actor) -> Sees {
    let of_organisations = actor
        .grants
        .iter()
        .all(|grant| matches!(grant.reach, Reach::Organisation(_)));
    if actor.id == ActorId::System || !of_organisations {
        return Sees::Everyone;
    }
    let codes = actor.organisations();
    Sees::Organisations(codes.into_iter().map(str::to_owned).collect())
}

/// Whether an actor may do something to a submission.
pub(crate) fn may(actor: &Actor, action: Action, submission: &Submission) -> bool {
    allowed(actor, action, &object(submission)).is_ok()
}

/// Why an actor may not, if it may not.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error("nobody has signed in")]
    SignInNeeded,
    #[error("this is for another role to do")]
    Forbidden,
    /// Also what is not there for this actor alone.
    #[error("there is no such thing")]
    NotThere,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Decides, and says how much may be seen.
pub(crate) fn allowed(actor: &Actor, action: Action, object: &Object<'_>) -> Result<View, Denied> {
    match access::decide(actor, action, object) {
        Verdict::Allowed(view) => Ok(view),
        Verdict::Forbidden => Err(Denied::Forbidden),
        Verdict::NotThere => Err(Denied::NotThere),
        Verdict::SignInNeeded => Err(Denied::SignInNeeded),
    }
}

/// What of a submission decides who may do what to it.
pub(crate) fn object(submission: &Submission) -> Object<'_> {
    Object {
        organisation: Some(&submission.organisation),
        return_id: Some(&submission.round.return_id),
        stage: match submission.submitted_by {
            Some(_) => Stage::Submitted,
            None => Stage::Draft,
        },
        sent_by: submission.sent_by,
        submitted_by: submission.submitted_by,
        may_sign_off_own: false,
    }
}

/// The organisation, if the actor belongs to it.
pub(crate) fn home_of<'a>(actor: &Actor, organisation: &'a str) -> Option<&'a str> {
    actor
        .organisations()
        .contains(&organisation)
        .then_some(organisation)
}

/// Whether an actor is the product itself: its jobs and its command line.
pub(crate) fn is_system(actor: &Actor) -> bool {
    actor.id == ActorId::System
}

/// What is appended to the audit trail.
pub(crate) struct Deed<'a> {
    pub(crate) verb: &'static str,
    pub(crate) organisation: Option<&'a str>,
    pub(crate) obligation_id: Option<i64>,
    pub(crate) submission_id: Option<Uuid>,
    /// Facts; never a cell's value.
    pub(crate) details: serde_json::Value,
}

/// Appends what an actor does, in the transaction that does it.
pub(crate) async fn record(tx: &mut Tx, actor: &Actor, deed: Deed<'_>) -> Result<(), DbError> {
    let organisations = actor.organisations();
    events::append(
        tx,
        &NewEvent {
            actor: &actor.name,
            actor_id: actor.id,
            actor_organisation: match organisations[..] {
                [one] => Some(one),
                _ => None,
            },
            verb: deed.verb,
            organisation: deed.organisation,
            obligation_id: deed.obligation_id,
            submission_id: deed.submission_id,
            details: deed.details,
        },
    )
    .await
}
