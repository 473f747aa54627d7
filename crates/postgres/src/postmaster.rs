//! The server process: made, started, adopted, stopped.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::binaries::Binaries;
use crate::owner::Owner;
use crate::{Durability, ROLE, StartError, wire};

/// Recovery after a crash can take this long before the server answers.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// A killed server leaves its lock behind until its remains are gone.
const LOCK_GONE_WITHIN: Duration = Duration::from_secs(6);
/// From here on a lock whose process is a zombie that nobody reaps is taken away.
const ZOMBIE_AFTER: Duration = Duration::from_secs(3);
const STOP_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Postmaster {
    data: PathBuf,
    /// `None`: adopted, another process started it.
    child: Option<Child>,
    /// Closing this end, which the end of our process does too, makes the watcher stop the server.
    watcher: Option<(Child, ChildStdin)>,
}

impl Postmaster {
    /// Adopts the server of a home folder, or starts it, making its data first where there is none.
    pub(crate) fn run(
        binaries: &Binaries,
        owner: &Owner,
        home: &Path,
        socket_dir: &Path,
        durability: Durability,
    ) -> Result<Postmaster, StartError> {
        let data = home.join("data");
        if wire::answers(socket_dir, ROLE) {
            return Ok(Postmaster {
                data,
                child: None,
                watcher: None,
            });
        }
        if !data.is_dir() {
            init(binaries, *owner, home, &data, durability)?;
        }
        let child = start(binaries, *owner, home, &data, socket_dir, durability)?;
        let watcher = match durability {
            Durability::Kept => None,
            Durability::Throwaway => Some(watch(&child, &data)?),
        };
        Ok(Postmaster {
            data,
            child: Some(child),
            watcher,
        })
    }

    /// Somebody else uses the server: it stays.
    pub(crate) fn leave(&mut self) {
        if let Some((_, line)) = self.watcher.take() {
            // Open until this process ends, which is when a throw-away server has to.
            std::mem::forget(line);
        }
    }

    /// A fast stop: clients are cut off, what was committed is written out.
    pub(crate) fn stop(&mut self) {
        let Some(pid) = pid_of(&self.data) else {
            return self.reap();
        };
        let _ = kill_process(pid, Signal::INT);
        let deadline = Instant::now() + STOP_WITHIN;
        // The server takes its pid file away as its last act.
        while pid_of(&self.data) == Some(pid) && Instant::now() < deadline {
            if self.child_has_ended() {
                break;
            }
            sleep(PAUSE);
        }
        self.reap();
    }

    fn child_has_ended(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(Some(_))))
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
        if let Some((mut watcher, line)) = self.watcher.take() {
            // The server is gone already, and its number may soon be another's.
            let _ = watcher.kill();
            drop(line);
            let _ = watcher.wait();
        }
    }

    #[cfg(test)]
    pub(crate) fn kill(&mut self) {
        if let Some(child) = self.child.as_mut() {
            child.kill().unwrap();
        }
    }
}

fn init(
    binaries: &Binaries,
    owner: Owner,
    home: &Path,
    data: &Path,
    durability: Durability,
) -> Result<(), StartError> {
    // Made aside and then renamed: one that was interrupted is never taken for a whole one.
    let aside = home.join("data.new");
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(StartError::io("remove", &aside))?;
    }
    let mut command = owner.command(&binaries.initdb(), home);
    command
        .arg("-D")
        .arg(&aside)
        .args(["-U", ROLE, "--auth=trust", "-E", "UTF8"])
        // Not --locale=C alone: there lower('À') and ilike fail on Gaelic names.
        .args(["--locale=C", "--locale-provider=icu", "--icu-locale=en-GB"])
        .arg("--data-checksums")
        .env_remove("PGDATA")
        .stdin(Stdio::null());
    if durability == Durability::Throwaway {
        command.arg("--no-sync");
    }
    let output = command
        .output()
        .map_err(StartError::io("run", &binaries.initdb()))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(StartError::Initdb {
            dir: home.to_owned(),
            reason,
        });
    }
    fs::rename(&aside, data).map_err(StartError::io("rename", &aside))
}

