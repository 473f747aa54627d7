//! What has become of one submission.

use std::fmt;

use finding::Outcome;
use serde::{Deserialize, Serialize};

/// The state of one version of an organisation's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionState {
    /// Stored; its checks are not finished.
    Received,
    /// Stored; checking it was given up through no fault of the sender, and a person has to look.
    NeedsAttention,
    NeedsCorrection,
    NeedsExplanation,
    Ready,
    /// It stood until a newer version took its place.
    Superseded,
    /// The file could not be used.
    Refused,
}

impl SubmissionState {
    /// `outcome` is `None` until the assessment is stored; `newer_stands` where a newer version may stand.
    pub fn of(outcome: Option<Outcome>, newer_stands: bool) -> Self {
        match outcome {
            None => SubmissionState::Received,
            Some(outcome) if outcome.may_stand() && newer_stands => SubmissionState::Superseded,
            Some(Outcome::Ready) => SubmissionState::Ready,
            Some(Outcome::NeedsExplanation) => SubmissionState::NeedsExplanation,
            Some(Outcome::NeedsCorrection) => SubmissionState::NeedsCorrection,
            Some(Outcome::Refused) => SubmissionState::Refused,
        }
    }

    /// The word in JSON and in datasets.
    pub fn as_str(self) -> &'static str {
        match self {
            SubmissionState::Received => "received",
            SubmissionState::NeedsAttention => "needs_attention",
            SubmissionState::NeedsCorrection => "needs_correction",
            SubmissionState::NeedsExplanation => "needs_explanation",
            SubmissionState::Ready => "ready",
            SubmissionState::Superseded => "superseded",
            SubmissionState::Refused => "refused",
        }
    }

    /// The words on a page and in an email.
    pub fn in_words(self) -> &'static str {
        match self {
            SubmissionState::Received => "being checked",
            SubmissionState::NeedsAttention => "could not be checked yet",
            SubmissionState::NeedsCorrection => "needs correction",
            SubmissionState::NeedsExplanation => "needs explanation",
            SubmissionState::Ready => "ready",
            SubmissionState::Superseded => "replaced by a newer version",
            SubmissionState::Refused => "could not be used",
        }
    }
}

impl fmt::Display for SubmissionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_from_the_outcome() {
        assert_eq!(SubmissionState::of(None, true), SubmissionState::Received);
        for (outcome, state) in [
            (Outcome::Ready, SubmissionState::Ready),
            (Outcome::NeedsExplanation, SubmissionState::NeedsExplanation),
            (Outcome::NeedsCorrection, SubmissionState::NeedsCorrection),
            (Outcome::Refused, SubmissionState::Refused),
        ] {
            assert_eq!(SubmissionState::of(Some(outcome), false), state);
        }
    }

    #[test]
    fn only_what_could_stand_is_superseded() {
        assert_eq!(
            SubmissionState::of(Some(Outcome::Ready), true),
            SubmissionState::Superseded
        );
        assert_eq!(
            SubmissionState::of(Some(Outcome::NeedsCorrection), true),
            SubmissionState::NeedsCorrection
        );
    }
}
