//! Finding Postgres's programs: where packages of the systems we know put them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::StartError;

/// Older ones have no ICU collation for a whole cluster.
const OLDEST: u32 = 15;

/// The programs of one installed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) dir: PathBuf,
    /// The major version.
    pub(crate) version: u32,
}

impl Binaries {
    /// Those of a given folder, or the newest that are installed.
    pub(crate) fn find(given: Option<&Path>) -> Result<Binaries, StartError> {
        let places = match given {
            Some(dir) => vec![dir.to_owned()],
            None => installed(),
        };
        places
            .iter()
            .filter_map(|dir| Binaries::at(dir))
            .max_by_key(|binaries| binaries.version)
            .ok_or_else(|| StartError::NotInstalled {
                looked_in: looked_in(given),
            })
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    fn at(dir: &Path) -> Option<Binaries> {
        let shown = run(dir.join("postgres"), "--version")?;
        let version = major_version(&shown)?;
        (version >= OLDEST && dir.join("initdb").is_file()).then(|| Binaries {
            dir: dir.to_owned(),
            version,
        })
    }
}

/// Folders whose sub-folders are versions, with what leads on from there to the programs.
const FAMILIES: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

fn installed() -> Vec<PathBuf> {
    let mut places = Vec::new();
    for (parent, prefix, rest) in FAMILIES {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                places.push(entry.path().join(rest));
            }
        }
    }
    if let Some(dir) = run(OsStr::new("pg_config"), "--bindir") {
        places.push(PathBuf::from(dir.trim()));
    }
    places
}

fn looked_in(given: Option<&Path>) -> String {
    if let Some(dir) = given {
        return dir.display().to_string();
    }
    let families: Vec<String> = FAMILIES
        .iter()
        .map(|(parent, prefix, rest)| format!("{parent}/{prefix}*/{rest}"))
        .collect();
    format!("{} and pg_config's folder", families.join(", "))
}

fn run(program: impl AsRef<OsStr>, argument: &str) -> Option<String> {
    let output = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)` → `15`; also `18beta1`.
fn major_version(shown: &str) -> Option<u32> {
    let (_, after) = shown.split_once("(PostgreSQL) ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_packages_show_them() {
        for (shown, version) in [
            (
                "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 17.2 (Homebrew)", Some(17)),
            ("something else 15", None),
        ] {
            assert_eq!(major_version(shown), version, "{shown}");
        }
    }
}
