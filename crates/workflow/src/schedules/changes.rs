//! Schedules are added, changed, paused, resumed and ended by whoever plans the rounds. What was done stays, with who and why.

use access::{Action, Object};
use chrono::{DateTime, TimeDelta, Utc};
use cycle::{Schedule as Rule, ScheduleError};
use db::schedules::{self, Firings, NewChange, NewSchedule};
use db::{Db, DbError, Tx};
use serde_json::json;
use spec::ReturnSpec;

use super::{DRAFT_RELEASE_JOB, PROPOSE_ROUNDS_JOB, TURN_ROUNDS_JOB};
use crate::actor::{Deed, allowed, record, sees};
use crate::explain::written;
use crate::reminders::REMIND_JOB;
use crate::waivers::by;
use crate::{Actor, Denied, ExplainError};

pub use db::schedules::{Change as ScheduleChange, Firing, Schedule};

/// What a schedule has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleKind {
    TurnRounds,
    ProposeRounds,
    Remind,
    /// Of one return.
    DraftRelease,
}

impl ScheduleKind {
    pub const ALL: [ScheduleKind; 4] = [
        ScheduleKind::DraftRelease,
        ScheduleKind::Remind,
        ScheduleKind::ProposeRounds,
        ScheduleKind::TurnRounds,
    ];

    /// The kind of job; the word in forms and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            ScheduleKind::TurnRounds => TURN_ROUNDS_JOB,
            ScheduleKind::ProposeRounds => PROPOSE_ROUNDS_JOB,
            ScheduleKind::Remind => REMIND_JOB,
            ScheduleKind::DraftRelease => DRAFT_RELEASE_JOB,
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The words on a page.
    pub fn in_words(self) -> &'static str {
        match self {
            ScheduleKind::TurnRounds => "note that rounds have opened, fallen due or closed",
            ScheduleKind::ProposeRounds => "propose the next year's rounds",
            ScheduleKind::Remind => "remind people of their returns",
            ScheduleKind::DraftRelease => {
                "draft a provisional release of a return's figures, for two people to approve"
            }
        }
    }

    /// No two moments are nearer to each other.
    fn shortest_gap(self) -> TimeDelta {
        match self {
            // Somebody has to look at each.
            ScheduleKind::DraftRelease => TimeDelta::hours(20),
            _ => TimeDelta::minutes(50),
        }
    }
}

/// Characters of a rule: more is no rule.
const LONGEST_RULE: usize = 200;
/// Characters of what it is for.
pub const LONGEST_PURPOSE: usize = 200;
/// Firings and late firings that are listed.
const N_FIRINGS: u32 = 10;

#[derive(Debug, thiserror::Error)]
pub enum ScheduleChangeError {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Of the reason.
    #[error(transparent)]
    Text(ExplainError),
    #[error(transparent)]
    Rule(#[from] ScheduleError),
    /// How often at most: so many hours between two.
    #[error("two moments are less than {hours} hours apart")]
    TooOften { hours: i64 },
    #[error("what it is for is asked for, in at most {LONGEST_PURPOSE} characters")]
    Purpose,
    #[error("no published return is called {0:?}")]
    UnknownReturn(String),
    #[error("the schedule was ended")]
    Ended,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ExplainError> for ScheduleChangeError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Denied(denied) => Self::Denied(denied),
            ExplainError::Db(error) => Self::Db(error),
            error => Self::Text(error),
        }
    }
}

/// A schedule to add.
#[derive(Debug, Clone, Copy)]
pub struct AddingSchedule<'a> {
    pub kind: ScheduleKind,
    /// The return that it is about, for the kinds that are about one.
    pub return_id: &'a str,
    /// In cron's five fields.
    pub rule: &'a str,
    pub zone: &'a str,
    pub purpose: &'a str,
    pub reason: &'a str,
}

