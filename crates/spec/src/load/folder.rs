//! The files of a version folder: each is read once, hashed, and must belong to something.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fault::{Fault, Faults};

/// A version folder's files, by path relative to it with `/` between the steps.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    files: BTreeSet<String>,
    used: BTreeSet<String>,
    /// Shared lists by name and bytes.
    shared: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    pub(crate) fn open(dir: &Path, faults: &mut Faults) -> Option<Self> {
        let listed = fs::canonicalize(dir)
            .map_err(|error| fault_at("", format!("can't be opened: {error}")))
            .and_then(|dir| {
                let mut files = BTreeSet::new();
                list(&dir, "", &mut files).map(|()| (dir, files))
            });
        match listed {
            Ok((dir, files)) => Some(Self {
                dir,
                files,
                used: BTreeSet::new(),
                shared: BTreeMap::new(),
            }),
            Err(fault) => {
                faults.add(fault.file, fault.place, fault.why);
                None
            }
        }
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.files.contains(file)
    }

    /// The names of the files in a folder that end so, without the ending.
    pub(crate) fn names(&self, folder: &str, ending: &str) -> Vec<String> {
        self.files
            .iter()
            .filter_map(|file| file.strip_prefix(folder)?.strip_suffix(ending))
            .map(str::to_owned)
            .collect()
    }

    /// A file's text; a missing one is a fault.
    pub(crate) fn text(&mut self, file: &str, faults: &mut Faults) -> Option<String> {
        if !self.has(file) {
            faults.add(file, "", "is missing");
            return None;
        }
        self.used.insert(file.to_owned());
        let bytes = match fs::read(self.dir.join(file)) {
            Ok(bytes) => bytes,
            Err(error) => {
                faults.add(file, "", format!("can't be read: {error}"));
                return None;
            }
        };
        utf8(file, bytes, faults)
    }

    /// The text of a shared code list; `None` where there is no such file.
    pub(crate) fn shared_text(&mut self, file: &str, faults: &mut Faults) -> Option<String> {
        let bytes = fs::read(self.dir.join("../../code-lists").join(file)).ok()?;
        self.shared.insert(file.to_owned(), bytes.clone());
        utf8(&format!("../../code-lists/{file}"), bytes, faults)
    }

    /// Files that nothing refers to: most often a misspelt name.
    ///
    /// Where not every item could be read, nobody knows which code lists are used.
    pub(crate) fn check_leftovers(&mut self, lists_are_known: bool, faults: &mut Faults) {
        if !self.has("CHANGES.md") {
            faults.add("CHANGES.md", "", "is missing");
        }
        self.used.insert("CHANGES.md".to_owned());
        for file in self.files.difference(&self.used) {
            if file.starts_with("examples/") {
                continue;
            }
            let why = match file.split_once('/') {
                Some(("codes", _)) if !lists_are_known => continue,
                Some(("codes", _)) => "no item uses this code list",
                Some(("tables", _)) => "belongs to no table that return.toml lists",
                _ => "is not a file of this format",
            };
            faults.add(file, "", why);
        }
    }

    /// SHA-256 in hex over every file but the examples, and the shared lists that were read.
    pub(crate) fn hash(&self, faults: &mut Faults) -> String {
        let mut hasher = Sha256::new();
        // Lengths first, so that no two folders can run together into the same bytes.
        let mut update = |name: &str, bytes: &[u8]| {
            for part in [name.as_bytes(), bytes] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        };
        for file in &self.files {
            if file.starts_with("examples/") {
                continue;
            }
            match fs::read(self.dir.join(file)) {
                Ok(bytes) => update(file, &bytes),
                Err(error) => faults.add(file, "", format!("can't be read: {error}")),
            }
        }
        for (file, bytes) in &self.shared {
            update(&format!("../../code-lists/{file}"), bytes);
        }
        hex::encode(hasher.finalize())
    }
}

/// The folders directly in a folder, sorted.
pub(super) fn sub_dirs(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut dirs = Vec::new();
    for entry in entries(dir)? {
        if entry.is_dir() {
            dirs.push(entry);
        }
    }
    Ok(dirs)
}

fn list(dir: &Path, prefix: &str, files: &mut BTreeSet<String>) -> Result<(), Fault> {
    for entry in entries(dir)? {
        let Some(name) = entry.file_name().and_then(|name| name.to_str()) else {
            return Err(fault_at(prefix, "has a file whose name is not UTF-8"));
        };
        let path = format!("{prefix}{name}");
        if entry.is_dir() {
            list(&entry, &format!("{path}/"), files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let paths = fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(|error| fault_at(dir, format!("can't be listed: {error}")));
    paths.map(|mut paths| {
        paths.sort();
        paths
    })
}

fn fault_at(file: impl AsRef<Path>, why: impl Into<String>) -> Fault {
    let file = file.as_ref();
    Fault {
        file: if file.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            file.to_owned()
        },
        place: String::new(),
        why: why.into(),
    }
}

fn utf8(file: &str, bytes: Vec<u8>, faults: &mut Faults) -> Option<String> {
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let n_lines = before.split(|&byte| byte == b'\n').count();
            faults.add(file, format!("line {n_lines}"), "is not UTF-8");
            None
        }
    }
}
