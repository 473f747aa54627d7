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

/// Refuses a place that is taken by what is no file: what is moved there would take its place, and a device be gone.
pub(crate) fn is_free_for_a_file(path: &Path) -> Result<(), ApiError> {
    // Not what a link leads to: it is the link that would be gone.
    let kind = match fs::symlink_metadata(path) {
        Ok(facts) => facts.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ApiError::file("can't write", path)(error)),
    };
    let what = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a link",
        _ => "a device or a pipe",
    };
    Err(ApiError::NoFile {
        path: path.display().to_string(),
        what,
    })
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

    #[test]
    fn a_file_takes_the_place_of_a_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("lost")).unwrap();
        let _listening = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for free in [at("file"), at("new")] {
            is_free_for_a_file(&free).unwrap();
        }
        for (taken, by) in [
            (at("folder"), "a folder"),
            (at("link"), "a link"),
            (at("lost"), "a link"),
            (at("socket"), "a device"),
            ("/dev/null".into(), "a device"),
            ("/dev/stdout".into(), "a link"),
        ] {
            let error = is_free_for_a_file(&taken).unwrap_err();
            assert!(!error.is_for_now());
            assert!(error.to_string().contains(by), "{error}");
        }
    }
}
