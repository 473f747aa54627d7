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

    /// What it came to, in a sentence.
    pub fn in_words(&self) -> String {
        let to_mend = self.n_findings("blocker") + self.n_findings("error");
        let to_explain = self.n_findings("query");
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
    /// `Error at HL1!B12: The date is missing. To fix: enter it.`
    pub fn in_words(&self) -> String {
        let place = match (&self.cell, self.row_number) {
            (Some(cell), _) => format!(" at {cell}"),
            (None, Some(row)) => format!(" in row {row}"),
            (None, None) => String::new(),
        };
        format!(
            "{}{place}: {} To fix: {}",
            self.severity, self.message, self.fix
        )
    }
}
