//! A folder that is watched: a file that is put into it is sent, and what comes of it is written beside it.
//!
//! What was sent is noted in the folder before it is sent, with its key, so that whatever is cut off in between goes on
//! where it was and nothing is sent twice. One watcher looks after a folder at a time.
//!
//! A file that is as it was is not read again. One that is saved anew is asked for anew: also with the same bytes, where it
//! was refused before, or where it is for another round now. What is only called otherwise is not sent again.

mod feedback;
mod names;
mod notes;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use crate::api::after;
use crate::beside::Beside;
use crate::{Api, ApiError, ChooseError, NewFile, Screen, Wanted, choose, send};
use names::{Known, beside, is_left_alone};
use notes::{Note, Notes, Stamp};

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("there is no folder {0}: nothing is watched")]
    NoFolder(String),
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
    /// Its bytes were sent before, under another name; what comes of them, unless it is there, is written beside it.
    Known {
        file: String,
        before: String,
        submission_id: Uuid,
        /// For what they were sent: `cases 2026-27-Q1 of S12000033`.
        sent_for: String,
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
    /// Files that were refused and are as they were then.
    pub n_refused: usize,
    /// Files of which the marked workbook may be there any moment.
    pub n_soon_marked: usize,
}

/// What is still to come of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    Outcome,
    /// It could not be checked, and is once somebody has seen to it.
    Mending,
    /// The workbook with its marks, most likely soon after the outcome.
    MarksSoon,
    /// The same, at some later look.
    Marks,
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

/// What a file is that was saved since it was noted.
enum Saved {
    ToGoOnWith(Note),
    /// And what is to be told of that, if anything.
    ForNothingNew(Note, Option<Told>),
}

/// A file whose bytes were received before, under its own name or another one. What is still to come of them is written
/// beside it as well; the other name stays noted, and so do the files beside it.
fn known_as(name: &str, before: &str, note: &Note, stamp: Stamp) -> Saved {
    let mut own = Note {
        stamp,
        is_refused: false,
        ..note.clone()
    };
    let (true, Some(submission_id)) = (before != name, note.submission_id) else {
        return Saved::ForNothingNew(own, None);
    };
    if !own.is_done {
        own.told = None;
    }
    let sent_for = note.to.as_ref().map_or_else(String::new, |to| {
        format!("{} {} of {}", to.return_id, to.period, to.organisation)
    });
    let told = Told::Known {
        file: name.to_owned(),
        before: before.to_owned(),
        submission_id,
        sent_for,
    };
    Saved::ForNothingNew(own, Some(told))
}

