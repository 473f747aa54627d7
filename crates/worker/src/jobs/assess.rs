//! Assesses a submission: its file through the confined child, the answer into the database.

use std::sync::Arc;

use child::ChildError;
use queue::{Claimed, HandlerError};
use tokio::sync::watch;
use workflow::{AssessJob, LoadError, Loaded};

use crate::stages::note_stages;
use crate::{Worker, task};

/// A file whose child dies in the middle of its answer this often is refused: it will not go better.
const TRIES_OF_A_BROKEN_ANSWER: i32 = 3;

/// Replay is harmless: what is assessed already is left alone, and a half-stored assessment does not exist.
pub(crate) async fn assess(
    worker: Arc<Worker>,
    job: AssessJob,
    claimed: Claimed,
) -> Result<(), HandlerError> {
    let (db, actor, id) = (&worker.db, Worker::actor(), job.submission_id);
    let Some(wanted) = workflow::to_assess(db, &actor, id).await? else {
        return Ok(());
    };
    let Some(spec) = worker.spec(&wanted.return_id, &wanted.return_version) else {
        return Err(HandlerError::later(format!(
            "this worker has no version {} of {}",
            wanted.return_version, wanted.return_id
        )));
    };
    tokio::fs::create_dir_all(&worker.scratch).await?;
    let scratch = tempfile::tempdir_in(&worker.scratch)?;
    let references = workflow::references(db, &actor, id, spec).await?;
    let task = task(
        &worker.files,
        &spec.dir,
        &wanted,
        &references,
        scratch.path(),
    )
    .await?;
    let child = worker.child.clone();
    let (told, doings) = watch::channel(None);
    let answer = tokio::task::spawn_blocking(move || child.run(&task)).await??;
    let answer = answer.telling(move |doing| {
        told.send_replace(Some(doing));
    });
    let (loaded, ()) = tokio::join!(
        workflow::load(db, &actor, id, spec, answer),
        note_stages(db, &claimed, doings)
    );
    let loaded = match loaded {
        Err(LoadError::Child(ChildError::Ended(status)))
            if claimed.attempts >= TRIES_OF_A_BROKEN_ANSWER =>
        {
            tracing::warn!(submission = %id, %status, "a file is refused: its child died again");
            workflow::refuse(db, &actor, id, spec, BROKEN, TO_DO).await?
        }
        loaded => loaded?,
    };
    match loaded {
        Loaded::Stored(outcome) => tracing::info!(submission = %id, %outcome, "assessed"),
        Loaded::AlreadyStored(outcome) => {
            tracing::info!(submission = %id, %outcome, "was assessed already");
        }
    }
    Ok(())
}

const BROKEN: &str =
    "The file could not be checked: checking it takes more time or memory than any return needs.";
const TO_DO: &str = "Copy your data into a fresh copy of the template, save it and send that. If it still can't be checked, tell the team that asks for this return.";
