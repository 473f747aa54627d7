//! The parent's end of recognising a file: the file goes out, which return it is comes back.

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::PathBuf;

use assess::Recognition;

use crate::outside::{Child, ChildError};
use crate::part::Line;
use crate::task::{Asked, InputFile, RecogniseOrder};

/// A file of which nobody has said what it is.
#[derive(Debug, Clone)]
pub struct RecogniseTask {
    /// The folder of all returns.
    pub specs_dir: PathBuf,
    pub file: InputFile,
}

impl Child {
    /// Tells which return a file is. One that ends the child that reads it can't be read.
    ///
    /// Blocks until the answer is there.
    pub fn recognise(&self, task: &RecogniseTask) -> Result<Recognition, ChildError> {
        let mut started = self.start_process(None, self.limits.wall)?;
        let mut stdin = BufWriter::new(started.order);
        match self.send_to_recognise(task, &mut stdin) {
            // A child that ended early says why by how it ended.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            sent => sent.map_err(|source| ChildError::Send {
                name: task.file.name.clone(),
                source,
            })?,
        }
        // What is left in it has nobody to read it.
        drop(stdin.into_parts());
        let mut answer = started.answer.take(LONGEST_ANSWER);
        let mut is_reading = false;
        let mut recognition = None;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).map_err(ChildError::Answer)?;
            match (serde_json::from_str(&line), recognition.take()) {
                (Ok(Line::Ready), _) => is_reading = true,
                (Ok(Line::Recognised(found)), _) => recognition = Some(found),
                (Ok(Line::Failed(why)), _) => return Err(ChildError::Failed(why)),
                (Ok(Line::End), Some(found)) => return Ok(found),
                (Ok(_), _) => {
                    let why = "the answer is to another order".to_owned();
                    return Err(ChildError::Failed(why));
                }
                (Err(_), _) => break,
            }
        }
        let end = started.process.end().map_err(ChildError::Answer)?;
        if is_reading && end.is_the_files_doing() {
            tracing::warn!(status = %end.status, "a file ended the process that looked what it is");
            Ok(Recognition::Unreadable {
                message: TOO_MUCH.to_owned(),
                fix: COPY.to_owned(),
            })
        } else {
            Err(ChildError::Ended(end.status))
        }
    }

    fn send_to_recognise(&self, task: &RecogniseTask, stdin: &mut impl Write) -> io::Result<()> {
        let handle = File::open(&task.file.path)?;
        let bytes = handle.metadata()?.len();
        let order = Asked::Recognise(RecogniseOrder {
            specs_dir: task.specs_dir.clone(),
            name: task.file.name.clone(),
            memory: self.limits.memory,
            cpu_seconds: self.limits.cpu.as_secs(),
            limits: self.limits.files,
            bytes,
        });
        serde_json::to_writer(&mut *stdin, &order)?;
        stdin.write_all(b"\n")?;
        io::copy(&mut handle.take(bytes), stdin)?;
        stdin.flush()
    }
}

/// A few forms and two sentences. Whatever a child has become by then, it does not fill our memory.
const LONGEST_ANSWER: u64 = 1 << 20;

const TOO_MUCH: &str = "The file could not be read: it takes more time or memory than any return needs, or it is damaged.";
const COPY: &str = "Copy your data into a fresh copy of the template, save it and upload that.";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;
    use crate::ChildLimits;

    /// What comes of a child that does this with its order.
    fn answer(script: &str) -> Result<Recognition, ChildError> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("file.xlsx");
        fs::write(&path, "the file").unwrap();
        let child = Child {
            program,
            limits: ChildLimits {
                wall: Duration::from_secs(20),
                ..ChildLimits::default()
            },
        };
        let task = RecogniseTask {
            specs_dir: dir.path().to_owned(),
            file: InputFile {
                name: "file.xlsx".to_owned(),
                path,
                version: None,
            },
        };
        // Another test's new process may for a moment still hold the script open for writing.
        loop {
            match child.recognise(&task) {
                Err(ChildError::Start(error))
                    if error.kind() == io::ErrorKind::ExecutableFileBusy => {}
                answer => return answer,
            }
        }
    }

    #[test]
    fn the_file_goes_out_and_what_it_is_comes_back() {
        let script = "read -r order; [ \"$(cat)\" = 'the file' ] || exit 3
            echo '\"ready\"'; echo '{\"recognised\":\"unknown\"}'; echo '\"end\"'";
        assert_eq!(answer(script).unwrap(), Recognition::Unknown);
    }

    #[test]
    fn a_file_that_ends_its_reader_can_not_be_read_and_a_stopped_child_is_our_failure() {
        let crashed = answer("cat >/dev/null; echo '\"ready\"'; kill -ABRT $$");
        assert!(matches!(crashed, Ok(Recognition::Unreadable { .. })));
        for stop in [
            "kill -KILL $$",
            "exit 0",
            "echo '{\"recognised\":\"unknown\"}'",
        ] {
            let stopped = answer(&format!("cat >/dev/null; echo '\"ready\"'; {stop}"));
            assert!(matches!(stopped, Err(ChildError::Ended(_))), "{stop}");
        }
        let early = answer("kill -ABRT $$");
        assert!(matches!(early, Err(ChildError::Ended(_))));
    }
}
