//! The differences of many files added up.

use std::collections::{BTreeMap, BTreeSet};

use finding::{Outcome, RuleId, Severity};
use serde::Serialize;

use super::{Difference, RuleDifference};

/// Grows with the number of rules and organisations, not with that of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub n_files: u64,
    /// Those that get what they got.
    pub n_unchanged: u64,
    pub organisations: BTreeSet<String>,
    /// How many files came to what then and to what now.
    pub outcomes: BTreeMap<(Outcome, Outcome), u64>,
    /// Files that could stand then and can't any more.
    pub n_fallen: u64,
    /// Files that can stand now, and could not if the rules on trial counted.
    pub n_would_fall: u64,
    pub loaded_then: u64,
    pub loaded_now: u64,
    /// Every rule that found something in any file, then or now.
    pub rules: BTreeMap<RuleId, RuleTotals>,
    pub trials: BTreeMap<RuleId, TrialTotals>,
}

/// What became of a rule's findings in all files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleTotals {
    pub then: Option<Severity>,
    pub now: Option<Severity>,
    pub n_same: u64,
    pub n_changed: u64,
    pub n_gone: u64,
    pub n_new: u64,
    /// Files with a finding that is not the same, and whose they are.
    pub n_files: u64,
    pub organisations: BTreeSet<String>,
}

/// What a rule on trial finds, and what would follow if it counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialTotals {
    /// What its findings would be.
    pub severity: Severity,
    pub n_findings: u64,
    pub n_files: u64,
    pub organisations: BTreeSet<String>,
    /// Files that can stand now, and could not with this rule.
    pub n_would_fall: u64,
}

impl Totals {
    pub fn add(&mut self, organisation: &str, difference: &Difference) {
        self.n_files += 1;
        self.n_unchanged += u64::from(difference.is_none());
        self.organisations.insert(organisation.to_owned());
        *self
            .outcomes
            .entry((difference.then, difference.now))
            .or_default() += 1;
        self.n_fallen += u64::from(difference.falls());
        self.n_would_fall += u64::from(difference.would_fall());
        for table in &difference.tables {
            self.loaded_then += table.loaded_then;
            self.loaded_now += table.loaded_now;
        }
        for rule in &difference.rules {
            self.add_rule(organisation, rule);
            self.add_trial(organisation, rule, difference.now);
        }
    }

    fn add_rule(&mut self, organisation: &str, rule: &RuleDifference) {
        let total = self.rules.entry(rule.rule.clone()).or_default();
        total.then = total.then.into_iter().chain(rule.then).min();
        total.now = total.now.into_iter().chain(rule.now).min();
        total.n_same += rule.n_same;
        total.n_changed += rule.n_changed;
        total.n_gone += rule.n_gone;
        total.n_new += rule.n_new;
        if !rule.is_none() {
            total.n_files += 1;
            total.organisations.insert(organisation.to_owned());
        }
    }

    fn add_trial(&mut self, organisation: &str, rule: &RuleDifference, now: Outcome) {
        let Some(severity) = rule.trial else { return };
        let total = self
            .trials
            .entry(rule.rule.clone())
            .or_insert_with(|| TrialTotals {
                severity,
                n_findings: 0,
                n_files: 0,
                organisations: BTreeSet::new(),
                n_would_fall: 0,
            });
        total.severity = total.severity.min(severity);
        total.n_findings += rule.n_now();
        total.n_files += 1;
        total.organisations.insert(organisation.to_owned());
        let would = Outcome::of([severity]).max(now);
        total.n_would_fall += u64::from(now.may_stand() && !would.may_stand());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::super::{Side, difference};
    use super::*;

    fn side(findings: &[finding::Finding]) -> Side<'_> {
        Side {
            outcome: Outcome::of(findings.iter().map(|finding| finding.severity)),
            tables: &[],
            findings,
        }
    }

    #[test]
    fn files_and_organisations_are_counted_for_each_rule() {
        let trial = |row| found("case.trial", Severity::Error, row).on_trial();
        let error = found("case.a", Severity::Error, 2);
        let query = found("case.q", Severity::Query, 2);
        let mut totals = Totals::default();
        for (organisation, then, now) in [
            ("S1", vec![], vec![trial(2), trial(3)]),
            ("S1", vec![error.clone()], vec![error.clone(), trial(2)]),
            ("S2", vec![], vec![trial(9)]),
            ("S3", vec![query.clone()], vec![query.clone()]),
            ("S3", vec![query.clone()], vec![error.clone()]),
        ] {
            totals.add(organisation, &difference(side(&then), side(&now)));
        }
        assert_eq!((totals.n_files, totals.n_unchanged), (5, 1));
        assert_eq!((totals.n_fallen, totals.n_would_fall), (1, 2));
        assert_eq!(
            totals.outcomes[&(Outcome::NeedsExplanation, Outcome::NeedsCorrection)],
            1
        );
        let trial = &totals.trials[&RuleId::from("case.trial")];
        assert_eq!(
            (trial.n_findings, trial.n_files, trial.n_would_fall),
            (4, 3, 2)
        );
        assert_eq!(trial.organisations.len(), 2);
        let query = &totals.rules[&RuleId::from("case.q")];
        assert_eq!((query.n_same, query.n_gone, query.n_files), (1, 1, 1));
    }
}
