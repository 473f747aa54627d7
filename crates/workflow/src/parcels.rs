//! Files that came in by the page and are nobody's return yet: they are looked at, then sent in, only checked, or left,
//! and forgotten in any case.
//!
//! Their bytes lie in the file store in passing. A row says where before they are put there, and a job that removes both
//! is put in with the row, so that nothing stays whatever ends in the middle.

mod check;
mod choose;
mod put_in;
mod send;

use access::{Action, Object};
use assess::Recognition;
use chrono::{DateTime, NaiveDate, Utc};
use db::parcels::{self, Change, Parcel, ParcelState};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, Tx};
use files::{Files, FilesError};
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Denied, allowed, is_system, may, sees};
use crate::progress::{Progress, of_job};
use crate::{Actor, ReceiveError, StoredFile};

pub use check::{Answer, CheckJob, Checked, ToCheck, answer, check, checked, to_check};
pub use put_in::{NewBatch, NewFile, put_in};
pub use send::send;

/// How long a file waits for its sender to decide.
const KEPT_HOURS: i64 = 24;
/// How long what a check found is there to be read.
const ANSWER_KEPT_HOURS: i64 = 1;
/// A store that is away for days is what stops this job, and nothing else.
const FORGETTING_ATTEMPTS: u32 = 200;

/// The job: tell which return a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecogniseJob {
    pub parcel_id: Uuid,
}

impl RecogniseJob {
    pub const KIND: &'static str = "recognise";
}

/// The job: looking at a file was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelGivenUpJob {
    pub parcel_id: Uuid,
}

impl ParcelGivenUpJob {
    pub const KIND: &'static str = "parcel-given-up";
}

/// The job: remove a file whose time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetJob {
    pub parcel_id: Uuid,
}

impl ForgetJob {
    pub const KIND: &'static str = "forget";
}

/// Why something was not done with a file that waits.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the contact address is no email address")]
    NotAnAddress,
    #[error("the form was sent before with other files, or to have them checked for another round")]
    FormUsedBefore,
    /// It was done with it already, or something else was.
    #[error("the file is {0} already")]
    NotNow(ParcelState),
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A file that waits, with what there is to say of it.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub parcel: Parcel,
    /// `None`: nobody has looked yet.
    pub recognition: Option<Recognition>,
    /// Of the work that is being done.
    pub progress: Option<Progress>,
    /// What was made of it.
    pub submission: Option<Submission>,
    /// The newest version with these very bytes that was sent before.
    pub sent_before: Option<Submission>,
}

/// The files that came in together; none where there are none, or none any more.
pub async fn batch(db: &Db, actor: &Actor, batch: Uuid) -> Result<Vec<Waiting>, Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    let found = parcels::of_batch(&mut conn, batch).await?;
    let mut all = Vec::new();
    for parcel in found {
        allowed(actor, Action::Check, &object(&parcel))?;
        all.push(waiting(&mut conn, actor, parcel).await?);
    }
    if all.is_empty() {
        return Err(Denied::NotThere);
    }
    Ok(all)
}

/// One of them.
pub async fn parcel(db: &Db, actor: &Actor, id: Uuid) -> Result<Waiting, Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    let parcel = parcels::find(&mut conn, id).await?;
    let parcel = parcel.ok_or(Denied::NotThere)?;
    allowed(actor, Action::Check, &object(&parcel))?;
    Ok(waiting(&mut conn, actor, parcel).await?)
}

async fn waiting(conn: &mut Conn, actor: &Actor, parcel: Parcel) -> Result<Waiting, DbError> {
    let recognition = parcel
        .recognition
        .clone()
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| DbError::Stored(error.to_string()))?;
    let key = match parcel.state {
        ParcelState::Waiting => Some(recognise_key(parcel.id)),
        ParcelState::Checking => Some(check::key(parcel.id)),
        _ => None,
    };
    let progress = match key {
        Some(key) => of_job(conn, &key).await?,
        None => None,
    };
    let seen = |found: Option<Submission>| {
        found.filter(|submission| may(actor, Action::SeeSubmission, submission))
    };
    let submission = match parcel.submission_id {
        Some(id) => seen(submissions::find(conn, id).await?),
        None => None,
    };
    let sent_before = match parcel.state {
        ParcelState::Recognised | ParcelState::GivenUp => {
            let (whose, hash) = (&parcel.organisation, &parcel.sha256);
            seen(submissions::newest_of_file(conn, whose, hash).await?)
        }
        _ => None,
    };
    Ok(Waiting {
        parcel,
        recognition,
        progress,
        submission,
        sent_before,
    })
}

/// The file of a parcel that is to be recognised; `None` where there is nothing left to do.
pub async fn to_recognise(db: &Db, actor: &Actor, id: Uuid) -> Result<Option<StoredFile>, DbError> {
    if !is_system(actor) {
        return Ok(None);
    }
    let found = parcels::find(&mut *db.read(&sees(actor)).await?, id).await?;
    Ok(found
        .filter(|parcel| parcel.state == ParcelState::Waiting)
        .map(|parcel| stored(&parcel)))
}