/// Adds a schedule and gives its name. Where one that does the same at the same times goes on already, it is that one's.
pub async fn add_schedule(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    adding: &AddingSchedule<'_>,
    now: DateTime<Utc>,
) -> Result<String, ScheduleChangeError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let kind = adding.kind;
    let return_id = match kind {
        ScheduleKind::DraftRelease => Some(adding.return_id),
        _ => None,
    };
    if let Some(id) = return_id
        && !versions.iter().any(|spec| spec.id == id)
    {
        return Err(ScheduleChangeError::UnknownReturn(id.to_owned()));
    }
    let (rule, zone) = when((adding.rule, adding.zone), kind, now)?;
    let purpose = match written(adding.purpose) {
        Ok(purpose) if purpose.chars().count() <= LONGEST_PURPOSE => purpose,
        _ => return Err(ScheduleChangeError::Purpose),
    };
    let reason = written(adding.reason)?;
    let mut tx = db.begin(&sees(actor)).await?;
    let is_the_same = |other: &&Schedule| {
        !other.is_ended
            && other.job_kind == kind.as_str()
            && other.return_id.as_deref() == return_id
            && (other.rule.as_str(), other.zone.as_str()) == (rule.as_str(), zone.as_str())
    };
    let name = loop {
        let known = schedules::all(&mut tx).await?;
        if let Some(same) = known.iter().find(is_the_same) {
            return Ok(same.name.clone());
        }
        let name = free_name(kind, return_id, &known);
        let new = NewSchedule {
            name: &name,
            rule: &rule,
            zone: &zone,
            job_kind: kind.as_str(),
            purpose: &purpose,
            return_id,
        };
        if schedules::add(&mut tx, &new).await? {
            break name;
        }
        // Somebody else was given the name meanwhile, and is seen now.
    };
    let change = Doing {
        what: "add",
        name: &name,
        return_id,
        when: (&rule, &zone),
        reason: &reason,
        at: None,
    };
    keep(&mut tx, actor, &change).await?;
    tx.commit().await?;
    Ok(name)
}

/// `draft-release-hl1`, or with a number behind it where that is another one's.
fn free_name(kind: ScheduleKind, return_id: Option<&str>, known: &[Schedule]) -> String {
    let letters = |text: &str| -> String {
        let mut plain = text.to_lowercase();
        plain.retain(|letter| letter.is_ascii_alphanumeric());
        plain
    };
    let name = match return_id.map(letters).filter(|id| !id.is_empty()) {
        Some(id) => format!("{}-{id}", kind.as_str()),
        None => kind.as_str().to_owned(),
    };
    let is_free = |name: &String| known.iter().all(|other| other.name != *name);
    if is_free(&name) {
        return name;
    }
    (2..=known.len() + 2)
        .map(|n| format!("{name}-{n}"))
        .find(is_free)
        .unwrap_or(name)
}

/// A rule and a zone as they are kept, if they say when.
fn when(
    (rule, zone): (&str, &str),
    kind: ScheduleKind,
    now: DateTime<Utc>,
) -> Result<(String, String), ScheduleChangeError> {
    let short: String = rule.chars().take(LONGEST_RULE).collect();
    let rule = short.split_whitespace().collect::<Vec<_>>().join(" ");
    let zone: String = zone.trim().chars().take(LONGEST_RULE).collect();
    let read = Rule::parse(&rule, &zone)?;
    let gap = kind.shortest_gap();
    if read.is_oftener_than(gap, now) {
        let hours = gap.num_hours().max(1);
        return Err(ScheduleChangeError::TooOften { hours });
    }
    Ok((rule, zone))
}

/// What is done with a schedule that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangingSchedule<'a> {
    /// From now on it is due at other times.
    Change {
        rule: &'a str,
        zone: &'a str,
    },
    Pause,
    Resume,
    /// For good.
    End,
}

