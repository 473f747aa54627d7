//! Tells which return a file is that came in by the page.

use std::path::PathBuf;
use std::sync::Arc;

use child::RecogniseTask;
use chrono::Utc;
use cycle::clock;
use queue::HandlerError;
use workflow::RecogniseJob;

use crate::Worker;
use crate::task::fetch;

/// Replay is harmless: what was recognised is left alone.
pub(crate) async fn recognise(worker: Arc<Worker>, job: RecogniseJob) -> Result<(), HandlerError> {
    let (db, actor, id) = (&worker.db, Worker::actor(), job.parcel_id);
    let Some(file) = workflow::to_recognise(db, &actor, id).await? else {
        return Ok(());
    };
    tokio::fs::create_dir_all(&worker.scratch).await?;
    let scratch = tempfile::tempdir_in(&worker.scratch)?;
    let task = RecogniseTask {
        specs_dir: specs_dir(&worker),
        file: fetch(&worker.files, &file, &scratch.path().join("file")).await?,
    };
    let child = worker.child.clone();
    let found = tokio::task::spawn_blocking(move || child.recognise(&task)).await??;
    workflow::recognised(db, &actor, id, &found, clock::day(Utc::now())).await?;
    tracing::info!(parcel = %id, "recognised");
    Ok(())
}

/// The folder of all returns; a worker without any recognises nothing.
fn specs_dir(worker: &Worker) -> PathBuf {
    let of_a_spec = worker.specs.first().map(|spec| spec.dir.as_path());
    let root = of_a_spec.and_then(|dir| dir.ancestors().nth(2));
    root.map(PathBuf::from).unwrap_or_default()
}
