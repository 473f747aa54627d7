//! What a child is doing, kept with its job as it happens, for whoever waits.

use child::Doing;
use db::Db;
use queue::Claimed;
use tokio::sync::watch;

/// Until nobody tells any more. A stage that can't be kept is not worth a job.
pub(crate) async fn note_stages(
    db: &Db,
    job: &Claimed,
    mut doings: watch::Receiver<Option<Doing>>,
) {
    while doings.changed().await.is_ok() {
        let Some(doing) = *doings.borrow_and_update() else {
            continue;
        };
        if let Err(error) = note(db, job, doing).await {
            tracing::warn!(job = job.id, %error, "could not say how far a job is");
        }
    }
}

async fn note(db: &Db, job: &Claimed, doing: Doing) -> Result<(), db::DbError> {
    let stage = match doing {
        Doing::Reading => workflow::Doing::Reading,
        Doing::Checking => workflow::Doing::Checking,
        Doing::Answering => workflow::Doing::Storing,
    };
    queue::note_stage(&mut db.conn().await?, job, stage.word()).await
}
