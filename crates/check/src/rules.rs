//! The rules of `rules.toml`: one file per kind.

mod assert;
mod change;
mod duplicate;
mod earlier;
mod present;
mod query;
mod references;
mod sum;
mod unique;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use finding::{Finding, Findings};
use frame::{Frame, Framed, Value};
use spec::{Period, ReturnSpec, Rule, RuleKind, Stage, TableSpec};

use crate::message::{Filling, fill};
use crate::sql::Tables;
use crate::{CheckError, Reference, at_record, placed};

/// What a rule reads.
pub(crate) struct Scene<'a> {
    pub(crate) spec: &'a ReturnSpec,
    pub(crate) table: &'a TableSpec,
    pub(crate) frame: &'a Frame,
    pub(crate) framed: &'a Framed,
    pub(crate) reference: &'a Reference<'a>,
}

/// Runs every rule that is in force and whose table could be framed.
pub(crate) fn check(
    spec: &ReturnSpec,
    framed: &Framed,
    reference: &Reference<'_>,
) -> Result<Findings, CheckError> {
    let mut tables = Tables::new(spec, framed, reference)?;
    let mut findings = Findings::new();
    for frame in &framed.frames {
        if let Some(table) = spec.table(&frame.table) {
            findings.extend(duplicate::check(table, frame));
        }
    }
    let rules = spec.rules.iter();
    for rule in rules.filter(|rule| rule.stage == Stage::Return && in_force(rule, reference.period))
    {
        let (Some(table), Some(frame)) = (spec.table(&rule.table), framed.frame(&rule.table))
        else {
            continue;
        };
        let scene = Scene {
            spec,
            table,
            frame,
            framed,
            reference,
        };
        findings.extend(match &rule.kind {
            RuleKind::Assert { expression } => {
                assert::check(&scene, rule, expression, &mut tables)?
            }
            RuleKind::Query { select, reads } => {
                query::check(&scene, rule, select, reads, &mut tables)?
            }
            RuleKind::Unique => unique::check(&scene, rule),
            RuleKind::References {
                parent,
                parent_items,
            } => references::check(&scene, rule, parent, parent_items),
            RuleKind::SumAcross { total, parts } => sum::across(&scene, rule, total, parts),
            RuleKind::SumDown {
                total_line,
                part_lines,
            } => sum::down(&scene, rule, total_line, part_lines),
            RuleKind::Change { against } => change::check(&scene, rule, *against),
            RuleKind::Present { against, condition } => {
                present::check(&scene, rule, *against, condition.as_deref(), &mut tables)?
            }
        });
    }
    Ok(findings)
}

/// In force for periods that end between the rule's days; with no period known, every rule is.
pub(crate) fn in_force(rule: &Rule, period: Option<&Period>) -> bool {
    period.is_none_or(|period| {
        rule.valid_from.is_none_or(|first| first <= period.end)
            && rule.valid_to.is_none_or(|last| period.end <= last)
    })
}

impl Scene<'_> {
    /// A finding of a rule on its main item in a record.
    pub(crate) fn finding(&self, rule: &Rule, record_idx: usize, filling: &Filling) -> Finding {
        match rule.items.first() {
            Some(item) => self.finding_on(rule, item, record_idx, filling),
            None => at_record(self.words(rule, filling), self.frame, record_idx),
        }
    }

    /// A finding of a rule on an item in a record.
    fn finding_on(&self, rule: &Rule, item: &str, record_idx: usize, filling: &Filling) -> Finding {
        let finding = self.words(rule, filling);
        match (self.table.item(item), self.table.item_idx(item)) {
            (Some(item), Some(item_idx)) => {
                placed(finding, self.table, self.frame, item, item_idx, record_idx)
            }
            _ => at_record(finding, self.frame, record_idx),
        }
    }

    /// A rule's words about the table as a whole.
    fn words(&self, rule: &Rule, filling: &Filling) -> Finding {
        let finding = Finding::new(
            rule.id.as_str(),
            rule.severity,
            fill(&rule.message, filling),
            fill(&rule.fix, filling),
        )
        .in_table(&self.table.name);
        if rule.trial {
            let message = format!("On trial, not counted yet: {}", finding.message);
            Finding { message, ..finding }.on_trial()
        } else {
            finding
        }
    }

    /// The positions of items, as far as they exist.
    fn item_idxs(&self, items: &[String]) -> Vec<usize> {
        items
            .iter()
            .filter_map(|name| self.table.item_idx(name))
            .collect()
    }
}

/// The values of some items in a record; `None` if any is blank or unreadable.
fn key<'f>(frame: &'f Frame, item_idxs: &[usize], record_idx: usize) -> Option<Vec<Value<'f>>> {
    item_idxs
        .iter()
        .map(|&item_idx| frame.values[item_idx].get(record_idx))
        .collect()
}

/// The records whose values of these items stand in an earlier record too, each with the first of these.
/// Those with one of them blank or unreadable are passed over.
fn repeats(frame: &Frame, item_idxs: &[usize]) -> Vec<(usize, usize)> {
    match item_idxs {
        [item_idx] => again(frame, |record_idx| frame.values[*item_idx].get(record_idx)),
        _ => again(frame, |record_idx| key(frame, item_idxs, record_idx)),
    }
}

/// By their hashes first, for these take a fraction of the memory that keys take.
fn again<K: Eq + Hash>(frame: &Frame, key: impl Fn(usize) -> Option<K>) -> Vec<(usize, usize)> {
    let hasher = RandomState::new();
    let mut hashes: Vec<(u64, usize)> = (0..frame.n_records())
        .filter_map(|record_idx| Some((hasher.hash_one(key(record_idx)?), record_idx)))
        .collect();
    hashes.sort_unstable();
    let mut again = Vec::new();
    for same in hashes
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|same| same.len() > 1)
    {
        let mut first_of = HashMap::new();
        for &(_, record_idx) in same {
            if let Some(key) = key(record_idx) {
                let first = *first_of.entry(key).or_insert(record_idx);
                if first != record_idx {
                    again.push((record_idx, first));
                }
            }
        }
    }
    again.sort_unstable();
    again
}

/// Whether any value of these items could not be read: then what "is not there" can't be told.
fn any_unreadable(frame: &Frame, item_idxs: &[usize]) -> bool {
    item_idxs
        .iter()
        .any(|&item_idx| !frame.unreadable.of_item(item_idx).is_empty())
}
