//! Two assessments of one file side by side: what it got at the time, and what it gets now.
//!
//! Findings are the same by their keys, so that moved rows and other words make no difference.
//! This is how a rule on trial shows what it would do before it counts.

mod totals;

use std::collections::{BTreeMap, HashMap};

use finding::{Finding, Outcome, RuleId, Severity};
use serde::Serialize;

use crate::TableAccount;

pub use totals::{RuleTotals, Totals, TrialTotals};

/// One of two assessments of a file.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub outcome: Outcome,
    pub tables: &'a [TableAccount],
    pub findings: &'a [Finding],
}

/// What is different between two assessments of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub then: Outcome,
    pub now: Outcome,
    /// What it would come to now if the rules on trial counted.
    pub if_trials_counted: Outcome,
    /// By the spec's order; those that either has.
    pub tables: Vec<TableDifference>,
    /// Every rule that either found something by; worst now first, then by name.
    pub rules: Vec<RuleDifference>,
}

/// Rows loaded of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableDifference {
    pub table: String,
    pub loaded_then: u64,
    pub loaded_now: u64,
}

/// What became of the findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleDifference {
    pub rule: RuleId,
    /// The worst of its findings; `None`: it found nothing.
    pub then: Option<Severity>,
    pub now: Option<Severity>,
    /// What they would be now if the rule were not on trial.
    pub trial: Option<Severity>,
    pub n_same: u64,
    /// The same findings, with another severity or now on trial or no longer.
    pub n_changed: u64,
    pub n_gone: u64,
    pub n_new: u64,
    /// The first few that are new or changed: cells, or rows.
    pub places: Vec<String>,
    /// Of the first of them.
    pub message: Option<String>,
}

impl RuleDifference {
    fn of(rule: RuleId) -> Self {
        Self {
            rule,
            then: None,
            now: None,
            trial: None,
            n_same: 0,
            n_changed: 0,
            n_gone: 0,
            n_new: 0,
            places: Vec::new(),
            message: None,
        }
    }

    pub fn is_none(&self) -> bool {
        self.n_changed == 0 && self.n_gone == 0 && self.n_new == 0
    }

    /// How many it finds now.
    pub fn n_now(&self) -> u64 {
        self.n_same + self.n_changed + self.n_new
    }
}

impl Difference {
    /// Whether the file gets what it got.
    pub fn is_none(&self) -> bool {
        self.then == self.now
            && self.rules.iter().all(RuleDifference::is_none)
            && self
                .tables
                .iter()
                .all(|table| table.loaded_then == table.loaded_now)
    }

    /// Whether the file could stand then and can't any more.
    pub fn falls(&self) -> bool {
        self.then.may_stand() && !self.now.may_stand()
    }

    /// Whether it can stand now, and could not if the rules on trial counted.
    pub fn would_fall(&self) -> bool {
        self.now.may_stand() && !self.if_trials_counted.may_stand()
    }
}

/// How many places a rule's difference names.
const PLACES: usize = 5;

/// Compares what a file got with what it gets.
pub fn difference(then: Side<'_>, now: Side<'_>) -> Difference {
    let mut rules: BTreeMap<&RuleId, RuleDifference> = BTreeMap::new();
    let known = Known::of(then.findings, now.findings);
    let mut left: HashMap<Identity<'_>, Vec<&Finding>> = HashMap::new();
    for finding in then.findings {
        let rule = entry(&mut rules, finding);
        rule.then = Some(worst(rule.then, finding.severity));
        left.entry(known.by(finding)).or_default().push(finding);
    }
    for finding in now.findings {
        let before = left.get_mut(&known.by(finding)).and_then(Vec::pop);
        let rule = entry(&mut rules, finding);
        rule.now = Some(worst(rule.now, finding.severity));
        if let Some(trial) = finding.trial {
            rule.trial = Some(worst(rule.trial, trial));
        }
        match before {
            Some(before) if weight(before) == weight(finding) => {
                rule.n_same += 1;
                continue;
            }
            Some(_) => rule.n_changed += 1,
            None => rule.n_new += 1,
        }
        if rule.places.len() < PLACES {
            rule.places.extend(finding.place());
        }
        rule.message.get_or_insert_with(|| finding.message.clone());
    }
    for finding in left.into_values().flatten() {
        entry(&mut rules, finding).n_gone += 1;
    }
    let mut rules: Vec<RuleDifference> = rules.into_values().collect();
    // None last: what is gone altogether is no longer bad.
    rules.sort_by_key(|rule| (rule.now.is_none(), rule.now));
    Difference {
        then: then.outcome,
        now: now.outcome,
        if_trials_counted: Outcome::of(
            now.findings
                .iter()
                .map(|finding| finding.trial.unwrap_or(finding.severity)),
        ),
        tables: tables(then.tables, now.tables),
        rules,
    }
}

