//! What the API says, as far as it is needed here.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far a submission has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    pub submission_id: Uuid,
    pub organisation: String,
    #[serde(rename = "return")]
    pub return_id: String,
    pub period: String,
    pub version_number: u32,
    pub state: String,
    /// What to know about the state, where it is the platform's fault.
    pub message: Option<String>,
    pub outcome: Option<String>,
    #[serde(default)]
    pub counts: Vec<Count>,
    pub links: Links,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub severity: String,
    pub rule: String,
    pub n_findings: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    pub page: String,
    pub findings_json: String,
    pub findings_csv: String,
    pub findings_xlsx: String,
    pub marked_xlsx: Option<String>,
}

/// Whether waiting longer brings nothing new.
pub fn is_decided(submission: &Submission) -> bool {
    submission.outcome.is_some() || submission.state == "needs_attention"
}

impl Submission {
    pub fn n_findings(&self, severity: &str) -> u64 {
        let counts = self.counts.iter();
        let own = counts.filter(|count| count.severity == severity);
        own.map(|count| count.n_findings).sum()
    }

    /// Whether its sender has something to do: to mend the file, or to see to it that another one stands.
    pub fn is_to_fix(&self) -> bool {
        let is_gone = ["sent_back", "withdrawn", "superseded"].contains(&self.state.as_str());
        is_gone
            || matches!(
                self.outcome.as_deref(),
                Some("needs_correction" | "refused")
            )
    }

    /// What it came to, in a sentence. What was done with it since counts more than what was found in it.
    pub fn in_words(&self) -> String {
        let to_mend = self.n_findings("blocker") + self.n_findings("error");
        let to_explain = self.n_findings("query");
        match self.state.as_str() {
            "sent_back" => return "sent back: another file is asked for".to_owned(),
            "withdrawn" => return "withdrawn: it does not count any more".to_owned(),
            "superseded" => return "replaced by a newer version".to_owned(),
            "submitted" => return "submitted: it waits for sign-off".to_owned(),
            "signed_off" => return "signed off: it is with the team that asks for it".to_owned(),
            "accepted" => return "accepted".to_owned(),
            _ => {}
        }
        match self.outcome.as_deref() {
            Some("ready") => "nothing has to be fixed or explained".to_owned(),
            Some("needs_explanation") => format!("{to_explain} to explain, nothing to fix"),
            Some("needs_correction") => format!("{to_mend} to fix, {to_explain} to explain"),
            Some("refused") => "the file could not be used".to_owned(),
            _ => self
                .message
                .clone()
                .unwrap_or_else(|| "it is being checked".to_owned()),
        }
    }
}

/// What an organisation owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    pub organisation: String,
    pub organisation_name: String,
    #[serde(rename = "return")]
    pub return_id: String,
    pub title: String,
    pub period: String,
    pub opens_on: NaiveDate,
    pub due_on: NaiveDate,
    pub state: String,
    pub is_overdue: bool,
    /// No file is taken since then; `None`: one is.
    pub closed_on: Option<NaiveDate>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub severity: String,
    pub cell: Option<String>,
    pub row_number: Option<u32>,
    pub value: Option<String>,
    pub message: String,
    pub fix: String,
}

impl Finding {
    /// `To fix at HL1!B12: The date is missing. Enter it.`
    pub fn in_words(&self) -> String {
        let asks = match self.severity.as_str() {
            "blocker" | "error" => "To fix",
            "query" => "To explain",
            _ => "Note",
        };
        let place = match (&self.cell, self.row_number) {
            (Some(cell), _) => format!(" at {cell}"),
            (None, Some(row)) => format!(" in row {row}"),
            (None, None) => String::new(),
        };
        format!("{asks}{place}: {} {}", self.message, self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(state: &str, outcome: &str) -> Submission {
        let facts = serde_json::json!({
            "submission_id": Uuid::nil(), "organisation": "S12000033", "return": "cases", "period": "2026-27-Q1",
            "version_number": 1, "state": state, "message": null, "outcome": outcome,
            "links": {"page": "/", "findings_json": "/", "findings_csv": "/", "findings_xlsx": "/", "marked_xlsx": null},
        });
        serde_json::from_value(facts).unwrap()
    }

    #[test]
    fn what_was_done_with_a_version_counts_more_than_what_was_found_in_it() {
        for (state, outcome, words, is_to_fix) in [
            (
                "ready",
                "ready",
                "nothing has to be fixed or explained",
                false,
            ),
            (
                "needs_correction",
                "needs_correction",
                "0 to fix, 0 to explain",
                true,
            ),
            ("refused", "refused", "the file could not be used", true),
            ("submitted", "needs_explanation", "submitted", false),
            ("accepted", "ready", "accepted", false),
            ("sent_back", "ready", "sent back", true),
            ("withdrawn", "ready", "withdrawn", true),
            ("superseded", "ready", "replaced", true),
        ] {
            let one = submission(state, outcome);
            assert!(
                one.in_words().starts_with(words),
                "{state}: {}",
                one.in_words()
            );
            assert_eq!(one.is_to_fix(), is_to_fix, "{state}");
        }
    }

    #[test]
    fn a_finding_says_what_is_asked_and_where() {
        for (severity, asks) in [
            ("blocker", "To fix"),
            ("error", "To fix"),
            ("query", "To explain"),
            ("note", "Note"),
        ] {
            let finding = Finding {
                rule: "a.b".to_owned(),
                severity: severity.to_owned(),
                cell: Some("HL1!B12".to_owned()),
                row_number: None,
                value: None,
                message: "The date is missing.".to_owned(),
                fix: "Enter it.".to_owned(),
            };
            assert_eq!(
                finding.in_words(),
                format!("{asks} at HL1!B12: The date is missing. Enter it.")
            );
        }
    }
}
