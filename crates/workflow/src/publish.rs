//! Publishing return versions and opening rounds of them.

use access::{Action, Object};
use chrono::{NaiveDate, Utc};
use cycle::{Certainty, DateKind, PlannedDate, clock};
use db::reference_values::{self, StoredValues};
use db::{Db, DbError, Tx, cycles, organisations, records, returns};
use serde_json::json;
use spec::{Organisations, Period, ReturnSpec, SetOfPeriod};

use crate::actor::{Deed, allowed, record, sees};
use crate::rounds::{self, Because, RoundError, RoundName};
use crate::waivers::by;
use crate::{Actor, Denied};

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(
        "{return_id} {version} was published with other content, and a published version never changes: put it back as it was, and the change into the folder of a new version (`lgdp reassess` tries the change on what was sent)"
    )]
    Changed { return_id: String, version: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Stores organisations and return versions and makes their record tables; harmless when repeated.
/// Rounds that are planned go by them from now on ([`follow`]).
/// A published version with other content is refused, and then nothing is stored.
pub async fn publish_returns(
    db: &Db,
    actor: &Actor,
    specs: &[ReturnSpec],
    organisations: &Organisations,
) -> Result<(), PublishError> {
    let mut tx = db.begin(&sees(actor)).await?;
    returns::lock_publishing(&mut tx).await?;
    for organisation in &organisations.0 {
        organisations::put(&mut tx, organisation).await?;
    }
    for spec in specs {
        match returns::published_hash(&mut tx, &spec.id, &spec.version).await? {
            Some(hash) if hash == spec.hash => {}
            Some(_) => {
                return Err(PublishError::Changed {
                    return_id: spec.id.clone(),
                    version: spec.version.clone(),
                });
            }
            None => {
                returns::publish(&mut tx, spec).await?;
                let deed = Deed {
                    verb: "publish",
                    organisation: None,
                    obligation_id: None,
                    submission_id: None,
                    details: json!({"return": spec.id, "version": spec.version, "spec_hash": spec.hash}),
                };
                record(&mut tx, actor, deed).await?;
            }
        }
        records::ensure_tables(&mut tx, spec).await?;
    }
    follow(&mut tx, actor, specs, clock::day(Utc::now())).await?;
    tx.commit().await?;
    Ok(())
}

/// Has the rounds that are still to be due go by what is published now. One that is not open yet and has no submission is
/// collected with the newest version that serves its period. Who has come to have to answer does; who was closed or is not
/// asked any more, and sent nothing, need not, and it is said why. So it is where that is put right, unless somebody has said
/// who has to answer.
pub(crate) async fn follow(
    tx: &mut Tx,
    actor: &Actor,
    specs: &[ReturnSpec],
    today: NaiveDate,
) -> Result<(), DbError> {
    for round in cycles::to_come(tx, today).await? {
        let of_return = |spec: &&ReturnSpec| spec.id == round.return_id;
        let newest = specs
            .iter()
            .filter(of_return)
            .rfind(|spec| spec.serves(&round.period));
        let own = |spec: &&ReturnSpec| of_return(spec) && spec.version == round.version;
        let spec = match newest {
            Some(spec) if round.may_change_version => spec,
            _ => match specs.iter().find(own) {
                Some(spec) => spec,
                None => continue,
            },
        };
        let mut details =
            json!({"return": spec.id, "period": round.period.label, "version": spec.version});
        if spec.version != round.version {
            cycles::change_version(tx, round.id, &spec.version).await?;
            details["version_before"] = json!(round.version);
        }
        let asked = &spec.respondents;
        let n_new = cycles::oblige(tx, round.id, &asked.types, &asked.only).await?;
        let unsettled = cycles::unsettled(tx, round.id, &asked.types, &asked.only).await?;
        let mut n_left_out = 0;
        for one in &unsettled {
            let duty = (one.obligation_id, one.organisation.as_str());
            let (has_to, why) = match (one.is_closed, one.is_asked) {
                (true, _) => (false, "The organisation is not there in this period"),
                (false, false) => (
                    false,
                    "This version of the return does not ask the organisation",
                ),
                (false, true) => (
                    true,
                    "The organisation is there and is asked, by what is published now",
                ),
            };
            n_left_out += usize::from(!has_to);
            cycles::dates::require(tx, duty, has_to, why, by(actor)).await?;
        }
        if spec.version != round.version || n_new > 0 || !unsettled.is_empty() {
            details["new_obligations"] = json!(n_new);
            details["left_out"] = json!(n_left_out);
            details["asked_again"] = json!(unsettled.len() - n_left_out);
            let deed = Deed {
                verb: "follow_publication",
                organisation: None,
                obligation_id: None,
                submission_id: None,
                details,
            };
            record(tx, actor, deed).await?;
        }
    }
    Ok(())
}

/// Stores central figures; those of a set and period that are the newest already are left as they are.
/// What was assessed with older ones stays as it is.
pub async fn publish_reference_values(
    db: &Db,
    actor: &Actor,
    sets: &[SetOfPeriod],
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    returns::lock_publishing(&mut tx).await?;
    for set in sets {
        let sha256 = &set.values.sha256;
        let newest = reference_values::newest(&mut tx, &set.set, &set.period, None).await?;
        if newest.is_some_and(|newest| newest.sha256 == *sha256) {
            continue;
        }
        let values = StoredValues {
            sha256: sha256.clone(),
            csv: set.csv.clone(),
        };
        reference_values::add(&mut tx, &set.set, &set.period, &values).await?;
        let deed = Deed {
            verb: "publish_reference_values",
            organisation: None,
            obligation_id: None,
            submission_id: None,
            details: json!({"set": set.set, "period": set.period, "sha256": sha256}),
        };
        record(&mut tx, actor, deed).await?;
    }
    tx.commit().await
}

#[derive(Debug, thiserror::Error)]
pub enum OpenCycleError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{return_id} {version} does not serve {period}")]
    NotServed {
        return_id: String,
        version: String,
        period: String,
    },
    #[error("{return_id} {version} is not published")]
    NotPublished { return_id: String, version: String },
    #[error("{return_id} is collected for {period} with version {version} already")]
    OtherVersion {
        return_id: String,
        period: String,
        version: String,
    },
    #[error("a round has the day on which it opens and the day on which it is due")]
    DaysMissing,
    #[error("a round can't be due before it opens")]
    DueBeforeOpening,
    /// Of its days.
    #[error(transparent)]
    Days(RoundError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<RoundError> for OpenCycleError {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::Denied(denied) => Self::Denied(denied),
            RoundError::Db(error) => Self::Db(error),
            error => Self::Days(error),
        }
    }
}

