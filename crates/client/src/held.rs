//! A file that one lgdp at a time writes: whoever has it open under its name has it locked, until it is closed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::ApiError;

/// A file to be written, as it is or made; refused where another one writes it.
pub(crate) fn hold(path: &Path) -> Result<File, ApiError> {
    let mut how = File::options();
    how.read(true).write(true).create(true).truncate(false);
    loop {
        let file = how
            .open(path)
            .map_err(ApiError::file("can't write", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ApiError::Held(path.display().to_string()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(ApiError::file("can't lock", path)(error));
            }
        }
        // Whoever held it may have given it its own name, or removed it, between the two.
        if is_at(&file, path).map_err(ApiError::file("can't write", path))? {
            return Ok(file);
        }
    }
}

/// Whether a file is still the one of that name.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((own.dev(), own.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let (path, to) = (dir.path().join("a.part"), dir.path().join("a"));
        let first = hold(&path).unwrap();
        let error = hold(&path).unwrap_err();
        assert!(error.is_for_now(), "{error}");
        fs::rename(&path, &to).unwrap();
        assert!(!is_at(&first, &path).unwrap() && is_at(&first, &to).unwrap());
        hold(&path).unwrap();
        drop(first);
        hold(&to).unwrap();
    }
}