/// Changes, pauses, resumes or ends a schedule; harmless when repeated. What has come by then is put in first, so that a
/// change loses nothing.
pub async fn change_schedule(
    db: &Db,
    actor: &Actor,
    name: &str,
    changing: ChangingSchedule<'_>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), ScheduleChangeError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let mut tx = db.begin(&sees(actor)).await?;
    let found = schedules::lock(&mut tx, name).await?;
    let found = found.ok_or(Denied::NotThere)?;
    let kind = ScheduleKind::parse(&found.job_kind).ok_or(Denied::NotThere)?;
    let (what, (rule, zone), is_done) = match changing {
        ChangingSchedule::Change { rule, zone } => {
            let new = when((rule, zone), kind, now)?;
            let is_done = new == (found.rule.clone(), found.zone.clone());
            ("change", new, is_done)
        }
        ChangingSchedule::Pause => ("pause", as_it_is(&found), !found.is_on),
        ChangingSchedule::Resume => ("resume", as_it_is(&found), found.is_on),
        ChangingSchedule::End => ("end", as_it_is(&found), found.is_ended),
    };
    let reason = written(reason)?;
    if found.is_ended && what != "end" {
        return Err(ScheduleChangeError::Ended);
    }
    if is_done {
        return Ok(());
    }
    let at = seen_to(&mut tx, &found).await?;
    let change = Doing {
        what,
        name,
        return_id: found.return_id.as_deref(),
        when: (&rule, &zone),
        reason: &reason,
        at,
    };
    keep(&mut tx, actor, &change).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts in everything that has come of a schedule that is locked; until when that was, so that the change counts from then
/// on and no moment falls between the two. `None`: it is off, or can't be read and so has no moments.
async fn seen_to(tx: &mut Tx, found: &Schedule) -> Result<Option<DateTime<Utc>>, DbError> {
    if !found.is_on {
        return Ok(None);
    }
    loop {
        match queue::schedules::look(tx, &found.name, None).await {
            Ok(looked) if looked.fired.is_empty() => return Ok(Some(looked.now)),
            // As many as are put in at once; there may be more.
            Ok(_) => {}
            Err(DbError::Stored(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

fn as_it_is(schedule: &Schedule) -> (String, String) {
    (schedule.rule.clone(), schedule.zone.clone())
}

/// What is kept, and told to the trail.
struct Doing<'a> {
    what: &'static str,
    name: &'a str,
    return_id: Option<&'a str>,
    when: (&'a str, &'a str),
    reason: &'a str,
    /// `None`: now.
    at: Option<DateTime<Utc>>,
}

async fn keep(tx: &mut Tx, actor: &Actor, doing: &Doing<'_>) -> Result<(), DbError> {
    let (rule, zone) = doing.when;
    let new = NewChange {
        schedule: doing.name,
        what: doing.what,
        rule,
        zone,
        reason: doing.reason,
        at: doing.at,
        by: by(actor),
    };
    schedules::change(tx, &new).await?;
    let deed = Deed {
        verb: match doing.what {
            "add" => "add_schedule",
            "change" => "change_schedule",
            "pause" => "pause_schedule",
            "resume" => "resume_schedule",
            _ => "end_schedule",
        },
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({"schedule": doing.name, "return": doing.return_id, "when": rule, "zone": zone}),
    };
    record(tx, actor, deed).await
}

/// All schedules, for whoever plans the rounds; those that were ended last.
pub async fn schedules(db: &Db, actor: &Actor) -> Result<Vec<Schedule>, Denied> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    Ok(schedules::all(&mut *db.read(&sees(actor)).await?).await?)
}

/// A schedule with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleInFull {
    pub schedule: Schedule,
    /// The newest first.
    pub firings: Vec<Firing>,
    pub late: Vec<Firing>,
    pub changes: Vec<ScheduleChange>,
}

pub async fn schedule(db: &Db, actor: &Actor, name: &str) -> Result<ScheduleInFull, Denied> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let mut conn = db.read(&sees(actor)).await?;
    let found = schedules::find(&mut conn, name).await?;
    Ok(ScheduleInFull {
        schedule: found.ok_or(Denied::NotThere)?,
        firings: schedules::firings(&mut conn, name, Firings::All, N_FIRINGS).await?,
        late: schedules::firings(&mut conn, name, Firings::Late, N_FIRINGS).await?,
        changes: schedules::changes(&mut conn, name).await?,
    })
}
