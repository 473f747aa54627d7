//! A private Postgres cluster that lgdp manages itself.
//!
//! It finds installed binaries, makes a cluster in a folder, starts it on a Unix socket only and stops it again.
//! The socket's folder, which nobody else may enter, is the access control.
//! It knows nothing of lgdp's tables, nor of the environment: who calls it says where and how.

mod binaries;
mod owner;
mod postmaster;
mod wire;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use binaries::Binaries;
use owner::Owner;
use postmaster::Postmaster;

/// The one role of the cluster; it owns everything.
const ROLE: &str = "lgdp";

/// How a cluster is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where `initdb` and `postgres` lie; `None`: the newest that is installed.
    pub bin_dir: Option<PathBuf>,
    pub durability: Durability,
}

/// What becomes of the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// A commit survives a power cut.
    #[default]
    Kept,
    /// For tests: never synced, and stopped when the process that started it ends, however it ends.
    Throwaway,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "no Postgres 15 or later is installed here (looked in {looked_in}); install it with `apt install postgresql` or `brew install postgresql@17`"
    )]
    NotInstalled { looked_in: String },
    #[error(
        "this process is root and Postgres refuses to run as root, but there is no user `postgres` or `nobody` to run it as"
    )]
    NoUser,
    #[error(
        "the Postgres user can't enter {0}: choose a folder whose parents others may pass through, such as /var/lib/lgdp"
    )]
    NotReachable(PathBuf),
    #[error("can't {act} {path}")]
    Io {
        act: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("could not make a cluster in {dir}: {reason}")]
    Initdb { dir: PathBuf, reason: String },
    #[error("Postgres did not start in {dir}: {reason} (see {log})")]
    Postmaster {
        dir: PathBuf,
        log: PathBuf,
        reason: String,
    },
}

impl StartError {
    fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StartError {
        let path = path.to_owned();
        move |source| StartError::Io { act, path, source }
    }
}

/// A running cluster. Dropping it stops it, unless another process uses it too.
#[derive(Debug)]
pub struct Cluster {
    postmaster: Postmaster,
    socket_dir: PathBuf,
    version: u32,
    /// Held shared while this process uses the cluster: the last one out stops it.
    in_use: Option<File>,
}

impl Cluster {
    /// Starts the cluster of a folder, making it first where there is none, or adopts it where it runs already.
    /// Every major version of Postgres has its own folder in there, since it can't open another's data.
    pub fn start(dir: &Path) -> Result<Cluster, StartError> {
        Cluster::start_with(dir, &Options::default())
    }

    pub fn start_with(dir: &Path, options: &Options) -> Result<Cluster, StartError> {
        let binaries = Binaries::find(options.bin_dir.as_deref())?;
        let owner = Owner::of_this_process()?;
        fs::create_dir_all(dir).map_err(StartError::io("make", dir))?;
        let dir = fs::canonicalize(dir).map_err(StartError::io("find", dir))?;
        owner.check_reaches(&dir)?;
        owner.give_folder(&dir)?;
        let home = dir.join(binaries.version.to_string());
        owner.give_folder(&home)?;

        // One at a time from here: two processes that start together must not make the cluster twice.
        let starting = open_lock(&home.join("starting.lock"))?;
        starting
            .lock()
            .map_err(StartError::io("lock", &home.join("starting.lock")))?;
        let in_use = open_lock(&home.join("in-use.lock"))?;
        in_use
            .lock_shared()
            .map_err(StartError::io("lock", &home.join("in-use.lock")))?;

        let socket_dir = socket_dir(&home, &owner)?;
        let postmaster =
            Postmaster::run(&binaries, &owner, &home, &socket_dir, options.durability)?;
        Ok(Cluster {
            postmaster,
            socket_dir,
            version: binaries.version,
            in_use: Some(in_use),
        })
    }

