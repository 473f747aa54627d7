//! Equal findings told together.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use serde::{Deserialize, Serialize};

use crate::{Finding, Name, RuleId, Severity};

/// Findings of one rule on one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub severity: Severity,
    pub trial: Option<Severity>,
    pub rule: RuleId,
    pub table: Option<Name>,
    pub item: Option<Name>,
    pub n: u64,
    /// The first of them, at most [`SHOWN`]: a cell, else a row.
    pub places: Vec<String>,
    /// Of the first one.
    pub message: String,
    pub fix: Name,
}

/// How many places a group names.
const SHOWN: usize = 5;

/// Findings by rule and item, in the order in which each group first comes up.
pub fn groups<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group> {
    let mut groups = Groups::default();
    for finding in findings {
        groups.add(finding);
    }
    groups.into_vec()
}

/// As [`groups`], of findings that come one after the other.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    found: Vec<Group>,
    /// Which groups have the hash of their rule, severity, table and item: there are many findings, and few groups.
    by_hash: HashMap<u64, Vec<usize>>,
    hashing: RandomState,
}

impl Groups {
    pub fn add(&mut self, finding: &Finding) {
        let hash = self.hashing.hash_one((
            &finding.rule,
            finding.severity,
            &finding.table,
            &finding.item,
        ));
        let groups = &mut self.found;
        let alike = self.by_hash.entry(hash).or_default();
        let known = alike.iter().find(|&&idx| groups[idx].is_of(finding));
        let idx = known.copied().unwrap_or(groups.len());
        if idx == groups.len() {
            groups.push(Group::of(finding));
            alike.push(idx);
        }
        let group = &mut groups[idx];
        group.n += 1;
        if group.places.len() < SHOWN {
            group.places.extend(finding.place());
        }
    }

    pub fn into_vec(self) -> Vec<Group> {
        self.found
    }
}

impl Group {
    fn is_of(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.severity == finding.severity
            && self.table == finding.table
            && self.item == finding.item
    }

    /// Of a finding that is still to be counted.
    fn of(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            trial: finding.trial,
            rule: finding.rule.clone(),
            table: finding.table.clone(),
            item: finding.item.clone(),
            n: 0,
            places: Vec::new(),
            message: finding.message.clone(),
            fix: finding.fix.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CellRef;

    #[test]
    fn findings_of_a_rule_on_an_item_are_one_group_with_its_first_places() {
        let at = |rule: &str, item: &str, row_idx| {
            Finding::new(rule, Severity::Error, format!("row {row_idx}"), "Mend it.")
                .in_table("case")
                .on_item(item)
                .at_cell(CellRef::new("Data", row_idx, 1))
        };
        let mut findings = vec![at("case.a", "AGE", 0)];
        findings.extend((1..8).map(|row_idx| at("case.b", "AGE", row_idx)));
        findings.push(at("case.a", "AGE", 9));
        findings.push(at("case.a", "SEX", 9));
        findings.push(Finding::new("file.x", Severity::Note, "x", "y"));
        let shown: Vec<_> = groups(&findings)
            .iter()
            .map(|group| {
                let item = group.item.as_ref().map_or("", Name::as_str);
                format!(
                    "{} {item} {} {}",
                    group.rule,
                    group.n,
                    group.places.join(" ")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "case.a AGE 2 Data!B1 Data!B10",
                "case.b AGE 7 Data!B2 Data!B3 Data!B4 Data!B5 Data!B6",
                "case.a SEX 1 Data!B10",
                "file.x  1 ",
            ]
        );
        assert_eq!(groups(&findings)[1].message, "row 1");
    }
}
