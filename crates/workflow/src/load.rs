//! Storing an assessment: records, findings, accounting, outcome, email and event, all or nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use child::{ChildError, Part};
use db::comparisons::{self, StoredComparison};
use db::records::{self, Block};
use db::submissions::{self, Submission, TableRows};
use db::{Db, DbError, Tx, findings};
use finding::{Finding, Outcome, Severity};
use mail::{Counted, Message};
use serde_json::json;
use spec::ReturnSpec;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::actor::{Deed, record, sees};
use crate::{Actor, mark, outbox, webhooks};

/// A block of records is one statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(2);

/// Parts that may wait between the child and the database.
const WAITING_PARTS: usize = 2;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    Stored(Outcome),
    /// An earlier run stored it: nothing was changed.
    AlreadyStored(Outcome),
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("there is no submission {0}")]
    UnknownSubmission(Uuid),
    #[error("submission {id} was assessed with another spec")]
    AssessedOtherwise { id: Uuid },
    /// The child ended badly and nothing was stored. The worker decides between another try and [`refuse`].
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("the assessment does not fit together: {0}")]
    Parts(String),
    #[error(transparent)]
    Db(#[from] DbError),
}

fn parts_error<T>(what: impl Into<String>) -> Result<T, LoadError> {
    Err(LoadError::Parts(what.into()))
}

/// Stores a finished assessment as its parts come; replaying it changes nothing.
///
/// `parts` is pulled on a blocking thread, and dropped there when the load ends early, which ends the child.
pub async fn load<I>(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    spec: &ReturnSpec,
    parts: I,
) -> Result<Loaded, LoadError>
where
    I: Iterator<Item = Result<Part, ChildError>> + Send + 'static,
{
    if let Some(loaded) = already(db, actor, submission_id, spec).await? {
        return Ok(loaded);
    }
    let mut parts = on_a_blocking_thread(parts);
    // The head comes when the assessment is finished, so the transaction is short.
    let head = match parts.recv().await.transpose()? {
        Some(Part::Head(head)) => head,
        Some(_) => return parts_error("its head did not come first"),
        None => return parts_error("it is empty"),
    };
    if head.return_id != spec.id || head.version != spec.version || head.spec_hash != spec.hash {
        return parts_error("it was made with another spec");
    }

    let mut tx = db.begin(&sees(actor)).await?;
    tx.set_statement_timeout(STATEMENT_TIMEOUT).await?;
    let submission = match lock(&mut tx, submission_id, spec).await? {
        Locked::Unassessed(submission) => submission,
        Locked::Assessed(outcome) => return Ok(Loaded::AlreadyStored(outcome)),
    };
    if head.file.sha256 != submission.sha256 {
        return parts_error("it is of another file");
    }
    let mut n_to_load = BTreeMap::new();
    for account in &head.tables {
        submissions::add_table(&mut tx, submission_id, &table_rows(account)).await?;
        n_to_load.insert(account.name.clone(), account.loaded);
    }
    for comparison in &head.compared_with {
        comparisons::add(&mut tx, submission_id, &stored_comparison(comparison)).await?;
    }
    let mut n_findings = 0_u32;
    while let Some(part) = parts.recv().await {
        match part? {
            Part::Head(_) => return parts_error("it has two heads"),
            Part::Findings(block) => {
                findings::add(&mut tx, submission_id, n_findings + 1, &block).await?;
                n_findings =
                    n_findings.saturating_add(u32::try_from(block.len()).unwrap_or(u32::MAX));
            }
            Part::Rows(block) => {
                let n_loaded = add_rows(&mut tx, spec, &submission, &block).await?;
                match n_to_load.get_mut(&block.table) {
                    Some(n_left) if *n_left >= n_loaded => *n_left -= n_loaded,
                    _ => {
                        return parts_error(format!(
                            "{} has more records than its head says",
                            block.table
                        ));
                    }
                }
            }
        }
    }
    if let Some((table, n_left)) = n_to_load.iter().find(|(_, n_left)| **n_left > 0) {
        return parts_error(format!("{table} lacks {n_left} records"));
    }
    if head.counts.iter().map(|count| count.n).sum::<u64>() != u64::from(n_findings) {
        return parts_error("it has another number of findings than its head says");
    }
    let counts = head
        .counts
        .iter()
        .map(|count| Counted {
            severity: count.severity,
            rule: count.rule.to_string(),
            n_findings: count.n,
        })
        .collect();
    conclude(&mut tx, actor, &submission, spec, head.outcome, counts).await?;
    tx.commit().await?;
    Ok(Loaded::Stored(head.outcome))
}

/// Stores that a file could not be read: one blocker, the outcome, the email and the event.
/// `message` and `fix` are plain sentences for the sender.
pub async fn refuse(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    spec: &ReturnSpec,
    message: &str,
    fix: &str,
) -> Result<Loaded, LoadError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let submission = match lock(&mut tx, submission_id, spec).await? {
        Locked::Unassessed(submission) => submission,
        Locked::Assessed(outcome) => return Ok(Loaded::AlreadyStored(outcome)),
    };
    let rule = "file.could-not-be-read";
    let finding = Finding::new(rule, Severity::Blocker, message, fix);
    findings::add(&mut tx, submission_id, 1, &[finding]).await?;
    let counts = vec![Counted {
        severity: Severity::Blocker,
        rule: rule.to_owned(),
        n_findings: 1,
    }];
    conclude(&mut tx, actor, &submission, spec, Outcome::Refused, counts).await?;
    tx.commit().await?;
    Ok(Loaded::Stored(Outcome::Refused))
}

