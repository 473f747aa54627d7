//! Standing submissions of a round checked against each other. For the office alone.

use access::{Action, Object};
use std::collections::BTreeMap;

use assess::{Addressed, CollectionChecked, CollectionHead, MemberFile};
use chrono::NaiveDate;
use cycle::{Verb, clock};
use db::collections::{self, Run};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, Tx};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spec::{ReturnSpec, Stage};
use uuid::Uuid;

use crate::Actor;
use crate::actor::{Deed, allowed, is_system, record, sees};
use crate::to_assess::{StoredFile, stored};

/// The job: check the standing submissions of a round against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCollectionJob {
    pub return_id: String,
    /// Its label.
    pub period: String,
}

impl CheckCollectionJob {
    pub const KIND: &'static str = "check-collection";
}

/// What now stands in a round may fit the others differently. One job for each thing that is done with a version:
/// one that is dropped because another one runs could be the one that the other did not see.
pub(crate) async fn enqueue(
    tx: &mut Tx,
    submission: &Submission,
    verb: Verb,
) -> Result<(), DbError> {
    let key = format!("check-collection {} {verb}", submission.id);
    let payload = json!(CheckCollectionJob {
        return_id: submission.round.return_id.clone(),
        period: submission.round.period.label.clone(),
    });
    queue::enqueue(
        tx,
        &NewJob::new(CheckCollectionJob::KIND, payload).once(&key),
    )
    .await?;
    Ok(())
}

/// The version of the return that a round uses; `None` where there is no such round.
pub async fn version_of_round(
    db: &Db,
    actor: &Actor,
    return_id: &str,
    period: &str,
) -> Result<Option<String>, DbError> {
    collections::version_of_round(&mut *db.read(&sees(actor)).await?, return_id, period).await
}

/// What the child needs to check a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCheckCollection {
    /// The last day that one of the files came in, in Scotland.
    pub received_on: NaiveDate,
    /// By GSS code.
    pub files: BTreeMap<String, StoredFile>,
    submissions: BTreeMap<String, Uuid>,
}

/// `None` where there is nothing to do: the return has no rules over all organisations, nothing stands, or what stands was checked with this spec already.
pub async fn to_check_collection(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &str,
) -> Result<Option<ToCheckCollection>, DbError> {
    let has_rules = spec
        .rules
        .iter()
        .any(|rule| rule.stage == Stage::Collection);
    if !has_rules || !is_system(actor) {
        return Ok(None);
    }
    let mut conn = db.read(&sees(actor)).await?;
    let standing = submissions::standing_in(&mut conn, &spec.id, period).await?;
    let last = standing
        .iter()
        .map(|submission| submission.received_at)
        .max();
    let Some(last) = last else {
        return Ok(None);
    };
    let submissions = by_organisation(&standing);
    if is_checked(&mut conn, spec, period, &submissions).await? {
        return Ok(None);
    }
    Ok(Some(ToCheckCollection {
        received_on: clock::day(last),
        submissions,
        files: standing
            .iter()
            .map(|submission| (submission.organisation.clone(), stored(submission)))
            .collect(),
    }))
}

fn by_organisation(standing: &[Submission]) -> BTreeMap<String, Uuid> {
    standing
        .iter()
        .map(|submission| (submission.organisation.clone(), submission.id))
        .collect()
}

async fn is_checked(
    conn: &mut Conn,
    spec: &ReturnSpec,
    period: &str,
    standing: &BTreeMap<String, Uuid>,
) -> Result<bool, DbError> {
    let Some(Run { id, spec_hash, .. }) = collections::newest(conn, &spec.id, period).await? else {
        return Ok(false);
    };
    let members = collections::members(conn, id).await?;
    let checked: BTreeMap<String, Uuid> = members
        .into_iter()
        .map(|member| (member.organisation, member.submission_id))
        .collect();
    Ok(spec_hash == spec.hash && checked == *standing)
}

#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    #[error("only the office and its systems may check a collection")]
    NotAllowed,
    #[error("the check does not fit together: {0}")]
    Parts(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Stores the findings of a run; replaying it changes nothing. False where something else stands by now,
/// which has a job of its own, or where the same run is stored.
pub async fn store_collection(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    period: &str,
    wanted: &ToCheckCollection,
    checked: &CollectionChecked,
) -> Result<bool, CollectionError> {
    if !is_system(actor) {
        return Err(CollectionError::NotAllowed);
    }
    let head = &checked.head;
    if head.return_id != spec.id || head.version != spec.version || head.spec_hash != spec.hash {
        let why = "it was made with another spec".to_owned();
        return Err(CollectionError::Parts(why));
    }
    let mut tx = db.begin(&sees(actor)).await?;
    let Some(cycle_id) = collections::lock_round(&mut tx, &spec.id, period).await? else {
        let why = format!("there is no round {period} of {}", spec.id);
        return Err(CollectionError::Parts(why));
    };
    let standing = submissions::standing_in(&mut tx, &spec.id, period).await?;
    let stands_now = by_organisation(&standing);
    if stands_now != wanted.submissions || is_checked(&mut tx, spec, period, &stands_now).await? {
        return Ok(false);
    }
    let submissions: Vec<Uuid> = stands_now.values().copied().collect();
    let run = collections::add(&mut tx, cycle_id, &spec.hash, &submissions).await?;
    for (ordinal, addressed) in (1..).zip(&checked.findings) {
        let Some(&submission_id) = stands_now.get(&addressed.organisation) else {
            let why = format!("{} is no member", addressed.organisation);
            return Err(CollectionError::Parts(why));
        };
        collections::add_finding(&mut tx, run, ordinal, submission_id, &addressed.finding).await?;
    }
    let deed = Deed {
        verb: "check_collection",
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details: json!({
            "return": spec.id, "version": spec.version, "spec_hash": spec.hash, "period": period,
            "n_members": submissions.len(), "n_findings": checked.findings.len(),
        }),
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(true)
}

/// The newest run of a round; `None` where there is none, and for an organisation's actor.
pub async fn collection(
    db: &Db,
    actor: &Actor,
    return_id: &str,
    period: &str,
) -> Result<Option<CollectionChecked>, DbError> {
    let round = Object {
        return_id: Some(return_id),
        stage: access::Stage::Submitted,
        ..Object::default()
    };
    if allowed(actor, Action::SeeFindings, &round).is_err() {
        return Ok(None);
    }
    let mut conn = db.read(&sees(actor)).await?;
    let Some(run) = collections::newest(&mut conn, return_id, period).await? else {
        return Ok(None);
    };
    let members = collections::members(&mut conn, run.id).await?;
    let findings: Vec<Addressed> = collections::findings(&mut conn, run.id)
        .await?
        .into_iter()
        .map(|(organisation, finding)| Addressed {
            organisation,
            finding,
        })
        .collect();
    Ok(Some(CollectionChecked {
        head: CollectionHead {
            return_id: return_id.to_owned(),
            version: run.version,
            spec_hash: run.spec_hash,
            period: Some(period.to_owned()),
            counts: assess::counts(&findings),
            members: members
                .into_iter()
                .map(|member| MemberFile {
                    organisation: member.organisation,
                    sha256: member.sha256,
                })
                .collect(),
        },
        findings,
    }))
}
