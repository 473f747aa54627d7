//! Assesses a submission: its file through the confined child, the answer into the database.

use std::path::Path;
use std::sync::Arc;

use child::{ChildError, InputFile, Task};
use queue::{Claimed, HandlerError};
use workflow::{AssessJob, LoadError, Loaded, StoredFile, ToAssess};

use crate::Worker;

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
    let task = fetch(&worker, &spec.dir, &wanted, scratch.path()).await?;
    let child = worker.child.clone();
    let answer = tokio::task::spawn_blocking(move || child.run(&task)).await??;
    let loaded = match workflow::load(db, &actor, id, spec, answer).await {
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

/// The child's task, with every file it needs on local disk.
async fn fetch(
    worker: &Worker,
    spec_dir: &Path,
    wanted: &ToAssess,
    scratch: &Path,
) -> Result<Task, HandlerError> {
    Ok(Task {
        spec_dir: spec_dir.to_owned(),
        organisation: Some(wanted.organisation.clone()),
        period: Some(wanted.period.clone()),
        received_on: wanted.received_on,
        file: fetch_file(worker, &wanted.file, &scratch.join("file")).await?,
        previous: fetch_earlier(worker, wanted.previous.as_ref(), &scratch.join("previous"))
            .await?,
        year_ago: fetch_earlier(worker, wanted.year_ago.as_ref(), &scratch.join("year-ago"))
            .await?,
        records: true,
    })
}

async fn fetch_earlier(
    worker: &Worker,
    file: Option<&StoredFile>,
    path: &Path,
) -> Result<Option<InputFile>, HandlerError> {
    match file {
        None => Ok(None),
        Some(file) => Ok(Some(fetch_file(worker, file, path).await?)),
    }
}

async fn fetch_file(
    worker: &Worker,
    file: &StoredFile,
    path: &Path,
) -> Result<InputFile, HandlerError> {
    worker.files.get_to_file(&file.key, path).await?;
    Ok(InputFile {
        name: file.name.clone(),
        path: path.to_owned(),
    })
}