/// Ends early, without waiting for the child, where an earlier run stored the assessment.
async fn already(
    db: &Db,
    actor: &Actor,
    submission_id: Uuid,
    spec: &ReturnSpec,
) -> Result<Option<Loaded>, LoadError> {
    let submission = submissions::find(&mut *db.read(&sees(actor)).await?, submission_id)
        .await?
        .ok_or(LoadError::UnknownSubmission(submission_id))?;
    Ok(assessed(&submission, spec)?.map(Loaded::AlreadyStored))
}

fn assessed(submission: &Submission, spec: &ReturnSpec) -> Result<Option<Outcome>, LoadError> {
    match (submission.outcome, &submission.spec_hash) {
        (Some(outcome), Some(hash)) if *hash == spec.hash => Ok(Some(outcome)),
        (Some(_), _) => Err(LoadError::AssessedOtherwise { id: submission.id }),
        (None, _) => Ok(None),
    }
}

enum Locked {
    Unassessed(Box<Submission>),
    Assessed(Outcome),
}

/// One worker at a time; whoever comes second finds the assessment stored.
async fn lock(tx: &mut Tx, id: Uuid, spec: &ReturnSpec) -> Result<Locked, LoadError> {
    submissions::lock(tx, id).await?;
    let submission = submissions::find(tx, id)
        .await?
        .ok_or(LoadError::UnknownSubmission(id))?;
    let round = &submission.round;
    if round.return_id != spec.id || round.return_version != spec.version {
        return parts_error("the submission answers another return");
    }
    Ok(match assessed(&submission, spec)? {
        Some(outcome) => Locked::Assessed(outcome),
        None => Locked::Unassessed(Box::new(submission)),
    })
}

fn table_rows(account: &assess::TableAccount) -> TableRows {
    TableRows {
        table: account.name.clone(),
        sheet: Some(account.sheet.clone()),
        n_rows: account.n_rows,
        n_loaded: account.loaded,
        n_rejected: account.rejected,
        n_ignored: account.ignored,
        ignored: json!(account.ignored_rows),
        columns: account.columns.clone(),
    }
}

fn stored_comparison(comparison: &assess::Comparison) -> StoredComparison {
    StoredComparison {
        kind: comparison.kind.as_str().to_owned(),
        name: comparison.name.clone(),
        title: comparison.title.clone(),
        version: comparison.version.clone(),
        spec_hash: comparison.spec_hash.clone(),
        sha256: comparison.sha256.clone(),
        rules_not_run: comparison
            .rules_not_run
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

async fn add_rows(
    tx: &mut Tx,
    spec: &ReturnSpec,
    submission: &Submission,
    rows: &assess::RowBlock,
) -> Result<u64, LoadError> {
    let Some(table) = spec.table(&rows.table) else {
        return parts_error(format!("the return has no table {}", rows.table));
    };
    let block = Block {
        row_numbers: &rows.row_numbers,
        columns: rows
            .columns
            .iter()
            .map(|column| (column.item.as_str(), column.values.as_slice()))
            .collect(),
        own: (!rows.own.is_empty()).then(|| own_of_rows(rows)),
    };
    Ok(records::add(
        tx,
        spec,
        table,
        submission.id,
        &submission.organisation,
        &block,
    )
    .await?)
}

/// The sender's own columns, a row each. They are stored and exported, and go into no email, event or log.
fn own_of_rows(rows: &assess::RowBlock) -> Vec<serde_json::Value> {
    (0..rows.row_numbers.len())
        .map(|idx| {
            let filled = rows.own.iter().filter_map(|column| {
                let value = column.values.get(idx)?.clone()?;
                Some((column.heading.clone(), value.into()))
            });
            serde_json::Value::Object(filled.collect())
        })
        .collect()
}

/// The outcome, the email and the event.
async fn conclude(
    tx: &mut Tx,
    actor: &Actor,
    submission: &Submission,
    spec: &ReturnSpec,
    outcome: Outcome,
    counts: Vec<Counted>,
) -> Result<(), DbError> {
    submissions::set_assessed(tx, submission.id, outcome, &spec.hash).await?;
    let n_findings: u64 = counts.iter().map(|count| count.n_findings).sum();
    let message = Message::Outcome(mail::Outcome {
        submission_id: submission.id.to_string(),
        organisation_name: submission.organisation_name.clone(),
        return_title: submission.round.return_title.clone(),
        period: submission.round.period.in_words(),
        version_number: submission.version_number,
        file_name: submission.file_name.clone(),
        outcome,
        counts,
    });
    if outcome != Outcome::Ready {
        mark::enqueue(tx, submission.id).await?;
    }
    outbox::post(
        tx,
        submission.id,
        submission.contact_email.as_deref(),
        &message,
    )
    .await?;
    webhooks::announce_assessed(tx, submission, outcome).await?;
    let deed = Deed {
        verb: "assess",
        organisation: Some(&submission.organisation),
        obligation_id: Some(submission.obligation_id),
        submission_id: Some(submission.id),
        details: json!({"outcome": outcome, "spec_hash": spec.hash, "n_findings": n_findings}),
    };
    record(tx, actor, deed).await
}

/// Pulls parts where blocking is allowed; stops pulling when nobody listens any more.
fn on_a_blocking_thread<I>(parts: I) -> mpsc::Receiver<Result<Part, ChildError>>
where
    I: Iterator<Item = Result<Part, ChildError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING_PARTS);
    tokio::task::spawn_blocking(move || {
        for part in parts {
            if sender.blocking_send(part).is_err() {
                break;
            }
        }
    });
    receiver
}
