//! What a worker needs to assess a submission.

use access::Action;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use cycle::clock;
use db::submissions::{self, Answering, OtherRound, Submission};
use db::{Conn, Db, DbError, Tx, reference_values};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spec::{Period, ReturnSpec};
use uuid::Uuid;

use crate::actor::{may, sees};
use crate::{Actor, AssessGivenUpJob};

/// The job: assess one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssessJob {
    pub submission_id: Uuid,
}

impl AssessJob {
    pub const KIND: &'static str = "assess";
}

/// By which the job of a submission is known.
pub(crate) fn key(submission_id: Uuid) -> String {
    format!("assess {submission_id}")
}

pub(crate) async fn enqueue(tx: &mut Tx, submission_id: Uuid) -> Result<(), DbError> {
    let key = key(submission_id);
    let job = NewJob::new(AssessJob::KIND, json!(AssessJob { submission_id }))
        .once(&key)
        .when_given_up(AssessGivenUpJob::KIND);
    queue::enqueue(tx, &job).await?;
    Ok(())
}

/// What the child needs to assess a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToAssess {
    /// GSS code.
    pub organisation: String,
    pub return_id: String,
    pub return_version: String,
    /// Its label.
    pub period: String,
    /// In Scotland.
    pub received_on: NaiveDate,
    pub file: StoredFile,
    /// What stands for the period before.
    pub previous: Option<StoredFile>,
    /// What stands for the same period a year before.
    pub year_ago: Option<StoredFile>,
}

/// An original in the file store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// For `Files::get_exactly`.
    pub key: String,
    /// As the sender calls it.
    pub name: String,
    pub sha256: String,
    /// The version of the return that it answers; `None`: that is not known yet.
    pub version: Option<String>,
}

/// `None` where there is nothing left to do: there is no such submission, or its assessment is stored.
pub async fn to_assess(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
) -> Result<Option<ToAssess>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let submission = submissions::find(&mut conn, submission_id).await?;
    let Some(submission) = submission.filter(|submission| {
        may(actor, Action::DownloadFile, submission) && submission.outcome.is_none()
    }) else {
        return Ok(None);
    };
    wanted(&mut conn, &submission).await.map(Some)
}

/// A submission's original and what stands for it to be compared with; for one that is assessed, what stood then.
pub(crate) async fn wanted(conn: &mut Conn, submission: &Submission) -> Result<ToAssess, DbError> {
    let earlier = earlier(conn, Answering::Submission(submission.id)).await?;
    Ok(ToAssess {
        received_on: clock::day(submission.received_at),
        organisation: submission.organisation.clone(),
        return_id: submission.round.return_id.clone(),
        return_version: submission.round.return_version.clone(),
        period: submission.round.period.label.clone(),
        file: stored(submission),
        previous: earlier.previous,
        year_ago: earlier.year_ago,
    })
}

/// What stands for earlier periods of the same return.
pub(crate) struct Earlier {
    pub(crate) previous: Option<StoredFile>,
    pub(crate) year_ago: Option<StoredFile>,
}

pub(crate) async fn earlier(conn: &mut Conn, answering: Answering) -> Result<Earlier, DbError> {
    let previous = submissions::standing_before(conn, answering).await?;
    let year_ago = submissions::standing_year_ago(conn, answering).await?;
    Ok(Earlier {
        previous: previous.as_ref().map(stored),
        year_ago: year_ago.as_ref().map(stored),
    })
}

/// What a submission is compared with beyond its own earlier periods, as far as it is there; for one that is
/// assessed, what was there then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// What stands of the other returns that the spec is compared with, by return.
    pub others: BTreeMap<String, StoredFile>,
    /// The text of the central figures that the spec's rules read, by the spec's name for the table.
    pub values: BTreeMap<String, String>,
}

/// Nothing for a submission that the actor may not see.
pub async fn references(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    spec: &ReturnSpec,
) -> Result<References, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let submission = submissions::find(&mut conn, submission_id).await?;
    let Some(submission) = submission.filter(|one| may(actor, Action::DownloadFile, one)) else {
        return Ok(References::default());
    };
    let answering = Answering::Submission(submission.id);
    let (period, before) = (&submission.round.period, submission.assessed_at);
    references_for(&mut conn, answering, period, before, spec).await
}

pub(crate) async fn references_for(
    conn: &mut Conn,
    answering: Answering,
    period: &Period,
    before: Option<DateTime<Utc>>,
    spec: &ReturnSpec,
) -> Result<References, DbError> {
    let mut references = References::default();
    for other in &spec.compared_with {
        let round = OtherRound {
            return_id: &other.return_id,
            version: &other.version,
            period: other.period,
        };
        let standing = submissions::standing_other(conn, answering, round).await?;
        if let Some(standing) = standing {
            let file = stored(&standing);
            references.others.insert(other.return_id.clone(), file);
        }
    }
    for set in &spec.reference_values {
        let Some(period) = set.period_of(period) else {
            continue;
        };
        let newest = reference_values::newest(conn, &set.set, &period.label, before).await?;
        if let Some(newest) = newest {
            references.values.insert(set.table.clone(), newest.csv);
        }
    }
    Ok(references)
}

pub(crate) fn stored(submission: &Submission) -> StoredFile {
    StoredFile {
        key: submission.file_key.clone(),
        name: submission.file_name.clone(),
        sha256: submission.sha256.clone(),
        version: Some(submission.round.return_version.clone()),
    }
}
