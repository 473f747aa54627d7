//! The parent's end for a round: many files in, one answer out.

use std::io::{BufRead as _, Read as _};

use assess::{CollectionChecked, CollectionHead};

use crate::Child;
use crate::outside::ChildError;
use crate::part::Line;
use crate::task::{CollectionTask, Order, Role};

impl Child {
    /// Checks the standing files of a round against each other, in a confined child of their own.
    ///
    /// Each of them was read alone before, so a file that ends this child is our failure and no finding.
    /// Time is allowed for each file as for one alone; memory only once, since no more than one is read at a time.
    /// Blocks until the answer is there.
    pub fn run_collection(&self, task: &CollectionTask) -> Result<CollectionChecked, ChildError> {
        let n_files = u32::try_from(task.files.len()).unwrap_or(u32::MAX).max(1);
        let order = Order {
            spec_dir: task.spec_dir.clone(),
            organisation: None,
            period: Some(task.period.clone()),
            received_on: task.received_on,
            records: false,
            is_collection: true,
            memory: self.limits.memory,
            cpu_seconds: self.limits.cpu.saturating_mul(n_files).as_secs(),
            limits: self.limits.files,
            files: Vec::new(),
        };
        let files: Vec<_> = task
            .files
            .iter()
            .map(|(code, file)| (Role::Member(code.clone()), file))
            .collect();
        let started = self.start_process(
            Some(&task.spec_dir),
            self.limits.wall.saturating_mul(n_files),
        )?;
        let (mut answer, _complaints, mut process) = started.send(order, &files)?;
        let mut head: Option<CollectionHead> = None;
        let mut findings = Vec::new();
        loop {
            let mut line = String::new();
            // What reads a sender's bytes may be anything by then.
            (&mut answer)
                .take(self.limits.memory)
                .read_line(&mut line)
                .map_err(ChildError::Answer)?;
            match serde_json::from_str(&line) {
                Ok(Line::Ready) => {}
                Ok(Line::CollectionHead(got)) => head = Some(*got),
                Ok(Line::Addressed(block)) => findings.extend(block),
                Ok(Line::Failed(why)) => return Err(ChildError::Failed(why)),
                Ok(Line::End) => {
                    let Some(head) = head else {
                        let why = "the answer has no head".to_owned();
                        return Err(ChildError::Failed(why));
                    };
                    return Ok(CollectionChecked { head, findings });
                }
                Ok(
                    Line::Checking
                    | Line::Part(_)
                    | Line::Marked { .. }
                    | Line::NotMarked(_)
                    | Line::Recognised(_),
                ) => {
                    let why = "the answer is about one file".to_owned();
                    return Err(ChildError::Failed(why));
                }
                Err(_) => break,
            }
        }
        let end = process.end().map_err(ChildError::Answer)?;
        Err(ChildError::Ended(end.status))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use chrono::NaiveDate;

    use super::*;
    use crate::{ChildLimits, InputFile};

    /// What comes of a child that does this with its order.
    fn answer(script: &str) -> Result<CollectionChecked, ChildError> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("file.xlsx");
        fs::write(&path, "bytes").unwrap();
        let file = |name: &str| InputFile {
            name: name.to_owned(),
            path: path.clone(),
            version: None,
        };
        let child = Child {
            program,
            limits: ChildLimits {
                wall: Duration::from_secs(10),
                ..ChildLimits::default()
            },
        };
        let task = CollectionTask {
            spec_dir: dir.path().to_owned(),
            period: "2026".to_owned(),
            received_on: NaiveDate::MIN,
            files: BTreeMap::from([
                ("S1".to_owned(), file("one.xlsx")),
                ("S2".to_owned(), file("two.xlsx")),
            ]),
        };
        // Another test's new process may for a moment still hold the script open for writing.
        loop {
            match child.run_collection(&task) {
                Err(ChildError::Start(error))
                    if error.kind() == io::ErrorKind::ExecutableFileBusy => {}
                answer => return answer,
            }
        }
    }

    const HEAD: &str = r#"{"collection_head":{"return":"r","version":"1","spec_hash":"h","period":"2026","members":[],"counts":[]}}"#;

    #[test]
    fn the_order_has_every_file_with_its_organisation() {
        let script = format!(
            "read -r order\ncase $order in *'\"member\":\"S1\"'*'\"member\":\"S2\"'*) ;; *) exit 3;; esac\n\
             [ \"$(cat)\" = bytesbytes ] || exit 4\necho '\"ready\"'\necho '{HEAD}'\necho '\"end\"'"
        );
        let checked = answer(&script).unwrap();
        assert_eq!(checked.head.return_id, "r");
        assert!(checked.findings.is_empty());
    }

    #[test]
    fn a_child_that_dies_blames_no_file() {
        for end in ["kill -ABRT $$", "exit 101", "exit 0"] {
            let script = format!("cat >/dev/null\necho '\"ready\"'\necho '{HEAD}'\n{end}");
            let answer = answer(&script);
            assert!(matches!(answer, Err(ChildError::Ended(_))), "{end}");
        }
    }

    #[test]
    fn an_answer_of_another_kind_is_no_answer() {
        for line in [
            r#"{"part":{"findings":[]}}"#,
            r#"{"failed":"no"}"#,
            r#""end""#,
        ] {
            let answer = answer(&format!("cat >/dev/null\necho '{line}'"));
            assert!(matches!(answer, Err(ChildError::Failed(_))), "{line}");
        }
    }
}
