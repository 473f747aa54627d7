//! An upload on its way in: streamed to a local file and hashed, never held in memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use actix_multipart::MultipartError;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt as _;

pub(crate) const PREFIX: &str = "upload-";

/// A file that came in whole. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Spooled {
    path: TempPath,
    /// Lower-case hex.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

impl Spooled {
    pub(crate) fn path(&self) -> PathBuf {
        self.path.to_path_buf()
    }
}

/// Why an upload did not come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("came too slowly")]
    TooSlow,
    #[error("ended before it was whole")]
    Incomplete,
    #[error("could not be written down")]
    Io(#[from] io::Error),
}

impl SpoolError {
    pub(crate) fn of_payload(error: &PayloadError, limit: u64) -> Self {
        match error {
            PayloadError::Overflow => SpoolError::TooLarge { limit },
            PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                SpoolError::TooSlow
            }
            _ => SpoolError::Incomplete,
        }
    }

    pub(crate) fn of_multipart(error: &MultipartError, limit: u64) -> Self {
        match error {
            MultipartError::Payload(error) => SpoolError::of_payload(error, limit),
            _ => SpoolError::Incomplete,
        }
    }
}

/// Writes a stream of at most `limit` bytes to a file of `dir`.
pub(crate) async fn spool<E>(
    mut chunks: impl Stream<Item = Result<Bytes, E>> + Unpin,
    dir: &Path,
    limit: u64,
    explain: impl Fn(&E, u64) -> SpoolError,
) -> Result<Spooled, SpoolError> {
    let (file, path) = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempfile_in(dir)?
        .into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut hash = Sha256::new();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| explain(&error, limit))?;
        bytes += chunk.len() as u64;
        if bytes > limit {
            return Err(SpoolError::TooLarge { limit });
        }
        hash.update(&chunk);
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok(Spooled {
        path,
        sha256: hex::encode(hash.finalize()),
        bytes,
    })
}

/// A place for a file that somebody else writes there. Dropping it removes what is there.
pub(crate) fn place(dir: &Path) -> io::Result<TempPath> {
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(dir)?;
    Ok(file.into_temp_path())
}

/// As [`sweep`], beside what else is done; what can't be removed now is tried again with the next files that come in.
pub(crate) async fn sweep_or_warn(dir: &Path) {
    let swept = dir.to_owned();
    if let Ok(Err(error)) = actix_web::web::block(move || sweep(&swept)).await {
        tracing::warn!(%error, "what a killed site left stays for now");
    }
}

/// Removes what a killed process left: older than any upload may take. Makes the folder where there is none.
pub(crate) fn sweep(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let oldest = SystemTime::now() - Duration::from_mins(30);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let left_over = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata()?.modified()? < oldest;
        if left_over {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
