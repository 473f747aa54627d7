//! How a version is handed over: submitted, signed off, accepted or sent back.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SubmissionState;

/// What somebody does with a version. Each is done at most once, and what was done is a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Hands it to whoever signs off.
    Submit,
    /// Answers for it, on behalf of the organisation.
    SignOff,
    /// Takes it, on behalf of the return's team.
    Accept,
    /// Asks for another one; of what was accepted, opens it again.
    SendBack,
    /// Takes back one's own, before it is signed off.
    Withdraw,
}

/// What a verb comes to in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Allowed,
    /// It is the last thing that was done: pressing twice changes nothing.
    Done,
    /// Why not, and what can be done instead.
    Refused(&'static str),
}

impl Verb {
    pub const ALL: [Verb; 5] = [
        Verb::Submit,
        Verb::SignOff,
        Verb::Accept,
        Verb::SendBack,
        Verb::Withdraw,
    ];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Submit => "submit",
            Verb::SignOff => "sign_off",
            Verb::Accept => "accept",
            Verb::SendBack => "send_back",
            Verb::Withdraw => "withdraw",
        }
    }

    pub fn parse(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.as_str() == word)
    }

    /// The words of a history: `submitted by …`.
    pub fn in_words(self) -> &'static str {
        match self {
            Verb::Submit => "submitted",
            Verb::SignOff => "signed off",
            Verb::Accept => "accepted",
            Verb::SendBack => "sent back",
            Verb::Withdraw => "withdrawn",
        }
    }

    /// The state of a version of which this was the last thing done, unless a newer one took its place.
    pub fn state(self) -> SubmissionState {
        match self {
            Verb::Submit => SubmissionState::Submitted,
            Verb::SignOff => SubmissionState::SignedOff,
            Verb::Accept => SubmissionState::Accepted,
            Verb::SendBack => SubmissionState::SentBack,
            Verb::Withdraw => SubmissionState::Withdrawn,
        }
    }

    /// What it comes to in a state. Whether all is explained, and whether there is a newer version, is asked beside it.
    pub fn step(self, state: SubmissionState) -> Step {
        if self.state() == state {
            return Step::Done;
        }
        match (self, state) {
            (Verb::Submit, SubmissionState::Ready | SubmissionState::NeedsExplanation)
            | (Verb::SignOff, SubmissionState::Submitted)
            | (Verb::Accept, SubmissionState::SignedOff)
            | (Verb::SendBack, SubmissionState::SignedOff | SubmissionState::Accepted)
            | (
                Verb::Withdraw,
                SubmissionState::Received
                | SubmissionState::NeedsAttention
                | SubmissionState::NeedsCorrection
                | SubmissionState::NeedsExplanation
                | SubmissionState::Ready
                | SubmissionState::Refused
                | SubmissionState::Submitted,
            ) => Step::Allowed,
            (verb, state) => Step::Refused(refusal(verb, state)),
        }
    }
}

fn refusal(verb: Verb, state: SubmissionState) -> &'static str {
    match (verb, state) {
        (_, SubmissionState::Received) => {
            "This version is still being checked. Wait for the result."
        }
        (_, SubmissionState::NeedsAttention) => {
            "This version could not be checked yet, which is our fault. Wait until it is, or send the file again."
        }
        (_, SubmissionState::NeedsCorrection) => {
            "This version has things to fix. Mend the file and send it again."
        }
        (_, SubmissionState::Refused) => "This file could not be used. Send another one.",
        (_, SubmissionState::Ready | SubmissionState::NeedsExplanation) => {
            "This version was not submitted yet."
        }
        (_, SubmissionState::Superseded) => {
            "A newer version has taken the place of this one. Go on with the newer one."
        }
        (_, SubmissionState::Withdrawn) => "This version was withdrawn. Send the file again.",
        (_, SubmissionState::Submitted) => "This version was not signed off yet.",
        (Verb::Withdraw, SubmissionState::SignedOff | SubmissionState::Accepted) => {
            "This version is signed off, so it can't be withdrawn any more. Ask the return's team to send it back, or send a newer version."
        }
        (_, SubmissionState::SignedOff) => "This version is signed off already.",
        (_, SubmissionState::Accepted) => "This version was accepted already.",
        (Verb::Accept, SubmissionState::SentBack) => {
            "This version was sent back. It can be accepted no more: a newer version is asked for."
        }
        (_, SubmissionState::SentBack) => {
            "This version was sent back. Mend the file and send it again as a newer version."
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of state and verb: `+` allowed, `=` done already, `-` refused.
    const PAIRS: &str = "
                        submit sign_off accept send_back withdraw
        received          -      -        -      -         +
        needs_attention   -      -        -      -         +
        needs_correction  -      -        -      -         +
        needs_explanation +      -        -      -         +
        ready             +      -        -      -         +
        submitted         =      +        -      -         +
        signed_off        -      =        +      +         -
        accepted          -      -        =      +         -
        sent_back         -      -        -      =         -
        withdrawn         -      -        -      -         =
        superseded        -      -        -      -         -
        refused           -      -        -      -         +
    ";

    #[test]
    fn every_pair_of_state_and_verb_is_decided() {
        let mut lines = PAIRS.trim_matches('\n').lines();
        let verbs: Vec<Verb> = lines
            .next()
            .unwrap()
            .split_whitespace()
            .map(|word| Verb::parse(word).expect("a verb"))
            .collect();
        assert_eq!(verbs, Verb::ALL);
        let mut states = Vec::new();
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let word = words.next().unwrap();
            let state = SubmissionState::ALL
                .into_iter()
                .find(|state| state.as_str() == word)
                .unwrap_or_else(|| panic!("{word} is a state"));
            states.push(state);
            for (verb, expected) in verbs.iter().zip(words) {
                let mark = match verb.step(state) {
                    Step::Allowed => "+",
                    Step::Done => "=",
                    Step::Refused(why) => {
                        assert!(why.ends_with('.') && !why.contains('_'), "{why}");
                        "-"
                    }
                };
                assert_eq!(mark, expected, "{verb} in {state}");
            }
        }
        assert_eq!(states.len(), SubmissionState::ALL.len());
    }
}
