//! Names in a folder that is watched: whose a file is, and what is written beside it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Names that are not whole files yet, or nobody's files.
pub(super) fn is_left_alone(name: &str) -> bool {
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

/// What names begin with that are ours, of the files that are or were there.
pub(super) struct Known<'a>(BTreeSet<Cow<'a, str>>);

impl<'a> Known<'a> {
    pub(super) fn of(names: impl Iterator<Item = &'a String>) -> Self {
        Self(names.map(|name| start(name)).collect())
    }

    /// Whether it is what we wrote beside another file, and not somebody's own that is called like it.
    pub(super) fn is_ours(&self, name: &str) -> bool {
        OURS.iter().any(|what| {
            let start = name
                .strip_suffix(what)
                .and_then(|rest| rest.strip_suffix('-'));
            start.is_some_and(|start| self.0.contains(start))
        })
    }
}

/// What a look writes beside `cases.xlsx`: `cases.xlsx-result.txt` and others, whose names no other file's can be.
pub(super) fn beside(file: &Path, what: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{}-{what}", start(&name)))
}

/// In bytes: what file systems allow, less the longest of what comes after it, and less the `.` and `.part` around a name
/// while it is written.
const LONGEST: usize = 255 - "-findings.xlsx".len() - "..part".len();
/// Of a name's fingerprint, so that two that begin alike are two.
const N_DIGITS: usize = 16;

/// A file's name, cut where what is written beside it could not be called so.
fn start(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let kept = &name[..name.floor_char_boundary(LONGEST - "~".len() - N_DIGITS)];
    let print = hex::encode(Sha256::digest(name));
    Cow::Owned(format!("{kept}~{}", &print[..N_DIGITS]))
}

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
            "Thumbs.db",
            "desktop.ini",
        ] {
            assert!(is_left_alone(name), "{name}");
        }
        let there = ["cases.xlsx".to_owned()];
        let known = Known::of(there.iter());
        for name in [
            "cases.xlsx-result.txt",
            "cases.xlsx-findings.xlsx",
            "cases.xlsx-marked.xlsx",
        ] {
            assert!(known.is_ours(name), "{name}");
        }
        for name in [
            "cases.xlsx",
            "cases-findings.csv",
            "Tenants’ results.txt",
            "inspection-findings.xlsx",
            "exam-result.txt",
            "findings.xlsx",
        ] {
            assert!(!is_left_alone(name) && !known.is_ours(name), "{name}");
        }
    }

    #[test]
    fn beside_a_long_name_is_a_name_of_its_own_that_can_be_written() {
        let called = |name: &str, what: &str| {
            let path = beside(&Path::new("/folder").join(name), what);
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        let short = "x".repeat(LONGEST);
        assert_eq!(called(&short, "result.txt"), format!("{short}-result.txt"));
        // Two that differ in their last letter alone, and letters of two bytes that a cut must not go through.
        let long: Vec<String> = ["a", "b", "ab", "abc"]
            .iter()
            .map(|end| format!("x{}{end}", "é".repeat(120)))
            .collect();
        let known = Known::of(long.iter());
        let mut all = BTreeSet::new();
        for name in &long {
            for what in OURS {
                let ours = called(name, what);
                assert!(ours.len() <= 255 - "..part".len(), "{ours}");
                assert!(known.is_ours(&ours) && !is_left_alone(&ours), "{ours}");
                assert!(!Known::of([].iter()).is_ours(&ours), "{ours}");
                all.insert(ours);
            }
        }
        assert_eq!(all.len(), long.len() * OURS.len());
    }
}
