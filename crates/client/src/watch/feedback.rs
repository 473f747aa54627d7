//! What comes of a file that was sent, written beside it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::notes::Note;
use super::{Left, Told, Watcher, beside};
use crate::beside::Beside;
use crate::{ApiError, Submission, findings, is_decided, save, status};

/// Some workbooks can't be marked, and marking waits behind all that came meanwhile: nobody looks for them for ever.
const MARKED_WITHIN: Duration = Duration::from_hours(1);
/// Most are marked so soon after the outcome that one look has both.
const MARKED_SOON: Duration = Duration::from_secs(20);

impl Watcher {
    pub(super) async fn fetch(
        &mut self,
        name: &str,
        path: &Path,
        mut note: Note,
        id: Uuid,
        now: SystemTime,
    ) -> Result<(Option<Told>, Left), ApiError> {
        let submission = status(&self.api, id).await?;
        if !is_decided(&submission) {
            return Ok((None, Left::Outcome));
        }
        // Without an outcome it could not be checked: somebody sees to that, and the outcome comes instead.
        let outcome = submission.outcome.clone().unwrap_or_default();
        let is_news = note.told.as_ref() != Some(&outcome);
        if is_news {
            self.write_result(name, path, &submission).await?;
        }
        if let Some(link) = &submission.links.marked_xlsx {
            self.save(link, &beside(path, "marked.xlsx")).await?;
        }
        if is_news {
            note.told = Some(outcome);
            note.told_at = now;
        }
        let left = left(&submission, now.duration_since(note.told_at));
        note.is_done = left == Left::Nothing;
        if is_news || note.is_done {
            self.notes.put(name, note)?;
        }
        Ok((is_news.then(|| told(name, &submission)), left))
    }

    async fn write_result(
        &self,
        name: &str,
        path: &Path,
        submission: &Submission,
    ) -> Result<(), ApiError> {
        let all = match submission.outcome {
            Some(_) => findings(&self.api, submission).await?,
            None => Vec::new(),
        };
        if !all.is_empty() {
            let place = beside(path, "findings.xlsx");
            self.save(&submission.links.findings_xlsx, &place).await?;
        }
        let text = result(name, self.api.address(), submission, &all);
        Beside::write_whole(&beside(path, "result.txt"), text.as_bytes())
    }

    async fn save(&self, link: &str, to: &Path) -> Result<(), ApiError> {
        let mut nowhere = std::io::sink();
        save(&self.api, link, Some(to), &mut nowhere, self.screen).await
    }
}

/// What is still to come, so long after what was told last. A clock that was set back has all the time left.
fn left(submission: &Submission, since: Result<Duration, impl Sized>) -> Left {
    let since = since.unwrap_or_default();
    let may_be_marked = match submission.outcome.as_deref() {
        None => return Left::Mending,
        Some(outcome) => ["needs_correction", "needs_explanation"].contains(&outcome),
    };
    let is_marked = submission.links.marked_xlsx.is_some();
    if is_marked || !may_be_marked || since >= MARKED_WITHIN {
        Left::Nothing
    } else if since < MARKED_SOON {
        Left::MarksSoon
    } else {
        Left::Marks
    }
}

fn told(name: &str, submission: &Submission) -> Told {
    match &submission.outcome {
        Some(outcome) => Told::Checked {
            file: name.to_owned(),
            submission_id: submission.submission_id,
            outcome: outcome.clone(),
            is_to_fix: submission.is_to_fix(),
            result: submission.in_words(),
        },
        None => Told::Delayed {
            file: name.to_owned(),
            reason: submission.in_words(),
        },
    }
}

/// What is written beside a file, for people.
fn result(name: &str, address: &str, submission: &Submission, all: &[crate::Finding]) -> String {
    let mut text = format!(
        "{name}: {}\n\nVersion {} of {} {} for {}\n{address}{}\n",
        submission.in_words(),
        submission.version_number,
        submission.return_id,
        submission.period,
        submission.organisation,
        submission.links.page
    );
    for finding in all.iter().take(SHOWN) {
        text += &format!("\n{}\n", finding.in_words());
    }
    if all.len() > SHOWN {
        text += &format!(
            "\nand {} more: see the workbook of findings beside this file.\n",
            all.len() - SHOWN
        );
    }
    text
}

const SHOWN: usize = 200;
