//! Marks a submission's workbook: its findings into its cells, through the confined child.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use child::{InputFile, MarkTask, Marking};
use queue::HandlerError;
use sha2::{Digest as _, Sha256};
use workflow::{MarkJob, MarkedWorkbook, ToMark};

use crate::Worker;

/// Replay is harmless: what was marked is left alone, and the file store keeps the same bytes once.
pub(crate) async fn mark(worker: Arc<Worker>, job: MarkJob) -> Result<(), HandlerError> {
    let (db, actor, id) = (&worker.db, Worker::actor(), job.submission_id);
    let Some(wanted) = workflow::to_mark(db, &actor, id).await? else {
        return Ok(());
    };
    let ToMark {
        assessed_at,
        file,
        cover,
        findings,
        ..
    } = wanted;
    tokio::fs::create_dir_all(&worker.scratch).await?;
    let scratch = tempfile::tempdir_in(&worker.scratch)?;
    let original = scratch.path().join("file");
    worker.files.get_to_file(&file.key, &original).await?;
    let task = MarkTask {
        file: InputFile {
            name: file.name,
            path: original,
            version: None,
        },
        cover,
    };
    let path = scratch.path().join("marked.xlsx");
    let (child, to) = (worker.child.clone(), path.clone());
    let marked = tokio::task::spawn_blocking(move || -> Result<_, HandlerError> {
        let mut out = File::create(&to)?;
        Ok(match child.mark(&task, findings, &mut out)? {
            Marking::Not(why) => Err(why),
            Marking::Written => Ok(hash(&to)?),
        })
    })
    .await??;
    let marked = match marked {
        Ok((sha256, n_bytes)) => MarkedWorkbook::Kept {
            key: worker.files.put_file(&path, &sha256).await?,
            sha256,
            n_bytes,
        },
        Err(why) => MarkedWorkbook::Not { why },
    };
    workflow::keep_marked(db, &actor, id, assessed_at, &marked).await?;
    match marked {
        MarkedWorkbook::Kept { n_bytes, .. } => {
            tracing::info!(submission = %id, n_bytes, "marked");
        }
        MarkedWorkbook::Not { why } => tracing::info!(submission = %id, why, "not marked"),
    }
    Ok(())
}

/// SHA-256 in lower-case hex, and how many bytes.
fn hash(path: &std::path::Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut n_bytes = 0;
    let mut part = vec![0; 64 * 1024];
    loop {
        let n_read = file.read(&mut part)?;
        if n_read == 0 {
            break;
        }
        n_bytes += n_read as u64;
        hash.update(&part[..n_read]);
    }
    Ok((hex::encode(hash.finalize()), n_bytes))
}
