//! Frames and reference data to findings, in stable order.
//!
//! In two stages, cell by cell: first what each value is by itself (present, allowed, in its code list),
//! then what holds between values, records, tables and periods.
//! A value that the first stage found wrong is null in the second, and a rule passes over nulls:
//! so one bad cell makes one finding.
//! It knows nothing of files, sheets or databases.

mod codes;
mod collection;
mod conditions;
#[cfg(test)]
mod drawn;
#[cfg(test)]
mod figures_test;
#[cfg(test)]
mod linked;
mod message;
mod properties;
mod required;
mod rules;
mod schema;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chrono::NaiveDate;
pub use collection::{Member, Round, check_collection};
use finding::{Finding, Findings};
use frame::{Frame, Framed};
use spec::rule::Against;
use spec::{Item, Link, Organisation, Period, ReferenceSet, ReturnSpec, Rule, TableSpec};

/// What a return is checked against, beside its spec.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The same organisation's return of the period before, as far as it is known.
    pub previous: Option<&'a Framed>,
    /// The same organisation's return of the same period a year before.
    pub year_ago: Option<&'a Framed>,
    /// Other returns of the same organisation, as far as they are known.
    pub others: &'a [Other<'a>],
    /// Central figures of the organisation, as far as they are known.
    pub values: &'a [Figures<'a>],
    /// Whose return it is, where that is known.
    pub organisation: Option<&'a Organisation>,
    pub period: Option<&'a Period>,
    /// The day the file came in: what "not in the future" is measured against.
    pub received_on: NaiveDate,
}

/// Another return of the same organisation, framed by its own spec.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    pub spec: &'a ReturnSpec,
    pub framed: &'a Framed,
}

/// Central figures of one organisation.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'a> {
    pub set: &'a ReferenceSet,
    /// By name, scaled as the set's decimals say.
    pub figures: &'a [(String, i128)],
}

impl<'a> Reference<'a> {
    /// Whether what a link leads to is known.
    pub fn has(&self, link: &Link) -> bool {
        match link {
            Link::Previous => self.previous.is_some(),
            Link::YearAgo => self.year_ago.is_some(),
            Link::Return(id) => self.others.iter().any(|other| other.spec.id == *id),
            Link::Values(table) => self.values.iter().any(|known| known.set.table == *table),
        }
    }

    /// Whether a rule compares less than it says with what a link leads to, or nothing: the earlier file's version did
    /// not ask for all that it reads, or asked for it otherwise.
    pub fn compares_less(&self, spec: &ReturnSpec, rule: &Rule, link: &Link) -> bool {
        let against = match link {
            Link::Previous => Against::Previous,
            Link::YearAgo => Against::YearAgo,
            Link::Return(_) | Link::Values(_) => return false,
        };
        self.of_another_version(against).is_some_and(|earlier| {
            let reads = spec.read_of_earlier(rule, against);
            reads.iter().any(|read| !earlier.was_asked_for(read))
        })
    }

    /// Whether the earlier files were asked for all that a rule's SQL reads of them.
    fn can_run(&self, spec: &ReturnSpec, rule: &Rule) -> bool {
        [Against::Previous, Against::YearAgo]
            .into_iter()
            .all(|against| {
                self.of_another_version(against).is_none_or(|earlier| {
                    let reads = spec.read_of_earlier(rule, against);
                    let mut in_sql = reads.iter().filter(|read| read.is_in_sql);
                    in_sql.all(|read| earlier.was_asked_for(read))
                })
            })
    }

    /// An earlier file whose version did not ask for all that is asked now: only then a rule's SQL has to be looked into.
    fn of_another_version(&self, against: Against) -> Option<&'a Framed> {
        let earlier = self.earlier(against)?;
        (!earlier.unasked.is_empty()).then_some(earlier)
    }

    fn earlier(&self, against: Against) -> Option<&'a Framed> {
        match against {
            Against::Previous => self.previous,
            Against::YearAgo => self.year_ago,
        }
    }
}

/// What each rule in force reads beyond the file; a rule does not run where one of these is not known.
pub fn links<'a>(
    spec: &'a ReturnSpec,
    period: Option<&Period>,
) -> impl Iterator<Item = (&'a Rule, BTreeSet<Link>)> {
    spec.rules
        .iter()
        .filter(move |rule| rule.in_force.includes(period))
        .map(|rule| (rule, spec.links_of(rule)))
}

/// Why checking failed: never the data's fault.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("rule {rule} could not be run: {why}")]
    Rule { rule: String, why: String },
    #[error("the schema of {place} could not be compiled: {why}")]
    Schema { place: String, why: String },
    #[error("the table {table} could not be framed for rules: {why}")]
    Frame { table: String, why: String },
}

/// Checks every frame against the spec.
///
/// Values that are wrong by themselves are null in `framed` afterwards: their records are rejected.
pub fn check(
    spec: &ReturnSpec,
    framed: &mut Framed,
    reference: &Reference<'_>,
) -> Result<Findings, CheckError> {
    let mut findings = check_tables(spec, framed, reference)?;
    findings.append(rules::check(spec, framed, reference)?);
    findings.sort();
    Ok(findings)
}

