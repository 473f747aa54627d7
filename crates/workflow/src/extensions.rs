//! More time: asked for by an organisation for one return, given up to a day or refused by the return's team or whoever
//! plans the rounds, who may decide anew as long as the return is owed. The day that it is due on moves with it.

use access::{Action, ActorId, Object};
use chrono::{Months, NaiveDate};
use cycle::ObligationState;
use db::cycles::{self, Obligation};
use db::extensions::{self, NewExtension};
use db::{Db, DbError, handovers};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, record, sees};
use crate::explain::written;
use crate::news::{self, TellNewsJob};
use crate::waivers::by;
use crate::{Actor, Denied, ExplainError};

pub use db::extensions::{Extension, ExtensionDecision};

/// What an organisation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingForTime {
    /// Given by the form, so that one that is sent twice is there once.
    pub id: Uuid,
    pub organisation: String,
    pub return_id: String,
    /// Its label.
    pub period: String,
    pub until: NaiveDate,
    pub reason: String,
}

/// What is said to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidingOnTime {
    /// The last day in time; `None`: no more time is given, and none any longer.
    pub due_on: Option<NaiveDate>,
    pub reason: String,
    /// How many decisions on the request were known when this one was made.
    pub n_known: usize,
}

/// No more is given for one return at once.
pub const LONGEST_MONTHS: u32 = 12;

#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Of what is written.
    #[error(transparent)]
    Text(ExplainError),
    /// It is not later than the day the return is due on without it, is past, or is too far ahead.
    #[error(
        "the day has to be later than {due_on}, not past, and at most {LONGEST_MONTHS} months after it"
    )]
    Day { due_on: NaiveDate },
    /// The return is accepted.
    #[error("nothing is owed any more")]
    NothingOwed,
    /// Since the page was made.
    #[error("it was decided otherwise before")]
    Decided,
    /// The day, or that there is none, is what was decided before.
    #[error("that is what was decided before")]
    NothingNew,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ExplainError> for ExtensionError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Denied(denied) => Self::Denied(denied),
            ExplainError::Db(error) => Self::Db(error),
            error => Self::Text(error),
        }
    }
}

/// Asks for more time; harmless when repeated.
pub async fn ask_for_time(
    db: &Db,
    actor: &Actor,
    asking: &AskingForTime,
    today: NaiveDate,
) -> Result<(), ExtensionError> {
    let object = object_of(&asking.organisation, &asking.return_id);
    allowed(actor, Action::AskForExtension, &object)?;
    let mut tx = db.begin(&sees(actor)).await?;
    let all = cycles::owed::of_round(&mut tx, &asking.return_id, &asking.period, today).await?;
    let owed = all
        .into_iter()
        .find(|owed| owed.organisation == asking.organisation)
        .ok_or(Denied::NotThere)?;
    let reason = written(&asking.reason)?;
    if !may_be_extended(&owed) {
        return Err(ExtensionError::NothingOwed);
    }
    check_day(asking.until, owed.due_on, today)?;
    let new = NewExtension {
        id: asking.id,
        organisation: &owed.organisation,
        obligation_id: owed.id,
        asked_until: asking.until,
        reason: &reason,
        by: by(actor),
    };
    if extensions::add(&mut tx, &new).await? {
        let deed = Deed {
            verb: "ask_for_extension",
            organisation: Some(&owed.organisation),
            obligation_id: Some(owed.id),
            submission_id: None,
            details: json!({"extension": asking.id, "until": asking.until}),
        };
        record(&mut tx, actor, deed).await?;
        let extension_id = asking.id;
        news::enqueue(&mut tx, &TellNewsJob::ExtensionAsked { extension_id }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Gives the time or refuses it, or decides anew what was decided before; harmless when repeated.
pub async fn decide_on_time(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    deciding: &DecidingOnTime,
    today: NaiveDate,
) -> Result<(), ExtensionError> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded.into());
    }
    let mut tx = db.begin(&sees(actor)).await?;
    let found = extensions::find(&mut tx, id).await?;
    let found = found.ok_or(Denied::NotThere)?;
    let object = object_of(&found.organisation, &found.round.return_id);
    allowed(actor, Action::DecideExtension, &object)?;
    // Two days can't be given at once.
    handovers::lock(&mut tx, found.obligation_id).await?;
    let found = extensions::find(&mut tx, id).await?;
    let found = found.ok_or(Denied::NotThere)?;
    let reason = written(&deciding.reason)?;
    let before = found.decisions.last();
    let is_repeated = before.is_some_and(|before| {
        before.due_on == deciding.due_on && before.reason == reason && before.by_name == actor.name
    });
    if is_repeated {
        return Ok(());
    }
    if deciding.n_known != found.decisions.len() {
        return Err(ExtensionError::Decided);
    }
    let owed = cycles::owed::one(&mut tx, found.obligation_id, today).await?;
    let owed = owed.ok_or(Denied::NotThere)?;
    let round = &found.round;
    let (return_id, period) = (&round.return_id, &round.period.label);
    let asked = extensions::of_round(&mut tx, return_id, period, Some(&owed.organisation)).await?;
    if let Some(before) = before {
        if !may_be_extended(&owed) {
            return Err(ExtensionError::NothingOwed);
        }
        if before.due_on == deciding.due_on {
            return Err(ExtensionError::NothingNew);
        }
    }
    if let Some(due_on) = deciding.due_on {
        check_day(due_on, due_without(&owed, &asked, id), today)?;
    }
    extensions::decide(&mut tx, &found, deciding.due_on, &reason, by(actor)).await?;
    let deed = Deed {
        verb: match before {
            Some(_) => "decide_extension_anew",
            None => "decide_extension",
        },
        organisation: Some(&found.organisation),
        obligation_id: Some(found.obligation_id),
        submission_id: None,
        details: json!({
            "extension": id,
            "granted": deciding.due_on.is_some(),
            "due_on": deciding.due_on,
        }),
    };
    record(&mut tx, actor, deed).await?;
    let extension_id = id;
    let news = if before.is_none() {
        TellNewsJob::ExtensionDecided { extension_id }
    } else {
        let owed = cycles::owed::one(&mut tx, found.obligation_id, today).await?;
        TellNewsJob::ExtensionDecidedAnew {
            extension_id,
            occasion: Uuid::now_v7(),
            due_on: owed.ok_or(Denied::NotThere)?.due_on,
        }
    };
    news::enqueue(&mut tx, &news).await?;
    tx.commit().await?;
    Ok(())
}

