//! What was accepted, as Delta Lake tables in a folder or object storage, for engines that read those.
//!
//! A table for each record table of a return, partitioned by period and organisation. What an organisation has accepted
//! for a period is replaced as a whole, in one commit, so that a reader sees either the old or the new; what was before
//! stays readable as an earlier version of the table. A commit carries which state of the obligation it is, so that a
//! replay changes nothing, unless it is asked for, and whoever comes late does not undo what is newer.
//! It knows nothing of databases: rows come as Arrow batches.

mod replace;
mod store;
mod table;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use delta_kernel::KernelError;

pub use replace::{Outcome, Replacing, SameState};
pub use store::Lake;
pub use table::{ORGANISATION, PERIOD, Part, Table, without_partitions};

/// Where the tables are kept.
#[derive(Debug, Clone)]
pub enum Config {
    /// A folder on this machine; made if it is not there.
    Folder(PathBuf),
    /// Of a service that puts an object only where there is none.
    Bucket {
        s3: files::S3,
        /// What the keys of all tables begin with; blank: nothing.
        prefix: String,
    },
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("the lake can't be used: {0}")]
    Setup(String),
    /// A newer version of the return means something else by a name.
    #[error("column {column} of {table} was {before} and would be {after}")]
    ColumnChanged {
        table: String,
        column: String,
        before: String,
        after: String,
    },
    #[error("{table} was changed by others {tries} times in a row")]
    Contended { table: String, tries: u32 },
    #[error("the lake failed: {0}")]
    Store(String),
}

impl From<KernelError> for LakeError {
    fn from(error: KernelError) -> Self {
        LakeError::Store(error.to_string())
    }
}
