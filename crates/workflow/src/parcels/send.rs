//! A file that waits becomes a version of a return.

use std::path::Path;

use access::{Action, Object};
use chrono::{DateTime, Utc};
use db::parcels::{self, Change, ParcelState};
use db::{Db, submissions};
use files::{Files, FilesError};
use uuid::Uuid;

use super::{ParcelError, remove_files, stored};
use crate::actor::{Denied, allowed, sees};
use crate::{Actor, NewUpload, ReceiveError, receive};

/// Sends it in for a round; gives the version's number. However often it is asked for, it is sent once.
///
/// `scratch` is where it may lie meanwhile; the caller removes it afterwards.
pub async fn send(
    db: &Db,
    files: &Files,
    actor: &Actor,
    id: Uuid,
    (return_id, period): (&str, &str),
    scratch: &Path,
    now: DateTime<Utc>,
) -> Result<Uuid, ParcelError> {
    let parcel = parcels::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let parcel = parcel.ok_or(Denied::NotThere)?;
    let object = Object {
        organisation: Some(&parcel.organisation),
        return_id: Some(return_id),
        ..Object::default()
    };
    allowed(actor, Action::Send, &object)?;
    match (parcel.state, parcel.submission_id) {
        (_, Some(submission_id)) => return Ok(submission_id),
        (ParcelState::Waiting | ParcelState::Recognised | ParcelState::GivenUp, None) => {}
        (state, None) => return Err(ParcelError::NotNow(state)),
    }
    let file = stored(&parcel);
    match files.get_exactly(&file.key, &file.sha256, scratch).await {
        Ok(()) => {}
        // Somebody else has sent it just now.
        Err(FilesError::Missing { .. }) => return sent_meanwhile(db, actor, id).await,
        Err(error) => return Err(error.into()),
    }
    let idempotency_key = format!("parcel {id}");
    let upload = NewUpload {
        organisation: parcel.organisation.clone(),
        return_id: return_id.to_owned(),
        period: period.to_owned(),
        file_name: parcel.file_name,
        path: scratch.to_owned(),
        sha256: parcel.sha256,
        bytes: parcel.n_bytes,
        idempotency_key: idempotency_key.clone(),
        contact_email: parcel.contact_email,
        received_at: now,
    };
    let (submission_id, return_id, period) = match receive(db, files, actor, upload).await {
        Ok(receipt) => (receipt.submission_id, receipt.return_id, receipt.period),
        // It was sent in for another round, by whoever was faster.
        Err(ReceiveError::IdempotencyKeyReused) => {
            let mut conn = db.read(&sees(actor)).await?;
            let (whose, key) = (&parcel.organisation, &idempotency_key);
            let sent = submissions::find_by_key(&mut conn, whose, key).await?;
            let sent = sent.ok_or(ReceiveError::IdempotencyKeyReused)?;
            (sent.id, sent.round.return_id, sent.round.period.label)
        }
        Err(error) => return Err(error.into()),
    };
    let mut tx = db.begin(&sees(actor)).await?;
    let change = Change::Send {
        round: (&return_id, &period),
        submission_id,
    };
    parcels::change(&mut tx, id, &change).await?;
    tx.commit().await?;
    remove_files(files, id).await?;
    Ok(submission_id)
}

async fn sent_meanwhile(db: &Db, actor: &Actor, id: Uuid) -> Result<Uuid, ParcelError> {
    let parcel = parcels::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let parcel = parcel.ok_or(Denied::NotThere)?;
    parcel
        .submission_id
        .ok_or(ParcelError::NotNow(parcel.state))
}
