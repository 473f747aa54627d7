//! What assessing stored submissions again needs; nothing is written.

use access::Action;
use assess::TableAccount;
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, findings};
use finding::{Finding, Outcome};
use uuid::Uuid;

use crate::Actor;
use crate::actor::{is_system, may, sees};
use crate::read::account;
use crate::to_assess::{ToAssess, wanted};

pub use db::submissions::{Selection, Which};

/// Findings read at once.
const PAGE: u32 = 1000;

#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    #[error("only the office and its systems may have submissions assessed again")]
    NotAllowed,
    #[error("{0} is no assessed submission of the return that is among those asked for")]
    Unknown(Uuid),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The assessed submissions that are meant, by organisation, period and version.
pub async fn assessed_submissions(
    db: &Db,
    actor: &Actor,
    selection: &Selection,
) -> Result<Vec<Uuid>, SelectionError> {
    if !is_system(actor) {
        return Err(SelectionError::NotAllowed);
    }
    let ids = submissions::assessed(&mut *db.read(&sees(actor)).await?, selection).await?;
    match selection.submissions.iter().find(|id| !ids.contains(id)) {
        Some(unknown) => Err(SelectionError::Unknown(*unknown)),
        None => Ok(ids),
    }
}

/// What a submission got, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessedThen {
    pub submission: Submission,
    pub outcome: Outcome,
    /// In report order.
    pub findings: Vec<Finding>,
    pub tables: Vec<TableAccount>,
    /// The original, and the files it was compared with.
    pub wanted: ToAssess,
}

/// All of one moment; `None` for what is not assessed, or not to be seen.
pub async fn assessed_then(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
) -> Result<Option<AssessedThen>, DbError> {
    let mut tx = db.begin_snapshot(&sees(actor)).await?;
    let submission = submissions::find(&mut tx, submission_id).await?;
    let found = submission
        .filter(|submission| may(actor, Action::SeeFindings, submission))
        .and_then(|submission| Some((submission.outcome?, submission)));
    let Some((outcome, submission)) = found else {
        tx.commit().await?;
        return Ok(None);
    };
    let then = AssessedThen {
        outcome,
        findings: all_findings(&mut tx, submission_id).await?,
        tables: submissions::tables(&mut tx, submission_id)
            .await?
            .into_iter()
            .map(account)
            .collect::<Result<_, _>>()?,
        wanted: wanted(&mut tx, &submission).await?,
        submission,
    };
    tx.commit().await?;
    Ok(Some(then))
}

async fn all_findings(conn: &mut Conn, id: Uuid) -> Result<Vec<Finding>, DbError> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = findings::page(conn, id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = last.ordinal;
        all.extend(page.into_iter().map(|numbered| numbered.finding));
    }
}