    /// The major version: `15`.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How to connect to a database of it.
    pub fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.socket_dir.to_string_lossy());
        format!("postgresql://{ROLE}@/{database}?host={host}")
    }

    /// Makes a database unless there is one of this name.
    pub fn create_database(&self, name: &str) -> io::Result<()> {
        let quoted = name.replace('"', "\"\"");
        match wire::execute(
            &self.socket_dir,
            ROLE,
            &format!("create database \"{quoted}\""),
            Duration::from_secs(30),
        ) {
            Err(wire::Error::Refused { code, .. }) if code == DUPLICATE_DATABASE => Ok(()),
            result => result.map_err(io::Error::other),
        }
    }

    /// Stops the cluster, or leaves it running where another process uses it. True: it is stopped.
    pub fn stop(mut self) -> bool {
        self.leave()
    }

    fn leave(&mut self) -> bool {
        let Some(in_use) = self.in_use.take() else {
            return false;
        };
        let last = in_use.unlock().is_ok() && in_use.try_lock().is_ok();
        if last {
            self.postmaster.stop();
        } else {
            self.postmaster.leave();
        }
        last
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.leave();
    }
}

const DUPLICATE_DATABASE: &str = "42P04";

fn open_lock(path: &Path) -> Result<File, StartError> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(StartError::io("open", path))
}

/// The longest path of a socket's folder: the whole path has to fit into 104 bytes (macOS; 108 on Linux).
const LONGEST_SOCKET_DIR: usize = 85;

/// A folder for the socket that nobody else may enter: beside the data, or in /tmp where that path is too long.
fn socket_dir(home: &Path, owner: &Owner) -> Result<PathBuf, StartError> {
    let beside = home.join("socket");
    let dir = if beside.as_os_str().len() <= LONGEST_SOCKET_DIR {
        beside
    } else {
        Path::new("/tmp").join(format!("lgdp-{:016x}", fnv1a(home)))
    };
    owner.give_private_folder(&dir)?;
    Ok(dir)
}

/// A short name for a path that stays the same from run to run.
fn fnv1a(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn throwaway() -> Options {
        Options {
            durability: Durability::Throwaway,
            ..Options::default()
        }
    }

    #[test]
    fn a_cluster_starts_makes_databases_and_stops() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster::start_with(dir.path(), &throwaway()).unwrap();
        cluster.create_database("one").unwrap();
        cluster.create_database("one").unwrap();
        assert!(
            cluster
                .url("one")
                .starts_with("postgresql://lgdp@/one?host=/")
        );
        let socket_dir = cluster.socket_dir.clone();
        assert!(cluster.stop());
        assert!(!wire::answers(&socket_dir, ROLE));
    }

    #[test]
    fn lower_case_knows_gaelic() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster::start_with(dir.path(), &throwaway()).unwrap();
        wire::execute(
            &cluster.socket_dir,
            ROLE,
            "do $$ begin assert lower('ÀRD') = 'àrd' and 'à' < 'b'; end $$",
            Duration::from_secs(10),
        )
        .unwrap();
    }

    #[test]
    fn a_running_cluster_is_adopted_and_the_last_one_out_stops_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = Cluster::start_with(dir.path(), &throwaway()).unwrap();
        let second = Cluster::start_with(dir.path(), &throwaway()).unwrap();
        let socket_dir = second.socket_dir.clone();
        assert!(!first.stop(), "the second still uses it");
        second.create_database("still_there").unwrap();
        assert!(second.stop());
        assert!(!wire::answers(&socket_dir, ROLE));
    }

    #[test]
    fn a_killed_cluster_starts_again_with_its_data() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Cluster::start(dir.path()).unwrap();
        first.create_database("kept").unwrap();
        first.postmaster.kill();
        drop(first);

        let second = Cluster::start(dir.path()).unwrap();
        let again = wire::execute(
            &second.socket_dir,
            ROLE,
            "create database kept",
            Duration::from_secs(30),
        );
        assert!(
            matches!(again, Err(wire::Error::Refused { ref code, .. }) if code == DUPLICATE_DATABASE),
            "{again:?}"
        );
    }

    #[test]
    fn a_long_path_gets_a_socket_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("a".repeat(60)).join("b".repeat(60));
        // Made by root for itself, its parents are passed through by the Postgres user all the same.
        fs::create_dir_all(&long).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let cluster = Cluster::start_with(&long, &throwaway()).unwrap();
        cluster.create_database("one").unwrap();
        let socket_dir = cluster.socket_dir.clone();
        assert!(cluster.stop());
        fs::remove_dir_all(socket_dir).unwrap();
    }

    #[test]
    fn wrong_binaries_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            bin_dir: Some(dir.path().to_owned()),
            ..throwaway()
        };
        let error = Cluster::start_with(&dir.path().join("data"), &options).unwrap_err();
        assert!(matches!(error, StartError::NotInstalled { .. }), "{error}");
    }
}
