//! Releases: editions of a return's datasets that never change.
//!
//! One is drafted from a snapshot, built by a job, approved by two people and so published.
//! What it is made of is decided when it is drafted; whatever is accepted later is for the next one.

mod build;
mod changes;

use std::io;
use std::path::Path;

use access::{Action, ActorId, Object, Reach};
use dataset::release::{CellsLeftOut, Protection, SUPPRESSED, Settings};
use dataset::{DatasetError, Lineage, Manifest, WhichRounds, WhoseRecords, read_manifest};
use db::releases::{self, Kind, NewRelease, ReleaseFile};
use db::{Conn, Db, DbError, Sees};
use files::Files;
use queue::NewJob;
use serde_json::json;
use spec::disclosure::Unprotected;
use spec::{Period, ReturnSpec};
use uuid::Uuid;

use crate::actor::{Deed, allowed, is_system, record, sees};
use crate::explain::written;
use crate::waivers::by;
use crate::webhooks::announce_release;
use crate::{Actor, Denied, ExplainError, OriginalError, WantedError};

pub use self::build::{
    BuildReleaseJob, ReleaseToBuild, build_release, keep_release, release_to_build,
};
pub use self::changes::{
    Changed, Counted, HowMuch, MOST_COUNTED, TwoReleases, how_much_changed, two_releases,
    write_release_changes,
};
pub use dataset::release::LeftOut;
pub use db::releases::{Approval, Kind as ReleaseKind, Release, ReleaseFile as FileOfRelease};

/// So many approve a release before it is published.
pub const N_APPROVALS: usize = 2;

/// Of a return, newest first, this many are listed.
const N_LISTED: u32 = 200;

/// Whether it is of all that stands, or of what is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftOf {
    WhatStands,
    WhatIsAccepted,
}

/// Whether every figure is in it, or small counts are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FiguresIn {
    All,
    /// With disclosure control, as the return says.
    Protected,
}

impl FiguresIn {
    /// What a release of a return is drafted with unless somebody says otherwise.
    pub fn suggested_by(spec: &ReturnSpec) -> Self {
        if spec.disclosure().is_ok_and(|said| said.suggested) {
            FiguresIn::Protected
        } else {
            FiguresIn::All
        }
    }
}

/// A release to draft.
#[derive(Debug, Clone)]
pub struct DraftingRelease<'a> {
    /// Given by the form, so that one that is sent twice is there once.
    pub id: Uuid,
    /// All published versions.
    pub versions: &'a [ReturnSpec],
    /// The one that serves the last period: its words are used.
    pub spec: &'a ReturnSpec,
    pub from: &'a Period,
    pub to: &'a Period,
    pub of: DraftOf,
    pub lineage: Lineage,
    pub figures: FiguresIn,
    pub notes: &'a str,
}

