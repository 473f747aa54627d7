//! What is owed, by whom and when, as far as the actor may see it.

use access::{Action, Object, Stage, View};
use chrono::NaiveDate;
use cycle::ObligationState;
use db::cycles::owed as stored;
use db::{Db, DbError, people, reminders, submissions};

use crate::Actor;
use crate::actor::{Denied, allowed, may as may_see, sees};

pub use db::cycles::Obligation;
pub use db::cycles::owed::{OwedBy, Rounds as RoundsAsked};
pub use db::people::Colleague;

/// What these organisations owe.
pub async fn owed(
    db: &Db,
    actor: &Actor,
    which: &OwedBy,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let all = stored::of(&mut *db.read(&sees(actor)).await?, which, today).await?;
    Ok(all
        .into_iter()
        .filter_map(|owed| seen(actor, owed))
        .collect())
}

/// What is due on a day or later, by organisation and day.
pub async fn owed_since(
    db: &Db,
    actor: &Actor,
    from: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let all = reminders::due_from(&mut *db.read(&sees(actor)).await?, from, today).await?;
    Ok(all
        .into_iter()
        .filter_map(|owed| seen(actor, owed))
        .collect())
}

/// What was due on a day or later, is past, and of which nothing was handed over that stands; in no order that is promised.
pub async fn late_since(
    db: &Db,
    actor: &Actor,
    from: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let all = stored::late(&mut *db.read(&sees(actor)).await?, from, today).await?;
    Ok(all
        .into_iter()
        .filter_map(|owed| seen(actor, owed))
        .collect())
}

/// What is owed in one round, by the organisations' names.
pub async fn owed_in(
    db: &Db,
    actor: &Actor,
    return_id: &str,
    period_label: &str,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let all = stored::of_round(&mut conn, return_id, period_label, today).await?;
    Ok(all
        .into_iter()
        .filter_map(|owed| seen(actor, owed))
        .collect())
}

/// An obligation as an actor may see it; `None`: not at all.
/// For whom a draft is not there, what was handed over is the newest there is.
pub(crate) fn seen(actor: &Actor, mut obligation: Obligation) -> Option<Obligation> {
    if !may_of(actor, Action::SeeObligation, &obligation, Stage::Draft) {
        return None;
    }
    let stage = match obligation.latest {
        Some((_, state)) if state.is_handed_over() => Stage::Submitted,
        _ => Stage::Draft,
    };
    if !may_of(actor, Action::SeeSubmission, &obligation, stage) {
        obligation.latest = obligation.standing;
        obligation.latest_from = None;
    }
    Some(obligation)
}

/// A round, and where its organisations are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    pub round: db::cycles::Round,
    /// Of each organisation that has to answer, and whether it is overdue.
    pub states: Vec<(ObligationState, bool)>,
}

/// Whether an answer is wanted at all.
fn is_asked(state: ObligationState) -> bool {
    !matches!(
        state,
        ObligationState::NotRequired | ObligationState::Cancelled
    )
}

/// A page of rounds with where each organisation is, and how many rounds there are.
pub async fn collected(
    db: &Db,
    actor: &Actor,
    rounds: &RoundsAsked,
    today: NaiveDate,
) -> Result<(Vec<Collected>, usize), DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let (found, n_all) = stored::rounds(&mut conn, rounds).await?;
    let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
    let obligations = stored::of_rounds(&mut conn, &ids, today).await?;
    let collected = found
        .into_iter()
        .map(|(_, round)| Collected {
            states: obligations
                .iter()
                .filter(|owed| owed.round == round)
                .filter(|owed| may_of(actor, Action::SeeObligation, owed, Stage::Draft))
                .filter(|owed| is_asked(owed.state))
                .map(|owed| (owed.state, owed.is_overdue))
                .collect(),
            round,
        })
        .collect();
    Ok((collected, n_all))
}

fn may_of(actor: &Actor, action: Action, obligation: &Obligation, stage: Stage) -> bool {
    let object = Object {
        organisation: Some(&obligation.organisation),
        return_id: Some(&obligation.round.return_id),
        stage,
        ..Object::default()
    };
    allowed(actor, action, &object).is_ok()
}

/// The versions that were sent, newest first.
pub async fn versions(
    db: &Db,
    actor: &Actor,
    obligation: &Obligation,
) -> Result<Vec<submissions::Submission>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let mut all = submissions::of_obligation(&mut conn, obligation.id).await?;
    all.retain(|submission| may_see(actor, Action::SeeSubmission, submission));
    Ok(all)
}

/// Who works for an organisation.
pub async fn people_of(
    db: &Db,
    actor: &Actor,
    organisation: &str,
) -> Result<Vec<Colleague>, Denied> {
    let object = Object {
        organisation: Some(organisation),
        ..Object::default()
    };
    match allowed(actor, Action::SeePeople, &object)? {
        View::Values => {}
        View::Counts => return Err(Denied::Forbidden),
    }
    let mut conn = db.read(&sees(actor)).await?;
    Ok(people::of_organisation(&mut conn, organisation).await?)
}

/// How much of something that is an organisation's own an actor may have, or why it may not.
pub fn decide_for(actor: &Actor, action: Action, organisation: &str) -> Result<View, Denied> {
    let object = Object {
        organisation: Some(organisation),
        ..Object::default()
    };
    allowed(actor, action, &object)
}

/// Whether an actor may do something that is an organisation's own, whatever the return.
pub fn may_for(actor: &Actor, action: Action, organisation: &str) -> bool {
    decide_for(actor, action, organisation).is_ok()
}

/// Whether an actor may do something with a return, whoever answers.
pub fn may_with(actor: &Actor, action: Action, return_id: &str) -> bool {
    let object = Object {
        return_id: Some(return_id),
        ..Object::default()
    };
    allowed(actor, action, &object).is_ok()
}
