//! The sender's own workbook with its findings marked in it: made by a job of its own once the findings are stored,
//! so that nobody waits for it and an assessment stands whatever comes of it.

use access::Action;
use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use db::marked::{self, MarkedWorkbook};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, Tx, findings};
use files::Files;
use finding::Finding;
use queue::NewJob;
use report::listing::Cover;
use report::marked::MOST_FINDINGS;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, may, record, sees};
use crate::to_assess::stored;
use crate::{Actor, OriginalError, StoredFile};

/// Findings read at once.
const PAGE: u32 = 2_000;

/// The job: mark one submission's workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkJob {
    pub submission_id: Uuid,
}

impl MarkJob {
    pub const KIND: &'static str = "mark";
}

pub(crate) async fn enqueue(tx: &mut Tx, submission_id: Uuid) -> Result<(), DbError> {
    let key = format!("mark {submission_id}");
    let job = NewJob::new(MarkJob::KIND, json!(MarkJob { submission_id })).once(&key);
    queue::enqueue(tx, &job).await?;
    Ok(())
}

/// What a worker needs to mark a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToMark {
    pub submission_id: Uuid,
    /// Which assessment's findings these are.
    pub assessed_at: DateTime<Utc>,
    pub file: StoredFile,
    pub cover: Cover,
    /// In report order, as many as are marked.
    pub findings: Vec<Finding>,
}

/// `None` where there is nothing left to do: there is no such assessment, or its workbook was marked.
pub async fn to_mark(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
) -> Result<Option<ToMark>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let submission = submissions::find(&mut conn, submission_id).await?;
    let Some(submission) = submission.filter(|found| may(actor, Action::SeeFindings, found)) else {
        return Ok(None);
    };
    let (Some(assessed_at), Some(cover)) = (
        submission.assessed_at,
        cover_of(&mut conn, &submission).await?,
    ) else {
        return Ok(None);
    };
    if marked::find(&mut conn, submission_id, assessed_at)
        .await?
        .is_some()
    {
        return Ok(None);
    }
    let mut found = Vec::new();
    let mut after = 0;
    while found.len() < MOST_FINDINGS {
        let page = findings::page(&mut conn, submission_id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.ordinal;
        found.extend(page.into_iter().map(|numbered| numbered.finding));
    }
    Ok(Some(ToMark {
        submission_id,
        assessed_at,
        file: stored(&submission),
        cover,
        findings: found,
    }))
}

/// What a list of the submission's findings is about; `None` until it is assessed, or for whom it does not exist.
pub async fn findings_cover(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
) -> Result<Option<Cover>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let submission = submissions::find(&mut conn, submission_id).await?;
    match submission.filter(|found| may(actor, Action::SeeFindings, found)) {
        Some(submission) => cover_of(&mut conn, &submission).await,
        None => Ok(None),
    }
}

async fn cover_of(conn: &mut Conn, submission: &Submission) -> Result<Option<Cover>, DbError> {
    let Some(outcome) = submission.outcome else {
        return Ok(None);
    };
    let mut counts = BTreeMap::new();
    for count in findings::counts(conn, submission.id).await? {
        *counts.entry(count.severity).or_insert(0) += count.n_findings;
    }
    Ok(Some(Cover {
        file_name: submission.file_name.clone(),
        about: format!(
            "{}, {}, {}, version {}",
            submission.round.return_title,
            submission.round.period.in_words(),
            submission.organisation_name,
            submission.version_number
        ),
        outcome,
        counts,
    }))
}

/// Stores what came of marking the findings of an assessment; repeating it changes nothing.
pub async fn keep_marked(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    assessed_at: DateTime<Utc>,
    marked: &MarkedWorkbook,
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    submissions::lock(&mut tx, submission_id).await?;
    let Some(submission) = submissions::find(&mut tx, submission_id).await? else {
        return Ok(());
    };
    if marked::find(&mut tx, submission_id, assessed_at)
        .await?
        .is_some()
    {
        return Ok(());
    }
    marked::add(&mut tx, submission_id, assessed_at, marked).await?;
    let deed = Deed {
        verb: "mark",
        organisation: Some(&submission.organisation),
        obligation_id: Some(submission.obligation_id),
        submission_id: Some(submission_id),
        details: match marked {
            MarkedWorkbook::Kept { sha256, .. } => json!({"sha256": sha256}),
            MarkedWorkbook::Not { why } => json!({"why_not": why}),
        },
    };
    record(&mut tx, actor, deed).await?;
    tx.commit().await?;
    Ok(())
}

/// What came of marking the workbook of a submission; `None`: it is still to be tried, or nobody is to see it.
pub async fn marked_workbook(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
) -> Result<Option<MarkedWorkbook>, DbError> {
    match submission.assessed_at {
        Some(assessed_at) if may(actor, Action::DownloadMarked, submission) => {
            marked::find(
                &mut *db.read(&sees(actor)).await?,
                submission.id,
                assessed_at,
            )
            .await
        }
        _ => Ok(None),
    }
}

/// Copies a marked workbook to a local path, its bytes verified by their hash; `None` where there is none.
pub async fn marked_file(
    db: &Db,
    files: &Files,
    actor: &Actor,
    submission: &Submission,
    to: &Path,
) -> Result<Option<()>, OriginalError> {
    match marked_workbook(db, actor, submission).await? {
        Some(MarkedWorkbook::Kept { key, .. }) => Ok(Some(files.get_to_file(&key, to).await?)),
        Some(MarkedWorkbook::Not { .. }) | None => Ok(None),
    }
}
