//! What the schema says between the items of one record: each member of its `allOf`.
//!
//! # Why it matters
//! The same JSON Schema that a council's supplier builds against decides here.

use finding::{Finding, Findings};
use frame::Frame;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value as Json};
use spec::{Condition, TableSpec};

use crate::message::{fill, values_of};
use crate::properties::to_json;
use crate::{CheckError, placed};

pub(crate) fn check(table: &TableSpec, frame: &Frame) -> Result<Findings, CheckError> {
    let compiled = table
        .conditions
        .iter()
        .map(|condition| Compiled::new(table, condition))
        .collect::<Result<Vec<_>, _>>()?;
    let mut findings = Findings::new();
    if compiled.is_empty() {
        return Ok(findings);
    }
    let mut read: Vec<usize> = compiled.iter().flat_map(|c| c.reads.clone()).collect();
    read.sort_unstable();
    read.dedup();
    for record_idx in 0..frame.n_records() {
        let record = record(table, frame, &read, record_idx);
        for condition in &compiled {
            let readable = condition
                .reads
                .iter()
                .all(|&item_idx| !frame.is_unreadable(item_idx, record_idx));
            if readable && !condition.validator.is_valid(&record) {
                findings.push(finding(table, frame, condition.condition, record_idx));
            }
        }
    }
    Ok(findings)
}

struct Compiled<'a> {
    condition: &'a Condition,
    validator: Validator,
    reads: Vec<usize>,
}

impl<'a> Compiled<'a> {
    fn new(table: &TableSpec, condition: &'a Condition) -> Result<Self, CheckError> {
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .build(&condition.schema)
            .map_err(|error| CheckError::Schema {
                place: condition.rule.clone(),
                why: error.to_string(),
            })?;
        Ok(Self {
            condition,
            validator,
            reads: condition
                .reads
                .iter()
                .filter_map(|name| table.item_idx(name))
                .collect(),
        })
    }
}

/// A record as JSON: a blank cell is an absent property.
fn record(table: &TableSpec, frame: &Frame, read: &[usize], record_idx: usize) -> Json {
    let mut object = Map::new();
    for &item_idx in read {
        let values = &frame.values[item_idx];
        if let Some(value) = values.get(record_idx) {
            object.insert(
                table.items[item_idx].name.clone(),
                to_json(&value, values.scale()),
            );
        }
    }
    Json::Object(object)
}

fn finding(table: &TableSpec, frame: &Frame, condition: &Condition, record_idx: usize) -> Finding {
    let values = values_of(table, frame, record_idx);
    let finding = Finding::new(
        condition.rule.as_str(),
        condition.severity,
        fill(&condition.message, &values),
        fill(&condition.fix, &values),
    );
    let main = condition
        .items
        .first()
        .and_then(|name| Some((table.item(name)?, table.item_idx(name)?)));
    match main {
        Some((item, item_idx)) => placed(finding, table, frame, item, item_idx, record_idx),
        None => crate::at_record(finding.in_table(&table.name), frame, record_idx),
    }
}
