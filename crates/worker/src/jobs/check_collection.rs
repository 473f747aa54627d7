//! Checks the standing submissions of a round against each other: their files through one confined child.

use std::collections::BTreeMap;
use std::sync::Arc;

use child::CollectionTask;
use queue::HandlerError;
use workflow::CheckCollectionJob;

use crate::Worker;
use crate::task::fetch;

/// Replay is harmless: what was checked already is left alone, and what no longer stands is not stored.
pub(crate) async fn check_collection(
    worker: Arc<Worker>,
    job: CheckCollectionJob,
) -> Result<(), HandlerError> {
    let (db, actor, period) = (&worker.db, Worker::actor(), &job.period);
    let version = workflow::version_of_round(db, &actor, &job.return_id, period).await?;
    let Some(spec) = version.and_then(|version| worker.spec(&job.return_id, &version)) else {
        let why = format!("this worker has no spec of {} {period}", job.return_id);
        return Err(HandlerError::later(why));
    };
    let Some(wanted) = workflow::to_check_collection(db, &actor, spec, period).await? else {
        return Ok(());
    };
    tokio::fs::create_dir_all(&worker.scratch).await?;
    let scratch = tempfile::tempdir_in(&worker.scratch)?;
    let mut files = BTreeMap::new();
    for (organisation, file) in &wanted.files {
        let path = scratch.path().join(organisation);
        let file = fetch(&worker.files, file, &path).await?;
        files.insert(organisation.clone(), file);
    }
    let task = CollectionTask {
        spec_dir: spec.dir.clone(),
        period: period.clone(),
        received_on: wanted.received_on,
        files,
    };
    let child = worker.child.clone();
    let checked = tokio::task::spawn_blocking(move || child.run_collection(&task)).await??;
    let stored = workflow::store_collection(db, &actor, spec, period, &wanted, &checked).await?;
    let (n_members, n_findings) = (wanted.files.len(), checked.findings.len());
    let round = format!("{} {period}", job.return_id);
    tracing::info!(round, n_members, n_findings, stored, "collection checked");
    Ok(())
}
