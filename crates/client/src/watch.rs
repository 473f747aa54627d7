//! A folder that is watched: a file that is put into it is sent, and what comes of it is written beside it.
//!
//! What was sent is noted in the folder before it is sent, with its key, so that whatever is cut off in between goes on
//! where it was and nothing is sent twice. One watcher looks after a folder at a time.
//!
//! A file that is as it was is not read again. One that is saved anew is asked for anew: also with the same bytes, where it
//! was refused before, or where it is for another round now.

mod notes;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use crate::beside::Beside;
use crate::{
    Api, ApiError, ChooseError, NewFile, Screen, Submission, Wanted, choose, findings, is_decided,
    save, send, status,
};
use notes::{Note, Notes, Stamp};

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("another lgdp watches {0} already")]
    Watched(String),
    #[error("what is noted in {path} can't be read: {reason}")]
    Notes { path: String, reason: String },
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl WatchError {
    /// Whether the same may work later.
    pub fn is_for_now(&self) -> bool {
        matches!(self, WatchError::Api(error) if error.is_for_now())
    }
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
        is_to_fix: bool,
        result: String,
    },
    /// It is not sent again until it is saved anew.
    Refused { file: String, reason: String },
    /// It is tried again at the next look. Told once for each reason.
    Delayed { file: String, reason: String },
}

/// What one look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    pub told: Vec<Told>,
    /// Files that are still being written, sent or checked.
    pub n_waiting: usize,
    /// Files with which something is wrong that only the next look may find mended.
    pub n_delayed: usize,
}

/// One folder.
pub struct Watcher {
    api: Api,
    folder: PathBuf,
    wanted: Wanted,
    screen: Screen,
    notes: Notes,
    /// What was there at the last look: what is still changing is left alone.
    seen: BTreeMap<String, Stamp>,
    /// Why a file was not gone on with at the last look.
    delayed: BTreeMap<String, String>,
    /// Held for as long as it watches.
    _lock: File,
}

/// Names that are not whole files yet, or nobody's files.
fn is_left_alone(name: &str) -> bool {
    let hidden = ['.', '~'].into_iter().any(|start| name.starts_with(start));
    let lower = name.to_lowercase();
    let unfinished = [".part", ".tmp", ".crdownload", ".filepart", ".lock"];
    let of_the_system = ["thumbs.db", "desktop.ini"];
    hidden
        || unfinished.iter().any(|end| lower.ends_with(end))
        || of_the_system.contains(&lower.as_str())
}

/// What we write beside a file.
const OURS: [&str; 3] = ["result.txt", "findings.xlsx", "marked.xlsx"];

/// Whether it is what we wrote beside another file, and not somebody's own that is called like it.
fn is_ours(name: &str, is_known: impl Fn(&str) -> bool) -> bool {
    OURS.iter().any(|what| {
        let beside = name
            .strip_suffix(what)
            .and_then(|rest| rest.strip_suffix('-'));
        beside.is_some_and(&is_known)
    })
}

/// What a look writes beside `cases.xlsx`: `cases.xlsx-result.txt` and others, whose names no other file's can be.
fn beside(file: &Path, what: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{name}-{what}"))
}

