//! A folder that is watched: a file that is put into it is sent, and what comes of it is written beside it.
//!
//! What was sent is noted in the folder before it is sent, with its key, so that whatever is cut off in between goes on
//! where it was and nothing is sent twice. One watcher looks after a folder at a time.

mod notes;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use crate::beside::Beside;
use crate::{
    Api, ApiError, ChooseError, NewFile, Screen, Submission, Wanted, choose, findings, is_decided,
    save, send, status,
};
use notes::{Note, Notes};

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("another lgdp watches {0} already")]
    Watched(String),
    #[error("what is noted in {path} can't be read: {reason}")]
    Notes { path: String, reason: String },
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// What became of one file at a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Told {
    Sent {
        file: String,
        submission_id: Uuid,
        version_number: u32,
    },
    Checked {
        file: String,
        submission_id: Uuid,
        outcome: String,
        result: String,
    },
    /// It is not sent again until it is changed.
    Refused { file: String, reason: String },
    /// It is tried again at the next look.
    Delayed { file: String, reason: String },
}

/// What one look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    pub told: Vec<Told>,
    /// Files that are still being written, sent or checked.
    pub n_waiting: usize,
}

/// One folder.
pub struct Watcher {
    api: Api,
    folder: PathBuf,
    wanted: Wanted,
    screen: Screen,
    notes: Notes,
    /// Size and time of what was there at the last look: what is still changing is left alone.
    seen: BTreeMap<String, (u64, SystemTime)>,
    /// Held for as long as it watches.
    _lock: File,
}

/// Names that are not whole files yet, nobody's files, or our own.
fn is_left_alone(name: &str) -> bool {
    let hidden = ['.', '~'].into_iter().any(|start| name.starts_with(start));
    let lower = name.to_lowercase();
    let unfinished = [".part", ".tmp", ".crdownload", ".filepart", ".lock"];
    let ours = ["-result.txt", "-findings.xlsx", "-marked.xlsx"];
    hidden
        || unfinished
            .iter()
            .chain(&ours)
            .any(|end| lower.ends_with(end))
}

/// What a look writes beside `cases.xlsx`: `cases.xlsx-result.txt` and others, whose names no other file's can be.
fn beside(file: &Path, what: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{name}-{what}"))
}