fn entry<'a, 'f>(
    rules: &'a mut BTreeMap<&'f RuleId, RuleDifference>,
    finding: &'f Finding,
) -> &'a mut RuleDifference {
    rules
        .entry(&finding.rule)
        .or_insert_with(|| RuleDifference::of(finding.rule.clone()))
}

fn worst(known: Option<Severity>, other: Severity) -> Severity {
    known.map_or(other, |known| known.min(other))
}

fn weight(finding: &Finding) -> (Severity, Option<Severity>) {
    (finding.severity, finding.trial)
}

/// By what findings are known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    ByKey,
    /// Where a finding was stored before there were keys: the file is the same, and so are its cells.
    ByPlace,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity<'a> {
    Key(&'a str),
    Place(&'a str, Option<&'a str>, Option<&'a str>, Option<String>),
}

impl Known {
    fn of(then: &[Finding], now: &[Finding]) -> Known {
        if then.iter().chain(now).all(|finding| finding.key.is_some()) {
            Known::ByKey
        } else {
            Known::ByPlace
        }
    }

    fn by(self, finding: &Finding) -> Identity<'_> {
        match (self, &finding.key) {
            (Known::ByKey, Some(key)) => Identity::Key(key.as_str()),
            _ => Identity::Place(
                finding.rule.as_str(),
                finding.table.as_deref(),
                finding.item.as_deref(),
                finding.place(),
            ),
        }
    }
}

