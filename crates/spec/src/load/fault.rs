//! What is wrong in a version folder: every fault with its file, place and reason.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong in a version folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Relative to the folder that was loaded.
    pub file: PathBuf,
    /// `line 12, column 3` in a TOML or CSV file, `/properties/ASSESS/x-codes` in a JSON file; empty for the whole file.
    pub place: String,
    /// What is wrong, and what is expected.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        write!(f, ": {}", self.why)
    }
}

/// Why a version folder can't be loaded: all its faults, in the order of looking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadError {
    pub faults: Vec<Fault>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (fault_idx, fault) in self.faults.iter().enumerate() {
            if fault_idx > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// Collects faults while everything that can still be read is read.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(
        &mut self,
        file: impl AsRef<Path>,
        place: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.0.push(Fault {
            file: file.as_ref().to_owned(),
            place: place.into(),
            why: why.into(),
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value if nothing is wrong.
    pub(crate) fn or<T>(mut self, value: Option<T>) -> Result<T, LoadError> {
        match value {
            Some(value) if self.0.is_empty() => return Ok(value),
            // Nothing gets lost without a reason: if that ever happens, it is a mistake of the loader.
            None if self.0.is_empty() => {
                self.add(".", "", "can't be resolved, and no look says why");
            }
            _ => {}
        }
        Err(LoadError { faults: self.0 })
    }
}
