//! The rules of `rules.toml`: one file per kind.

mod assert;
mod change;
mod continuous;
mod duplicate;
mod earlier;
mod interval;
mod no_overlap;
mod present;
mod query;
mod references;
mod sum;
mod unchanged;
mod unique;
mod within;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};

use finding::{Finding, Findings};
use frame::{Frame, Framed, Value};
use spec::{Applies, ReturnSpec, Rule, RuleKind, Stage, TableSpec, Threshold};

use crate::message::{Filling, fill};
use crate::sql::Tables;
use crate::{CheckError, Reference, at_record, on_trial, placed};

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
    let of_a_return = spec.rules.iter().filter(|rule| {
        rule.stage == Stage::Return
            && rule.in_force.includes(reference.period)
            && rule.only_for.applies(reference.organisation) == Applies::Yes
            && reference.can_run(spec, rule)
    });
    for rule in of_a_return {
        let scene = Scene::of(rule, spec, framed, reference);
        if let Some(scene) = scene {
            findings.extend(run(&scene, rule, &mut tables)?);
        }
    }
    Ok(findings)
}

/// Runs every rule of the stage `return`, in force or not, and tells which could not be run.
pub(crate) fn try_out(
    spec: &ReturnSpec,
    framed: &Framed,
    reference: &Reference<'_>,
) -> Result<Vec<CheckError>, CheckError> {
    let mut tables = Tables::new(spec, framed, reference)?;
    let of_a_return = spec.rules.iter().filter(|rule| rule.stage == Stage::Return);
    Ok(of_a_return
        .filter_map(|rule| {
            let scene = Scene::of(rule, spec, framed, reference)?;
            let lacking = lacking(rule, &tables);
            lacking.or_else(|| run(&scene, rule, &mut tables).err())
        })
        .collect())
}

/// A query that names a table that is not there would not run, and nobody would know.
fn lacking(rule: &Rule, tables: &Tables) -> Option<CheckError> {
    let RuleKind::Query { reads, .. } = &rule.kind else {
        return None;
    };
    let name = reads.iter().find(|name| !tables.has(name))?;
    Some(CheckError::Rule {
        rule: rule.id.clone(),
        why: format!("there is no table {name} to try it on"),
    })
}

fn run(scene: &Scene<'_>, rule: &Rule, tables: &mut Tables) -> Result<Vec<Finding>, CheckError> {
    Ok(match &rule.kind {
        RuleKind::Assert { expression } => assert::check(scene, rule, expression, tables)?,
        RuleKind::Query { select, reads } => query::check(scene, rule, select, reads, tables)?,
        RuleKind::Unique => unique::check(scene, rule),
        RuleKind::References {
            parent,
            parent_items,
        } => references::check(scene, rule, parent, parent_items),
        RuleKind::SumAcross { total, parts } => sum::across(scene, rule, total, parts),
        RuleKind::SumDown {
            total_line,
            part_lines,
        } => sum::down(scene, rule, total_line, part_lines),
        RuleKind::NoOverlap {
            days,
            touching,
            same_start,
        } => no_overlap::check(scene, rule, days, *touching, *same_start, tables)?,
        RuleKind::Within { days, parent } => within::check(scene, rule, days, parent, tables)?,
        RuleKind::Continuous { days, parent, gaps } => {
            continuous::check(scene, rule, days, parent.as_ref(), gaps, tables)?
        }
        RuleKind::Change(change) => change::check(scene, rule, change),
        RuleKind::Unchanged {
            against,
            by,
            condition,
        } => unchanged::check(scene, rule, *against, by, condition.as_deref(), tables)?,
        RuleKind::Present { against, condition } => {
            present::check(scene, rule, *against, condition.as_deref(), tables)?
        }
    })
}

impl<'a> Scene<'a> {
    /// `None` where the rule's table could not be framed.
    fn of(
        rule: &Rule,
        spec: &'a ReturnSpec,
        framed: &'a Framed,
        reference: &'a Reference<'a>,
    ) -> Option<Self> {
        Some(Self {
            spec,
            table: spec.table(&rule.table)?,
            frame: framed.frame(&rule.table)?,
            framed,
            reference,
        })
    }
}

impl Scene<'_> {
    /// A finding of a rule on its main item in a record.
    pub(crate) fn finding(&self, rule: &Rule, record_idx: usize, filling: &Filling) -> Finding {
        match rule.items.first() {
            Some(item) => self.finding_on(rule, item, record_idx, filling),
            None => at_record(self.words(rule, filling), self.frame, record_idx),
        }
    }

    /// A finding of a rule's run in a record: on the item that it was run for, else on the main one.
    fn finding_of_run(
        &self,
        rule: &Rule,
        item: Option<&str>,
        record_idx: usize,
        mut filling: Filling,
    ) -> Finding {
        let Some(item) = item else {
            return self.finding(rule, record_idx, &filling);
        };
        if let Some(of_table) = self.table.item(item) {
            filling.insert("title".to_owned(), of_table.title.clone());
        }
        if let Some(value) = filling.get(item).cloned() {
            filling.insert("value".to_owned(), value);
        }
        self.finding_on(rule, item, record_idx, &filling)
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
            on_trial(finding)
        } else {
            finding
        }
    }

    /// The items that match a record with its earlier one.
    fn matching(&self, by: &[String]) -> Vec<usize> {
        match &self.table.layout {
            _ if !by.is_empty() => self.item_idxs(by),
            spec::Layout::Matrix(matrix) => self.item_idxs(std::slice::from_ref(&matrix.line_item)),
            _ => self.item_idxs(&self.table.keys),
        }
    }

    /// A threshold of the rule, as the organisation whose return this is has it.
    fn threshold(&self, rule: &Rule, name: &str) -> Option<Threshold> {
        rule.thresholds.get(name, self.reference.organisation)
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
    let hashes: Vec<Option<u64>> = (0..frame.n_records())
        .map(|record_idx| Some(hasher.hash_one(key(record_idx)?)))
        .collect();
    let mut seen = HashSet::with_capacity(hashes.len());
    let twice: HashSet<u64> = hashes
        .iter()
        .flatten()
        .filter(|hash| !seen.insert(**hash))
        .copied()
        .collect();
    let mut first_of = HashMap::new();
    let mut again = Vec::new();
    for (record_idx, hash) in hashes.iter().enumerate() {
        if hash.is_some_and(|hash| twice.contains(&hash))
            && let Some(key) = key(record_idx)
        {
            let first = *first_of.entry(key).or_insert(record_idx);
            if first != record_idx {
                again.push((record_idx, first));
            }
        }
    }
    again
}

/// Whether any value of these items could not be read: then what "is not there" can't be told.
fn any_unreadable(frame: &Frame, item_idxs: &[usize]) -> bool {
    item_idxs
        .iter()
        .any(|&item_idx| !frame.unreadable.of_item(item_idx).is_empty())
}