#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Wanted(#[from] WantedError),
    /// There is nothing that it could be made of.
    #[error("nothing counts for these periods yet")]
    Nothing,
    /// A revised one says what is new.
    #[error("a release after a final one says what changed")]
    NotesMissing,
    #[error("the notes are longer than is kept")]
    NotesTooLong,
    #[error(transparent)]
    Unprotected(#[from] Unprotected),
    #[error("the release is not built yet")]
    NotBuilt,
    #[error("a final release of its periods was published after this one was drafted")]
    Overtaken,
    /// What the two leave out differently could be worked out from both.
    #[error("another protected release was published after this one was drafted")]
    OvertakenByProtected,
    /// It was drafted when protected releases still had the hashes of the files, which tell what is left out.
    #[error("the release leaves figures out and has the hashes of the files they came in")]
    HasHashes,
    #[error("a person approves a release, not a program")]
    NotAPerson,
    #[error("its return's version is not there any more")]
    UnknownVersion,
    /// A file of a release before it.
    #[error(transparent)]
    File(#[from] ReleaseFileError),
    #[error(transparent)]
    Db(#[from] DbError),
}

fn of_return(return_id: &str) -> Object<'_> {
    Object {
        return_id: Some(return_id),
        ..Object::default()
    }
}

/// Whether an actor may do something to a return's releases.
pub fn may_release(actor: &Actor, action: Action, return_id: &str) -> bool {
    allowed(actor, action, &of_return(return_id)).is_ok()
}

/// Drafts a release of what counts now, and has it built; harmless when repeated.
pub async fn draft_release(
    db: &Db,
    actor: &Actor,
    drafting: &DraftingRelease<'_>,
) -> Result<(), ReleaseError> {
    let DraftingRelease {
        versions,
        spec,
        from,
        to,
        ..
    } = *drafting;
    allowed(actor, Action::DraftRelease, &of_return(&spec.id))?;
    if from.end > to.end {
        return Err(WantedError::Backwards.into());
    }
    let mut protection = protection(spec, drafting.figures)?;
    let notes = match written(drafting.notes) {
        Ok(notes) => notes,
        Err(ExplainError::NoText) => String::new(),
        Err(_) => return Err(ReleaseError::NotesTooLong),
    };
    let whose = WhoseRecords {
        sees: &Sees::Everyone,
        organisations: &[],
        only_accepted: drafting.of == DraftOf::WhatIsAccepted,
    };
    // The trail is written by the other transaction, which has to see who wrote to it meanwhile.
    let mut snapshot = db.begin_snapshot(&Sees::Everyone).await?;
    let rounds = WhichRounds { from, to };
    let manifest = read_manifest(&mut snapshot, versions, spec, rounds, whose).await;
    let manifest = manifest.map_err(WantedError::from)?;
    snapshot.commit().await?;
    if manifest.submissions.is_empty() {
        return Err(ReleaseError::Nothing);
    }
    if protection.is_some() {
        say_counts(versions, spec, &manifest)?;
    }
    let mut tx = db.begin(&sees(actor)).await?;
    releases::lock(&mut tx, &spec.id).await?;
    let published = releases::published(&mut tx, &spec.id).await?;
    let after = newest_final(&published, (&from.label, &to.label));
    let kind = match (drafting.of, after) {
        (DraftOf::WhatStands, _) => Kind::Provisional,
        (DraftOf::WhatIsAccepted, None) => Kind::Final,
        (DraftOf::WhatIsAccepted, Some(_)) => Kind::Revised,
    };
    if kind == Kind::Revised && notes.is_empty() {
        return Err(ReleaseError::NotesMissing);
    }
    if let Some(protection) = &mut protection {
        protection.after = protected(&published);
    }
    let settings = Settings {
        after,
        lineage: drafting.lineage,
        labels: true,
        protection,
    };
    let new = NewRelease {
        id: drafting.id,
        return_id: &spec.id,
        return_version: &spec.version,
        from_period: &from.label,
        to_period: &to.label,
        kind,
        notes: &notes,
        settings: &json!(settings),
        manifest: &json!(manifest),
        submissions: &manifest.ids(),
        by: by(actor),
    };
    if releases::add(&mut tx, &new).await? {
        let deed = deed(
            "draft_release",
            json!({
                "release": drafting.id,
                "return": spec.id,
                "from": from.label,
                "to": to.label,
                "kind": kind.as_str(),
                "threshold": settings.protection.as_ref().map(|said| said.threshold),
                "n_submissions": manifest.submissions.len(),
            }),
        );
        record(&mut tx, actor, deed).await?;
        let release_id = drafting.id;
        let key = releases::build_key(release_id);
        let job = NewJob::new(BuildReleaseJob::KIND, json!(BuildReleaseJob { release_id }));
        queue::enqueue(&mut tx, &job.once(&key)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Before it is known what was published.
fn protection(spec: &ReturnSpec, figures: FiguresIn) -> Result<Option<Protection>, Unprotected> {
    Ok(match figures {
        FiguresIn::All => None,
        FiguresIn::Protected => Some(Protection {
            threshold: spec.disclosure()?.threshold,
            after: Vec::new(),
            hides_files: true,
        }),
    })
}

/// An error where a version that a release is made of can't be protected.
fn say_counts(
    versions: &[ReturnSpec],
    spec: &ReturnSpec,
    manifest: &Manifest,
) -> Result<(), ReleaseError> {
    for (version, _) in &manifest.versions {
        let is_it = |known: &&ReturnSpec| known.id == spec.id && known.version == *version;
        let version = versions.iter().find(is_it);
        version.ok_or(ReleaseError::UnknownVersion)?.disclosure()?;
    }
    Ok(())
}

/// The protected ones of those that are published, in their order.
fn protected(published: &[Release]) -> Vec<Uuid> {
    let protected = published.iter();
    let protected = protected.filter(|release| threshold_of(release).is_some());
    protected.map(|release| release.id).collect()
}

/// The final or revised one of some periods that was published last.
fn newest_final(published: &[Release], periods: (&str, &str)) -> Option<Uuid> {
    let is_final = |release: &&Release| {
        release.kind != Kind::Provisional
            && (release.from_period.as_str(), release.to_period.as_str()) == periods
    };
    published.iter().rfind(is_final).map(|release| release.id)
}

fn deed(verb: &'static str, details: serde_json::Value) -> Deed<'static> {
    Deed {
        verb,
        organisation: None,
        obligation_id: None,
        submission_id: None,
        details,
    }
}

/// A release that an actor may see, and what it is made of.
async fn seen(conn: &mut Conn, actor: &Actor, action: Action, id: Uuid) -> Result<Release, Denied> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded);
    }
    // Whoever has no part in any is told so, whether or not there is this one.
    let mut reaches = actor.grants.iter().map(|grant| &grant.reach);
    let has_part = reaches.any(|reach| match reach {
        Reach::Return(id) => may_release(actor, action, id),
        _ => false,
    });
    if !has_part && !is_system(actor) {
        return Err(Denied::Forbidden);
    }
    let release = releases::find(conn, id).await?.ok_or(Denied::NotThere)?;
    allowed(actor, action, &of_return(&release.return_id))?;
    Ok(release)
}

/// A return's releases, the newest first.
pub async fn releases_of(db: &Db, actor: &Actor, return_id: &str) -> Result<Vec<Release>, Denied> {
    allowed(actor, Action::SeeReleases, &of_return(return_id))?;
    let mut conn = db.read(&sees(actor)).await?;
    Ok(releases::of_return(&mut conn, return_id, N_LISTED).await?)
}

/// A release with its files and its manifest.
pub struct ReleaseInFull {
    pub release: Release,
    pub files: Vec<ReleaseFile>,
    pub manifest: Manifest,
    /// Its files tell what they leave out: it was drafted when they still had the hashes of those that its figures came in.
    pub has_hashes: bool,
}

pub async fn release_in_full(db: &Db, actor: &Actor, id: Uuid) -> Result<ReleaseInFull, Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    let release = seen(&mut conn, actor, Action::SeeReleases, id).await?;
    let files = releases::files(&mut conn, id).await?;
    let manifest = manifest_of(&mut conn, id).await?;
    Ok(ReleaseInFull {
        has_hashes: has_hashes(&release),
        release,
        files,
        manifest,
    })
}

/// How far the files of a release are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Building {
    Done,
    Waits,
    Runs,
    /// Something of ours failed; it is tried again by itself.
    TriedAgain,
    /// It failed too often.
    GivenUp,
}

