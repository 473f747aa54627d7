//! Checks a file that is not sent: through the confined child, the answer into the file store for a short time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use assess::Head;
use child::{ChildError, Part, Run};
use chrono::Utc;
use queue::{Claimed, HandlerError};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use workflow::{CheckJob, Checked};

use crate::stages::note_stages;
use crate::{Worker, task};

/// Replay is harmless: an answer takes the place of an earlier one, and what was forgotten meanwhile stays so.
pub(crate) async fn check(
    worker: Arc<Worker>,
    job: CheckJob,
    claimed: Claimed,
) -> Result<(), HandlerError> {
    let (db, actor, id) = (&worker.db, Worker::actor(), job.parcel_id);
    let Some(to_check) = workflow::to_check(db, &actor, id).await? else {
        return Ok(());
    };
    let wanted = &to_check.wanted;
    let Some(spec) = worker.spec(&wanted.return_id, &wanted.return_version) else {
        return Err(HandlerError::later(format!(
            "this worker has no version {} of {}",
            wanted.return_version, wanted.return_id
        )));
    };
    tokio::fs::create_dir_all(&worker.scratch).await?;
    let scratch = tempfile::tempdir_in(&worker.scratch)?;
    let references = to_check.references(db, &actor, spec).await?;
    let task = child::Task {
        records: false,
        ..task(
            &worker.files,
            &spec.dir,
            wanted,
            &references,
            scratch.path(),
        )
        .await?
    };
    let child = worker.child.clone();
    let (told, doings) = watch::channel(None);
    let path = scratch.path().join("answer");
    let to = path.clone();
    let written = tokio::task::spawn_blocking(move || -> Result<_, HandlerError> {
        let run = child.run(&task)?.telling(move |doing| {
            told.send_replace(Some(doing));
        });
        write_down(run, &to)
    });
    let (written, ()) = tokio::join!(written, note_stages(db, &claimed, doings));
    let (head, sha256) = written??;
    let answer = (path.as_path(), sha256.as_str());
    let now = Utc::now();
    let kept = workflow::checked(db, &worker.files, &actor, id, &head, answer, now).await?;
    match kept {
        Checked::Kept => tracing::info!(parcel = %id, outcome = %head.outcome, "checked"),
        Checked::NotWanted => tracing::info!(parcel = %id, "checked, and nobody waits for it"),
    }
    Ok(())
}

/// A line with the head, then lines with findings; gives the head and the file's hash.
fn write_down(run: Run, path: &Path) -> Result<(Head, String), HandlerError> {
    let mut file = Hashed::create(path)?;
    let mut kept = None;
    for part in run {
        match part? {
            Part::Head(head) => {
                file.line(&head)?;
                kept = Some(*head);
            }
            Part::Findings(findings) => file.line(&findings)?,
            Part::Rows(_) => {}
        }
    }
    let head = kept.ok_or_else(|| ChildError::Failed("the answer has no head".to_owned()))?;
    Ok((head, file.finish()?))
}

/// A file that is hashed while it is written.
struct Hashed {
    file: BufWriter<File>,
    hash: Sha256,
}

impl Hashed {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create(path)?),
            hash: Sha256::new(),
        })
    }

    fn line(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line)
    }

    fn finish(mut self) -> io::Result<String> {
        self.file.flush()?;
        Ok(hex::encode(self.hash.finalize()))
    }
}