/// What a file is that was saved since it was noted.
enum Saved {
    ToGoOnWith(Note),
    /// And why it is not sent, if somebody has to know.
    ForNothingNew(Note, Option<String>),
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
            delayed: BTreeMap::new(),
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
            let stamp = Stamp::of(&facts);
            let is_settled = self.seen.get(&name) == Some(&stamp);
            now_seen.insert(name.clone(), stamp);
            if !is_settled {
                looked.n_waiting += 1;
                continue;
            }
            self.look_at(&name, &path, stamp, today, &mut looked)
                .await?;
        }
        self.seen = now_seen;
        Ok(looked)
    }

    /// What may have to be sent, by name.
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
        let all = read().map_err(ApiError::file("can't read", &self.folder))?;
        let is_known = |name: &str| all.contains_key(name) || self.notes.of(name).is_some();
        let files = all.iter().filter(|(name, _)| !is_ours(name, is_known));
        Ok(files
            .map(|(name, path)| (name.clone(), path.clone()))
            .collect())
    }

    /// What is wrong with one file holds up no other.
    async fn look_at(
        &mut self,
        name: &str,
        path: &Path,
        stamp: Stamp,
        today: NaiveDate,
        looked: &mut Looked,
    ) -> Result<(), WatchError> {
        let error = match self.go_on_with(name, path, stamp, today).await {
            Ok((told, is_done)) => {
                looked.told.extend(told);
                looked.n_waiting += usize::from(!is_done);
                self.delayed.remove(name);
                return Ok(());
            }
            // A token that is over is no fault of the file: everything waits for a new one.
            Err(error @ ApiError::Refused { status: 401, .. }) => return Err(error.into()),
            Err(error) => error,
        };
        if error.is_for_now() {
            looked.n_waiting += 1;
        } else {
            looked.n_delayed += 1;
        }
        let reason = crate::api::words(&error);
        if self.delayed.get(name) != Some(&reason) {
            self.delayed.insert(name.to_owned(), reason.clone());
            looked.told.push(Told::Delayed {
                file: name.to_owned(),
                reason,
            });
        }
        Ok(())
    }

    /// The next step of a file, and whether there is nothing more to come of it.
    async fn go_on_with(
        &mut self,
        name: &str,
        path: &Path,
        stamp: Stamp,
        today: NaiveDate,
    ) -> Result<(Option<Told>, bool), ApiError> {
        let note = match self.notes.of(name).cloned() {
            Some(note) if note.stamp == stamp => note,
            known => match self.saved_anew(path, stamp, known, today).await? {
                Saved::ToGoOnWith(note) => note,
                Saved::ForNothingNew(note, why) => {
                    self.notes.put(name, note)?;
                    let refused = why.map(|reason| Told::Refused {
                        file: name.to_owned(),
                        reason,
                    });
                    return Ok((refused, true));
                }
            },
        };
        if note.is_done {
            return Ok((None, true));
        }
        match note.submission_id {
            None => {
                let file = NewFile::known(path, stamp.n_bytes, note.sha256.clone());
                self.send(name, &file, note, today).await
            }
            Some(id) => self.fetch(name, path, note, id).await,
        }
    }

    /// A file that is new, or not as it was when it was noted.
    async fn saved_anew(
        &self,
        path: &Path,
        stamp: Stamp,
        known: Option<Note>,
        today: NaiveDate,
    ) -> Result<Saved, ApiError> {
        let file = NewFile::read(path)?;
        let new = Note::new(&file, stamp);
        let Some(known) = known.filter(|known| known.sha256 == file.sha256) else {
            return Ok(Saved::ToGoOnWith(new));
        };
        let same = Note {
            stamp,
            ..known.clone()
        };
        match (known.is_done, known.submission_id) {
            (false, _) => return Ok(Saved::ToGoOnWith(same)),
            // It was refused: whatever was wrong may be right by now.
            (true, None) => return Ok(Saved::ToGoOnWith(new)),
            (true, Some(_)) => {}
        }
        // The same bytes again are for another round, or for none.
        match choose(&self.api, &self.wanted, today).await {
            Ok(to) if known.to.as_ref() != Some(&to) => Ok(Saved::ToGoOnWith(Note {
                to: Some(to),
                ..new
            })),
            Ok(_) | Err(ChooseError::Nothing) => Ok(Saved::ForNothingNew(same, None)),
            Err(error @ ChooseError::Several(_)) => {
                let why = format!("it was sent before as it is, and to send it again: {error}");
                Ok(Saved::ForNothingNew(same, Some(why)))
            }
            Err(ChooseError::Api(error)) => Err(error),
        }
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
            is_to_fix: submission.is_to_fix(),
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
    /// Looks until nothing is left to wait for, or for so long: what a scheduled task does. Gives how many files are left.
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
                return Ok(looked.n_waiting + looked.n_delayed);
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
mod tests;
