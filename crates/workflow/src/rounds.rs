//! Planning the rounds: their days, whether they take place, and who has to answer. Whatever is said is added to what was
//! said before, with who, when and why.

use access::{Action, Object};
use chrono::NaiveDate;
use cycle::{DateFact, OutOfOrder, PlannedDate};
use db::cycles::dates::{self, Between};
use db::cycles::{self, Round};
use db::{Db, DbError, Tx, burden, handovers};

use serde_json::json;

use crate::actor::{Deed, allowed, record, sees};
use crate::explain::written;
use crate::waivers::by;
use crate::{Actor, Denied, ExplainError};

pub use db::burden::{Burden, BurdenOf, Reported};
pub use db::cycles::dates::Said;

/// A round, by its return and the label of its period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoundName {
    pub return_id: String,
    pub period: String,
}

/// Days to set in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDates {
    pub round: RoundName,
    pub dates: Vec<PlannedDate>,
    /// The last fact about the round's days that whoever sets them has seen ([`last_said`]): nothing is set where more was
    /// said since. `None`: they look at nothing that was there.
    pub seen: Option<i64>,
}

/// The last of a round's facts, by its number; 0 where there is none.
pub fn last_said(history: &[DateFact]) -> i64 {
    history.iter().map(|fact| fact.id).max().unwrap_or(0)
}

/// Where days are from, and why they are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    pub source: Option<String>,
    pub reason: String,
}

/// More than a letter's heading is for the reason.
pub const LONGEST_SOURCE: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Of what is written.
    #[error(transparent)]
    Text(ExplainError),
    #[error("the source has more than {LONGEST_SOURCE} characters")]
    LongSource,
    #[error("{return_id} for {period}: {order}")]
    Order {
        return_id: String,
        period: String,
        order: OutOfOrder,
    },
    #[error("other days were set for {period} of {return_id} meanwhile")]
    Overtaken { return_id: String, period: String },
    #[error("{return_id} for {period} was cancelled")]
    Cancelled { return_id: String, period: String },
    #[error("no organisation has the code {0}")]
    UnknownOrganisation(String),
    /// What was handed over stands.
    #[error("the organisation has answered already")]
    Answered,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ExplainError> for RoundError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Denied(denied) => Self::Denied(denied),
            ExplainError::Db(error) => Self::Db(error),
            error => Self::Text(error),
        }
    }
}

/// Whether an actor plans rounds.
pub fn may_plan(actor: &Actor) -> bool {
    allowed(actor, Action::PlanRounds, &Object::default()).is_ok()
}

/// Why an actor does not plan rounds, if it does not.
pub fn decide_plan(actor: &Actor) -> Result<(), Denied> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    Ok(())
}

/// Sets days in one round or many: in all of them or, where one can't be, in none. Days that are as they were are left out,
/// so that setting them twice is harmless; gives how many days were set.
pub async fn set_dates(
    db: &Db,
    actor: &Actor,
    rounds: &[NewDates],
    because: &Because,
) -> Result<usize, RoundError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let (source, reason) = said(because)?;
    let mut tx = db.begin(&sees(actor)).await?;
    let mut rounds: Vec<&NewDates> = rounds.iter().collect();
    // Whoever moves some of the same rounds takes them in the same order.
    rounds.sort_by(|one, other| one.round.cmp(&other.round));
    let mut n_set = 0;
    for new in rounds {
        let (cycle_id, round) = lock(&mut tx, &new.round).await?;
        if round.is_cancelled {
            return Err(RoundError::Cancelled {
                return_id: round.return_id,
                period: round.period.label,
            });
        }
        if let Some(seen) = new.seen
            && last_said(&dates::history(&mut tx, cycle_id).await?) != seen
        {
            return Err(RoundError::Overtaken {
                return_id: round.return_id,
                period: round.period.label,
            });
        }
        n_set += set(
            &mut tx,
            actor,
            (cycle_id, &new.round),
            &new.dates,
            (source.as_deref(), &reason),
        )
        .await?;
    }
    tx.commit().await?;
    Ok(n_set)
}