fn start(
    binaries: &Binaries,
    owner: Owner,
    home: &Path,
    data: &Path,
    socket_dir: &Path,
    durability: Durability,
) -> Result<Child, StartError> {
    let log = home.join("postgres.log");
    let began = Instant::now();
    loop {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(StartError::io("open", &log))?;
        let log_start = file.seek(SeekFrom::End(0)).unwrap_or(0);
        let mut child = spawn(binaries, owner, home, data, socket_dir, durability, &file)
            .map_err(StartError::io("run", &binaries.postgres()))?;
        match wait_until_ready(&mut child, socket_dir) {
            Ready::Yes => return Ok(child),
            Ready::Ended(status) => {
                let said = read_from(&log, log_start);
                let locked = said.contains("lock file");
                if !locked || began.elapsed() > LOCK_GONE_WITHIN {
                    return Err(StartError::Postmaster {
                        dir: home.to_owned(),
                        log,
                        reason: format!("{status}: {}", said.trim()),
                    });
                }
                if began.elapsed() > ZOMBIE_AFTER {
                    remove_zombie_locks(data, socket_dir);
                }
                sleep(PAUSE * 10);
            }
            Ready::No => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(StartError::Postmaster {
                    dir: home.to_owned(),
                    log,
                    reason: format!("no answer within {} s", READY_WITHIN.as_secs()),
                });
            }
        }
    }
}

fn spawn(
    binaries: &Binaries,
    owner: Owner,
    home: &Path,
    data: &Path,
    socket_dir: &Path,
    durability: Durability,
    log: &File,
) -> std::io::Result<Child> {
    let mut command = owner.command(&binaries.postgres(), home);
    command.arg("-D").arg(data).arg("-k").arg(socket_dir);
    for setting in ["listen_addresses=", "max_connections=200", "timezone=UTC"] {
        command.args(["-c", setting]);
    }
    if durability == Durability::Throwaway {
        for setting in [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ] {
            command.args(["-c", setting]);
        }
    }
    command
        // A group of its own: Ctrl-C in the terminal is for lgdp, which then stops the server in turn.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .spawn()
}

enum Ready {
    Yes,
    No,
    Ended(ExitStatus),
}

fn wait_until_ready(child: &mut Child, socket_dir: &Path) -> Ready {
    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Ready::Ended(status);
        }
        if wire::answers(socket_dir, ROLE) {
            return Ready::Yes;
        }
        sleep(PAUSE);
    }
    Ready::No
}

/// The pid file is looked at first: the number may be another process's by then.
const WATCHER: &str =
    r#"read -r line; [ "$(head -n 1 "$2/postmaster.pid" 2>&1)" = "$1" ] && kill -QUIT "$1""#;

/// A shell that waits for our end of its pipe to close and then stops the server at once.
/// A test process ends without dropping what it holds, and may be killed.
fn watch(child: &Child, data: &Path) -> Result<(Child, ChildStdin), StartError> {
    let shell = Path::new("/bin/sh");
    let io = || StartError::io("run", shell);
    let mut watcher = Command::new(shell)
        .args(["-c", WATCHER, "watcher"])
        .arg(child.id().to_string())
        .arg(data)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(io())?;
    match watcher.stdin.take() {
        Some(line) => Ok((watcher, line)),
        None => Err(io()(std::io::Error::other("no pipe"))),
    }
}

/// In a container without an init process a killed server stays a zombie for ever, and its lock files with it.
fn remove_zombie_locks(data: &Path, socket_dir: &Path) {
    let Some(pid) = pid_of(data) else { return };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = stat
        .rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('Z'));
    if zombie {
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let _ = fs::remove_file(socket_dir.join(".s.PGSQL.5432.lock"));
    }
}

fn pid_of(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

fn read_from(log: &Path, start: u64) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(log)
        && file.seek(SeekFrom::Start(start)).is_ok()
    {
        let _ = file.read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}