/// The first stage: each value by itself, and each record.
fn check_tables(
    spec: &ReturnSpec,
    framed: &mut Framed,
    reference: &Reference<'_>,
) -> Result<Findings, CheckError> {
    let mut findings = Findings::new();
    for frame in &mut framed.frames {
        let Some(table) = spec.table(&frame.table) else {
            continue;
        };
        let wrong = check_values(table, frame, reference)?;
        findings.extend(required::check(table, frame, reference));
        for (item_idx, of_item) in wrong.into_iter().enumerate() {
            frame.take_away(item_idx, &of_item.record_idxs);
            findings.append(of_item.findings);
        }
        findings.append(conditions::check(table, frame, reference)?);
    }
    Ok(findings)
}

/// What is wrong with the values of one item by themselves.
#[derive(Default)]
struct Wrong {
    findings: Findings,
    /// Whose values are wrong; a record may come twice.
    record_idxs: Vec<usize>,
}

impl Wrong {
    fn push(&mut self, record_idx: usize, finding: Finding) {
        self.findings.push(finding);
        self.record_idxs.push(record_idx);
    }
}

/// What is wrong with each value by itself, by item.
///
/// Two of a large table's columns are looked at at a time.
fn check_values(
    table: &TableSpec,
    frame: &Frame,
    reference: &Reference<'_>,
) -> Result<Vec<Wrong>, CheckError> {
    const MANY: usize = 20_000;
    let next = AtomicUsize::new(0);
    let check_some = || {
        let mut checked = Vec::new();
        loop {
            let item_idx = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = table.items.get(item_idx) else {
                return checked;
            };
            let wrong = properties::check(table, item, item_idx, frame).map(|mut wrong| {
                codes::check(table, item, item_idx, frame, reference, &mut wrong);
                wrong
            });
            checked.push((item_idx, wrong));
        }
    };
    let mut checked = if frame.n_records() < MANY {
        check_some()
    } else {
        thread::scope(|scope| {
            let other = scope.spawn(check_some);
            let mut checked = check_some();
            match other.join() {
                Ok(others) => checked.extend(others),
                Err(panic) => resume_unwind(panic),
            }
            checked
        })
    };
    checked.sort_by_key(|(item_idx, _)| *item_idx);
    checked.into_iter().map(|(_, wrong)| wrong).collect()
}

/// Runs every rule once on empty tables, so that what is wrong in it is found with the spec and not with the first file.
///
/// `others` are the specs of the returns that it is compared with. Empty where all rules can be run.
pub fn try_out(spec: &ReturnSpec, others: &[ReturnSpec]) -> Result<Vec<CheckError>, CheckError> {
    let mut empty = Framed::empty(spec);
    let earlier = Framed::empty(spec);
    let period = Period::of_kind_on(spec.period_kind, spec.valid_from);
    let other_frames: Vec<Framed> = others.iter().map(Framed::empty).collect();
    let others: Vec<Other<'_>> = others
        .iter()
        .zip(&other_frames)
        .map(|(spec, framed)| Other { spec, framed })
        .collect();
    let sets = spec.reference_values.iter();
    let values: Vec<Figures<'_>> = sets.map(|set| Figures { set, figures: &[] }).collect();
    let reference = Reference {
        previous: Some(&earlier),
        year_ago: Some(&earlier),
        others: &others,
        values: &values,
        organisation: None,
        period: period.as_ref(),
        received_on: spec.valid_from,
    };
    check_tables(spec, &mut empty, &reference)?;
    let mut errors = rules::try_out(spec, &empty, &reference)?;
    errors.extend(collection::try_out(spec, &reference)?);
    Ok(errors)
}

/// A finding of an item in a record, placed on its cell.
fn placed(
    finding: Finding,
    table: &TableSpec,
    frame: &Frame,
    item: &Item,
    item_idx: usize,
    record_idx: usize,
) -> Finding {
    let finding = match frame.cell(item_idx, record_idx) {
        Some(cell) => finding.at_cell(cell),
        None => at_record(finding, frame, record_idx),
    };
    let finding = finding.in_table(&table.name).on_item(&item.name);
    match frame.shown(item, item_idx, record_idx) {
        Some(value) => finding.with_value(value),
        None => finding,
    }
}

fn at_record(finding: Finding, frame: &Frame, record_idx: usize) -> Finding {
    match frame.places.row_idxs.get(record_idx) {
        Some(row_idx) => finding.at_row(row_idx + 1),
        None => finding,
    }
}

/// What a rule on trial finds: a note that says so.
fn on_trial(finding: Finding) -> Finding {
    let message = format!("On trial, not counted yet: {}", finding.message);
    Finding { message, ..finding }.on_trial()
}

/// How a record is spoken of in a message about one of its cells: a matrix's line, else nothing.
fn line_prefix(table: &TableSpec, frame: &Frame, record_idx: usize) -> String {
    let spec::Layout::Matrix(matrix) = &table.layout else {
        return String::new();
    };
    matrix
        .lines
        .get(record_idx)
        .filter(|_| frame.n_records() == matrix.lines.len())
        .map(|line| format!("Line {} ({}): ", line.code, line.label))
        .unwrap_or_default()
}
