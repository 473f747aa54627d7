//! What an assessment comes to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Severity;
use crate::words::{counted, there_counted};

/// What the findings of an assessment come to, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to fix and nothing to explain.
    Ready,
    /// Queries only: it stands once they are explained.
    NeedsExplanation,
    /// At least one error.
    NeedsCorrection,
    /// At least one blocker: the file could not be used.
    Refused,
}

impl Outcome {
    /// The outcome of findings of these severities.
    pub fn of(severities: impl IntoIterator<Item = Severity>) -> Self {
        severities
            .into_iter()
            .map(|severity| match severity {
                Severity::Blocker => Outcome::Refused,
                Severity::Error => Outcome::NeedsCorrection,
                Severity::Query => Outcome::NeedsExplanation,
                Severity::Note => Outcome::Ready,
            })
            .max()
            .unwrap_or(Outcome::Ready)
    }

    /// The word in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ready => "ready",
            Outcome::NeedsExplanation => "needs_explanation",
            Outcome::NeedsCorrection => "needs_correction",
            Outcome::Refused => "refused",
        }
    }

    /// The words on a page and in an email.
    pub fn in_words(self) -> &'static str {
        match self {
            Outcome::Ready => "ready",
            Outcome::NeedsExplanation => "needs explanation",
            Outcome::NeedsCorrection => "needs correction",
            Outcome::Refused => "could not be used",
        }
    }

    /// The sentence that a page and an email begin with.
    pub fn sentence(self, n_to_fix: u64, n_to_explain: u64) -> String {
        match self {
            Outcome::Ready => {
                "Your return is ready: there is nothing to fix and nothing to explain.".to_owned()
            }
            Outcome::NeedsExplanation => format!(
                "Nothing has to be fixed. {} an explanation.",
                counted(n_to_explain, "figure needs", "figures need")
            ),
            Outcome::NeedsCorrection => format!(
                "Your return can't be used yet: there {} to fix. Please mend the file and send it again.",
                there_counted(n_to_fix, "thing", "things")
            ),
            Outcome::Refused => format!(
                "We could not use this file: there {} to fix before it can be checked in full.",
                there_counted(n_to_fix, "thing", "things")
            ),
        }
    }

    /// Whether a submission with this outcome may stand for its organisation and period.
    pub fn may_stand(self) -> bool {
        self <= Outcome::NeedsExplanation
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
