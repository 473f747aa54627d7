//! What a child is asked to do, and within what limits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use report::listing::Cover;
use serde::{Deserialize, Serialize};
use sheet::Limits;

/// One file to assess.
#[derive(Debug, Clone)]
pub struct Task {
    /// The return version's folder.
    pub spec_dir: PathBuf,
    /// GSS code of the organisation whose return it should be.
    pub organisation: Option<String>,
    /// Label of the period it should be for.
    pub period: Option<String>,
    pub received_on: NaiveDate,
    pub file: InputFile,
    /// The same organisation's file of the period before.
    pub previous: Option<InputFile>,
    /// The same organisation's file of a year before.
    pub year_ago: Option<InputFile>,
    /// The same organisation's files of other returns, by the return's id.
    pub others: BTreeMap<String, InputFile>,
    /// Files of central figures, by the spec's name for the table.
    pub values: BTreeMap<String, InputFile>,
    /// Whether the records that passed are wanted, or only what was found.
    pub records: bool,
}

/// The standing files of a round, to check against each other.
#[derive(Debug, Clone)]
pub struct CollectionTask {
    /// The return version's folder.
    pub spec_dir: PathBuf,
    /// Label of the round's period.
    pub period: String,
    /// What "not in the future" is measured against.
    pub received_on: NaiveDate,
    /// By GSS code.
    pub files: BTreeMap<String, InputFile>,
}

/// A file, opened by the parent: the child sees its bytes and never its path.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// As the sender named it.
    pub name: String,
    pub path: PathBuf,
    /// The version of the return that a file of an earlier period answers; `None`: the same as the file's.
    pub version: Option<String>,
}

/// A file to give back with marks.
#[derive(Debug, Clone)]
pub struct MarkTask {
    pub file: InputFile,
    /// What its list of findings is about.
    pub cover: Cover,
}

/// What a child may take before it is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildLimits {
    /// Address space, in bytes.
    pub memory: u64,
    pub cpu: Duration,
    pub wall: Duration,
    pub files: FileLimits,
}

/// What a file may hold before it is refused, as far as an installation has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLimits {
    /// Bytes as it was sent.
    pub bytes: u64,
    /// Bytes of all that is packed in it; two thirds of that in one part, and in all cells' texts together.
    pub expanded_bytes: u64,
    /// Cells with something in them.
    pub cells: usize,
}

impl FileLimits {
    pub(crate) fn limits(self) -> Limits {
        let part_bytes = self.expanded_bytes / 3 * 2;
        Limits {
            file_bytes: self.bytes,
            part_bytes,
            total_bytes: self.expanded_bytes,
            text_bytes: part_bytes,
            cells: self.cells,
            ..Limits::default()
        }
    }
}

impl Default for FileLimits {
    fn default() -> Self {
        let Limits {
            file_bytes,
            total_bytes,
            cells,
            ..
        } = Limits::default();
        Self {
            bytes: file_bytes,
            expanded_bytes: total_bytes,
            cells,
        }
    }
}

impl Default for ChildLimits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            cpu: Duration::from_secs(30),
            wall: Duration::from_mins(1),
            files: FileLimits::default(),
        }
    }
}

/// The first line on the child's standard input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    Assess(Order),
    Mark(MarkOrder),
    Recognise(RecogniseOrder),
}

/// The file's bytes follow.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecogniseOrder {
    pub(crate) specs_dir: PathBuf,
    pub(crate) name: String,
    pub(crate) memory: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) limits: FileLimits,
    pub(crate) bytes: u64,
}

/// Findings follow in blocks, a JSON line each and the last of them empty, and then the file's bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MarkOrder {
    pub(crate) cover: Cover,
    pub(crate) memory: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) limits: FileLimits,
    pub(crate) bytes: u64,
}

/// The files' bytes follow, one after the other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) spec_dir: PathBuf,
    pub(crate) organisation: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) received_on: NaiveDate,
    pub(crate) records: bool,
    /// The files are those of a round, to check against each other.
    pub(crate) is_collection: bool,
    pub(crate) memory: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) limits: FileLimits,
    pub(crate) files: Vec<OrderedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OrderedFile {
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    File,
    Previous,
    YearAgo,
    /// A file of another return, by its id.
    Other(String),
    /// Central figures, by the spec's name for the table.
    Values(String),
    /// An organisation's standing file, by its code.
    Member(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_installation_does_not_change_stays_as_it_is() {
        assert_eq!(FileLimits::default().limits(), Limits::default());
    }
}
