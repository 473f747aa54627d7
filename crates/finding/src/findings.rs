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

    pub fn push(&mut self, mut finding: Finding) {
        if let Some(last) = self.0.last() {
            finding.share(last);
        }
        self.0.push(finding);
    }

    pub fn append(&mut self, mut other: Findings) {
        // Where there are many, moving them takes as long as finding them.
        if self.0.len() < other.0.len() {
            std::mem::swap(&mut self.0, &mut other.0);
            self.0.splice(0..0, other.0);
        } else {
            self.0.append(&mut other.0);
        }
    }

    /// Worst first, then by sheet, row, column and rule: the same findings always in the same order.
    ///
    /// A finding is large and its words are elsewhere: the order is found among small places, and each finding is moved once.
    pub fn sort(&mut self) {
        let tables = Names::of(self.iter().map(|finding| finding.table.as_deref()));
        let sheets = Names::of(self.iter().map(sheet_of));
        let mut order: Vec<(Place, usize)> = self
            .iter()
            .map(|finding| Place::of(finding, &tables, &sheets))
            .zip(0..)
            .collect();
        // They come in long runs that are in order already, which a stable sort makes use of.
        order.sort_by(|(place, idx), (other, other_idx)| {
            place
                .cmp(other)
                .then_with(|| among_equals(&self.0[*idx], &self.0[*other_idx]))
        });
        let mut goes_to = vec![0; order.len()];
        for (to, (_, from)) in order.into_iter().enumerate() {
            goes_to[from] = to;
        }
        for idx in 0..goes_to.len() {
            while goes_to[idx] != idx {
                let to = goes_to[idx];
                self.0.swap(idx, to);
                goes_to.swap(idx, to);
            }
        }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Finding> {
        self.0.iter_mut()
    }

    pub fn as_slice(&self) -> &[Finding] {
        &self.0
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

/// Where a finding stands in a report: severity, table, sheet, row, column, row number. No cell comes before any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    severity: Severity,
    table: usize,
    cell: Option<(usize, u32, u32)>,
    row_number: Option<u32>,
}

impl Place {
    fn of(finding: &Finding, tables: &Names<'_>, sheets: &Names<'_>) -> Self {
        Self {
            severity: finding.severity,
            table: tables.rank(finding.table.as_deref()),
            cell: finding.cell.as_ref().map(|cell| {
                let sheet = sheets.rank(Some(&cell.sheet));
                (sheet, cell.row_idx, cell.column_idx)
            }),
            row_number: finding.row_number,
        }
    }
}

fn sheet_of(finding: &Finding) -> Option<&str> {
    finding.cell.as_ref().map(|cell| cell.sheet.as_str())
}

/// The few names that many findings have, in order.
struct Names<'f>(Vec<Option<&'f str>>);

impl<'f> Names<'f> {
    fn of(names: impl Iterator<Item = Option<&'f str>>) -> Self {
        let mut known: Vec<Option<&str>> = Vec::new();
        for name in names {
            // Neighbours mostly share it.
            if known.last() != Some(&name) && !known.contains(&name) {
                known.push(name);
            }
        }
        known.sort_unstable();
        Self(known)
    }

    fn rank(&self, name: Option<&str>) -> usize {
        self.0.partition_point(|known| *known < name)
    }
}

/// Findings in one place.
fn among_equals(a: &Finding, b: &Finding) -> Ordering {
    a.rule
        .cmp(&b.rule)
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
        let mut all = Self::new();
        all.extend(findings);
        all
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Vec<Finding>> for Findings {
    fn from(findings: Vec<Finding>) -> Self {
        Self(findings)
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        let findings = findings.into_iter();
        self.0.reserve(findings.size_hint().0);
        for finding in findings {
            self.push(finding);
        }
    }
}