/// How far they are, of a release that its reader was given.
pub async fn building(db: &Db, _actor: &Actor, release: &Release) -> Result<Building, DbError> {
    if release.is_built {
        return Ok(Building::Done);
    }
    if !release.is_being_built {
        return Ok(Building::GivenUp);
    }
    let (mut conn, key) = (db.conn().await?, releases::build_key(release.id));
    let progress = queue::progress(&mut conn, &key, &[BuildReleaseJob::KIND]).await?;
    Ok(match progress {
        Some(job) if job.is_running => Building::Runs,
        Some(job) if job.n_failures > 0 => Building::TriedAgain,
        // It may have ended just now: that is seen by who looks again.
        Some(_) | None => Building::Waits,
    })
}

/// Below which counts of a release are left out; `None`: none are.
pub fn threshold_of(release: &Release) -> Option<u32> {
    Some(settings_of(release).ok()?.protection?.threshold)
}

/// Whether its files say the hashes of those that its figures came in, although it leaves figures out: a hash tells which
/// guess at them is right.
fn has_hashes(release: &Release) -> bool {
    let protection = settings_of(release).ok().and_then(|said| said.protection);
    protection.is_some_and(|protection| !protection.hides_files)
}

fn settings_of(release: &Release) -> Result<Settings, DbError> {
    serde_json::from_value(release.settings.clone())
        .map_err(|error| DbError::Stored(error.to_string()))
}