/// Stores what a file was taken for; repeating it changes nothing.
pub async fn recognised(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    recognition: &Recognition,
    today: NaiveDate,
) -> Result<(), DbError> {
    if !is_system(actor) {
        return Ok(());
    }
    let mut tx = db.begin(&sees(actor)).await?;
    let Some(parcel) = parcels::lock(&mut tx, id).await? else {
        return Ok(());
    };
    let owed = choose::open_rounds(&mut tx, &parcel.organisation, today).await?;
    let round = choose::likeliest(recognition, &owed);
    let change = Change::Recognised {
        recognition: json!(recognition),
        round: round.map(|round| (round.return_id.as_str(), round.period.label.as_str())),
    };
    parcels::change(&mut tx, id, &change).await?;
    tx.commit().await
}

/// It could not be looked at or checked, by our fault; repeating it changes nothing.
pub async fn give_up_parcel(db: &Db, actor: &Actor, id: Uuid) -> Result<(), DbError> {
    if !is_system(actor) {
        return Ok(());
    }
    let mut tx = db.begin(&sees(actor)).await?;
    parcels::change(&mut tx, id, &Change::GiveUp).await?;
    tx.commit().await
}

/// Nothing is to be done with it: its file goes now, and its row says so until its time is over.
pub async fn leave(db: &Db, files: &Files, actor: &Actor, id: Uuid) -> Result<(), ParcelError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let parcel = parcels::lock(&mut tx, id).await?.ok_or(Denied::NotThere)?;
    allowed(actor, Action::Check, &object(&parcel))?;
    if parcel.state == ParcelState::Left {
        return Ok(());
    }
    if !parcels::change(&mut tx, id, &Change::Leave).await? {
        return Err(ParcelError::NotNow(parcel.state));
    }
    tx.commit().await?;
    remove_files(files, id).await?;
    Ok(())
}

/// Removes the files that came in together, and what checking them found; versions that were made of them stay.
pub async fn forget(db: &Db, files: &Files, actor: &Actor, batch: Uuid) -> Result<(), ParcelError> {
    let found = parcels::of_batch(&mut *db.read(&sees(actor)).await?, batch).await?;
    if found.is_empty() {
        return Err(Denied::NotThere.into());
    }
    for parcel in &found {
        allowed(actor, Action::Check, &object(parcel))?;
    }
    for parcel in &found {
        remove(db, files, actor, parcel.id).await?;
    }
    Ok(())
}

/// Removes what an actor had only checked, and what that found: it leaves.
pub async fn forget_checked(db: &Db, files: &Files, actor: &Actor) -> Result<(), ParcelError> {
    let found = parcels::checked_of(&mut *db.read(&sees(actor)).await?, actor.id).await?;
    for parcel in found {
        remove(db, files, actor, parcel.id).await?;
    }
    Ok(())
}

/// Removes a parcel whose time is over; harmless when repeated, and where it has more time.
pub async fn forget_in_time(
    db: &Db,
    files: &Files,
    actor: &Actor,
    id: Uuid,
) -> Result<(), ParcelError> {
    let found = parcels::find(&mut *db.read(&sees(actor)).await?, id).await?;
    match found {
        Some(parcel) if parcel.is_over && is_system(actor) => remove(db, files, actor, id).await,
        _ => Ok(()),
    }
}

/// The row goes last: as long as it is there, somebody knows what is to be removed.
async fn remove(db: &Db, files: &Files, actor: &Actor, id: Uuid) -> Result<(), ParcelError> {
    remove_files(files, id).await?;
    let mut tx = db.begin(&sees(actor)).await?;
    parcels::remove(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

async fn remove_files(files: &Files, id: Uuid) -> Result<(), FilesError> {
    files.remove_passing(&id.to_string()).await?;
    files.remove_passing(&check::answer_id(id)).await
}

/// Has a parcel removed when its time is over.
async fn enqueue_forgetting(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<(), DbError> {
    let mut job = NewJob::new(ForgetJob::KIND, json!(ForgetJob { parcel_id: id }));
    job.run_at = Some(at);
    job.max_attempts = FORGETTING_ATTEMPTS;
    queue::enqueue(tx, &job).await?;
    Ok(())
}

fn recognise_key(id: Uuid) -> String {
    format!("recognise {id}")
}

fn object(parcel: &Parcel) -> Object<'_> {
    Object {
        organisation: Some(&parcel.organisation),
        ..Object::default()
    }
}

fn stored(parcel: &Parcel) -> StoredFile {
    StoredFile {
        key: files::passing_key(&parcel.id.to_string()),
        name: parcel.file_name.clone(),
        sha256: parcel.sha256.clone(),
        version: None,
    }
}
