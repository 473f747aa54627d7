//! The parent's end: start the child, send the order, read the answer.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use assess::{FileFacts, Head};
use finding::{Finding, Outcome, Severity};
use rustix::process::Signal;

use crate::part::{Line, Part};
use crate::task::{Asked, ChildLimits, InputFile, Order, OrderedFile, Role, Task};

/// How children are started.
#[derive(Debug, Clone)]
pub struct Child {
    /// The program that answers `assess-child`: our own.
    pub program: PathBuf,
    pub limits: ChildLimits,
}

/// Why there is no answer, where that is not the file's fault.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("the child could not be started: {0}")]
    Start(#[source] io::Error),
    #[error("the file {name} could not be sent to the child: {source}")]
    Send { name: String, source: io::Error },
    #[error("the child's answer could not be read: {0}")]
    Answer(#[source] io::Error),
    #[error("the return could not be assessed: {0}")]
    Failed(String),
    #[error("the child ended before its answer was complete: {0}")]
    Ended(ExitStatus),
}

impl Child {
    /// Starts a child on a task; its answer is read from the [`Run`] as it comes.
    ///
    /// Blocks while files are sent and parts are awaited: call it where blocking is allowed.
    pub fn run(&self, task: &Task) -> Result<Run, ChildError> {
        self.start(&task.spec_dir)?.run(task)
    }

    /// Starts a child that reads a spec while its task is still being put together.
    pub fn start(&self, spec_dir: &Path) -> Result<Waiting, ChildError> {
        Ok(Waiting {
            started: self.start_process(Some(spec_dir), self.limits.wall)?,
            limits: self.limits,
        })
    }

    /// Starts a child that waits for its order.
    pub(crate) fn start_process(
        &self,
        spec_dir: Option<&Path>,
        wall: Duration,
    ) -> Result<Started, ChildError> {
        let mut process = Command::new(&self.program)
            .arg("assess-child")
            .args(spec_dir)
            .env_clear()
            // Ctrl-C is for the parent, which lets the child finish.
            .process_group(0)
            // One heap and few threads: address space is what the limit counts.
            .env("MALLOC_ARENA_MAX", "1")
            // A large file is some hundred megabytes of small things: in large pages the heap costs a tenth of the page faults.
            // Where the C library or the kernel does not have them, this says nothing.
            .env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
            .env("POLARS_MAX_THREADS", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(ChildError::Start)?;
        #[cfg(target_os = "linux")]
        if let Some(stdin) = &process.stdin {
            // A file goes through in fewer turns. Where no more is allowed, it goes through as it is.
            let _ = rustix::pipe::fcntl_setpipe_size(stdin, 4 * BLOCK);
        }
        let pipes = (
            process.stdin.take(),
            process.stdout.take(),
            process.stderr.take(),
        );
        let (Some(order), Some(answer), Some(complaints)) = pipes else {
            return Err(ChildError::Start(io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Started {
            order,
            answer: BufReader::new(answer),
            complaints,
            process: Watched::new(process, wall),
        })
    }
}

/// A child that has been started and waits for its task.
pub struct Waiting {
    started: Started,
    limits: ChildLimits,
}

impl Waiting {
    /// As [`Child::run`]; the task is best one with the spec that the child was started with.
    pub fn run(self, task: &Task) -> Result<Run, ChildError> {
        let order = Order {
            spec_dir: task.spec_dir.clone(),
            organisation: task.organisation.clone(),
            period: task.period.clone(),
            received_on: task.received_on,
            records: task.records,
            is_collection: false,
            memory: self.limits.memory,
            cpu_seconds: self.limits.cpu.as_secs(),
            limits: self.limits.files,
            files: Vec::new(),
        };
        let (answer, complaints, process) = self.started.send(order, &files(task))?;
        Ok(Run {
            answer,
            longest_line: self.limits.memory,
            complaints,
            process,
            file: task.file.clone(),
            stage: Stage::Starting,
            tell: Tell(Box::new(|_| {})),
            queued: None,
            done: false,
            refusal: Refusal::of(task),
        })
    }
}

/// A child that waits for its order.
pub(crate) struct Started {
    pub(crate) order: ChildStdin,
    pub(crate) answer: BufReader<ChildStdout>,
    complaints: ChildStderr,
    pub(crate) process: Watched,
}

impl Started {
    /// Sends the order and the files' bytes.
    pub(crate) fn send(
        mut self,
        order: Order,
        files: &[(Role, &InputFile)],
    ) -> Result<(BufReader<ChildStdout>, ChildStderr, Watched), ChildError> {
        match send(order, files, &mut self.order) {
            // A child that ended early says why by how it ended.
            Err(ChildError::Send { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {}
            sent => sent?,
        }
        Ok((self.answer, self.complaints, self.process))
    }
}

/// What a file is read and sent in at a time.
const BLOCK: usize = 256 * 1024;

/// Every file of a task with what it is for; the file itself first.
fn files(task: &Task) -> Vec<(Role, &InputFile)> {
    let mut files = vec![(Role::File, &task.file)];
    files.extend(task.previous.iter().map(|file| (Role::Previous, file)));
    files.extend(task.year_ago.iter().map(|file| (Role::YearAgo, file)));
    let others = task.others.iter();
    files.extend(others.map(|(return_id, file)| (Role::Other(return_id.clone()), file)));
    let values = task.values.iter();
    files.extend(values.map(|(table, file)| (Role::Values(table.clone()), file)));
    files
}

fn send(
    mut order: Order,
    files: &[(Role, &InputFile)],
    stdin: &mut ChildStdin,
) -> Result<(), ChildError> {
    let failed = |file: &InputFile| {
        let name = file.name.clone();
        move |source| ChildError::Send { name, source }
    };
    let mut opened = Vec::new();
    for (role, file) in files {
        let handle = File::open(&file.path).map_err(failed(file))?;
        let bytes = handle.metadata().map_err(failed(file))?.len();
        order.files.push(OrderedFile {
            role: role.clone(),
            name: file.name.clone(),
            bytes,
            version: file.version.clone(),
        });
        opened.push((file, handle, bytes));
    }
    let line = serde_json::to_string(&Asked::Assess(order))
        .map_err(|error| ChildError::Start(error.into()))?;
    let unsent = |source| ChildError::Send {
        name: "the order".to_owned(),
        source,
    };
    writeln!(stdin, "{line}").map_err(unsent)?;
    for (file, handle, bytes) in opened {
        let left = splice(&handle, bytes, stdin).map_err(failed(file))?;
        let rest = &mut BufReader::with_capacity(BLOCK, handle.take(left));
        io::copy(rest, stdin).map_err(failed(file))?;
    }
    Ok(())
}

/// Gives a file to a pipe without a copy of ours in between; how many of its bytes are left, where the system can't.
#[cfg(target_os = "linux")]
fn splice(file: &File, bytes: u64, pipe: &ChildStdin) -> io::Result<u64> {
    use rustix::io::Errno;
    use rustix::pipe::SpliceFlags;

    let mut left = bytes;
    while left > 0 {
        let at_once = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        match rustix::pipe::splice(file, None, pipe, None, at_once, SpliceFlags::empty()) {
            // Shorter than it was: copying finds the same.
            Ok(0) | Err(Errno::INVAL) => break,
            Ok(n) => left -= n as u64,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(left)
}

#[cfg(not(target_os = "linux"))]
fn splice(_: &File, bytes: u64, _: &ChildStdin) -> io::Result<u64> {
    Ok(bytes)
}

/// What no child says when a file is to be assessed.
const OF_ANOTHER_ORDER: &str = "the answer is to another order";

/// How far a child has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Starting,
    /// It looks at the file.
    Reading,
    /// It has come to an outcome and sends it.
    Answering,
}

/// What a child is doing with a file, for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Reading,
    Checking,
    /// It is done, and its answer comes in.
    Answering,
}

struct Tell(Box<dyn FnMut(Doing) + Send>);

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tell")
    }
}

/// An answer as it comes.
///
/// A child that ends while it looks at the file was ended by the file: then the answer is a refusal.
/// One that ends before or after is our failure.
#[derive(Debug)]
pub struct Run {
    answer: BufReader<ChildStdout>,
    /// A child that may be anything by now must not fill our memory either.
    longest_line: u64,
    complaints: ChildStderr,
    process: Watched,
    file: InputFile,
    stage: Stage,
    tell: Tell,
    queued: Option<Part>,
    done: bool,
    refusal: Refusal,
}

impl Iterator for Run {
    type Item = Result<Part, ChildError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(part) = self.queued.take() {
            return Some(Ok(part));
        }
        if self.done {
            return None;
        }
        let mut line = String::new();
        match self
            .answer
            .by_ref()
            .take(self.longest_line)
            .read_line(&mut line)
        {
            Err(error) => Some(self.fail(ChildError::Answer(error))),
            Ok(_) => match serde_json::from_str(&line) {
                Ok(Line::Ready) => {
                    self.stage = Stage::Reading;
                    (self.tell.0)(Doing::Reading);
                    self.next()
                }
                Ok(Line::Checking) => {
                    (self.tell.0)(Doing::Checking);
                    self.next()
                }
                Ok(Line::Part(part)) => {
                    if self.stage != Stage::Answering {
                        self.stage = Stage::Answering;
                        (self.tell.0)(Doing::Answering);
                    }
                    Some(Ok(part))
                }
                Ok(Line::Failed(why)) => Some(self.fail(ChildError::Failed(why))),
                Ok(
                    Line::CollectionHead(_)
                    | Line::Addressed(_)
                    | Line::Marked { .. }
                    | Line::NotMarked(_)
                    | Line::Recognised(_),
                ) => Some(self.fail(ChildError::Failed(OF_ANOTHER_ORDER.to_owned()))),
                Ok(Line::End) => {
                    self.done = true;
                    None
                }
                Err(_) => Some(self.ended()),
            },
        }
    }
}

impl Run {
    /// The same answer; tells what the child is doing as it comes to it.
    pub fn telling(self, tell: impl FnMut(Doing) + Send + 'static) -> Self {
        Self {
            tell: Tell(Box::new(tell)),
            ..self
        }
    }

    fn fail(&mut self, error: ChildError) -> Result<Part, ChildError> {
        self.done = true;
        Err(error)
    }

    /// The child is gone without a last word.
    fn ended(&mut self) -> Result<Part, ChildError> {
        self.done = true;
        let end = self.process.end().map_err(ChildError::Answer)?;
        if self.stage != Stage::Reading || !end.is_the_files_doing() {
            return Err(ChildError::Ended(end.status));
        }
        tracing::warn!(
            status = %end.status,
            timed_out = end.timed_out,
            place = self.last_words(),
            "a file ended the process that read it"
        );
        let (head, findings) = self
            .refusal
            .parts(&self.file, end)
            .map_err(ChildError::Answer)?;
        self.queued = Some(findings);
        Ok(head)
    }
}

impl Run {
    /// Where it panicked, if it did: the child never says what with.
    fn last_words(&mut self) -> String {
        const MOST: u64 = 500;
        let mut words = String::new();
        // What can't be read of them is not worth more than the status.
        let _ = self
            .complaints
            .by_ref()
            .take(MOST)
            .read_to_string(&mut words);
        words.trim().to_owned()
    }
}

/// What is said of a file that ended its child.
#[derive(Debug)]
struct Refusal {
    spec_dir: PathBuf,
    organisation: Option<String>,
    period: Option<String>,
}

impl Refusal {
    fn of(task: &Task) -> Self {
        Self {
            spec_dir: task.spec_dir.clone(),
            organisation: task.organisation.clone(),
            period: task.period.clone(),
        }
    }

    fn parts(&self, file: &InputFile, end: End) -> io::Result<(Part, Part)> {
        let took_too_much = end.timed_out || end.status.signal().is_some();
        let finding = Finding::new(
            "file.could-not-be-read",
            Severity::Blocker,
            if took_too_much {
                "The file could not be read: it takes more time or memory than any return needs, or it is damaged."
            } else {
                "The file could not be read: it is damaged."
            },
            "Copy your data into a fresh copy of the template, save it and upload that. If it still can't be read, tell the team that asks for this return.",
        );
        let bytes = std::fs::read(&file.path)?;
        let spec = spec::load(&self.spec_dir).map_err(io::Error::other)?;
        let head = Head {
            return_id: spec.id,
            version: spec.version,
            spec_hash: spec.hash,
            organisation: self.organisation.clone(),
            period: self.period.clone(),
            outcome: Outcome::Refused,
            file: FileFacts::of(assess::SourceFile {
                name: &file.name,
                bytes: &bytes,
            }),
            tables: Vec::new(),
            ignored_sheets: Vec::new(),
            counts: vec![assess::RuleCount {
                severity: finding.severity,
                rule: finding.rule.clone(),
                n: 1,
            }],
            compared_with: Vec::new(),
        };
        Ok((Part::Head(Box::new(head)), Part::Findings(vec![finding])))
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    timed_out: bool,
}

impl End {
    /// Whether what it was reading ended it: it crashed, panicked, or ran over a limit.
    /// Anything else (a stop, the system short of memory) is no judgement of the file.
    pub(crate) fn is_the_files_doing(self) -> bool {
        const CRASHES: [Signal; 6] = [
            Signal::ABORT,
            Signal::SEGV,
            Signal::BUS,
            Signal::ILL,
            Signal::FPE,
            Signal::XCPU,
        ];
        let crashed = self
            .status
            .signal()
            .is_some_and(|signal| CRASHES.iter().any(|crash| crash.as_raw() == signal));
        self.timed_out || crashed || self.status.code() == Some(PANICKED)
    }
}

/// The exit status of a Rust program that panicked.
const PANICKED: i32 = 101;

/// A child that is killed when its time is up, or when nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Watched {
    stop: Option<mpsc::Sender<()>>,
    watcher: Option<thread::JoinHandle<io::Result<End>>>,
}

impl Watched {
    fn new(mut process: std::process::Child, wall: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let watcher = thread::spawn(move || {
            let timed_out = matches!(
                stopped.recv_timeout(wall),
                Err(mpsc::RecvTimeoutError::Timeout)
            );
            // It may have ended by itself; then there is nothing to kill.
            let status = match process.try_wait()? {
                Some(status) => status,
                None if timed_out => {
                    process.kill()?;
                    process.wait()?
                }
                // Its answer has ended or is not wanted, so it is about to end.
                None => end_of(&mut process)?,
            };
            Ok(End { status, timed_out })
        });
        Self {
            stop: Some(stop),
            watcher: Some(watcher),
        }
    }

    /// Waits for the child, whose answer has ended, and says how it went.
    pub(crate) fn end(&mut self) -> io::Result<End> {
        drop(self.stop.take());
        match self.watcher.take().map(thread::JoinHandle::join) {
            Some(Ok(end)) => end,
            _ => Err(io::Error::other("the child's end was not seen")),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Waits for the watcher, so that no child outlives its run.
        let _ = self.end();
    }
}

/// Waits a moment for a process to end by itself, so that how it ended is its own doing; then ends it.
fn end_of(process: &mut std::process::Child) -> io::Result<ExitStatus> {
    const LONGEST: Duration = Duration::from_millis(5);
    let until = Instant::now() + Duration::from_secs(1);
    let mut moment = Duration::from_micros(200);
    while Instant::now() < until {
        if let Some(status) = process.try_wait()? {
            return Ok(status);
        }
        thread::sleep(moment);
        moment = LONGEST.min(moment * 2);
    }
    process.kill()?;
    process.wait()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use chrono::NaiveDate;

    use super::*;

    /// What comes of a child that does this with its order.
    fn answer(script: &str) -> Vec<Result<Part, ChildError>> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, format!("#!/bin/sh\ncat >/dev/null\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let file = dir.path().join("file.xlsx");
        fs::write(&file, "anything").unwrap();
        let child = Child {
            program,
            limits: ChildLimits {
                wall: Duration::from_secs(20),
                ..ChildLimits::default()
            },
        };
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
        let task = Task {
            spec_dir: specs.join("nb1/2026"),
            organisation: None,
            period: None,
            received_on: NaiveDate::MIN,
            file: InputFile {
                name: "file.xlsx".to_owned(),
                path: file,
                version: None,
            },
            previous: None,
            year_ago: None,
            others: BTreeMap::new(),
            values: BTreeMap::new(),
            records: true,
        };
        // Another test's new process may for a moment still hold the script open for writing.
        loop {
            match child.run(&task) {
                Err(ChildError::Start(error))
                    if error.kind() == io::ErrorKind::ExecutableFileBusy => {}
                run => return run.unwrap().collect(),
            }
        }
    }

    #[test]
    fn a_file_that_crashes_its_reader_is_refused() {
        for crash in [
            "kill -ABRT $$",
            "kill -SEGV $$",
            "kill -XCPU $$",
            "exit 101",
        ] {
            let parts = answer(&format!("echo '\"ready\"'\n{crash}"));
            assert!(
                matches!(
                    &parts[..],
                    [Ok(Part::Head(head)), Ok(Part::Findings(findings))]
                        if head.outcome == Outcome::Refused
                            && findings[0].rule.as_str() == "file.could-not-be-read"
                ),
                "{crash}: {parts:?}"
            );
        }
    }

    #[test]
    fn a_child_that_is_stopped_says_nothing_of_the_file() {
        for stop in [
            "kill -TERM $$",
            "kill -INT $$",
            "kill -HUP $$",
            "kill -KILL $$",
            "exit 2",
        ] {
            let parts = answer(&format!("echo '\"ready\"'\n{stop}"));
            assert!(
                matches!(&parts[..], [Err(ChildError::Ended(_))]),
                "{stop}: {parts:?}"
            );
        }
    }

    #[test]
    fn a_child_that_ends_before_it_reads_says_nothing_of_the_file() {
        for end in ["kill -ABRT $$", "exit 101", "exit 0"] {
            let parts = answer(end);
            assert!(
                matches!(&parts[..], [Err(ChildError::Ended(_))]),
                "{end}: {parts:?}"
            );
        }
    }

    #[test]
    fn an_answer_without_its_last_word_is_no_answer() {
        let parts = answer("echo '\"ready\"'\necho '{\"part\":{\"findings\":[]}}'\nexit 101");
        assert!(
            matches!(
                &parts[..],
                [Ok(Part::Findings(_)), Err(ChildError::Ended(_))]
            ),
            "{parts:?}"
        );
    }
}
