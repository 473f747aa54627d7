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
        let place = |finding: &Finding| Place::of(finding, &tables, &sheets);
        let in_order = |one: (Place, &Finding), next: (Place, &Finding)| {
            one.0.cmp(&next.0).then_with(|| among_equals(one.1, next.1))
        };
        let is_sorted = self
            .0
            .windows(2)
            .all(|pair| in_order((place(&pair[0]), &pair[0]), (place(&pair[1]), &pair[1])).is_le());
        if is_sorted {
            return;
        }
        let mut order: Vec<(Place, u32)> = self.iter().map(place).zip(0..).collect();
        // They come in long runs that are in order already, which a stable sort makes use of.
        order.sort_by(|(one, idx), (next, next_idx)| {
            let at = |idx: u32| &self.0[idx as usize];
            in_order((*one, at(*idx)), (*next, at(*next_idx)))
        });
        let mut goes_to = vec![0; order.len()];
        for (to, (_, from)) in order.into_iter().enumerate() {
            goes_to[from as usize] = to;
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
///
/// All of it in as few bytes as it takes: there may be a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    severity: Severity,
    table: u16,
    /// From 1; 0 where there is no cell.
    sheet: u16,
    row_idx: u32,
    column_idx: u32,
    /// 0 where there is none.
    row_number: u32,
}

impl Place {
    fn of(finding: &Finding, tables: &Names<'_>, sheets: &Names<'_>) -> Self {
        let cell = finding.cell.as_ref();
        Self {
            severity: finding.severity,
            table: tables.rank(finding.table.as_deref()),
            sheet: cell.map_or(0, |cell| sheets.rank(Some(&cell.sheet)) + 1),
            row_idx: cell.map_or(0, |cell| cell.row_idx),
            column_idx: cell.map_or(0, |cell| cell.column_idx),
            row_number: finding.row_number.unwrap_or_default(),
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

    /// A workbook has few sheets, and a return few tables.
    fn rank(&self, name: Option<&str>) -> u16 {
        let rank = self.0.partition_point(|known| *known < name);
        u16::try_from(rank).unwrap_or(u16::MAX - 1)
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
