//! All findings of one assessment, in stable order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Finding, Outcome, RuleId, Severity};

/// The findings of one assessment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub fn append(&mut self, mut other: Findings) {
        self.0.append(&mut other.0);
    }

    /// Worst first, then by sheet, row, column and rule: the same findings always in the same order.
    pub fn sort(&mut self) {
        self.0.sort_by(report_order);
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Finding> {
        self.0.iter_mut()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.iter().map(|finding| finding.severity))
    }

    /// How many of each severity and rule, worst first.
    pub fn count_by_rule(&self) -> BTreeMap<(Severity, RuleId), u64> {
        let mut counts = BTreeMap::new();
        for finding in self {
            *counts
                .entry((finding.severity, finding.rule.clone()))
                .or_insert(0) += 1;
        }
        counts
    }
}

fn report_order(a: &Finding, b: &Finding) -> Ordering {
    a.severity
        .cmp(&b.severity)
        .then_with(|| a.table.cmp(&b.table))
        .then_with(|| a.cell.is_some().cmp(&b.cell.is_some()))
        .then_with(|| a.cell.cmp(&b.cell))
        .then_with(|| a.row_number.cmp(&b.row_number))
        .then_with(|| a.rule.cmp(&b.rule))
        .then_with(|| a.item.cmp(&b.item))
        .then_with(|| a.message.cmp(&b.message))
}

impl<'a> IntoIterator for &'a mut Findings {
    type Item = &'a mut Finding;
    type IntoIter = std::slice::IterMut<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<T: IntoIterator<Item = Finding>>(findings: T) -> Self {
        Self(findings.into_iter().collect())
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.0.extend(findings);
    }
}
