//! Where files lie while they are worked on.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// No file is worked on for this long.
const LONGEST: Duration = Duration::from_hours(1);

/// Removes what a killed worker left: senders' files are in it.
pub(crate) fn sweep(dir: &Path) -> io::Result<()> {
    let oldest = SystemTime::now() - LONGEST;
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() && metadata.modified()? < oldest {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What can't be removed now is tried again with the next file that is forgotten.
pub(crate) async fn sweep_or_warn(dir: &Path) {
    let swept = dir.to_owned();
    let done = tokio::task::spawn_blocking(move || sweep(&swept)).await;
    if let Ok(Err(error)) = done {
        tracing::warn!(%error, dir = %dir.display(), "what a killed worker left stays for now");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_worker_left_goes_and_what_is_worked_on_stays() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["old", "new"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("file"), "x").unwrap();
        }
        let old = fs::File::open(dir.path().join("old")).unwrap();
        old.set_modified(SystemTime::now() - 2 * LONGEST).unwrap();
        sweep(dir.path()).unwrap();
        assert!(!dir.path().join("old").exists());
        assert!(dir.path().join("new/file").exists());
        sweep(&dir.path().join("nowhere")).unwrap();
    }
}
