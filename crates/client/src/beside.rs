//! A file that is there when it is whole: written beside its place, and then moved there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::ApiError;
use crate::held::{hold, is_free_for_a_file};

pub(crate) struct Beside {
    file: File,
    /// While it is written; removed unless it is kept.
    path: PathBuf,
    to: PathBuf,
    is_kept: bool,
}

impl Beside {
    pub(crate) fn new(to: &Path) -> Result<Self, ApiError> {
        is_free_for_a_file(to)?;
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let path = to.with_file_name(format!(".{name}.part"));
        let file = hold(&path)?;
        file.set_len(0)
            .map_err(ApiError::file("can't write", &path))?;
        Ok(Self {
            file,
            path,
            to: to.to_owned(),
            is_kept: false,
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        let written = self.file.write_all(bytes);
        written.map_err(ApiError::file("can't write", &self.path))
    }

    /// On the disk before it has its name.
    pub(crate) fn keep(mut self) -> Result<(), ApiError> {
        let synced = self.file.sync_all();
        synced.map_err(ApiError::file("can't write", &self.path))?;
        fs::rename(&self.path, &self.to).map_err(ApiError::file("can't write", &self.to))?;
        self.is_kept = true;
        Ok(())
    }

    /// Bytes that are there at once.
    pub(crate) fn write_whole(to: &Path, bytes: &[u8]) -> Result<(), ApiError> {
        let mut place = Self::new(to)?;
        place.write(bytes)?;
        place.keep()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}
