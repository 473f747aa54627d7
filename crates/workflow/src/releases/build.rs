//! Building a release: its files, the same bytes whenever it is done.

use std::path::Path;

use chrono::NaiveDate;
use dataset::release::{Before, Built, Edition, SUPPRESSED_CELLS, Settings};
use dataset::{DatasetError, From, Manifest, ShapeError};
use db::releases::{self, Release, ReleaseFile};
use db::{Db, DbError, Sees};
use files::Files;
use serde::{Deserialize, Serialize};
use serde_json::json;
use spec::ReturnSpec;
use uuid::Uuid;

use super::{ReleaseError, cells_left_out, deed, manifest_of, settings_of};
use crate::actor::{is_system, record, sees};
use crate::{Actor, Denied, WantedError};

/// The job: build a release's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildReleaseJob {
    pub release_id: Uuid,
}

impl BuildReleaseJob {
    pub const KIND: &'static str = "build-release";
}

/// What a worker needs to build a release.
pub struct ReleaseToBuild {
    release: Release,
    manifest: Manifest,
    settings: Settings,
    /// The protected ones before it: what each is made of, and its file of what it leaves out.
    before: Vec<(Manifest, ReleaseFile)>,
}

/// `None` where there is nothing left to do: there is no such release, or it is built.
pub async fn release_to_build(
    db: &Db,
    actor: &Actor,
    id: Uuid,
) -> Result<Option<ReleaseToBuild>, DbError> {
    let mut conn = db.read(&sees(actor)).await?;
    let release = releases::find(&mut conn, id).await?;
    let Some(release) = release.filter(|release| is_system(actor) && !release.is_built) else {
        return Ok(None);
    };
    let manifest = manifest_of(&mut conn, id).await?;
    let settings = settings_of(&release)?;
    let mut before = Vec::new();
    for id in settings.protection.iter().flat_map(|said| &said.after) {
        let files = releases::files(&mut conn, *id).await?;
        let file = files.into_iter().find(|file| file.name == SUPPRESSED_CELLS);
        let untold = || DbError::Stored(format!("release {id} does not say what it leaves out"));
        let manifest = manifest_of(&mut conn, *id).await?;
        before.push((manifest, file.ok_or_else(untold)?));
    }
    Ok(Some(ReleaseToBuild {
        release,
        manifest,
        settings,
        before,
    }))
}

/// Writes every file of a release into a folder: the same bytes whenever it is done.
pub async fn build_release(
    (db, files): (&Db, &Files),
    actor: &Actor,
    versions: &[ReturnSpec],
    to_build: &ReleaseToBuild,
    into: &Path,
) -> Result<Vec<Built>, ReleaseError> {
    if !is_system(actor) {
        return Err(Denied::Forbidden.into());
    }
    let ReleaseToBuild {
        release,
        manifest,
        settings,
        before,
    } = to_build;
    // A version that was published never changes, and its hash says that it did not.
    for (version, hash) in &manifest.versions {
        let is_it = |spec: &&ReturnSpec| spec.id == release.return_id && spec.version == *version;
        if versions
            .iter()
            .find(is_it)
            .is_none_or(|spec| spec.hash != *hash)
        {
            let unknown = DatasetError::Shape(ShapeError::UnknownVersion(version.clone()));
            return Err(WantedError::from(unknown).into());
        }
    }
    let spec = versions
        .iter()
        .find(|spec| spec.id == release.return_id && spec.version == release.return_version)
        .ok_or(ReleaseError::UnknownVersion)?;
    let mut earlier = Vec::new();
    for (manifest, file) in before {
        // The release's own file of that name is written over it.
        let room = into.join(SUPPRESSED_CELLS);
        earlier.push(Before {
            manifest: manifest.clone(),
            left_out: cells_left_out(files, file, &room).await?,
        });
    }
    let edition = Edition {
        spec,
        manifest,
        settings,
        before: &earlier,
        kind: release.kind.as_str(),
        notes: &release.notes,
        drafted_on: drafted_on(release),
    };
    let from = From {
        db,
        sees: &Sees::Everyone,
        versions,
    };
    let built = dataset::release::build(from, &edition, into).await;
    Ok(built.map_err(WantedError::from)?)
}

fn drafted_on(release: &Release) -> NaiveDate {
    cycle::clock::day(release.at)
}

/// Stores that a release's files are there; repeating it changes nothing.
/// Until then there are none, and from then on all of them.
pub async fn keep_release(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    files: &[ReleaseFile],
) -> Result<(), DbError> {
    let mut tx = db.begin(&sees(actor)).await?;
    let Some(release) = releases::find(&mut tx, id)
        .await?
        .filter(|_| is_system(actor))
    else {
        return Ok(());
    };
    releases::lock(&mut tx, &release.return_id).await?;
    if releases::add_files(&mut tx, id, files).await? {
        let hashes: Vec<_> = files
            .iter()
            .map(|file| (&file.name, &file.sha256))
            .collect();
        let details = json!({"release": id, "return": release.return_id, "files": hashes});
        record(&mut tx, actor, deed("build_release", details)).await?;
    }
    tx.commit().await?;
    Ok(())
}
