//! What is accepted, for the lake: which engines of others read, so that it says at all times what is accepted now.

use cycle::Verb;
use dataset::{
    Asked, Batches, DatasetError, Lineage, Manifest, Shape, WhichRounds, WhoseRecords,
    read_manifest,
};
use db::submissions::Submission;
use db::{Db, DbError, Sees, Tx, handovers};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spec::{Period, ReturnSpec};

use crate::Actor;
use crate::actor::{Denied, is_system};

/// The job: have the lake say what an organisation has accepted for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LakeJob {
    pub return_id: String,
    /// Its label.
    pub period: String,
    /// GSS code.
    pub organisation: String,
    /// Also where the lake says this already: its rows may have names of before, or its files be lost.
    /// No: what was put in before there were such jobs.
    #[serde(default)]
    pub again: bool,
}

impl LakeJob {
    pub const KIND: &'static str = "lake";
}

/// Puts the job in with a deed by which another version may be the accepted one.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    submission: &Submission,
    verb: Verb,
) -> Result<(), DbError> {
    match verb {
        Verb::Accept | Verb::SendBack => {}
        Verb::Submit | Verb::SignOff | Verb::Withdraw => return Ok(()),
    }
    put_in(
        tx,
        LakeJob {
            return_id: submission.round.return_id.clone(),
            period: submission.round.period.label.clone(),
            organisation: submission.organisation.clone(),
            again: false,
        },
    )
    .await
}

async fn put_in(tx: &mut Tx, job: LakeJob) -> Result<(), DbError> {
    queue::enqueue(tx, &NewJob::new(LakeJob::KIND, json!(job))).await?;
    Ok(())
}

/// Has the lake say everything that is accepted, whatever it says already: once it is there, where files of it were
/// lost, and where a newer version calls something otherwise. Gives the number of jobs.
pub async fn fill_lake(db: &Db, actor: &Actor) -> Result<usize, AcceptedError> {
    if !is_system(actor) {
        return Err(Denied::Forbidden.into());
    }
    let mut tx = db.begin(&EVERYONE).await?;
    let all = handovers::once_accepted(&mut tx).await?;
    let n_jobs = all.len();
    for once in all {
        let job = LakeJob {
            return_id: once.return_id,
            period: once.period_label,
            organisation: once.organisation,
            again: true,
        };
        put_in(&mut tx, job).await?;
    }
    tx.commit().await?;
    Ok(n_jobs)
}

/// The lake is for those who may have everybody's figures.
static EVERYONE: Sees = Sees::Everyone;

/// What an organisation has accepted for a period, as it was at one moment.
pub struct Accepted {
    manifest: Manifest,
    /// How much was done about it by then.
    pub sequence: i64,
}

/// Reads what is accepted now. `spec` is the version that the round uses.
pub async fn accepted(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    (spec, period): (&ReturnSpec, &Period),
    organisation: &str,
) -> Result<Accepted, AcceptedError> {
    if !is_system(actor) {
        return Err(Denied::Forbidden.into());
    }
    let rounds = WhichRounds {
        from: period,
        to: period,
    };
    let only = [organisation.to_owned()];
    let whose = WhoseRecords {
        sees: &EVERYONE,
        organisations: &only,
        only_accepted: true,
    };
    let mut tx = db.begin_snapshot(&EVERYONE).await?;
    let sequence = handovers::n_done(&mut tx, organisation, &spec.id, &period.label).await?;
    let mut manifest = read_manifest(&mut tx, versions, spec, rounds, whose).await?;
    tx.commit().await?;
    // What was sent for this period: where records accumulate, each period's are a part by themselves, in which there is
    // of each record what came last.
    manifest
        .submissions
        .retain(|counted| counted.period_label == period.label);
    Ok(Accepted { manifest, sequence })
}

#[derive(Debug, thiserror::Error)]
pub enum AcceptedError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl Accepted {
    /// The tables of all versions of the return, by the newest names, each with the columns of its rows, typed, with where
    /// each is from. A table is the same whichever version the rows were sent with, but that newer versions add columns.
    pub fn shapes(&self, versions: &[ReturnSpec]) -> Result<Vec<Shape>, DatasetError> {
        let asked = Asked {
            items: Vec::new(),
            lineage: Lineage::Row,
            labels: true,
        };
        Ok(Shape::of_all_versions(versions, &self.manifest, &asked)?)
    }

    /// The rows of a table.
    pub async fn rows<'a>(
        &'a self,
        db: &'a Db,
        _by: &Actor,
        versions: &'a [ReturnSpec],
        shape: &'a Shape,
    ) -> Result<Batches<'a>, DatasetError> {
        let from = dataset::From {
            db,
            sees: &EVERYONE,
            versions,
        };
        Batches::open(from, &self.manifest, shape).await
    }
}