/// How many figures of a protected release are left out, as its file tells it: table, whether they are left out or can't be, how many.
pub async fn left_out(
    db: &Db,
    files: &Files,
    actor: &Actor,
    release: &Release,
    room: &Path,
) -> Result<Vec<LeftOut>, ReleaseFileError> {
    if threshold_of(release).is_none() || !release.is_built {
        return Ok(Vec::new());
    }
    release_file(db, files, actor, (release.id, SUPPRESSED), room).await?;
    Ok(dataset::release::read_suppressed(room)?)
}

/// Which figures a release leaves out, as its file of them says; it is copied to `room`.
async fn cells_left_out(
    files: &Files,
    file: &ReleaseFile,
    room: &Path,
) -> Result<CellsLeftOut, ReleaseFileError> {
    let got = files.get_to_file(&file.key, room).await;
    got.map_err(OriginalError::Files)?;
    let copy = room.to_owned();
    let reading = tokio::task::spawn_blocking(move || CellsLeftOut::read(&copy));
    let read = reading.await.map_err(io::Error::other);
    Ok(read.map_err(DatasetError::Write)??)
}

async fn manifest_of(conn: &mut Conn, id: Uuid) -> Result<Manifest, DbError> {
    let stored = releases::manifest(conn, id).await?.unwrap_or_default();
    serde_json::from_value(stored).map_err(|error| DbError::Stored(error.to_string()))
}

/// Copies a file of a release to a local path, its bytes verified by their hash.
pub async fn release_file(
    db: &Db,
    files: &Files,
    actor: &Actor,
    (id, name): (Uuid, &str),
    to: &Path,
) -> Result<ReleaseFile, ReleaseFileError> {
    let mut conn = db.read(&sees(actor)).await?;
    seen(&mut conn, actor, Action::SeeReleases, id).await?;
    let all = releases::files(&mut conn, id).await?;
    drop(conn);
    let file = all.into_iter().find(|file| file.name == name);
    let file = file.ok_or(Denied::NotThere)?;
    files
        .get_to_file(&file.key, to)
        .await
        .map_err(OriginalError::Files)?;
    Ok(file)
}

#[derive(Debug, thiserror::Error)]
pub enum ReleaseFileError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Original(#[from] OriginalError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Approves a release on behalf of a person; the second person's approval publishes it. Harmless when repeated.
pub async fn approve_release(db: &Db, actor: &Actor, id: Uuid) -> Result<Release, ReleaseError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let release = seen(&mut tx, actor, Action::ApproveRelease, id).await?;
    let ActorId::Person(person) = actor.id else {
        return Err(ReleaseError::NotAPerson);
    };
    releases::lock(&mut tx, &release.return_id).await?;
    if !release.is_built {
        return Err(ReleaseError::NotBuilt);
    }
    // Another one came out meanwhile.
    if release.published.is_none() {
        let published = releases::published(&mut tx, &release.return_id).await?;
        let settings = settings_of(&release)?;
        let periods = (release.from_period.as_str(), release.to_period.as_str());
        if settings.after != newest_final(&published, periods) {
            return Err(ReleaseError::Overtaken);
        }
        let is_after = |protection: &Protection| protection.after == protected(&published);
        if !settings.protection.as_ref().is_none_or(is_after) {
            return Err(ReleaseError::OvertakenByProtected);
        }
        if has_hashes(&release) {
            return Err(ReleaseError::HasHashes);
        }
    }
    if releases::approve(&mut tx, id, person, &actor.name).await? {
        let details = json!({"release": id, "return": release.return_id});
        record(&mut tx, actor, deed("approve_release", details)).await?;
    }
    let approved = releases::find(&mut tx, id).await?.ok_or(Denied::NotThere)?;
    if approved.approvals.len() >= N_APPROVALS && approved.published.is_none() {
        let number = releases::publish(&mut tx, &approved).await?;
        let details = json!({"release": id, "return": release.return_id, "number": number});
        record(&mut tx, actor, deed("publish_release", details)).await?;
        announce_release(&mut tx, &approved, number).await?;
    }
    let release = releases::find(&mut tx, id).await?.ok_or(Denied::NotThere)?;
    tx.commit().await?;
    Ok(release)
}
