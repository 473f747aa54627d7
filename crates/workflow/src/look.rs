//! A first look at a return's figures, for whoever may have them.
//!
//! What an organisation's records come to is added up when something of it may count that did not, and kept. What is kept
//! is known by the versions that it was made of, so that it is right or not there.

use std::time::Duration;

use dataset::look::{self, Found, Look, ToKeep, What};
use dataset::{
    Asked, DatasetError, Lineage, Part, Shape, WhichRounds, WhoseRecords, read_long_manifest,
};
use db::records::look::{all_kept, forget, keep, who_handed_over};
use db::submissions::Submission;
use db::{Db, DbError, Sees, Tx};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spec::{Period, ReturnSpec};

use crate::actor::{Denied, is_system};
use crate::{Actor, Figures, WantedError};

/// Periods that are looked at.
const PERIODS: u32 = 12;

/// How long one statement may add up; somebody waits for none of them.
const LONGEST: Duration = Duration::from_mins(10);

/// The job: add up what an organisation's records of a return come to, wherever that is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddUpJob {
    pub return_id: String,
    /// GSS code.
    pub organisation: String,
}

impl AddUpJob {
    pub const KIND: &'static str = "add-up";
}

/// Puts the job in with a deed by which another version may count.
pub(crate) async fn enqueue(tx: &mut Tx, submission: &Submission) -> Result<(), DbError> {
    let job = AddUpJob {
        return_id: submission.round.return_id.clone(),
        organisation: submission.organisation.clone(),
    };
    queue::enqueue(tx, &NewJob::new(AddUpJob::KIND, json!(job))).await?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum AddUpError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Adds up what an organisation's records come to in every round of a return, and forgets what is not asked for any more.
/// Whoever does the same at the same time keeps the same under the same keys, and forgets nothing that was not there when
/// he looked.
pub async fn add_up(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    job: &AddUpJob,
) -> Result<(), AddUpError> {
    if !is_system(actor) {
        return Err(Denied::Forbidden.into());
    }
    let AddUpJob {
        return_id,
        organisation,
    } = job;
    let sees = Sees::Organisations(vec![organisation.clone()]);
    let mut tx = db.begin_snapshot(&sees).await?;
    tx.set_statement_timeout(LONGEST).await?;
    let rounds = look::all_periods(&mut tx, return_id).await?;
    let mut to_keep = ToKeep::default();
    let of_return = versions.iter().filter(|version| version.id == *return_id);
    for version in of_return {
        // Whoever looks at a round has the words of its version, and sees the rounds before it.
        let served = |part: &Part| {
            let period = Period::parse(version.period_kind, &part.label).ok()?;
            version.serves(&period).then_some(period)
        };
        let last = rounds.iter().rposition(|round| served(round).is_some());
        let rounds = last
            .and_then(|last| rounds.get(..=last))
            .unwrap_or_default();
        let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else {
            continue;
        };
        let Some(last) = served(last) else {
            continue;
        };
        let whose = WhoseRecords {
            sees: &sees,
            organisations: &[],
            only_accepted: false,
        };
        let which = WhichRounds {
            from: &first_of(first, &last),
            to: &last,
        };
        let manifest = read_long_manifest(&mut tx, versions, version, which, whose).await?;
        let of = (versions, version);
        look::to_keep(&mut tx, of, &manifest, rounds, &mut to_keep).await?;
    }
    let mut others = all_kept(&mut tx, (return_id, organisation)).await?;
    others.retain(|key| !to_keep.known.contains(key));
    tx.commit().await?;
    let mut tx = db.begin(&sees).await?;
    keep(&mut tx, (return_id, organisation), &to_keep.added).await?;
    forget(&mut tx, &others).await?;
    tx.commit().await?;
    Ok(())
}

/// Whose records of a return may have to be added up, one by one.
pub async fn to_add_up(
    db: &Db,
    actor: &Actor,
    return_id: &str,
) -> Result<Vec<AddUpJob>, AddUpError> {
    if !is_system(actor) {
        return Err(Denied::Forbidden.into());
    }
    let organisations = who_handed_over(&mut *db.read(&Sees::Everyone).await?, return_id).await?;
    let job = |organisation| AddUpJob {
        return_id: return_id.to_owned(),
        organisation,
    };
    Ok(organisations.into_iter().map(job).collect())
}

fn first_of(first: &Part, last: &Period) -> Period {
    Period {
        label: first.label.clone(),
        start: first.start,
        end: first.end,
        ..last.clone()
    }
}

/// What somebody wants to look at.
#[derive(Debug, Clone)]
pub struct WantedLook<'a> {
    /// All published versions.
    pub versions: &'a [ReturnSpec],
    /// The one that serves the period: its words are used.
    pub spec: &'a ReturnSpec,
    pub table: &'a str,
    pub period: &'a Period,
    pub what: &'a What,
}

/// What the figures that somebody may have come to now, in a period and those before it.
/// `None`: there are too many that are still to be added up, and that has been put in.
pub async fn look(
    db: &Db,
    figures: &Figures,
    wanted: &WantedLook<'_>,
) -> Result<Option<Look>, WantedError> {
    let mut tx = db.begin_snapshot(&figures.0).await?;
    let periods = look::last_periods(&mut tx, wanted.spec, wanted.period, PERIODS).await?;
    let first = match periods.first() {
        Some(first) => first_of(first, wanted.period),
        None => wanted.period.clone(),
    };
    let rounds = WhichRounds {
        from: &first,
        to: wanted.period,
    };
    let whose = WhoseRecords {
        sees: &figures.0,
        organisations: &[],
        only_accepted: false,
    };
    let manifest = read_long_manifest(&mut tx, wanted.versions, wanted.spec, rounds, whose).await?;
    let asked = Asked {
        items: wanted.what.items(),
        lineage: Lineage::None,
        labels: true,
    };
    let shape = Shape::of(
        wanted.versions,
        wanted.spec,
        wanted.table,
        &manifest,
        &asked,
    )
    .map_err(DatasetError::from)?;
    let found = look::look(
        &mut tx,
        (wanted.versions, wanted.spec),
        (&manifest, &shape),
        periods,
        wanted.what,
    )
    .await?;
    tx.commit().await?;
    match found {
        Found::Look(look) => Ok(Some(look)),
        Found::NotYet(organisations) => {
            put_in(db, figures, &wanted.spec.id, organisations).await?;
            Ok(None)
        }
    }
}

/// Has organisations' records added up for whoever looks next.
async fn put_in(
    db: &Db,
    figures: &Figures,
    return_id: &str,
    organisations: Vec<String>,
) -> Result<(), DbError> {
    let mut tx = db.begin(&figures.0).await?;
    for organisation in organisations {
        let key = format!("{} {return_id} {organisation}", AddUpJob::KIND);
        let job = AddUpJob {
            return_id: return_id.to_owned(),
            organisation,
        };
        queue::enqueue(&mut tx, &NewJob::new(AddUpJob::KIND, json!(job)).once(&key)).await?;
    }
    tx.commit().await
}
