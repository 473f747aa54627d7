//! Receiving a file: stored and proved first, then the facts, the job and the receipt in one transaction.

use std::path::PathBuf;

use access::{Action, Object};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use cycle::{Verb, clock};
use db::cycles::{self, Duty};
use db::submissions::{self, NewSubmission, Submission};
use db::{Conn, Db, DbError, Tx, handovers, returns};
use files::{Files, FilesError};
use finding::Outcome;
use mail::Message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::actor::{Deed, allowed, record, sees};
use crate::{Actor, Denied, outbox, to_assess};

/// A file to receive.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// GSS code.
    pub organisation: String,
    pub return_id: String,
    /// Its label: `2026-27-Q1`.
    pub period: String,
    /// As the sender calls it; shown, never used as a path.
    pub file_name: String,
    /// The upload on local disk; the caller removes it afterwards.
    pub path: PathBuf,
    /// Lower-case hex, as computed while the file came in.
    pub sha256: String,
    pub bytes: u64,
    /// The sender's key: the same key and bytes give the same receipt.
    pub idempotency_key: String,
    /// Where the receipt and the outcome are sent; `None`: the sender has the receipt from here, and asks for the outcome.
    pub contact_email: Option<String>,
    pub received_at: DateTime<Utc>,
}

/// Whether the very file that was sent last for a round may be sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It is meant.
    Meant,
    /// It is told instead: somebody may have sent it from another window.
    Told,
}

/// What was received; the same facts as the receipt email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub submission_id: Uuid,
    pub organisation: String,
    pub return_id: String,
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
    pub sha256: String,
    pub bytes: u64,
    pub received_at: DateTime<Utc>,
    /// The key was used before: this is the earlier upload's receipt.
    pub repeated: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no organisation has the code {code}")]
    UnknownOrganisation { code: String },
    #[error("no return is called {return_id}")]
    UnknownReturn { return_id: String },
    #[error("{return_id} is not collected for {period}")]
    UnknownPeriod { return_id: String, period: String },
    #[error("{organisation} does not owe {return_id} for {period}")]
    NotARespondent {
        organisation: String,
        return_id: String,
        period: String,
    },
    #[error("{return_id} for {period} is open from {opens_on}")]
    NotOpen {
        return_id: String,
        period: String,
        opens_on: NaiveDate,
    },
    #[error("{return_id} for {period} closed on {closed_on}")]
    Closed {
        organisation: String,
        return_id: String,
        period: String,
        closed_on: NaiveDate,
    },
    #[error("the contact address is no email address")]
    NotAnAddress,
    #[error("the idempotency key was used for another file")]
    IdempotencyKeyReused,
    #[error("the same file was sent last, as version {version_number}")]
    SentBefore {
        submission_id: Uuid,
        version_number: u32,
    },
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Stores a file and everything that follows from having it. A receipt means that all of it is kept.
///
/// The same idempotency key with the same file, return and period gives the first upload's receipt again.
pub async fn receive(
    db: &Db,
    files: &Files,
    actor: &Actor,
    upload: NewUpload,
) -> Result<Receipt, ReceiveError> {
    keep(db, files, actor, upload, (What::File, Again::Meant)).await
}

/// As [`receive`]; but the very file that was sent last for a round is not made one more version of it: somebody may have
/// sent it from another window.
pub async fn receive_unless_sent(
    db: &Db,
    files: &Files,
    actor: &Actor,
    upload: NewUpload,
) -> Result<Receipt, ReceiveError> {
    keep(db, files, actor, upload, (What::File, Again::Told)).await
}

/// Keeps the declaration that there is nothing to report, as a version whose file is [`nil_declaration`]: it has a hash
/// and a receipt, is submitted, signed off and accepted like any other, and has nothing in it to be checked.
pub async fn declare_nil(
    db: &Db,
    files: &Files,
    actor: &Actor,
    declaration: NewUpload,
) -> Result<Receipt, ReceiveError> {
    keep(db, files, actor, declaration, (What::Nothing, Again::Meant)).await
}

/// What an organisation declares that has nothing to report; the same words for the same return, so that sending them
/// twice with one key is one version.
pub fn nil_declaration(
    organisation: &str,
    return_title: &str,
    period: &str,
    actor: &Actor,
) -> String {
    format!(
        "Nothing to report\n\nReturn: {return_title}\nPeriod: {period}\nOrganisation: {organisation}\nDeclared by: {}\n",
        actor.name
    )
}

/// What is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    File,
    /// The declaration that there is nothing to report.
    Nothing,
}

