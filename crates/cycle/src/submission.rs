//! What has become of one submission.

use std::fmt;

use finding::Outcome;
use serde::{Deserialize, Serialize};

use crate::Verb;

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
    /// It may be submitted.
    Ready,
    /// It waits for whoever signs off.
    Submitted,
    /// It waits for the return's team.
    SignedOff,
    Accepted,
    /// The return's team asks for another one.
    SentBack,
    /// Its organisation took it back.
    Withdrawn,
    /// A newer version that has come as far took its place.
    Superseded,
    /// The file could not be used.
    Refused,
}

/// The facts a submission's state follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubmissionFacts {
    /// `None` until the assessment is stored.
    pub outcome: Option<Outcome>,
    /// Its checks were given up, and nobody has had them tried again.
    pub given_up: bool,
    /// What was done with it last.
    pub last: Option<Verb>,
    /// Whether there is a newer version that has come at least as far: may be submitted, was submitted, was signed off,
    /// was accepted. What was sent back or withdrawn has come nowhere.
    pub is_overtaken: bool,
}

impl SubmissionState {
    pub const ALL: [SubmissionState; 12] = [
        SubmissionState::Received,
        SubmissionState::NeedsAttention,
        SubmissionState::NeedsCorrection,
        SubmissionState::NeedsExplanation,
        SubmissionState::Ready,
        SubmissionState::Submitted,
        SubmissionState::SignedOff,
        SubmissionState::Accepted,
        SubmissionState::SentBack,
        SubmissionState::Withdrawn,
        SubmissionState::Superseded,
        SubmissionState::Refused,
    ];

    pub fn of(facts: &SubmissionFacts) -> Self {
        match (facts.last, facts.outcome) {
            (Some(last @ (Verb::SendBack | Verb::Withdraw)), _) => last.state(),
            (Some(_), _) if facts.is_overtaken => SubmissionState::Superseded,
            (Some(last), _) => last.state(),
            (None, None) if facts.given_up => SubmissionState::NeedsAttention,
            (None, None) => SubmissionState::Received,
            (None, Some(outcome)) if outcome.may_stand() && facts.is_overtaken => {
                SubmissionState::Superseded
            }
            (None, Some(Outcome::Ready)) => SubmissionState::Ready,
            (None, Some(Outcome::NeedsExplanation)) => SubmissionState::NeedsExplanation,
            (None, Some(Outcome::NeedsCorrection)) => SubmissionState::NeedsCorrection,
            (None, Some(Outcome::Refused)) => SubmissionState::Refused,
        }
    }

    /// Whether its organisation has given it away, so that the return's team sees it.
    pub fn is_handed_over(self) -> bool {
        matches!(
            self,
            SubmissionState::Submitted
                | SubmissionState::SignedOff
                | SubmissionState::Accepted
                | SubmissionState::SentBack
        )
    }

    /// The word in JSON and in datasets.
    pub fn as_str(self) -> &'static str {
        match self {
            SubmissionState::Received => "received",
            SubmissionState::NeedsAttention => "needs_attention",
            SubmissionState::NeedsCorrection => "needs_correction",
            SubmissionState::NeedsExplanation => "needs_explanation",
            SubmissionState::Ready => "ready",
            SubmissionState::Submitted => "submitted",
            SubmissionState::SignedOff => "signed_off",
            SubmissionState::Accepted => "accepted",
            SubmissionState::SentBack => "sent_back",
            SubmissionState::Withdrawn => "withdrawn",
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
            SubmissionState::Ready => "ready to submit",
            SubmissionState::Submitted => "waiting for sign-off",
            SubmissionState::SignedOff => "signed off",
            SubmissionState::Accepted => "accepted",
            SubmissionState::SentBack => "sent back",
            SubmissionState::Withdrawn => "withdrawn",
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

    fn state(outcome: Option<Outcome>, last: Option<Verb>, is_overtaken: bool) -> SubmissionState {
        SubmissionState::of(&SubmissionFacts {
            outcome,
            given_up: false,
            last,
            is_overtaken,
        })
    }

    #[test]
    fn until_something_is_done_with_it_a_state_follows_from_the_outcome() {
        assert_eq!(state(None, None, true), SubmissionState::Received);
        for (outcome, expected) in [
            (Outcome::Ready, SubmissionState::Ready),
            (Outcome::NeedsExplanation, SubmissionState::NeedsExplanation),
            (Outcome::NeedsCorrection, SubmissionState::NeedsCorrection),
            (Outcome::Refused, SubmissionState::Refused),
        ] {
            assert_eq!(state(Some(outcome), None, false), expected);
        }
    }

    #[test]
    fn what_was_given_up_needs_attention_until_it_is_assessed() {
        let given_up = SubmissionFacts {
            given_up: true,
            ..SubmissionFacts::default()
        };
        assert_eq!(
            SubmissionState::of(&given_up),
            SubmissionState::NeedsAttention
        );
        let assessed = SubmissionFacts {
            outcome: Some(Outcome::Ready),
            ..given_up
        };
        assert_eq!(SubmissionState::of(&assessed), SubmissionState::Ready);
    }

    #[test]
    fn what_was_done_last_is_the_state_unless_a_newer_one_has_come_as_far() {
        for verb in Verb::ALL {
            let ready = Some(Outcome::Ready);
            assert_eq!(state(ready, Some(verb), false), verb.state());
            let overtaken = match verb {
                Verb::SendBack | Verb::Withdraw => verb.state(),
                _ => SubmissionState::Superseded,
            };
            assert_eq!(state(ready, Some(verb), true), overtaken);
        }
    }

    #[test]
    fn only_what_could_go_on_is_superseded() {
        assert_eq!(
            state(Some(Outcome::Ready), None, true),
            SubmissionState::Superseded
        );
        assert_eq!(
            state(Some(Outcome::NeedsCorrection), None, true),
            SubmissionState::NeedsCorrection
        );
    }
}