impl Watcher {
    pub fn open(
        api: Api,
        folder: &Path,
        wanted: Wanted,
        screen: Screen,
    ) -> Result<Self, WatchError> {
        // Made by nobody but its owner: a slip of the hand would be watched for ever, and nothing come.
        match fs::metadata(folder) {
            Ok(facts) if facts.is_dir() => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ApiError::file("can't read", folder)(error).into());
            }
            _ => return Err(WatchError::NoFolder(folder.display().to_string())),
        }
        let own = folder.join(".lgdp");
        match fs::create_dir(&own) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(ApiError::file("can't make", &own)(error).into());
            }
            _ => {}
        }
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
    pub async fn look(&mut self, today: NaiveDate, now: SystemTime) -> Result<Looked, WatchError> {
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
            let step = self.go_on_with(&name, &path, stamp, today, now).await;
            self.count(&name, step, &mut looked)?;
            let is_refused = self.notes.of(&name).is_some_and(Note::is_refused);
            looked.n_refused += usize::from(is_refused);
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
        let known = Known::of(all.keys().chain(self.notes.names()));
        let files = all.iter().filter(|(name, _)| !known.is_ours(name));
        Ok(files
            .map(|(name, path)| (name.clone(), path.clone()))
            .collect())
    }

    /// What is wrong with one file holds up no other.
    fn count(
        &mut self,
        name: &str,
        step: Result<(Option<Told>, Left), ApiError>,
        looked: &mut Looked,
    ) -> Result<(), WatchError> {
        let error = match step {
            Ok((told, left)) => {
                looked.told.extend(told);
                match left {
                    Left::Outcome => looked.n_waiting += 1,
                    Left::Mending => looked.n_delayed += 1,
                    Left::MarksSoon => looked.n_soon_marked += 1,
                    Left::Nothing | Left::Marks => {}
                }
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

    /// The next step of a file, and what is still to come of it.
    async fn go_on_with(
        &mut self,
        name: &str,
        path: &Path,
        stamp: Stamp,
        today: NaiveDate,
        now: SystemTime,
    ) -> Result<(Option<Told>, Left), ApiError> {
        let note = match self.notes.of(name).cloned() {
            Some(note) if note.stamp == stamp => note,
            known => match self.saved_anew(name, path, stamp, known, today).await? {
                Saved::ToGoOnWith(note) => note,
                Saved::ForNothingNew(note, told) => {
                    let is_done = note.is_done;
                    self.notes.put(name, note)?;
                    let left = if is_done {
                        Left::Nothing
                    } else {
                        Left::Outcome
                    };
                    return Ok((told, left));
                }
            },
        };
        if note.is_done {
            return Ok((None, Left::Nothing));
        }
        match note.submission_id {
            None => {
                let file = NewFile::known(path, stamp.n_bytes, note.sha256.clone());
                self.send(name, &file, note, today).await
            }
            Some(id) => self.fetch(name, path, note, id, now).await,
        }
    }

    /// A file that is new, or not as it was when it was noted.
    async fn saved_anew(
        &self,
        name: &str,
        path: &Path,
        stamp: Stamp,
        known: Option<Note>,
        today: NaiveDate,
    ) -> Result<Saved, ApiError> {
        let file = NewFile::read(path)?;
        let new = Note::new(&file, stamp);
        if let Some(known) = known
            && known.sha256 == file.sha256
            && !known.is_done
        {
            return Ok(Saved::ToGoOnWith(Note { stamp, ..known }));
        }
        let mut received = self.notes.received(&file.sha256);
        // Its own name first, and of others one of which nothing is still to come.
        received.sort_by_key(|(before, note)| (*before != name, !note.is_done));
        let Some(first) = received.first() else {
            // Nobody has it. If it was refused, whatever was wrong may be right by now.
            return Ok(Saved::ToGoOnWith(new));
        };
        // Called otherwise, and not saved since: it is for what it was for.
        let mut others = received.iter().filter(|(before, _)| *before != name);
        let renamed = others.find(|(before, note)| {
            note.stamp == stamp && !self.folder.join(before.as_str()).exists()
        });
        if let Some((before, note)) = renamed {
            return Ok(known_as(name, before, note, stamp));
        }
        // The same bytes again are for another round, or for none.
        match choose(&self.api, &self.wanted, today).await {
            Ok(to) => {
                let mut all = received.iter();
                let same = all.find(|(_, note)| note.to.as_ref() == Some(&to));
                Ok(match same {
                    Some((before, note)) => known_as(name, before, note, stamp),
                    None => Saved::ToGoOnWith(Note {
                        to: Some(to),
                        ..new
                    }),
                })
            }
            Err(ChooseError::Nothing) => Ok(known_as(name, first.0, first.1, stamp)),
            Err(error @ ChooseError::Several(_)) => {
                let told = Told::Refused {
                    file: name.to_owned(),
                    reason: format!("it was sent before as it is, and to send it again: {error}"),
                };
                let note = Note {
                    stamp,
                    is_refused: true,
                    ..first.1.clone()
                };
                Ok(Saved::ForNothingNew(note, Some(told)))
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
    ) -> Result<(Option<Told>, Left), ApiError> {
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
                Ok((Some(told), Left::Outcome))
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
    ) -> Result<(Option<Told>, Left), ApiError> {
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
        Ok((Some(told), Left::Nothing))
    }
}

/// Between looks that are one look for whoever asked once.
const SETTLES_IN: Duration = Duration::from_secs(2);

impl Watcher {
    /// Looks until nothing is left to wait for, or for so long: what a scheduled task does. Gives what the last look came
    /// to; what was told at each was told by then.
    pub async fn look_until_done(
        &mut self,
        today: NaiveDate,
        longest: Duration,
        mut tell: impl FnMut(&Told) -> std::io::Result<()>,
    ) -> Result<Looked, WatchError> {
        let until = after(longest);
        loop {
            let looked = self.look(today, SystemTime::now()).await?;
            for told in &looked.told {
                tell(told).map_err(ApiError::file(
                    "can't write to",
                    Path::new("standard output"),
                ))?;
            }
            let is_over = after(SETTLES_IN) > until;
            let is_settled = looked.n_waiting == 0 && looked.n_soon_marked == 0;
            if is_settled || is_over {
                return Ok(looked);
            }
            tokio::time::sleep(SETTLES_IN).await;
        }
    }
}

#[cfg(test)]
mod tests;