async fn keep(
    db: &Db,
    files: &Files,
    actor: &Actor,
    upload: NewUpload,
    (what, again): (What, Again),
) -> Result<Receipt, ReceiveError> {
    let action = match what {
        What::File => Action::Send,
        What::Nothing => Action::DeclareNil,
    };
    let sent = Object {
        organisation: Some(&upload.organisation),
        return_id: Some(&upload.return_id),
        ..Object::default()
    };
    allowed(actor, action, &sent)?;
    if let Some(address) = &upload.contact_email
        && !mail::is_address(address)
    {
        return Err(ReceiveError::NotAnAddress);
    }
    let upload = cleaned(upload);
    // Given back before the file is stored: that may take a while, and connections are few.
    let (duty, obligation_id) = {
        let mut conn = db.read(&sees(actor)).await?;
        if let Some(receipt) = earlier_receipt(&mut conn, &upload).await? {
            return Ok(receipt);
        }
        let round = (upload.return_id.as_str(), upload.period.as_str());
        let today = clock::day(upload.received_at);
        let found = duty(&mut conn, &upload.organisation, round, today).await?;
        refuse_closed(&mut conn, &found, &upload, today).await?;
        found
    };

    let key = files.put_file(&upload.path, &upload.sha256).await?;
    // The receipt promises these bytes, so they are read back from where they are kept.
    files.verify(&key).await?;

    let mut tx = db.begin(&sees(actor)).await?;
    if again == Again::Told {
        handovers::lock(&mut tx, obligation_id).await?;
        if let Some(receipt) = earlier_receipt(&mut tx, &upload).await? {
            return Ok(receipt);
        }
        sent_before(&mut tx, obligation_id, &upload.sha256).await?;
    }
    submissions::put_file(&mut tx, &upload.sha256, upload.bytes, &key).await?;
    let id = Uuid::now_v7();
    let new = NewSubmission {
        id,
        obligation_id,
        organisation: &upload.organisation,
        sha256: &upload.sha256,
        file_name: &upload.file_name,
        is_nil: what == What::Nothing,
        uploaded_by: &actor.name,
        sent_by: actor.id,
        contact_email: upload.contact_email.as_deref(),
        received_at: upload.received_at,
        idempotency_key: &upload.idempotency_key,
    };
    let Some(version_number) = submissions::add(&mut tx, &new).await? else {
        // The same request came in twice at once, and the other was faster.
        tx.rollback().await?;
        return earlier_receipt(&mut *db.read(&sees(actor)).await?, &upload)
            .await?
            .ok_or(ReceiveError::IdempotencyKeyReused);
    };
    let receipt = Receipt {
        submission_id: id,
        organisation: upload.organisation,
        return_id: upload.return_id,
        period: upload.period,
        version_number,
        file_name: upload.file_name,
        sha256: upload.sha256,
        bytes: upload.bytes,
        received_at: upload.received_at,
        repeated: false,
    };
    follow_up(
        &mut tx,
        actor,
        &receipt,
        (&duty, what),
        upload.contact_email.as_deref(),
    )
    .await?;
    tx.commit().await?;
    Ok(receipt)
}

/// Says so where the newest version has these very bytes, unless checking it was given up.
async fn sent_before(tx: &mut Tx, obligation_id: i64, sha256: &str) -> Result<(), ReceiveError> {
    let versions = submissions::of_obligation(tx, obligation_id).await?;
    let newest = versions
        .into_iter()
        .find(|version| version.last != Some(Verb::Withdraw));
    match newest {
        Some(newest) if newest.sha256 == sha256 && !newest.needs_attention() => {
            Err(ReceiveError::SentBefore {
                submission_id: newest.id,
                version_number: newest.version_number,
            })
        }
        _ => Ok(()),
    }
}

/// The job (of a declaration, the outcome), the receipt email and the event.
async fn follow_up(
    tx: &mut Tx,
    actor: &Actor,
    receipt: &Receipt,
    (duty, what): (&Duty, What),
    contact_email: Option<&str>,
) -> Result<(), DbError> {
    match what {
        What::File => to_assess::enqueue(tx, receipt.submission_id).await?,
        What::Nothing => {
            let round = &duty.round;
            let hash = returns::published_hash(tx, &round.return_id, &round.return_version).await?;
            let hash = hash.ok_or_else(|| DbError::Stored("a round of no version".to_owned()))?;
            submissions::set_assessed(tx, receipt.submission_id, Outcome::Ready, &hash).await?;
        }
    }
    let message = Message::Receipt(mail::Receipt {
        submission_id: receipt.submission_id.to_string(),
        organisation_name: duty.organisation_name.clone(),
        return_title: duty.round.return_title.clone(),
        period: duty.round.period.in_words(),
        version_number: receipt.version_number,
        file_name: receipt.file_name.clone(),
        bytes: receipt.bytes,
        sha256: receipt.sha256.clone(),
        received_at: receipt.received_at,
    });
    outbox::post(tx, receipt.submission_id, contact_email, &message).await?;
    let deed = Deed {
        verb: match what {
            What::File => "receive",
            What::Nothing => "declare_nil",
        },
        organisation: Some(&receipt.organisation),
        obligation_id: duty.obligation_id,
        submission_id: Some(receipt.submission_id),
        details: json!({
            "version_number": receipt.version_number,
            "file_name": receipt.file_name,
            "sha256": receipt.sha256,
            "bytes": receipt.bytes,
        }),
    };
    record(tx, actor, deed).await
}

