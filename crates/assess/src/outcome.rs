//! The head of an assessment: what was assessed against what, and what it came to in numbers.

use finding::{Findings, Outcome, RuleId, Severity};
use frame::{Framed, IgnoredSheet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::accounts::{Rejected, TableAccount, table_accounts};
use crate::{Comparison, Request, SourceFile};

/// Everything but the findings and the records themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    #[serde(rename = "return")]
    pub return_id: String,
    pub version: String,
    /// SHA-256 of the spec, in hex.
    pub spec_hash: String,
    /// GSS code, where it was given.
    pub organisation: Option<String>,
    /// Label, where it was given.
    pub period: Option<String>,
    pub outcome: Outcome,
    pub file: FileFacts,
    pub tables: Vec<TableAccount>,
    pub ignored_sheets: Vec<IgnoredSheet>,
    /// Findings by rule, worst first.
    pub counts: Vec<RuleCount>,
    /// What it was compared with; empty for a refused file, which was compared with nothing.
    #[serde(default)]
    pub compared_with: Vec<Comparison>,
}

impl Head {
    pub fn n_findings(&self, severity: Severity) -> u64 {
        self.counts
            .iter()
            .filter(|count| count.severity == severity)
            .map(|count| count.n)
            .sum()
    }
}

/// What proves which file it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    pub name: String,
    /// In hex.
    pub sha256: String,
    pub bytes: u64,
}

impl FileFacts {
    pub fn of(file: SourceFile<'_>) -> Self {
        Self {
            name: file.name.to_owned(),
            sha256: digest(file.bytes),
            bytes: file.bytes.len() as u64,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    pub severity: Severity,
    pub rule: RuleId,
    pub n: u64,
}

pub(crate) fn head(
    request: &Request<'_>,
    file: FileFacts,
    framed: &Framed,
    findings: &Findings,
    rejected: &Rejected,
    compared_with: Vec<Comparison>,
) -> Head {
    Head {
        return_id: request.spec.id.clone(),
        version: request.spec.version.clone(),
        spec_hash: request.spec.hash.clone(),
        organisation: request.organisation.map(|o| o.code.clone()),
        period: request.period.map(|period| period.label.clone()),
        outcome: findings.outcome(),
        file,
        tables: table_accounts(request.spec, framed, rejected),
        ignored_sheets: framed.ignored_sheets.clone(),
        counts: findings
            .count_by_rule()
            .into_iter()
            .map(|((severity, rule), n)| RuleCount { severity, rule, n })
            .collect(),
        compared_with,
    }
}

/// SHA-256 in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
