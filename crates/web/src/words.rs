//! The words a council officer sees for what the code calls otherwise.

use chrono::NaiveDate;
use cycle::{ObligationState, SubmissionState};

/// Where checking a file was given up.
pub(crate) const OUR_FAULT: &str = "We could not check your file. This is our fault, not yours: the file is kept, and we have been told to look into it. You need not do anything, but you may send the file again.";

/// Until there is an outcome.
pub(crate) const WAITING: &str = "We have received your file and are checking it. This page shows the result as soon as it is there.";

/// The tag that a state has on a page: red where something is wrong, yellow where the organisation has something to do,
/// green where nobody has.
pub(crate) fn tag_of_obligation(state: ObligationState) -> &'static str {
    match state {
        ObligationState::NotOpen
        | ObligationState::NotStarted
        | ObligationState::NotRequired
        | ObligationState::Cancelled => GREY,
        ObligationState::Overdue
        | ObligationState::NeedsCorrection
        | ObligationState::Refused
        | ObligationState::SentBack => RED,
        ObligationState::Checking | ObligationState::SignedOff => BLUE,
        ObligationState::NeedsExplanation | ObligationState::Ready | ObligationState::Submitted => {
            YELLOW
        }
        ObligationState::Accepted | ObligationState::Nil => GREEN,
    }
}

/// As of an obligation.
pub(crate) fn tag_of_submission(state: SubmissionState) -> &'static str {
    match state {
        SubmissionState::Received | SubmissionState::SignedOff => BLUE,
        SubmissionState::NeedsAttention
        | SubmissionState::NeedsExplanation
        | SubmissionState::Ready
        | SubmissionState::Submitted => YELLOW,
        SubmissionState::NeedsCorrection | SubmissionState::Refused | SubmissionState::SentBack => {
            RED
        }
        SubmissionState::Accepted => GREEN,
        SubmissionState::Superseded | SubmissionState::Withdrawn => GREY,
    }
}

const GREY: &str = "ds_tag--grey";
const BLUE: &str = "ds_tag--blue";
const GREEN: &str = "ds_tag--green";
const YELLOW: &str = "ds_tag--yellow";
const RED: &str = "ds_tag--red";

/// "sends returns" → "Sends returns".
pub(crate) fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// `23 November 2026`.
pub(crate) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// A value as it stands in an address, after the question mark.
pub(crate) fn in_address(value: &str) -> String {
    let Ok(encoded) = askama::filters::urlencode_strict(value);
    encoded.to_string()
}
