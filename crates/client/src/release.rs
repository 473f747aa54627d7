//! Releases: every file, and whether it is the one that the platform says it is.

use std::path::Path;

use serde::Deserialize;
use uuid::Uuid;

use crate::api::quoted;
use crate::download::{download, sha256_of};
use crate::{Api, ApiError, Screen};

/// A published edition of a return's figures.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Release {
    pub id: Uuid,
    pub from: String,
    pub to: String,
    pub kind: String,
    /// `None`: it is not published yet.
    pub number: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReleaseFile {
    pub name: String,
    pub sha256: String,
    pub link: String,
}

#[derive(Debug, thiserror::Error)]
pub enum TakeReleaseError {
    #[error("there is no such release")]
    None,
    #[error("a release has no file {0}")]
    NoFile(String),
    #[error("{0} is not the file that the release says it is, and was not kept")]
    WrongHash(String),
    #[error("a release's file has a name that is no file's: {0}")]
    Name(String),
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl TakeReleaseError {
    /// Whether the same may work later.
    pub fn is_for_now(&self) -> bool {
        matches!(self, TakeReleaseError::Api(error) if error.is_for_now())
    }
}

/// Which release of a return.
#[derive(Debug, Clone)]
pub struct WhichRelease<'a> {
    pub return_id: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    /// `None`: the newest.
    pub number: Option<u32>,
}

/// The published release that is asked for, with its files.
pub async fn find_release(
    api: &Api,
    which: &WhichRelease<'_>,
) -> Result<(Release, Vec<ReleaseFile>), TakeReleaseError> {
    #[derive(Deserialize)]
    struct All {
        releases: Vec<Release>,
    }
    #[derive(Deserialize)]
    struct Full {
        files: Vec<ReleaseFile>,
    }
    let path = format!("/api/returns/{}/releases", quoted(which.return_id));
    let all: All = api.get(&path).await?;
    let of_periods = all.releases.into_iter().filter(|release| {
        release.from == which.from && release.to == which.to && release.number.is_some()
    });
    let found = match which.number {
        Some(number) => of_periods
            .into_iter()
            .find(|release| release.number == Some(number)),
        None => of_periods.max_by_key(|release| release.number),
    };
    let release = found.ok_or(TakeReleaseError::None)?;
    let full: Full = api.get(&format!("/api/releases/{}", release.id)).await?;
    Ok((release, full.files))
}

/// Takes a file into a folder, unless it is there; what is not as the release says is not kept.
pub async fn take_release_file(
    api: &Api,
    file: &ReleaseFile,
    folder: &Path,
    screen: Screen,
) -> Result<(), TakeReleaseError> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if file.name.starts_with('.') || !file.name.chars().all(is_name) {
        return Err(TakeReleaseError::Name(file.name.clone()));
    }
    let to = folder.join(&file.name);
    if sha256_of(&to)?.as_ref() == Some(&file.sha256) {
        return Ok(());
    }
    download(api, &file.link, &to, screen).await?;
    if sha256_of(&to)?.as_ref() != Some(&file.sha256) {
        std::fs::remove_file(&to).map_err(ApiError::file("can't remove", &to))?;
        return Err(TakeReleaseError::WrongHash(file.name.clone()));
    }
    Ok(())
}
