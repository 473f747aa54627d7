//! Files come in together, with a form.

use std::path::PathBuf;

use access::{Action, Object};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use cycle::clock;
use db::parcels::{self, Change, NewParcel, Parcel, ParcelState};
use db::{Db, DbError, Tx};
use files::Files;
use queue::NewJob;
use serde_json::json;
use uuid::Uuid;

use super::{
    KEPT_HOURS, ParcelError, ParcelGivenUpJob, RecogniseJob, check, enqueue_forgetting,
    recognise_key,
};
use crate::Actor;
use crate::actor::{allowed, sees};
use crate::receive::duty;

/// Nothing that waits has waited for longer.
const FIRST: TimeDelta = TimeDelta::days(7);

/// The files of a form.
#[derive(Debug, Clone)]
pub struct NewBatch {
    /// GSS code.
    pub organisation: String,
    /// Where receipts and outcomes go of those that are sent.
    pub contact_email: Option<String>,
    /// Of the form: sent again with the same files, to be checked for the same where they are only checked, it is the same
    /// batch.
    pub idempotency_key: String,
    pub files: Vec<NewFile>,
    /// Return and period that they are only checked for; `None`: they are looked at, and the sender decides.
    pub check_for: Option<(String, String)>,
    pub came_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct NewFile {
    /// As the sender calls it; shown, never used as a path.
    pub file_name: String,
    /// On local disk; the caller removes it afterwards.
    pub path: PathBuf,
    /// Lower-case hex.
    pub sha256: String,
    pub n_bytes: u64,
}

/// Keeps files for a while and has them looked at, or checked; gives the batch's number.
pub async fn put_in(
    db: &Db,
    files: &Files,
    actor: &Actor,
    batch: &NewBatch,
) -> Result<Uuid, ParcelError> {
    let object = Object {
        organisation: Some(&batch.organisation),
        ..Object::default()
    };
    allowed(actor, Action::Check, &object)?;
    if let Some(address) = &batch.contact_email
        && !mail::is_address(address)
    {
        return Err(ParcelError::NotAnAddress);
    }
    let mut tx = db.begin(&sees(actor)).await?;
    if let Some((return_id, period)) = &batch.check_for {
        let today = clock::day(batch.came_at);
        duty(&mut tx, &batch.organisation, (return_id, period), today).await?;
    }
    let is_new = add(&mut tx, actor, batch).await?;
    if is_new {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    let key = &batch.idempotency_key;
    let mut conn = db.read(&sees(actor)).await?;
    let kept = parcels::of_form(&mut conn, &batch.organisation, key).await?;
    drop(conn);
    let same = kept.len() == batch.files.len()
        && kept.iter().zip(&batch.files).all(|(parcel, file)| {
            parcel.sha256 == file.sha256
                && parcel.file_name == file.file_name
                && is_for(parcel, batch.check_for.as_ref())
        });
    let Some(first) = kept.first().filter(|_| same) else {
        return Err(ParcelError::FormUsedBefore);
    };
    put_away(db, files, actor, &kept, batch).await?;
    Ok(first.batch)
}

/// Whether a file that is kept is checked for the round that is asked for now. A form that leaves it to the sender asks for
/// none, and is the same whatever the sender decided.
fn is_for(parcel: &Parcel, check_for: Option<&(String, String)>) -> bool {
    // Of a file that was looked at, the round is what it was taken for.
    let is_checked = parcel.state != ParcelState::Recognised;
    check_for.is_none() || (is_checked && parcel.round.as_ref() == check_for)
}

/// False where the form was sent before.
async fn add(tx: &mut Tx, actor: &Actor, batch: &NewBatch) -> Result<bool, DbError> {
    let (id, came_at) = (Uuid::now_v7(), batch.came_at.trunc_subsecs(6));
    let goes_at = came_at + TimeDelta::hours(KEPT_HOURS);
    for (file, ordinal) in batch.files.iter().zip(1..) {
        let parcel = NewParcel {
            id: Uuid::now_v7(),
            batch: id,
            ordinal,
            organisation: &batch.organisation,
            put_in_by: actor.id,
            contact_email: batch.contact_email.as_deref(),
            idempotency_key: &batch.idempotency_key,
            file_name: &file.file_name,
            sha256: &file.sha256,
            n_bytes: file.n_bytes,
            check_for: batch
                .check_for
                .as_ref()
                .map(|(return_id, period)| (return_id.as_str(), period.as_str())),
            came_at,
            goes_at,
        };
        if !parcels::add(tx, &parcel).await? {
            return Ok(false);
        }
        enqueue_forgetting(tx, parcel.id, goes_at).await?;
    }
    Ok(true)
}

/// Whoever comes second does what the first has not done yet.
async fn put_away(
    db: &Db,
    files: &Files,
    actor: &Actor,
    kept: &[Parcel],
    batch: &NewBatch,
) -> Result<(), ParcelError> {
    let arriving = || {
        let both = kept.iter().zip(&batch.files);
        both.filter(|(parcel, _)| parcel.state == ParcelState::Arriving)
    };
    for (parcel, file) in arriving() {
        let id = parcel.id.to_string();
        files.put_passing(&id, &file.path, &file.sha256).await?;
    }
    let mut tx = db.begin(&sees(actor)).await?;
    for (parcel, _) in arriving() {
        if parcels::change(&mut tx, parcel.id, &Change::PutAway).await? {
            match &batch.check_for {
                None => enqueue(&mut tx, parcel.id, batch.came_at).await?,
                Some((return_id, period)) => {
                    let round = (return_id.as_str(), period.as_str());
                    parcels::change(&mut tx, parcel.id, &Change::Check { round }).await?;
                    check::enqueue(&mut tx, parcel.id).await?;
                }
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// A moment's work, and somebody looks at a page that waits for it: it goes before all that waits to be assessed.
async fn enqueue(tx: &mut Tx, parcel_id: Uuid, came_at: DateTime<Utc>) -> Result<(), DbError> {
    let key = recognise_key(parcel_id);
    let mut job = NewJob::new(RecogniseJob::KIND, json!(RecogniseJob { parcel_id }))
        .once(&key)
        .when_given_up(ParcelGivenUpJob::KIND);
    job.run_at = Some(came_at - FIRST);
    queue::enqueue(tx, &job).await?;
    Ok(())
}