/// Sets days of a round that is locked.
pub(crate) async fn set(
    tx: &mut Tx,
    actor: &Actor,
    (cycle_id, name): (i64, &RoundName),
    dates: &[PlannedDate],
    (source, reason): (Option<&str>, &str),
) -> Result<usize, RoundError> {
    let history = dates::history(tx, cycle_id).await?;
    let counting = cycle::counting(&history);
    let before = |date: &PlannedDate| counting.iter().find(|fact| fact.date.kind == date.kind);
    let fresh: Vec<PlannedDate> = dates
        .iter()
        .filter(|date| before(date).is_none_or(|fact| !fact.date.is_as(date)))
        .copied()
        .collect();
    let mut all: Vec<PlannedDate> = counting
        .iter()
        .map(|fact| fact.date)
        .filter(|old| fresh.iter().all(|date| date.kind != old.kind))
        .collect();
    all.extend(&fresh);
    cycle::check_order(&all).map_err(|order| RoundError::Order {
        return_id: name.return_id.clone(),
        period: name.period.clone(),
        order,
    })?;
    if fresh.is_empty() {
        return Ok(0);
    }
    dates::add(tx, cycle_id, &fresh, (source, reason), by(actor)).await?;
    let told: Vec<_> = fresh
        .iter()
        .map(|date| {
            json!({
                "date": date.kind,
                "from": before(date).map(|fact| fact.date.on),
                "to": date.on,
                "certainty": date.certainty,
            })
        })
        .collect();
    let deed = Deed {
        verb: "set_dates",
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({"return": name.return_id, "period": name.period, "dates": told}),
    };
    record(tx, actor, deed).await?;
    Ok(fresh.len())
}

fn said(because: &Because) -> Result<(Option<String>, String), RoundError> {
    let reason = written(&because.reason)?;
    let source = because
        .source
        .as_deref()
        .map(|source| source.replace('\0', "\u{fffd}").trim().to_owned())
        .filter(|source| !source.is_empty());
    if source
        .as_ref()
        .is_some_and(|source| source.chars().count() > LONGEST_SOURCE)
    {
        return Err(RoundError::LongSource);
    }
    Ok((source, reason))
}

async fn lock(tx: &mut Tx, name: &RoundName) -> Result<(i64, Round), RoundError> {
    let found = dates::lock(tx, &name.return_id, &name.period).await?;
    Ok(found.ok_or(Denied::NotThere)?)
}

/// Whether a round takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakesPlace {
    Yes,
    /// It stays, with all that was sent, and nothing is owed in it.
    Cancelled,
}

/// Cancels a round, or has it take place after all; harmless when repeated.
pub async fn cancel_round(
    db: &Db,
    actor: &Actor,
    name: &RoundName,
    takes_place: TakesPlace,
    reason: &str,
) -> Result<(), RoundError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let reason = written(reason)?;
    let is_cancelled = takes_place == TakesPlace::Cancelled;
    let mut tx = db.begin(&sees(actor)).await?;
    let (cycle_id, round) = lock(&mut tx, name).await?;
    if round.is_cancelled == is_cancelled {
        return Ok(());
    }
    dates::cancel(&mut tx, cycle_id, is_cancelled, &reason, by(actor)).await?;
    let deed = Deed {
        verb: if is_cancelled {
            "cancel_round"
        } else {
            "reinstate_round"
        },
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({"return": name.return_id, "period": name.period}),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether one organisation has to answer in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Also one that the return does not ask otherwise.
    Yes,
    No,
}

/// Says that an organisation has to answer in a round, or need not; harmless when repeated.
pub async fn require(
    db: &Db,
    actor: &Actor,
    name: &RoundName,
    organisation: &str,
    required: Required,
    reason: &str,
    today: NaiveDate,
) -> Result<(), RoundError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let reason = written(reason)?;
    let mut tx = db.begin(&sees(actor)).await?;
    let (cycle_id, _) = lock(&mut tx, name).await?;
    let found = owed(&mut tx, name, organisation, today).await?;
    let (obligation_id, was_required) = match (found, required) {
        (Some(owed), Required::No) => {
            handovers::lock(&mut tx, owed.id).await?;
            // A file may have come while this waited.
            let owed = self::owed(&mut tx, name, organisation, today).await?;
            let owed = owed.ok_or(Denied::NotThere)?;
            if owed.standing.is_some() {
                return Err(RoundError::Answered);
            }
            (owed.id, owed.is_required)
        }
        (Some(owed), Required::Yes) => (owed.id, owed.is_required),
        (None, Required::No) => return Err(Denied::NotThere.into()),
        (None, Required::Yes) => {
            let made = dates::oblige_one(&mut tx, cycle_id, organisation).await?;
            let made =
                made.ok_or_else(|| RoundError::UnknownOrganisation(organisation.to_owned()))?;
            (made, false)
        }
    };
    let is_required = required == Required::Yes;
    if was_required == is_required {
        return Ok(());
    }
    dates::require(
        &mut tx,
        (obligation_id, organisation),
        is_required,
        &reason,
        by(actor),
    )
    .await?;
    let deed = Deed {
        verb: if is_required {
            "require"
        } else {
            "do_not_require"
        },
        organisation: Some(organisation),
        obligation_id: Some(obligation_id),
        submission_id: None,
        details: json!({"return": name.return_id, "period": name.period}),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}

