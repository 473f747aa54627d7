//! Originals by content hash, write-once; and what is kept in passing, until it is removed.
//!
//! An original's key is the hash of its bytes, so the same file is kept once and a key never means other bytes.
//! Nothing is held in memory but a part of a file. On a local folder and on S3 alike.
//! It knows nothing of returns or databases.

mod store;

#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

pub use store::{Files, key_of, passing_key};

/// Where originals are kept.
#[derive(Debug, Clone)]
pub enum Config {
    /// A folder on this machine; made if it is not there.
    Folder(PathBuf),
    S3(S3),
}

/// A bucket of any service that speaks S3.
#[derive(Clone)]
pub struct S3 {
    /// `None`: Amazon's own.
    pub endpoint: Option<String>,
    pub bucket: String,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    /// For a service on this machine or behind a proxy.
    pub allow_http: bool,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Why a file could not be kept or given.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{0} is not a SHA-256")]
    NotAHash(String),
    #[error("the file store can't be used: {0}")]
    Setup(String),
    #[error("the file store failed: {0}")]
    Store(String),
    #[error("the file store has no {key}")]
    Missing { key: String },
    /// The bytes are not those that the name promises.
    #[error("the bytes of {key} are not those that were received")]
    Integrity { key: String },
    #[error("can't {act} a local file: {source}")]
    Local {
        act: &'static str,
        source: std::io::Error,
    },
}
