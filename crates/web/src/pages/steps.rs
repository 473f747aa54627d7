//! How far the work on a file is, step by step, as whoever waits reads it.

use finding::words::counted;
use workflow::{Doing, Progress};

/// One step of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) words: String,
    pub(super) when: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    Done,
    Now,
    ToCome,
}

impl Step {
    pub(super) fn is_now(&self) -> bool {
        self.when == When::Now
    }

    /// "done", "now" or "to come".
    pub(super) fn when_in_words(&self) -> &'static str {
        match self.when {
            When::Done => "done",
            When::Now => "now",
            When::ToCome => "to come",
        }
    }
}

/// What is done with a file after it came in; the last step is what becomes of the result.
pub(super) fn steps(progress: Progress, last: &str) -> Vec<Step> {
    let now = match progress {
        Progress::Queued { .. } | Progress::TriedAgain => 1,
        Progress::Doing(Doing::Fetching | Doing::Reading) => 2,
        Progress::Doing(Doing::Checking) => 3,
        Progress::Doing(Doing::Storing) => 4,
    };
    let queue = match progress {
        Progress::Queued { n_before: 0 } => "In the queue: your file is next".to_owned(),
        Progress::Queued { n_before } => format!(
            "In the queue: {} before yours",
            counted(n_before, "file", "files")
        ),
        Progress::TriedAgain => {
            "Something of ours failed. We try again by ourselves: you need do nothing".to_owned()
        }
        Progress::Doing(_) => "In the queue".to_owned(),
    };
    let words = [
        "Received".to_owned(),
        queue,
        "Reading the file".to_owned(),
        "Checking the figures".to_owned(),
        last.to_owned(),
    ];
    words
        .into_iter()
        .enumerate()
        .map(|(idx, words)| Step {
            words,
            when: match idx.cmp(&now) {
                std::cmp::Ordering::Less => When::Done,
                std::cmp::Ordering::Equal => When::Now,
                std::cmp::Ordering::Greater => When::ToCome,
            },
        })
        .collect()
}

/// What is being done now.
pub(super) fn now(progress: Progress, last: &str) -> String {
    let steps = steps(progress, last);
    let now = steps.into_iter().find(Step::is_now);
    now.map(|step| step.words).unwrap_or_default()
}

/// What becomes of the result of a file that was sent.
pub(super) const STORED: &str = "Storing the figures and the result";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(progress: Progress) -> String {
        let steps = steps(progress, STORED);
        let now: Vec<&str> = steps
            .iter()
            .filter(|step| step.is_now())
            .map(|step| step.words.as_str())
            .collect();
        now.join("; ")
    }

    #[test]
    fn one_step_is_now_and_the_queue_says_how_long_it_is() {
        for (progress, now) in [
            (
                Progress::Queued { n_before: 0 },
                "In the queue: your file is next",
            ),
            (
                Progress::Queued { n_before: 1 },
                "In the queue: 1 file before yours",
            ),
            (
                Progress::Queued { n_before: 12 },
                "In the queue: 12 files before yours",
            ),
            (Progress::Doing(Doing::Fetching), "Reading the file"),
            (Progress::Doing(Doing::Checking), "Checking the figures"),
            (Progress::Doing(Doing::Storing), STORED),
        ] {
            assert_eq!(told(progress), now);
        }
    }
}
