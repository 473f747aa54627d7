//! A schedule drafts a release: of the newest round of its return that is over, once for each of its moments.

use cycle::clock;
use dataset::{Lineage, WhichRounds, WhoseRecords, read_manifest};
use db::emails::About;
use db::{Db, Sees, cycles, releases as stored, schedules};
use mail::Message;
use serde_json::json;
use sha2::{Digest, Sha256};
use spec::{Period, ReturnSpec};
use uuid::{Builder, Uuid};

use super::{ScheduledJob, spec_of};
use crate::actor::sees;
use crate::releases::{self, DraftOf, DraftingRelease, FiguresIn, ReleaseError};
use crate::tell::team_of;
use crate::{Actor, WantedError, outbox};

/// Releases that are looked through for the newest of a period.
const N_LISTED: u32 = 200;

const WHAT_STANDS: WhoseRecords<'static> = WhoseRecords {
    sees: &Sees::Everyone,
    organisations: &[],
    only_accepted: false,
};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drafted {
    /// It is there, and its return's team is told; also where it was there before.
    Release(Uuid),
    /// No round is over, nothing of it stands, or what stands is in the newest release of it already.
    Nothing,
}

/// Drafts a provisional release for a moment of a schedule, and tells the return's team, of whom two approve it.
/// Doing it again does nothing: the release is known by the schedule and the moment.
pub async fn draft_scheduled(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    job: &ScheduledJob,
) -> Result<Drafted, ReleaseError> {
    let day = clock::day(job.nominal_at);
    let round = {
        let mut conn = db.read(&sees(actor)).await?;
        let schedule = schedules::find(&mut conn, &job.schedule).await?;
        match schedule.and_then(|schedule| schedule.return_id) {
            Some(id) => cycles::dates::newest_over(&mut conn, &id, day).await?,
            None => None,
        }
    };
    let Some(round) = round else {
        return Ok(Drafted::Nothing);
    };
    let spec = spec_of(versions, &round.return_id, &round.period);
    let spec = spec.ok_or(ReleaseError::UnknownVersion)?;
    let id = release_id(job);
    if is_told(db, versions, spec, &round.period, id).await? {
        return Ok(Drafted::Nothing);
    }
    let notes = format!(
        "Drafted by a schedule for {}.",
        clock::moment_in_words(job.nominal_at)
    );
    let drafting = DraftingRelease {
        id,
        versions,
        spec,
        from: &round.period,
        to: &round.period,
        of: DraftOf::WhatStands,
        lineage: Lineage::None,
        figures: FiguresIn::suggested_by(spec),
        notes: &notes,
    };
    match releases::draft_release(db, actor, &drafting).await {
        Ok(()) => {}
        Err(ReleaseError::Nothing) => return Ok(Drafted::Nothing),
        Err(error) => return Err(error),
    }
    let told = Message::ReleaseDrafted(mail::ReleaseDrafted {
        release_id: id.to_string(),
        return_title: round.return_title.clone(),
        period: round.period.in_words(),
    });
    let mut tx = db.begin(&sees(actor)).await?;
    for person in team_of(&mut tx, &round.return_id).await? {
        let about = About::Person(person.id);
        outbox::post_on(&mut tx, id, about, &person.email, &told).await?;
    }
    tx.commit().await?;
    Ok(Drafted::Release(id))
}

/// Whether another release of the period, the newest, is made of just what stands now.
async fn is_told(
    db: &Db,
    versions: &[ReturnSpec],
    spec: &ReturnSpec,
    period: &Period,
    id: Uuid,
) -> Result<bool, ReleaseError> {
    let mut conn = db.begin_snapshot(&Sees::Everyone).await?;
    let all = stored::of_return(&mut conn, &spec.id, N_LISTED).await?;
    let is_of_period =
        |one: &&stored::Release| one.from_period == period.label && one.to_period == period.label;
    let Some(newest) = all.iter().find(is_of_period).filter(|one| one.id != id) else {
        return Ok(false);
    };
    let before = stored::manifest(&mut conn, newest.id).await?;
    let rounds = WhichRounds {
        from: period,
        to: period,
    };
    let now = read_manifest(&mut conn, versions, spec, rounds, WHAT_STANDS).await;
    let now = now.map_err(WantedError::from)?;
    Ok(before == Some(json!(now)))
}

/// The same for the same schedule and moment, and no other's.
fn release_id(job: &ScheduledJob) -> Uuid {
    let named = format!("{} {}", job.schedule, job.nominal_at.to_rfc3339());
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(named)) {
        *byte = hashed;
    }
    Builder::from_custom_bytes(bytes).into_uuid()
}
