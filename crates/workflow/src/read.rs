//! What the pages show. What an actor may not see is not there: `None`, or left out of a list.

use std::path::Path;

use assess::TableAccount;
use chrono::NaiveDate;
use dataset::DatasetError;
use db::submissions::TableRows;
use db::{Conn, Db, DbError, cycles, emails, findings as stored_findings, submissions};
use files::{Files, FilesError};
use spec::ReturnSpec;
use tokio::io::AsyncWrite;
use uuid::Uuid;

use crate::Actor;

pub use db::comparisons::StoredComparison as Comparison;
pub use db::cycles::Obligation;
pub use db::emails::EmailState;
pub use db::findings::{FindingCount, NumberedFinding};
pub use db::marked::MarkedWorkbook;
pub use db::organisations::Named as OrganisationName;
pub use db::submissions::Submission;

pub async fn submission(db: &Db, actor: &Actor, id: Uuid) -> Result<Option<Submission>, DbError> {
    visible(&mut db.conn().await?, actor, id).await
}

async fn visible(conn: &mut Conn, actor: &Actor, id: Uuid) -> Result<Option<Submission>, DbError> {
    let submission = submissions::find(conn, id).await?;
    Ok(submission.filter(|submission| actor.may_see(&submission.organisation)))
}

/// Newest first. `organisation: None` is everything the actor may see.
pub async fn submissions_of(
    db: &Db,
    actor: &Actor,
    organisation: Option<&str>,
) -> Result<Vec<Submission>, DbError> {
    match scope(actor, organisation) {
        Scope::Nothing => Ok(Vec::new()),
        Scope::Only(only) => submissions::list(&mut db.conn().await?, Some(only)).await,
        Scope::All => submissions::list(&mut db.conn().await?, None).await,
    }
}

/// What an actor sees of what was asked for.
enum Scope<'a> {
    All,
    Only(&'a str),
    Nothing,
}

fn scope<'a>(actor: &'a Actor, asked: Option<&'a str>) -> Scope<'a> {
    match (actor.only(), asked) {
        (None, None) => Scope::All,
        (None, Some(asked)) => Scope::Only(asked),
        (Some(own), None) => Scope::Only(own),
        (Some(own), Some(asked)) if own == asked => Scope::Only(own),
        (Some(_), Some(_)) => Scope::Nothing,
    }
}

/// At most `limit` findings in report order after an ordinal (0: from the start); ask again after the last one's.
pub async fn findings(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    after: u32,
    limit: u32,
) -> Result<Option<Vec<NumberedFinding>>, DbError> {
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
        return Ok(None);
    }
    stored_findings::of_rule(&mut conn, id, rule, skipped, limit)
        .await
        .map(Some)
}

/// The headings of the sender's own columns that the findings carry; none for a submission that is not to be seen.
pub async fn own_headings(db: &Db, actor: &Actor, id: Uuid) -> Result<Vec<String>, DbError> {
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    let mut conn = db.conn().await?;
    if visible(&mut conn, actor, id).await?.is_none() {
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
    match scope(actor, organisation) {
        Scope::Nothing => Ok(Vec::new()),
        Scope::Only(only) => cycles::obligations(&mut db.conn().await?, Some(only), today).await,
        Scope::All => cycles::obligations(&mut db.conn().await?, None, today).await,
    }
}

/// By name.
pub async fn organisations(db: &Db, actor: &Actor) -> Result<Vec<OrganisationName>, DbError> {
    db::organisations::list(&mut db.conn().await?, actor.only()).await
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
    let Some(submission) = submission(db, actor, id).await? else {
        return Ok(None);
    };
    files.get_to_file(&submission.file_key, to).await?;
    Ok(Some(submission))
}

/// The consolidated CSV of a table and period, streamed; an organisation's actor gets its own records. Gives their number.
pub async fn dataset_csv<W: AsyncWrite + Unpin + Send>(
    db: &Db,
    actor: &Actor,
    spec: &ReturnSpec,
    table: &str,
    period: &str,
    mut out: W,
) -> Result<u64, DatasetError> {
    let table = spec
        .table(table)
        .ok_or_else(|| DatasetError::UnknownTable {
            return_id: spec.id.clone(),
            table: table.to_owned(),
        })?;
    dataset::consolidated_csv(db, spec, table, period, actor.only(), &mut out).await
}
