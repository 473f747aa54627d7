//! What the schedules put in, and what some of them have done: noting that a round's day has come, proposing the rounds
//! of the next year, and drafting a release.

mod changes;
mod drafting;

use std::time::Duration;

use access::ActorId;
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use cycle::DateKind;
use db::cycles::Round;
use db::{Db, DbError, reminders};
use queue::schedules as due;
use serde_json::json;
use spec::{Period, PeriodKind, ReturnSpec};

use crate::actor::{Deed, record, sees};
use crate::publish::{self, OpenCycleError};
use crate::rounds::{Because, PlannedRound, RoundError, planned_rounds};
use crate::webhooks::announce_turn;
use crate::{Actor, Denied};

pub use changes::{
    AddingSchedule, ChangingSchedule, Firing, LONGEST_PURPOSE, Schedule, ScheduleChange,
    ScheduleChangeError, ScheduleInFull, ScheduleKind, add_schedule, change_schedule, schedule,
    schedules,
};
pub use drafting::{Drafted, draft_scheduled};
pub use queue::schedules::ScheduledJob;

/// The kind of job that notes that days have come.
pub const TURN_ROUNDS_JOB: &str = "turn-rounds";
/// The kind of job that drafts a release.
pub const DRAFT_RELEASE_JOB: &str = "draft-release";
/// The kind of job that proposes rounds.
pub const PROPOSE_ROUNDS_JOB: &str = "propose-rounds";

/// What came of looking at all schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Jobs that were put in: the schedule and its moment.
    pub jobs: Vec<ScheduledJob>,
    /// How long until one is due: between a second and a minute, since another process may change a schedule.
    pub pause: Duration,
}

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Puts in every job whose moment has come, once, however many processes do so. The time is the database's, unless a test
/// says it. A schedule that can't be read is left, and the others are not.
pub async fn fire_schedules(
    db: &Db,
    actor: &Actor,
    now: Option<DateTime<Utc>>,
) -> Result<Fired, DbError> {
    let names = due::names(&mut *db.read(&sees(actor)).await?).await?;
    let mut fired = Fired {
        jobs: Vec::new(),
        pause: LONGEST_PAUSE,
    };
    for name in names {
        let mut tx = db.begin(&sees(actor)).await?;
        let looked = match due::look(&mut tx, &name, now).await {
            Ok(looked) => looked,
            Err(DbError::Stored(reason)) => {
                tracing::error!(schedule = name, reason, "a schedule can't be read");
                tx.rollback().await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        tx.commit().await?;
        if let Some(next) = looked.next {
            let until = next.signed_duration_since(looked.now).to_std();
            fired.pause = fired.pause.min(until.unwrap_or_default());
        }
        fired
            .jobs
            .extend(looked.fired.into_iter().map(|nominal_at| ScheduledJob {
                schedule: name.clone(),
                nominal_at,
            }));
    }
    fired.pause = fired.pause.max(SHORTEST_PAUSE);
    Ok(fired)
}

/// Notes in the trail that days of rounds have come: that a round has opened, fell due, is closed. Doing it again does nothing.
pub async fn turn_rounds(db: &Db, actor: &Actor, today: NaiveDate) -> Result<usize, DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let turns = reminders::note_turns(&mut tx, today).await?;
    for turn in &turns {
        let deed = Deed {
            verb: "turn_round",
            organisation: None,
            obligation_id: None,
            submission_id: None,
            details: json!({
                "return": turn.return_id, "period": turn.period_label, "date": turn.kind, "on": turn.on,
                "certainty": turn.certainty,
            }),
        };
        record(&mut tx, actor, deed).await?;
        announce_turn(&mut tx, turn).await?;
    }
    tx.commit().await?;
    Ok(turns.len())
}

/// So far ahead rounds are proposed.
const AHEAD_DAYS: u64 = 366;

/// A round that is not planned yet, with what the one a year before says its days are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub before: PlannedRound,
    pub period: Period,
    pub dates: Vec<cycle::PlannedDate>,
    /// Whether its period is the only one that can be meant and the round before took place; otherwise somebody has to look
    /// at it.
    pub is_sure: bool,
}

/// Days by which a snapshot may be off and still be the one of its year.
const NEAR_DAYS: i64 = 60;

fn is_near(one: NaiveDate, other: NaiveDate) -> bool {
    one.signed_duration_since(other).num_days().abs() <= NEAR_DAYS
}

/// Whether a round of the same return and about the same days takes place.
fn has_another(planned: &[PlannedRound], cancelled: &Round) -> bool {
    planned.iter().any(|other| {
        other.round.return_id == cancelled.return_id
            && !other.round.is_cancelled
            && is_near(other.round.period.end, cancelled.period.end)
    })
}

