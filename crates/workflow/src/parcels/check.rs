//! A file that waits is checked as if it were sent, and nothing of it is kept but the answer, for a short time.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use access::Action;
use assess::Head;
use chrono::{DateTime, TimeDelta, Utc};
use cycle::clock;
use db::parcels::{self, Change, ParcelState};
use db::submissions::Answering;
use db::{Db, DbError, Tx};
use files::Files;
use finding::Finding;
use queue::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spec::{Period, ReturnSpec};
use uuid::Uuid;

use super::{ANSWER_KEPT_HOURS, ParcelError, ParcelGivenUpJob, enqueue_forgetting, object, stored};
use crate::actor::{Denied, allowed, is_system, sees};
use crate::receive::duty;
use crate::to_assess::{References, ToAssess, earlier, references_for};
use crate::{Actor, ReceiveError};

/// The job: check a file that is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckJob {
    pub parcel_id: Uuid,
}

impl CheckJob {
    pub const KIND: &'static str = "check";
}

pub(super) fn key(id: Uuid) -> String {
    format!("check {id}")
}

/// Under what the answer lies in the file store.
pub(super) fn answer_id(id: Uuid) -> String {
    format!("{id}.answer")
}

/// Has it checked for a round, as if it were sent in today. Asking twice for the same is asking once.
pub async fn check(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    round: (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), ParcelError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let parcel = parcels::lock(&mut tx, id).await?.ok_or(Denied::NotThere)?;
    allowed(actor, Action::Check, &object(&parcel))?;
    let asked = (round.0.to_owned(), round.1.to_owned());
    let under_way = [ParcelState::Checking, ParcelState::Checked];
    if under_way.contains(&parcel.state) && parcel.round.as_ref() == Some(&asked) {
        return Ok(());
    }
    duty(&mut tx, &parcel.organisation, round, clock::day(now)).await?;
    if !parcels::change(&mut tx, id, &Change::Check { round }).await? {
        return Err(ParcelError::NotNow(parcel.state));
    }
    enqueue(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn enqueue(tx: &mut Tx, parcel_id: Uuid) -> Result<(), DbError> {
    let key = key(parcel_id);
    let job = NewJob::new(CheckJob::KIND, json!(CheckJob { parcel_id }))
        .once(&key)
        .when_given_up(ParcelGivenUpJob::KIND);
    queue::enqueue(tx, &job).await?;
    Ok(())
}

/// What a worker needs to check a file that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCheck {
    pub wanted: ToAssess,
    obligation_id: i64,
    period: Period,
}

/// `None` where there is nothing left to do.
pub async fn to_check(db: &Db, actor: &Actor, id: Uuid) -> Result<Option<ToCheck>, DbError> {
    if !is_system(actor) {
        return Ok(None);
    }
    let mut conn = db.read(&sees(actor)).await?;
    let parcel = parcels::find(&mut conn, id).await?;
    let parcel = parcel.filter(|parcel| parcel.state == ParcelState::Checking);
    let Some((parcel, (return_id, period))) =
        parcel.and_then(|parcel| parcel.round.clone().map(|round| (parcel, round)))
    else {
        return Ok(None);
    };
    let on = clock::day(parcel.came_at);
    let round = (return_id.as_str(), period.as_str());
    let (duty, obligation_id) = match duty(&mut conn, &parcel.organisation, round, on).await {
        Ok(found) => found,
        Err(ReceiveError::Db(error)) => return Err(error),
        // The round was there when the check was asked for.
        Err(error) => return Err(DbError::Stored(error.to_string())),
    };
    let earlier = earlier(&mut conn, Answering::Obligation(obligation_id)).await?;
    Ok(Some(ToCheck {
        wanted: ToAssess {
            received_on: on,
            organisation: parcel.organisation.clone(),
            return_version: duty.round.return_version.clone(),
            file: stored(&parcel),
            previous: earlier.previous,
            year_ago: earlier.year_ago,
            return_id,
            period,
        },
        obligation_id,
        period: duty.round.period,
    }))
}

impl ToCheck {
    /// What it is compared with beyond its own earlier periods.
    pub async fn references(
        &self,
        db: &Db,
        actor: &Actor,
        spec: &ReturnSpec,
    ) -> Result<References, DbError> {
        let mut conn = db.read(&sees(actor)).await?;
        let answering = Answering::Obligation(self.obligation_id);
        references_for(&mut conn, answering, &self.period, None, spec).await
    }
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Kept,
    /// Nobody waits for it any more: nothing is kept.
    NotWanted,
}

/// Keeps what checking a file found for a short time, and removes the file.
///
/// `answer` is a local file as [`Answer`] reads it: a line with the head, then lines with findings.
pub async fn checked(
    db: &Db,
    files: &Files,
    actor: &Actor,
    id: Uuid,
    head: &Head,
    (answer, sha256): (&Path, &str),
    now: DateTime<Utc>,
) -> Result<Checked, ParcelError> {
    if !is_system(actor) {
        return Err(Denied::Forbidden.into());
    }
    let answer_id = answer_id(id);
    // Of an earlier try.
    files.remove_passing(&answer_id).await?;
    files.put_passing(&answer_id, answer, sha256).await?;
    let goes_at = now + TimeDelta::hours(ANSWER_KEPT_HOURS);
    let mut tx = db.begin(&sees(actor)).await?;
    let change = Change::Checked {
        outcome: head.outcome,
        answer_sha256: sha256,
        goes_at,
    };
    let kept = parcels::change(&mut tx, id, &change).await?;
    if kept {
        enqueue_forgetting(&mut tx, id, goes_at).await?;
    }
    tx.commit().await?;
    if !kept {
        files.remove_passing(&answer_id).await?;
        return Ok(Checked::NotWanted);
    }
    files.remove_passing(&id.to_string()).await?;
    Ok(Checked::Kept)
}

/// What checking a file found, as it was written down.
pub struct Answer {
    pub head: Head,
    lines: BufReader<File>,
}

impl Answer {
    /// Blocks, as does reading on.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut lines = BufReader::new(File::open(path)?);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        Ok(Self {
            head: serde_json::from_str(&line)?,
            lines,
        })
    }
}

/// Findings in report order, some at a time.
impl Iterator for Answer {
    type Item = io::Result<Vec<Finding>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).map_err(io::Error::from)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Copies what checking a file found to a local path; nothing is there before it is checked, nor after its time.
pub async fn answer(
    db: &Db,
    files: &Files,
    actor: &Actor,
    id: Uuid,
    to: &Path,
) -> Result<(), ParcelError> {
    let parcel = parcels::find(&mut *db.read(&sees(actor)).await?, id).await?;
    let parcel = parcel.ok_or(Denied::NotThere)?;
    allowed(actor, Action::Check, &object(&parcel))?;
    let sha256 = parcel.answer_sha256.ok_or(Denied::NotThere)?;
    let key = files::passing_key(&answer_id(id));
    files.get_exactly(&key, &sha256, to).await?;
    Ok(())
}
