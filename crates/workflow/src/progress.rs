//! How far the work on a file is, from what the queue and the worker say of it.

use access::Action;
use db::submissions::Submission;
use db::{Conn, Db, DbError};

use crate::actor::may;
use crate::{Actor, AssessJob, CheckJob, RecogniseJob, to_assess};

/// Of a file that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many files are taken before it.
    Queued {
        n_before: u64,
    },
    /// Something of ours failed; it is tried again by itself.
    TriedAgain,
    Doing(Doing),
}

/// What a worker does with a file, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// It fetches what the file is checked against.
    Fetching,
    Reading,
    Checking,
    Storing,
}

impl Doing {
    pub const ALL: [Doing; 4] = [
        Doing::Fetching,
        Doing::Reading,
        Doing::Checking,
        Doing::Storing,
    ];

    /// As the job table has it.
    pub fn word(self) -> &'static str {
        match self {
            Doing::Fetching => "fetching",
            Doing::Reading => "reading",
            Doing::Checking => "checking",
            Doing::Storing => "storing",
        }
    }
}

/// Jobs that read a file: what a file waits for.
const OF_FILES: [&str; 3] = [AssessJob::KIND, CheckJob::KIND, RecogniseJob::KIND];

/// How far the assessment of a submission is; `None` where nothing of it waits or runs.
pub async fn progress(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
) -> Result<Option<Progress>, DbError> {
    if !may(actor, Action::SeeSubmission, submission) {
        return Ok(None);
    }
    of_job(&mut db.conn().await?, &to_assess::key(submission.id)).await
}

pub(crate) async fn of_job(conn: &mut Conn, key: &str) -> Result<Option<Progress>, DbError> {
    let found = queue::progress(conn, key, &OF_FILES).await?;
    Ok(found.map(|job| {
        if job.is_running {
            let stage = job.stage.as_deref();
            let said = Doing::ALL.into_iter().find(|one| stage == Some(one.word()));
            Progress::Doing(said.unwrap_or(Doing::Fetching))
        } else if job.n_failures > 0 {
            Progress::TriedAgain
        } else {
            Progress::Queued {
                n_before: job.n_before,
            }
        }
    }))
}
