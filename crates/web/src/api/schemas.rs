//! What the API's document says of values that other crates write. They know nothing of documents; tests here hold that
//! each is said as it is written.

#![expect(dead_code, reason = "never made: only their shape is read")]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

/// Bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Binary(Vec<u8>);

/// Why a request was refused, and what to do.
#[derive(ToSchema)]
pub(crate) struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    r#type: String,
    /// The problem in a few words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What to do, in a sentence.
    detail: String,
}

/// What checking a file came to.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Ready,
    NeedsExplanation,
    NeedsCorrection,
    Refused,
}

/// How badly: a blocker and an error have to be mended, a query may stand with an explanation, a note is for information.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Severity {
    Blocker,
    Error,
    Query,
    Note,
}

/// Where a version stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum SubmissionState {
    Received,
    NeedsAttention,
    NeedsCorrection,
    NeedsExplanation,
    Ready,
    Submitted,
    SignedOff,
    Accepted,
    SentBack,
    Withdrawn,
    Superseded,
    Refused,
}

/// Where stands what an organisation owes.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ObligationState {
    NotOpen,
    NotStarted,
    Overdue,
    Checking,
    NeedsCorrection,
    NeedsExplanation,
    Ready,
    Refused,
    Submitted,
    SignedOff,
    Accepted,
    Nil,
    SentBack,
    NotRequired,
    Cancelled,
}

/// Where checking a file stands.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(crate) enum CheckState {
    Arriving,
    Waiting,
    Recognised,
    Left,
    Sent,
    Checking,
    Checked,
    GivenUp,
}

/// Something wrong with a file.
#[derive(ToSchema)]
pub(crate) struct Finding {
    /// The check's name.
    rule: String,
    severity: Severity,
    /// Null for the file as a whole.
    table: Option<String>,
    /// Such as `Cases!B12`; null where no one cell is at fault.
    cell: Option<String>,
    /// The sheet's row, as the sender sees it.
    row_number: Option<u32>,
    /// The data item's name.
    item: Option<String>,
    /// The value as the sender sees it.
    value: Option<String>,
    /// What is wrong.
    message: String,
    /// How to mend it.
    fix: String,
    /// What it would be if its check were not on trial.
    trial: Option<Severity>,
    /// The same in the next file as long as the same check finds fault with the same record.
    key: Option<String>,
    /// The sender's own columns of the row, by heading.
    own: BTreeMap<String, String>,
}

/// The same, with why it is right.
#[derive(ToSchema)]
pub(crate) struct FindingWithExplanation {
    #[schema(inline)]
    #[serde(flatten)]
    finding: Finding,
    explanation: Option<Explanation>,
    /// The last day on which it needs no explanation.
    #[schema(format = Date)]
    excepted_until: Option<String>,
}

#[derive(ToSchema)]
pub(crate) struct Explanation {
    text: String,
    by: String,
    at: DateTime<Utc>,
}

/// All findings of a submission.
#[derive(ToSchema)]
pub(crate) struct FindingsOfSubmission {
    submission_id: Uuid,
    /// Null until the file is checked.
    outcome: Option<Outcome>,
    findings: Vec<FindingWithExplanation>,
}

/// What was received; the same facts as in the email.
#[derive(ToSchema)]
pub(crate) struct Receipt {
    submission_id: Uuid,
    organisation: String,
    return_id: String,
    period: String,
    version_number: u32,
    file_name: String,
    sha256: String,
    bytes: u64,
    received_at: DateTime<Utc>,
    /// The key was used before: this is the receipt of then.
    repeated: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use utoipa::PartialSchema;

    use super::*;

    fn json_of<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).unwrap()
    }

    fn words<T: PartialSchema>() -> Vec<String> {
        let schema = json_of::<T>();
        let words = schema["enum"].as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    }

    /// Its properties, and which of them are always there.
    fn fields<T: PartialSchema>() -> Vec<String> {
        let schema = json_of::<T>();
        let mut names: Vec<String> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        names.sort();
        names
    }

    fn written(value: &Value) -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    #[test]
    fn the_words_are_those_that_are_written() {
        let submissions = cycle::SubmissionState::ALL.map(|state| state.as_str().to_owned());
        assert_eq!(words::<SubmissionState>(), submissions);
        let obligations = cycle::ObligationState::ALL.map(|state| state.as_str().to_owned());
        assert_eq!(words::<ObligationState>(), obligations);
        let checks = workflow::ParcelState::ALL.map(|state| state.as_str().to_owned());
        assert_eq!(words::<CheckState>(), checks);
        let severities = finding::Severity::ALL.map(|severity| json!(severity));
        assert_eq!(json!(words::<Severity>()), json!(severities));
        let outcomes = [
            finding::Outcome::Ready,
            finding::Outcome::NeedsExplanation,
            finding::Outcome::NeedsCorrection,
            finding::Outcome::Refused,
        ];
        assert_eq!(json!(words::<Outcome>()), json!(outcomes));
    }

    #[test]
    fn what_others_write_has_the_fields_that_the_document_says() {
        let finding = finding::Finding::new(
            finding::RuleId::from("case.odd"),
            finding::Severity::Query,
            "It is odd.",
            "Look at it.",
        );
        assert_eq!(fields::<Finding>(), written(&json!(finding)));
        let receipt = workflow::Receipt {
            submission_id: Uuid::nil(),
            organisation: String::new(),
            return_id: String::new(),
            period: String::new(),
            version_number: 1,
            file_name: String::new(),
            sha256: String::new(),
            bytes: 0,
            received_at: Utc::now(),
            repeated: false,
        };
        assert_eq!(fields::<Receipt>(), written(&json!(receipt)));
    }
}