/// When a return is due but for what is decided on one of its requests for more time.
pub fn due_without(owed: &Obligation, asked: &[Extension], id: Uuid) -> NaiveDate {
    let others = asked.iter().filter(|other| other.id != id);
    let given = others.filter_map(|other| other.decisions.last()?.due_on);
    given.fold(owed.round.due_on, NaiveDate::max)
}

/// Whether there is still something to wait for.
pub fn may_be_extended(owed: &Obligation) -> bool {
    !matches!(
        owed.state,
        ObligationState::Accepted
            | ObligationState::Nil
            | ObligationState::SignedOff
            | ObligationState::NotRequired
            | ObligationState::Cancelled
    )
}

fn check_day(day: NaiveDate, due_on: NaiveDate, today: NaiveDate) -> Result<(), ExtensionError> {
    let latest = due_on
        .max(today)
        .checked_add_months(Months::new(LONGEST_MONTHS));
    if day <= due_on || day < today || latest.is_none_or(|latest| day > latest) {
        return Err(ExtensionError::Day { due_on });
    }
    Ok(())
}

fn object_of<'a>(organisation: &'a str, return_id: &'a str) -> Object<'a> {
    Object {
        organisation: Some(organisation),
        return_id: Some(return_id),
        ..Object::default()
    }
}

/// Whether an actor may ask for more time for an organisation's return, and whether it decides on that.
pub fn may_on_time(actor: &Actor, organisation: &str, return_id: &str) -> (bool, bool) {
    let object = object_of(organisation, return_id);
    (
        allowed(actor, Action::AskForExtension, &object).is_ok(),
        allowed(actor, Action::DecideExtension, &object).is_ok(),
    )
}

/// What an organisation owes and the requests for more time for it; for who may ask for it or decide it.
pub async fn time_of(
    db: &Db,
    actor: &Actor,
    (return_id, period): (&str, &str),
    organisation: &str,
    today: NaiveDate,
) -> Result<(Obligation, Vec<Extension>), Denied> {
    let object = object_of(organisation, return_id);
    if may_on_time(actor, organisation, return_id) == (false, false) {
        allowed(actor, Action::DecideExtension, &object)?;
    }
    let mut conn = db.read(&sees(actor)).await?;
    let all = cycles::owed::of_round(&mut conn, return_id, period, today).await?;
    let owed = all
        .into_iter()
        .find(|owed| owed.organisation == organisation);
    let owed = owed.ok_or(Denied::NotThere)?;
    let asked = extensions::of_round(&mut conn, return_id, period, Some(organisation)).await?;
    Ok((owed, asked))
}

/// A request, for whoever decides it.
pub async fn extension_to_decide(db: &Db, actor: &Actor, id: Uuid) -> Result<Extension, Denied> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded);
    }
    let found = extensions::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let found = found.ok_or(Denied::NotThere)?;
    let object = object_of(&found.organisation, &found.round.return_id);
    allowed(actor, Action::DecideExtension, &object)?;
    Ok(found)
}

/// What was asked for in a round, those to decide first; for who may ask for it or decide it.
pub async fn extensions_of(
    db: &Db,
    actor: &Actor,
    (return_id, period): (&str, &str),
    organisation: Option<&str>,
) -> Result<Vec<Extension>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let mut all = extensions::of_round(&mut conn, return_id, period, organisation).await?;
    all.retain(|extension| {
        let may = may_on_time(actor, &extension.organisation, &extension.round.return_id);
        may.0 || may.1
    });
    Ok(all)
}

/// What was asked for and not decided, the oldest first; for who may decide it.
pub async fn extensions_to_decide(db: &Db, actor: &Actor) -> Result<Vec<Extension>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let mut all = extensions::undecided(&mut conn).await?;
    all.retain(|extension| {
        may_on_time(actor, &extension.organisation, &extension.round.return_id).1
    });
    Ok(all)
}