impl Watcher {
    pub fn open(
        api: Api,
        folder: &Path,
        wanted: Wanted,
        screen: Screen,
    ) -> Result<Self, WatchError> {
        let own = folder.join(".lgdp");
        fs::create_dir_all(&own).map_err(ApiError::file("can't make", &own))?;
        let path = own.join("lock");
        let lock = File::create(&path).map_err(ApiError::file("can't write", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(WatchError::Watched(folder.display().to_string()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(ApiError::file("can't lock", &path)(error).into());
            }
        }
        Ok(Self {
            api,
            folder: folder.to_owned(),
            wanted,
            screen,
            notes: Notes::read(own.join("sent.json"))?,
            seen: BTreeMap::new(),
            _lock: lock,
        })
    }

    /// Looks once: sends what is new and whole, and writes down what is there of what was sent.
    pub async fn look(&mut self, today: NaiveDate) -> Result<Looked, WatchError> {
        let mut looked = Looked::default();
        let files = self.files()?;
        let mut now_seen = BTreeMap::new();
        for (name, path) in files {
            let Ok(facts) = fs::metadata(&path) else {
                continue; // Taken away meanwhile.
            };
            let size = (
                facts.len(),
                facts.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            );
            let is_settled = self.seen.get(&name) == Some(&size);
            now_seen.insert(name.clone(), size);
            if !is_settled {
                looked.n_waiting += 1;
                continue;
            }
            self.look_at(&name, &path, today, &mut looked).await?;
        }
        self.seen = now_seen;
        Ok(looked)
    }

    /// By name.
    fn files(&self) -> Result<BTreeMap<String, PathBuf>, WatchError> {
        let read = || -> std::io::Result<BTreeMap<String, PathBuf>> {
            let mut files = BTreeMap::new();
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type()?.is_file() && !is_left_alone(&name) {
                    files.insert(name, entry.path());
                }
            }
            Ok(files)
        };
        Ok(read().map_err(ApiError::file("can't read", &self.folder))?)
    }

    async fn look_at(
        &mut self,
        name: &str,
        path: &Path,
        today: NaiveDate,
        looked: &mut Looked,
    ) -> Result<(), WatchError> {
        let file = NewFile::read(path)?;
        let known = self
            .notes
            .of(name)
            .filter(|note| note.sha256 == file.sha256);
        let note = match known {
            Some(note) if note.is_done => return Ok(()),
            Some(note) => note.clone(),
            None => Note::new(&file),
        };
        let progress = match note.submission_id {
            None => self.send(name, &file, note, today).await,
            Some(id) => self.fetch(name, path, note, id).await,
        };
        match progress {
            Ok((told, is_done)) => {
                looked.told.extend(told);
                looked.n_waiting += usize::from(!is_done);
            }
            Err(error) if error.is_for_now() => {
                looked.n_waiting += 1;
                looked.told.push(Told::Delayed {
                    file: name.to_owned(),
                    reason: error.to_string(),
                });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn send(
        &mut self,
        name: &str,
        file: &NewFile,
        mut note: Note,
        today: NaiveDate,
    ) -> Result<(Option<Told>, bool), ApiError> {
        let to = match &note.to {
            Some(to) => to.clone(),
            None => match choose(&self.api, &self.wanted, today).await {
                Ok(to) => to,
                Err(ChooseError::Api(error)) => return Err(error),
                Err(error) => return self.refuse(name, note, error.to_string()),
            },
        };
        note.to = Some(to.clone());
        // Before it is sent: whatever happens now, it goes on with this key.
        self.notes.put(name, note.clone())?;
        match send(&self.api, &to, file, &note.key.to_string(), self.screen).await {
            Ok(receipt) => {
                note.submission_id = Some(receipt.submission_id);
                self.notes.put(name, note)?;
                let told = Told::Sent {
                    file: name.to_owned(),
                    submission_id: receipt.submission_id,
                    version_number: receipt.version_number,
                };
                Ok((Some(told), false))
            }
            // A token that is over is no fault of the file: everything waits for a new one.
            Err(ApiError::Refused {
                status,
                title,
                detail,
            }) if status != 401 => self.refuse(name, note, format!("{title}: {detail}")),
            Err(error) => Err(error),
        }
    }

    fn refuse(
        &mut self,
        name: &str,
        mut note: Note,
        reason: String,
    ) -> Result<(Option<Told>, bool), ApiError> {
        let path = beside(&self.folder.join(name), "result.txt");
        let text = format!(
            "{name} was not sent.\n\n{reason}\n\nSave the file again to have it sent again.\n"
        );
        Beside::write_whole(&path, text.as_bytes())?;
        note.is_done = true;
        self.notes.put(name, note)?;
        let told = Told::Refused {
            file: name.to_owned(),
            reason,
        };
        Ok((Some(told), true))
    }

    async fn fetch(
        &mut self,
        name: &str,
        path: &Path,
        mut note: Note,
        id: Uuid,
    ) -> Result<(Option<Told>, bool), ApiError> {
        let submission = status(&self.api, id).await?;
        if !is_decided(&submission) {
            return Ok((None, false));
        }
        let all = match submission.outcome {
            Some(_) => findings(&self.api, &submission).await?,
            None => Vec::new(),
        };
        if !all.is_empty() {
            let place = beside(path, "findings.xlsx");
            self.save(&submission.links.findings_xlsx, &place).await?;
        }
        // A marked workbook is made after the outcome: the look that finds it there has it, as the last thing.
        let is_marked = submission.links.marked_xlsx.is_some();
        if let Some(link) = &submission.links.marked_xlsx {
            self.save(link, &beside(path, "marked.xlsx")).await?;
        }
        let text = result(name, self.api.address(), &submission, &all);
        Beside::write_whole(&beside(path, "result.txt"), text.as_bytes())?;
        let may_be_marked = matches!(
            submission.outcome.as_deref(),
            Some("needs_correction" | "needs_explanation")
        );
        note.n_looks += 1;
        note.is_done = is_marked || !may_be_marked || note.n_looks >= LOOKS_FOR_MARKS;
        let (is_first, is_done) = (note.n_looks == 1, note.is_done);
        self.notes.put(name, note)?;
        let told = is_first.then(|| Told::Checked {
            file: name.to_owned(),
            submission_id: id,
            outcome: submission.outcome.clone().unwrap_or_default(),
            result: submission.in_words(),
        });
        Ok((told, is_done))
    }

    async fn save(&self, link: &str, to: &Path) -> Result<(), ApiError> {
        let mut nowhere = std::io::sink();
        save(&self.api, link, Some(to), &mut nowhere, self.screen).await
    }
}

/// Some workbooks can't be marked; nobody waits for them for ever.
const LOOKS_FOR_MARKS: u32 = 10;
/// Between looks that are one look for whoever asked once.
const SETTLES_IN: Duration = Duration::from_secs(2);

impl Watcher {
    /// Looks until nothing is left to wait for, or for so long: what a scheduled task does.
    pub async fn look_until_done(
        &mut self,
        today: NaiveDate,
        longest: Duration,
        mut tell: impl FnMut(&Told) -> std::io::Result<()>,
    ) -> Result<usize, WatchError> {
        let until = std::time::Instant::now() + longest;
        loop {
            let looked = self.look(today).await?;
            for told in &looked.told {
                tell(told).map_err(ApiError::file(
                    "can't write to",
                    Path::new("standard output"),
                ))?;
            }
            let is_over = std::time::Instant::now() + SETTLES_IN > until;
            if looked.n_waiting == 0 || is_over {
                return Ok(looked.n_waiting);
            }
            tokio::time::sleep(SETTLES_IN).await;
        }
    }
}

/// What is written beside a file, for people.
fn result(name: &str, address: &str, submission: &Submission, all: &[crate::Finding]) -> String {
    let mut text = format!(
        "{name}: {}\n\nVersion {} of {} {} for {}\n{address}{}\n",
        submission.in_words(),
        submission.version_number,
        submission.return_id,
        submission.period,
        submission.organisation,
        submission.links.page
    );
    for finding in all.iter().take(SHOWN) {
        text += &format!("\n{}\n", finding.in_words());
    }
    if all.len() > SHOWN {
        text += &format!(
            "\nand {} more: see the workbook of findings beside this file.\n",
            all.len() - SHOWN
        );
    }
    text
}

const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_or_is_our_own_is_left_alone() {
        for name in [
            ".hidden.xlsx",
            "~$cases.xlsx",
            "cases.xlsx.part",
            "cases.xlsx.TMP",
            "cases.xlsx-result.txt",
            "cases.xlsx-findings.xlsx",
            "cases.xlsx-marked.xlsx",
        ] {
            assert!(is_left_alone(name), "{name}");
        }
        for name in ["cases.xlsx", "cases-findings.csv", "Tenants’ results.txt"] {
            assert!(!is_left_alone(name), "{name}");
        }
    }

    #[test]
    fn one_watcher_looks_after_a_folder_at_a_time() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let access = crate::Access {
                address: "http://127.0.0.1:9".to_owned(),
                token: "x".to_owned(),
                patience: Duration::ZERO,
            };
            let api = Api::new(access).unwrap();
            Watcher::open(api, folder.path(), Wanted::default(), Screen::Quiet)
        };
        let first = open().unwrap();
        assert!(matches!(open().err(), Some(WatchError::Watched(_))));
        drop(first);
        open().unwrap();
    }
}