/// The day of the snapshot about a year before one.
fn snapshot_before(planned: &[PlannedRound], round: &Round) -> Option<NaiveDate> {
    let year_before = round.period.start.checked_sub_months(Months::new(12))?;
    let mut starts = planned
        .iter()
        .filter(|other| other.round.return_id == round.return_id && !other.round.is_cancelled)
        .map(|other| other.round.period.start);
    starts.find(|start| is_near(*start, year_before))
}

/// What follows from the rounds of the year before and is not planned yet, by the day it is due.
pub async fn proposals(
    db: &Db,
    actor: &Actor,
    specs: &[ReturnSpec],
    today: NaiveDate,
) -> Result<Vec<Proposal>, Denied> {
    let from = today
        .checked_sub_days(Days::new(2 * AHEAD_DAYS))
        .unwrap_or(today);
    let until = today
        .checked_add_days(Days::new(2 * AHEAD_DAYS))
        .unwrap_or(today);
    let planned = planned_rounds(db, actor, from, until).await?;
    let horizon = today
        .checked_add_days(Days::new(AHEAD_DAYS))
        .unwrap_or(today);
    let mut proposals: Vec<Proposal> = planned
        .iter()
        // One that somebody has put in the place of another is the one to go by.
        .filter(|before| !before.round.is_cancelled || !has_another(&planned, &before.round))
        .filter_map(|before| {
            let snapshot_before = snapshot_before(&planned, &before.round);
            let later = cycle::a_year_later(&before.round.period, snapshot_before)?;
            let period = later.period;
            // Another day of the same year is the snapshot that somebody has set right.
            let is_the_same = |other: &Period| match period.kind {
                PeriodKind::SnapshotDate => is_near(other.start, period.start),
                _ => other.label == period.label,
            };
            let is_planned = planned.iter().any(|other| {
                other.round.return_id == before.round.return_id && is_the_same(&other.round.period)
            });
            if is_planned || spec_of(specs, &before.round.return_id, &period).is_none() {
                return None;
            }
            let dates = cycle::proposed(&before.history, &before.round.period, &period);
            let day = |kind| {
                dates
                    .iter()
                    .find(|date| date.kind == kind)
                    .map(|date| date.on)
            };
            let (opens, due) = (day(DateKind::Open)?, day(DateKind::Due)?);
            (opens <= horizon && today <= due).then(|| Proposal {
                before: before.clone(),
                period,
                dates,
                // Whether what was cancelled is asked for again, somebody has to say.
                is_sure: later.is_sure && !before.round.is_cancelled,
            })
        })
        .collect();
    proposals.sort_by_key(|proposal| {
        let due = proposal
            .dates
            .iter()
            .find(|date| date.kind == DateKind::Due);
        (
            due.map(|date| date.on),
            proposal.before.round.return_id.clone(),
        )
    });
    Ok(proposals)
}

/// The version that serves a period: of several, the last.
fn spec_of<'s>(
    specs: &'s [ReturnSpec],
    return_id: &str,
    period: &Period,
) -> Option<&'s ReturnSpec> {
    specs
        .iter()
        .rfind(|spec| spec.id == return_id && spec.serves(period))
}

/// Plans what was proposed, as provisional: of these returns and periods, or all. What is planned meanwhile stays as it is.
pub async fn plan_proposals(
    db: &Db,
    actor: &Actor,
    specs: &[ReturnSpec],
    chosen: impl Fn(&Proposal) -> bool,
    today: NaiveDate,
) -> Result<usize, OpenCycleError> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded.into());
    }
    let (mut n_planned, mut refused) = (0, None);
    for proposal in proposals(db, actor, specs, today).await? {
        if !chosen(&proposal) {
            continue;
        }
        let before = &proposal.before.round;
        let Some(spec) = spec_of(specs, &before.return_id, &proposal.period) else {
            continue;
        };
        let because = Because {
            source: Some(format!("The round of {}", before.period.in_words())),
            reason: "Proposed from the round a year before".to_owned(),
        };
        let is_new =
            publish::plan_new(db, actor, spec, &proposal.period, &proposal.dates, &because);
        match is_new.await {
            Ok(true) => n_planned += 1,
            Ok(false) => {}
            // One that can't be planned so keeps none of the others from being planned, and is told of after them.
            Err(error @ OpenCycleError::Days(RoundError::Order { .. })) => {
                refused.get_or_insert(error);
            }
            // Its version is published later.
            Err(OpenCycleError::NotPublished { return_id, version }) => {
                tracing::warn!(
                    return_id,
                    version,
                    "a round was not proposed: not published"
                );
            }
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(error) => Err(error),
        None => Ok(n_planned),
    }
}
