//! Builds the files of a release and puts them into the file store.

use std::sync::Arc;

use queue::HandlerError;
use workflow::{BuildReleaseJob, FileOfRelease};

use crate::Worker;

/// Replay is harmless: the same release is the same bytes, which the file store keeps once,
/// and its readers see none of its files before all of them are there.
pub(crate) async fn build_release(
    worker: Arc<Worker>,
    job: BuildReleaseJob,
) -> Result<(), HandlerError> {
    let (db, actor, id) = (&worker.db, Worker::actor(), job.release_id);
    let Some(to_build) = workflow::release_to_build(db, &actor, id).await? else {
        return Ok(());
    };
    tokio::fs::create_dir_all(&worker.scratch).await?;
    let scratch = tempfile::tempdir_in(&worker.scratch)?;
    let (from, into) = ((db, &worker.files), scratch.path());
    let built = workflow::build_release(from, &actor, &worker.specs, &to_build, into).await?;
    let mut files = Vec::new();
    for file in built {
        let key = worker.files.put_file(&file.path, &file.sha256).await?;
        files.push(FileOfRelease {
            name: file.name,
            content_type: file.content_type.to_owned(),
            sha256: file.sha256,
            n_bytes: file.n_bytes,
            key,
        });
    }
    workflow::keep_release(db, &actor, id, &files).await?;
    tracing::info!(release = %id, n_files = files.len(), "built");
    Ok(())
}