/// The receipt of the upload that used this key before.
async fn earlier_receipt(
    conn: &mut Conn,
    upload: &NewUpload,
) -> Result<Option<Receipt>, ReceiveError> {
    let earlier =
        submissions::find_by_key(conn, &upload.organisation, &upload.idempotency_key).await?;
    let Some(earlier) = earlier else {
        return Ok(None);
    };
    let same = earlier.sha256 == upload.sha256
        && earlier.round.return_id == upload.return_id
        && earlier.round.period.label == upload.period;
    if same {
        Ok(Some(receipt_of(earlier)))
    } else {
        Err(ReceiveError::IdempotencyKeyReused)
    }
}

fn receipt_of(submission: Submission) -> Receipt {
    Receipt {
        submission_id: submission.id,
        organisation: submission.organisation,
        return_id: submission.round.return_id,
        period: submission.round.period.label,
        version_number: submission.version_number,
        file_name: submission.file_name,
        sha256: submission.sha256,
        bytes: submission.bytes,
        received_at: submission.received_at,
        repeated: true,
    }
}

/// The obligation the file is for, or why there is none.
pub(crate) async fn duty(
    conn: &mut Conn,
    organisation: &str,
    (return_id, period): (&str, &str),
    today: NaiveDate,
) -> Result<(Duty, i64), ReceiveError> {
    let Some(duty) = cycles::duty(conn, organisation, return_id, period).await? else {
        let (organisation_known, _) = cycles::known(conn, organisation, return_id, period).await?;
        return Err(if !organisation_known {
            ReceiveError::UnknownOrganisation {
                code: organisation.to_owned(),
            }
        } else if returns::is_known(conn, return_id).await? {
            ReceiveError::UnknownPeriod {
                return_id: return_id.to_owned(),
                period: period.to_owned(),
            }
        } else {
            ReceiveError::UnknownReturn {
                return_id: return_id.to_owned(),
            }
        });
    };
    let Some(obligation_id) = duty.obligation_id else {
        return Err(ReceiveError::NotARespondent {
            organisation: organisation.to_owned(),
            return_id: return_id.to_owned(),
            period: period.to_owned(),
        });
    };
    if today < duty.round.opens_on {
        return Err(ReceiveError::NotOpen {
            return_id: return_id.to_owned(),
            period: period.to_owned(),
            opens_on: duty.round.opens_on,
        });
    }
    Ok((duty, obligation_id))
}

/// Once a round has closed nothing comes in, unless it is still waited for.
async fn refuse_closed(
    conn: &mut Conn,
    (duty, obligation_id): &(Duty, i64),
    upload: &NewUpload,
    today: NaiveDate,
) -> Result<(), ReceiveError> {
    // Mostly there is nothing to look up.
    if duty
        .round
        .closes_on
        .is_none_or(|closes_on| today <= closes_on)
    {
        return Ok(());
    }
    let owed = cycles::owed::one(conn, *obligation_id, today).await?;
    match owed.and_then(|owed| owed.closed_on) {
        None => Ok(()),
        Some(closed_on) => Err(ReceiveError::Closed {
            organisation: upload.organisation.clone(),
            return_id: upload.return_id.clone(),
            period: upload.period.clone(),
            closed_on,
        }),
    }
}

/// What Postgres can keep exactly: no NUL, microseconds.
fn cleaned(mut upload: NewUpload) -> NewUpload {
    for text in [
        &mut upload.organisation,
        &mut upload.return_id,
        &mut upload.period,
        &mut upload.file_name,
        &mut upload.idempotency_key,
    ] {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
    if upload.file_name.is_empty() {
        "unnamed".clone_into(&mut upload.file_name);
    }
    upload.received_at = upload.received_at.trunc_subsecs(6);
    upload
}