fn tables(then: &[TableAccount], now: &[TableAccount]) -> Vec<TableDifference> {
    let loaded = |side: &[TableAccount], name: &str| {
        side.iter()
            .find(|table| table.name == name)
            .map_or(0, |table| table.loaded)
    };
    let gone = then
        .iter()
        .filter(|table| !now.iter().any(|other| other.name == table.name));
    now.iter()
        .chain(gone)
        .map(|table| TableDifference {
            table: table.name.clone(),
            loaded_then: loaded(then, &table.name),
            loaded_now: loaded(now, &table.name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use finding::{CellRef, FindingKey};

    use super::*;

    /// `case.a` on the record of a row.
    pub(super) fn found(rule: &str, severity: Severity, row: u32) -> Finding {
        let rule = RuleId::from(rule);
        let key = FindingKey::new(&rule, Some("case"), Some("AGE"), &[&row.to_string()], 0);
        Finding {
            key: Some(key),
            ..Finding::new(rule, severity, format!("row {row}"), "Mend it.")
                .in_table("case")
                .on_item("AGE")
                .at_cell(CellRef::new("Data", row - 1, 1))
        }
    }

    fn side<'a>(findings: &'a [Finding], tables: &'a [TableAccount]) -> Side<'a> {
        Side {
            outcome: Outcome::of(findings.iter().map(|finding| finding.severity)),
            tables,
            findings,
        }
    }

    fn table(name: &str, loaded: u64) -> TableAccount {
        TableAccount {
            name: name.to_owned(),
            sheet: "Data".to_owned(),
            n_rows: loaded,
            loaded,
            rejected: 0,
            ignored: 0,
            ignored_rows: Vec::new(),
            columns: BTreeMap::new(),
        }
    }

    fn told(difference: &Difference) -> Vec<String> {
        difference
            .rules
            .iter()
            .map(|rule| {
                format!(
                    "{} same {} changed {} gone {} new {} {}",
                    rule.rule,
                    rule.n_same,
                    rule.n_changed,
                    rule.n_gone,
                    rule.n_new,
                    rule.places.join(" ")
                )
            })
            .collect()
    }

    #[test]
    fn the_same_findings_are_no_difference() {
        let findings = [
            found("case.a", Severity::Error, 2),
            found("case.b", Severity::Query, 3),
        ];
        let moved: Vec<Finding> = findings
            .iter()
            .map(|finding| Finding {
                message: "in other words".to_owned(),
                ..finding.clone().at_row(99)
            })
            .collect();
        let tables = [table("case", 7)];
        let difference = difference(side(&findings, &tables), side(&moved, &tables));
        assert!(difference.is_none(), "{difference:?}");
    }

    #[test]
    fn findings_go_come_stay_and_change_their_weight() {
        let then = [
            found("case.a", Severity::Error, 2),
            found("case.a", Severity::Error, 3),
            found("case.b", Severity::Query, 4),
            found("case.gone", Severity::Note, 5),
        ];
        let now = [
            found("case.b", Severity::Error, 4),
            found("case.a", Severity::Error, 2),
            found("case.a", Severity::Error, 9),
        ];
        let (before, after) = ([table("case", 7), table("old", 1)], [table("case", 5)]);
        let difference = difference(side(&then, &before), side(&now, &after));
        assert_eq!(
            told(&difference),
            [
                "case.a same 1 changed 0 gone 1 new 1 Data!B9",
                "case.b same 0 changed 1 gone 0 new 0 Data!B4",
                "case.gone same 0 changed 0 gone 1 new 0 ",
            ]
        );
        let loaded: Vec<_> = difference
            .tables
            .iter()
            .map(|table| (table.table.as_str(), table.loaded_then, table.loaded_now))
            .collect();
        assert_eq!(loaded, [("case", 7, 5), ("old", 1, 0)]);
        assert!(!difference.is_none());
    }

    #[test]
    fn a_rule_on_trial_shows_what_it_would_do() {
        let then = [found("case.b", Severity::Query, 4)];
        let trial = [
            found("case.b", Severity::Query, 4),
            found("case.new", Severity::Error, 2).on_trial(),
        ];
        let on_trial = difference(side(&then, &[]), side(&trial, &[]));
        assert_eq!(
            (on_trial.then, on_trial.now, on_trial.if_trials_counted),
            (
                Outcome::NeedsExplanation,
                Outcome::NeedsExplanation,
                Outcome::NeedsCorrection
            )
        );
        assert!(on_trial.would_fall() && !on_trial.falls());
        let rule = &on_trial.rules[1];
        assert_eq!(
            (rule.now, rule.trial),
            (Some(Severity::Note), Some(Severity::Error))
        );

        let counts = [trial[0].clone(), found("case.new", Severity::Error, 2)];
        let flipped = difference(side(&trial, &[]), side(&counts, &[]));
        assert_eq!(
            told(&flipped)[0],
            "case.new same 0 changed 1 gone 0 new 0 Data!B2"
        );
        assert!(flipped.falls());
    }

    #[test]
    fn findings_from_before_there_were_keys_are_known_by_their_place() {
        let now = [
            found("case.a", Severity::Error, 2),
            found("case.a", Severity::Error, 3),
        ];
        let then: Vec<Finding> = now
            .iter()
            .take(1)
            .map(|finding| Finding {
                key: None,
                ..finding.clone()
            })
            .collect();
        let difference = difference(side(&then, &[]), side(&now, &[]));
        assert_eq!(
            told(&difference),
            ["case.a same 1 changed 0 gone 0 new 1 Data!B3"]
        );
    }
}
