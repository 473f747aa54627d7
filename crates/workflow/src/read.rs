//! What the pages show. What an actor may not see is not there: `None`, or left out of a list.

use std::path::Path;

use access::{Action, ActorId, Object};
use assess::TableAccount;
use chrono::NaiveDate;
use db::submissions::TableRows;
use db::{Conn, Db, DbError, cycles, emails, findings as stored_findings, submissions};
use files::{Files, FilesError};
use uuid::Uuid;

use crate::Actor;
use crate::actor::{Denied, allowed, may, object, sees};
use crate::owed::{Obligation, seen};

pub use db::comparisons::StoredComparison as Comparison;
pub use db::emails::EmailState;
pub use db::findings::{FindingCount, NumberedFinding};
pub use db::marked::MarkedWorkbook;
pub use db::organisations::Named as OrganisationName;
pub use db::submissions::Submission;

/// A submission that something is to be done to.
pub async fn submission(
    db: &Db,
    actor: &Actor,
    action: Action,
    id: Uuid,
) -> Result<Submission, Denied> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded);
    }
    let found = submissions::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let submission = found.ok_or(Denied::NotThere)?;
    allowed(actor, action, &object(&submission))?;
    Ok(submission)
}

/// A submission, where the actor may do this to it.
async fn visible(
    conn: &mut Conn,
    actor: &Actor,
    action: Action,
    id: Uuid,
) -> Result<Option<Submission>, DbError> {
    let submission = submissions::find(conn, id).await?;
    Ok(submission.filter(|submission| may(actor, action, submission)))
}

/// Newest first. `organisation: None` is everything the actor may see.
pub async fn submissions_of(
    db: &Db,
    actor: &Actor,
    organisation: Option<&str>,
) -> Result<Vec<Submission>, DbError> {
    let mut all = submissions::list(&mut *db.read(&sees(actor)).await?, organisation).await?;
    all.retain(|submission| may(actor, Action::SeeSubmission, submission));
    Ok(all)
}

/// At most `limit` findings in report order after an ordinal (0: from the start); ask again after the last one's.
pub async fn findings(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    after: u32,
    limit: u32,
) -> Result<Option<Vec<NumberedFinding>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeFindings, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    stored_findings::page(&mut conn, id, after, limit)
        .await
        .map(Some)
}

/// The first `n` findings of each rule, in report order.
pub async fn first_findings(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    n: u32,
) -> Result<Option<Vec<NumberedFinding>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeFindings, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    stored_findings::first_of_each_rule(&mut conn, id, n)
        .await
        .map(Some)
}

/// At most `limit` findings of a rule in report order, without the first `skipped`.
pub async fn findings_of_rule(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    rule: &str,
    (skipped, limit): (u32, u32),
) -> Result<Option<Vec<NumberedFinding>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeFindings, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    stored_findings::of_rule(&mut conn, id, rule, skipped, limit)
        .await
        .map(Some)
}

/// The headings of the sender's own columns that the findings carry; none for a submission that is not to be seen.
pub async fn own_headings(db: &Db, actor: &Actor, id: Uuid) -> Result<Vec<String>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeFindings, id)
        .await?
        .is_none()
    {
        return Ok(Vec::new());
    }
    stored_findings::own_headings(&mut conn, id).await
}

/// How many findings by severity and rule, worst first.
pub async fn finding_counts(
    db: &Db,
    actor: &Actor,
    id: Uuid,
) -> Result<Option<Vec<FindingCount>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::CountFindings, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    stored_findings::counts(&mut conn, id).await.map(Some)
}

/// What became of each table's rows.
pub async fn accounts(
    db: &Db,
    actor: &Actor,
    id: Uuid,
) -> Result<Option<Vec<TableAccount>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeSubmission, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    let tables = submissions::tables(&mut conn, id).await?;
    tables
        .into_iter()
        .map(account)
        .collect::<Result<_, _>>()
        .map(Some)
}

pub(crate) fn account(table: TableRows) -> Result<TableAccount, DbError> {
    Ok(TableAccount {
        name: table.table,
        sheet: table.sheet.unwrap_or_default(),
        n_rows: table.n_rows,
        loaded: table.n_loaded,
        rejected: table.n_rejected,
        ignored: table.n_ignored,
        ignored_rows: serde_json::from_value(table.ignored)
            .map_err(|error| DbError::Stored(error.to_string()))?,
        columns: table.columns,
    })
}

/// What rules read beyond the file when a submission was assessed.
pub async fn comparisons(
    db: &Db,
    actor: &Actor,
    id: Uuid,
) -> Result<Option<Vec<Comparison>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeSubmission, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    db::comparisons::of(&mut conn, id).await.map(Some)
}

/// The messages about a submission and where each stands.
pub async fn emails_of(
    db: &Db,
    actor: &Actor,
    id: Uuid,
) -> Result<Option<Vec<EmailState>>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    if visible(&mut conn, actor, Action::SeeSubmission, id)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    emails::of_submission(&mut conn, id).await.map(Some)
}

/// What is owed and where it stands: all that the actor may see, or one organisation's.
pub async fn obligations(
    db: &Db,
    actor: &Actor,
    organisation: Option<&str>,
    today: NaiveDate,
) -> Result<Vec<Obligation>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let all = cycles::obligations(&mut conn, organisation, today).await?;
    Ok(all
        .into_iter()
        .filter_map(|owed| seen(actor, owed))
        .collect())
}

/// Those that the actor may send a return for, by name.
pub async fn organisations(db: &Db, actor: &Actor) -> Result<Vec<OrganisationName>, DbError> {
    let mut all = db::organisations::list(&mut *db.read(&sees(actor)).await?, None).await?;
    all.retain(|organisation| {
        let object = Object {
            organisation: Some(&organisation.code),
            ..Object::default()
        };
        allowed(actor, Action::Send, &object).is_ok()
    });
    Ok(all)
}

#[derive(Debug, thiserror::Error)]
pub enum OriginalError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Copies a stored original to a local path, its bytes verified by their hash.
pub async fn original(
    db: &Db,
    files: &Files,
    actor: &Actor,
    id: Uuid,
    to: &Path,
) -> Result<Option<Submission>, OriginalError> {
    let mut conn = db.read(&sees(actor)).await?;
    let Some(submission) = visible(&mut conn, actor, Action::DownloadFile, id).await? else {
        return Ok(None);
    };
    drop(conn);
    files.get_to_file(&submission.file_key, to).await?;
    Ok(Some(submission))
}