/// Opens a round of a return on a day that is sure, as the one on which it is due is.
pub async fn open_cycle(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &Period,
    opens_on: NaiveDate,
    due_on: NaiveDate,
) -> Result<(), OpenCycleError> {
    let confirmed = |kind, on| PlannedDate::new(kind, on, Certainty::Confirmed);
    let dates = [
        confirmed(DateKind::Open, opens_on),
        confirmed(DateKind::Due, due_on),
    ];
    let because = Because {
        source: None,
        reason: "The round was opened".to_owned(),
    };
    plan_round(db, actor, spec, period, &dates, &because).await
}

/// Plans a round of a return, with an obligation for each respondent; harmless when repeated, but for the days, which are moved.
pub async fn plan_round(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &Period,
    dates: &[PlannedDate],
    because: &Because,
) -> Result<(), OpenCycleError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let mut tx = db.begin(&sees(actor)).await?;
    plan(&mut tx, actor, spec, period, dates, because).await?;
    tx.commit().await?;
    Ok(())
}

/// Plans a round, unless it is planned already; whether it is new.
pub(crate) async fn plan_new(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &Period,
    dates: &[PlannedDate],
    because: &Because,
) -> Result<bool, OpenCycleError> {
    allowed(actor, Action::PlanRounds, &Object::default())?;
    let mut tx = db.begin(&sees(actor)).await?;
    // Two that propose the same round find it one after the other.
    returns::lock_publishing(&mut tx).await?;
    let found = cycles::dates::find(&mut tx, &spec.id, &period.label).await?;
    if found.is_some() {
        return Ok(false);
    }
    let is_new = plan(&mut tx, actor, spec, period, dates, because).await?;
    tx.commit().await?;
    Ok(is_new)
}

/// The same in a transaction; whether the round is new.
async fn plan(
    tx: &mut Tx,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &Period,
    dates: &[PlannedDate],
    because: &Because,
) -> Result<bool, OpenCycleError> {
    if !spec.serves(period) {
        return Err(OpenCycleError::NotServed {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
            period: period.label.clone(),
        });
    }
    let day = |kind| dates.iter().find(|date| date.kind == kind);
    let (Some(opens), Some(due)) = (day(DateKind::Open), day(DateKind::Due)) else {
        return Err(OpenCycleError::DaysMissing);
    };
    if due.on < opens.on {
        return Err(OpenCycleError::DueBeforeOpening);
    }
    if returns::published_hash(tx, &spec.id, &spec.version)
        .await?
        .is_none()
    {
        return Err(OpenCycleError::NotPublished {
            return_id: spec.id.clone(),
            version: spec.version.clone(),
        });
    }
    let cycle = cycles::NewCycle {
        return_id: &spec.id,
        version: &spec.version,
        period,
        opens_on: opens.on,
        due_on: due.on,
    };
    let stored = cycles::put(tx, &cycle).await?;
    if stored.version != spec.version {
        return Err(OpenCycleError::OtherVersion {
            return_id: spec.id.clone(),
            period: period.label.clone(),
            version: stored.version,
        });
    }
    let respondents = &spec.respondents;
    let n_new = cycles::oblige(tx, stored.id, &respondents.types, &respondents.only).await?;
    if stored.is_new || n_new > 0 {
        let deed = Deed {
            verb: "open_cycle",
            organisation: None,
            obligation_id: None,
            submission_id: None,
            details: json!({
                "return": spec.id, "version": spec.version, "period": period.label,
                "opens_on": opens.on, "due_on": due.on, "new_obligations": n_new,
            }),
        };
        record(tx, actor, deed).await?;
    }
    let name = RoundName {
        return_id: spec.id.clone(),
        period: period.label.clone(),
    };
    let why = (because.source.as_deref(), because.reason.as_str());
    rounds::set(tx, actor, (stored.id, &name), dates, why).await?;
    Ok(stored.is_new)
}
