//! The parent's end of marking a file: the findings and the file go out, the marked workbook comes back.

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Write};

use finding::Finding;
use report::marked::MOST_FINDINGS;

use crate::outside::{Child, ChildError};
use crate::part::Line;
use crate::task::{Asked, MarkOrder, MarkTask};

/// Findings in one line: as many as an assessment sends at a time.
const BLOCK: usize = 2_000;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marking {
    /// The workbook was written.
    Written,
    /// Nothing was: why, as a clause for the sender.
    Not(String),
}

impl Child {
    /// Writes the file with its findings marked in it, where it is of a kind that can be marked.
    ///
    /// `findings` are in report order; no more are taken of them than are marked.
    /// What was written before an error is no workbook.
    pub fn mark(
        &self,
        task: &MarkTask,
        findings: impl IntoIterator<Item = Finding>,
        to: &mut dyn Write,
    ) -> Result<Marking, ChildError> {
        let mut started = self.start_process(None, self.limits.wall)?;
        let mut stdin = BufWriter::new(started.order);
        match self.send_to_mark(task, findings, &mut stdin) {
            // A child that ended early says why by how it ended.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            sent => sent.map_err(|source| ChildError::Send {
                name: task.file.name.clone(),
                source,
            })?,
        }
        // What is left in it has nobody to read it.
        drop(stdin.into_parts());
        let mut answer = started.answer;
        let mut is_reading = false;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).map_err(ChildError::Answer)?;
            match serde_json::from_str(&line) {
                Ok(Line::Ready) => is_reading = true,
                Ok(Line::Marked { bytes }) => {
                    let copied = io::copy(&mut answer.by_ref().take(bytes), to);
                    if copied.map_err(ChildError::Answer)? != bytes {
                        let end = started.process.end().map_err(ChildError::Answer)?;
                        return Err(ChildError::Ended(end.status));
                    }
                    return Ok(Marking::Written);
                }
                Ok(Line::NotMarked(why)) => return Ok(Marking::Not(why)),
                Ok(Line::Failed(why)) => return Err(ChildError::Failed(why)),
                Ok(
                    Line::Checking
                    | Line::Part(_)
                    | Line::CollectionHead(_)
                    | Line::Addressed(_)
                    | Line::Recognised(_)
                    | Line::End,
                )
                | Err(_) => {
                    let end = started.process.end().map_err(ChildError::Answer)?;
                    return if is_reading && end.is_the_files_doing() {
                        tracing::warn!(status = %end.status, "a file ended the process that marked it");
                        Ok(Marking::Not(TOO_MUCH.to_owned()))
                    } else {
                        Err(ChildError::Ended(end.status))
                    };
                }
            }
        }
    }

    fn send_to_mark(
        &self,
        task: &MarkTask,
        findings: impl IntoIterator<Item = Finding>,
        stdin: &mut impl Write,
    ) -> io::Result<()> {
        let handle = File::open(&task.file.path)?;
        let bytes = handle.metadata()?.len();
        let order = Asked::Mark(MarkOrder {
            cover: task.cover.clone(),
            memory: self.limits.memory,
            cpu_seconds: self.limits.cpu.as_secs(),
            limits: self.limits.files,
            bytes,
        });
        write_line(stdin, &order)?;
        let mut findings = findings.into_iter().take(MOST_FINDINGS).peekable();
        while findings.peek().is_some() {
            let block: Vec<Finding> = findings.by_ref().take(BLOCK).collect();
            write_line(stdin, &block)?;
        }
        write_line(stdin, &[(); 0])?;
        io::copy(&mut handle.take(bytes), stdin)?;
        stdin.flush()
    }
}

const TOO_MUCH: &str = "marking its cells takes more time or memory than any return needs";

fn write_line(to: &mut impl Write, line: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use finding::{Outcome, Severity};
    use report::listing::Cover;

    use super::*;
    use crate::task::{ChildLimits, InputFile};

    /// What comes of a child that does this with its order, and what it wrote.
    fn answer(script: &str) -> (Result<Marking, ChildError>, Vec<u8>) {
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
        let task = MarkTask {
            file: InputFile {
                name: "file.xlsx".to_owned(),
                path,
                version: None,
            },
            cover: Cover {
                file_name: "file.xlsx".to_owned(),
                about: String::new(),
                outcome: Outcome::Ready,
                counts: BTreeMap::new(),
            },
        };
        let finding = Finding::new("a.b", Severity::Note, "a", "b");
        let findings = vec![finding; BLOCK + 1];
        // Another test's new process may for a moment still hold the script open for writing.
        loop {
            let mut written = Vec::new();
            match child.mark(&task, findings.clone(), &mut written) {
                Err(ChildError::Start(error))
                    if error.kind() == io::ErrorKind::ExecutableFileBusy => {}
                answer => return (answer, written),
            }
        }
    }

    #[test]
    fn findings_go_out_in_blocks_before_the_file_and_bytes_come_back() {
        // The order, two blocks, the empty one, and then the file.
        let (answer, written) = answer(
            "read order; read one; read two; read end; file=$(cat); echo '\"ready\"'; echo '{\"marked\":{\"bytes\":8}}'; printf '%s' \"$file\"; echo '\"end\"'; [ \"$end\" = '[]' ]",
        );
        assert_eq!(answer.unwrap(), Marking::Written);
        assert_eq!(written, b"the file");
    }

    #[test]
    fn a_file_that_crashes_the_child_is_not_marked_and_a_stopped_child_is_our_failure() {
        let (crashed, _) = answer("cat >/dev/null; echo '\"ready\"'; kill -ABRT $$");
        assert_eq!(crashed.unwrap(), Marking::Not(TOO_MUCH.to_owned()));
        for stop in ["kill -KILL $$", "exit 2", "exit 0"] {
            let (stopped, _) = answer(&format!("cat >/dev/null; echo '\"ready\"'; {stop}"));
            assert!(
                matches!(stopped, Err(ChildError::Ended(_))),
                "{stop}: {stopped:?}"
            );
        }
        let (early, _) = answer("kill -ABRT $$");
        assert!(matches!(early, Err(ChildError::Ended(_))), "{early:?}");
    }

    #[test]
    fn half_a_workbook_is_none() {
        let (half, _) = answer(
            "cat >/dev/null; echo '\"ready\"'; echo '{\"marked\":{\"bytes\":8}}'; printf abc",
        );
        assert!(matches!(half, Err(ChildError::Ended(_))), "{half:?}");
    }
}
