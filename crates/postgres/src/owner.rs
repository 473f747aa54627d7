//! Whose the cluster is: ours, or, since Postgres refuses to run as root, an unprivileged user's.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::StartError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    ThisProcess,
    /// This process is root: Postgres runs as this user.
    User {
        uid: u32,
        gid: u32,
    },
}

impl Owner {
    pub(crate) fn of_this_process() -> Result<Owner, StartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Owner::ThisProcess);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| user(&users, name))
            .ok_or(StartError::NoUser)
    }

    /// A command that this owner runs, in a folder that it may read.
    pub(crate) fn command(self, program: &Path, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(dir);
        if let Owner::User { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Whether the owner may pass through a folder's parents; the folder itself is given to it later.
    pub(crate) fn check_reaches(self, dir: &Path) -> Result<(), StartError> {
        let Owner::User { uid, gid } = self else {
            return Ok(());
        };
        for parent in dir.ancestors().skip(1) {
            let metadata = fs::metadata(parent).map_err(StartError::io("look at", parent))?;
            let bit = if metadata.uid() == uid {
                0o100
            } else if metadata.gid() == gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & bit == 0 {
                return Err(StartError::NotReachable(parent.to_owned()));
            }
        }
        Ok(())
    }

    /// Makes a folder unless it is there, and gives it to the owner.
    pub(crate) fn give_folder(self, dir: &Path) -> Result<(), StartError> {
        fs::create_dir_all(dir).map_err(StartError::io("make", dir))?;
        self.give(dir)
    }

    /// As `give_folder`, and nobody else may enter it.
    pub(crate) fn give_private_folder(self, dir: &Path) -> Result<(), StartError> {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.check_private(dir)?;
            }
            result => result.map_err(StartError::io("make", dir))?,
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .map_err(StartError::io("close", dir))?;
        self.give(dir)
    }

    /// What somebody else laid there, a link above all, is not used.
    fn check_private(self, dir: &Path) -> Result<(), StartError> {
        let metadata = fs::symlink_metadata(dir).map_err(StartError::io("look at", dir))?;
        let ours = rustix::process::geteuid().as_raw();
        let theirs = match self {
            Owner::ThisProcess => ours,
            Owner::User { uid, .. } => uid,
        };
        if metadata.is_dir() && [ours, theirs].contains(&metadata.uid()) {
            return Ok(());
        }
        Err(StartError::Io {
            act: "use",
            path: PathBuf::from(dir),
            source: io::Error::other("it belongs to somebody else"),
        })
    }

    pub(crate) fn give(self, path: &Path) -> Result<(), StartError> {
        match self {
            Owner::ThisProcess => Ok(()),
            Owner::User { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(StartError::io("give away", path))
            }
        }
    }
}

/// A user's line of `/etc/passwd`: `postgres:x:113:120:…`.
fn user(users: &str, name: &str) -> Option<Owner> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Owner::User { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres2:x:9:9::/:\npostgres:x:113:120:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(
            user(users, "postgres"),
            Some(Owner::User { uid: 113, gid: 120 })
        );
        assert_eq!(user(users, "nobody"), None);
    }
}