async fn owed(
    tx: &mut Tx,
    name: &RoundName,
    organisation: &str,
    today: NaiveDate,
) -> Result<Option<cycles::Obligation>, DbError> {
    let all = cycles::owed::of_round(tx, &name.return_id, &name.period, today).await?;
    Ok(all
        .into_iter()
        .find(|owed| owed.organisation == organisation))
}

/// A round with its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRound {
    pub round: Round,
    /// Every day that was ever set, in the order in which they were.
    pub history: Vec<DateFact>,
}

/// A round's days and what became of them, and whether it takes place, as often as it was said; everybody may see when
/// what is collected.
pub async fn planned_round(
    db: &Db,
    actor: &Actor,
    name: &RoundName,
) -> Result<(PlannedRound, Vec<Said>), Denied> {
    allowed(actor, Action::SeeRounds, &Object::default())?;
    let mut conn = db.read(&sees(actor)).await?;
    let found = dates::find(&mut conn, &name.return_id, &name.period).await?;
    let (cycle_id, round) = found.ok_or(Denied::NotThere)?;
    let history = dates::history(&mut conn, cycle_id).await?;
    let cancellations = dates::cancellations(&mut conn, cycle_id).await?;
    Ok((PlannedRound { round, history }, cancellations))
}

/// The rounds that are due from one day up to and on another, by that day, with their days.
pub async fn planned_rounds(
    db: &Db,
    actor: &Actor,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<PlannedRound>, Denied> {
    planned_between(db, actor, Between::Due, (from, until)).await
}

/// The rounds that have a day between two, both included, whenever they are due; with all their days.
pub async fn rounds_with_day(
    db: &Db,
    actor: &Actor,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<PlannedRound>, Denied> {
    let mut rounds = planned_between(db, actor, Between::AnyDay, (from, until)).await?;
    rounds.retain(|planned| {
        let mut days = cycle::counting(&planned.history).into_iter();
        days.any(|fact| (from..=until).contains(&fact.date.on))
    });
    Ok(rounds)
}

async fn planned_between(
    db: &Db,
    actor: &Actor,
    which: Between,
    days: (NaiveDate, NaiveDate),
) -> Result<Vec<PlannedRound>, Denied> {
    allowed(actor, Action::SeeRounds, &Object::default())?;
    let mut conn = db.read(&sees(actor)).await?;
    let found = dates::between(&mut conn, which, days).await?;
    let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
    let mut histories = dates::histories(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|(id, round)| PlannedRound {
            round,
            history: histories
                .extract_if(.., |(of, _)| *of == id)
                .map(|(_, fact)| fact)
                .collect(),
        })
        .collect())
}

/// The first and the last day that anything of a round is on; `None` where none is planned.
pub async fn span_of_rounds(
    db: &Db,
    actor: &Actor,
) -> Result<Option<(NaiveDate, NaiveDate)>, Denied> {
    allowed(actor, Action::SeeRounds, &Object::default())?;
    Ok(dates::span(&mut *db.read(&sees(actor)).await?).await?)
}

/// What was said of whether an organisation has to answer in a round, for whoever sees what it owes.
pub async fn requirements(
    db: &Db,
    actor: &Actor,
    owed: &cycles::Obligation,
) -> Result<Vec<Said>, Denied> {
    let object = Object {
        organisation: Some(&owed.organisation),
        return_id: Some(&owed.round.return_id),
        ..Object::default()
    };
    allowed(actor, Action::SeeObligation, &object)?;
    Ok(dates::requirements(&mut *db.read(&sees(actor)).await?, owed.id).await?)
}

/// How long a return took each organisation, as they say, for whoever plans the rounds.
pub async fn burden_of(db: &Db, actor: &Actor, return_id: &str) -> Result<Vec<BurdenOf>, Denied> {
    decide_plan(actor)?;
    let mut conn = db.read(&sees(actor)).await?;
    Ok(burden::by_organisation(&mut conn, return_id).await?)
}

/// How much work each return makes, for whoever plans the rounds.
pub async fn burden(db: &Db, actor: &Actor) -> Result<Vec<Burden>, Denied> {
    decide_plan(actor)?;
    Ok(burden::by_return(&mut *db.read(&sees(actor)).await?).await?)
}
