//! What was sent from a folder, noted in it: a file that is written anew as a whole, never in part.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::WatchError;
use crate::beside::Beside;
use crate::{ApiError, Chosen, NewFile};

/// How a file was when it was looked at: as long as that is so, it need not be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) n_bytes: u64,
    pub(super) saved_at: SystemTime,
}

impl Stamp {
    pub(super) fn of(facts: &fs::Metadata) -> Self {
        Self {
            n_bytes: facts.len(),
            saved_at: facts.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        }
    }
}

/// Of the last content that a file had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) sha256: String,
    pub(super) stamp: Stamp,
    /// What it is sent with, however often.
    pub(super) key: Uuid,
    /// What it is sent for, once that is known.
    pub(super) to: Option<Chosen>,
    pub(super) submission_id: Option<Uuid>,
    /// The outcome that its result was last written for; empty: it could not be checked.
    #[serde(default)]
    pub(super) told: Option<String>,
    #[serde(default = "long_ago")]
    pub(super) told_at: SystemTime,
    /// There is nothing more to come.
    pub(super) is_done: bool,
    /// Its bytes were received before, and were to be sent again for nobody knows what.
    #[serde(default)]
    pub(super) is_refused: bool,
}

fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH
}

impl Note {
    pub(super) fn new(file: &NewFile, stamp: Stamp) -> Self {
        Self {
            sha256: file.sha256.clone(),
            stamp,
            key: Uuid::now_v7(),
            to: None,
            submission_id: None,
            told: None,
            told_at: long_ago(),
            is_done: false,
            is_refused: false,
        }
    }

    /// Whether it was not sent as it is, and is not until it is saved anew.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused || (self.is_done && self.submission_id.is_none())
    }
}

pub(super) struct Notes {
    path: PathBuf,
    /// By the file's name.
    notes: BTreeMap<String, Note>,
}

impl Notes {
    pub(super) fn read(path: PathBuf) -> Result<Self, WatchError> {
        let notes = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| WatchError::Notes {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(ApiError::file("can't read", &path)(error).into()),
        };
        Ok(Self { path, notes })
    }

    pub(super) fn of(&self, name: &str) -> Option<&Note> {
        self.notes.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.notes.keys()
    }

    /// Under what names these bytes were received, and what is noted of them.
    pub(super) fn received(&self, sha256: &str) -> Vec<(&String, &Note)> {
        let notes = self.notes.iter();
        notes
            .filter(|(_, note)| note.sha256 == sha256 && note.submission_id.is_some())
            .collect()
    }

    /// Kept on the disk before this comes back.
    pub(super) fn put(&mut self, name: &str, note: Note) -> Result<(), ApiError> {
        self.notes.insert(name.to_owned(), note);
        let bytes = serde_json::to_vec_pretty(&self.notes)
            .map_err(|error| ApiError::Answer(error.to_string()))?;
        Beside::write_whole(&self.path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_there_again_and_what_can_not_be_read_is_said_and_not_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sent.json");
        let file = dir.path().join("a.csv");
        fs::write(&file, "x").unwrap();
        let stamp = Stamp::of(&fs::metadata(&file).unwrap());
        let note = Note::new(&NewFile::read(&file).unwrap(), stamp);
        let mut notes = Notes::read(path.clone()).unwrap();
        notes.put("a.csv", note.clone()).unwrap();
        let again = Notes::read(path.clone()).unwrap();
        assert_eq!(again.of("a.csv"), Some(&note));
        fs::write(&path, "{").unwrap();
        assert!(matches!(Notes::read(path), Err(WatchError::Notes { .. })));
    }
}
