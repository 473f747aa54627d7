//! What the schema says between the items of one record: each member of its `allOf`.
//!
//! # Why it matters
//! The same JSON Schema that a council's supplier builds against decides here.

use finding::{Finding, Findings};
use frame::Frame;
use spec::{Condition, TableSpec};

use crate::message::{fill, values_of};
use crate::schema::{Mask, RecordSchema, Unbuildable};
use crate::{CheckError, Reference, on_trial, placed};

pub(crate) fn check(
    table: &TableSpec,
    frame: &Frame,
    reference: &Reference<'_>,
) -> Result<Findings, CheckError> {
    let mut findings = Findings::new();
    let in_force = |condition: &&Condition| condition.in_force.includes(reference.period);
    for condition in table.conditions.iter().filter(in_force) {
        let schema =
            RecordSchema::compile(&condition.schema, table).map_err(|Unbuildable(why)| {
                CheckError::Schema {
                    place: condition.rule.clone(),
                    why,
                }
            })?;
        let readable = readable(table, frame, condition);
        let passes = schema.passes(table, frame, &readable);
        let broken = readable.without(&passes);
        findings.extend(
            broken
                .idxs()
                .map(|record_idx| finding(table, frame, condition, record_idx)),
        );
    }
    Ok(findings)
}

/// The records in which each item that the condition mentions is readable.
fn readable(table: &TableSpec, frame: &Frame, condition: &Condition) -> Mask {
    let mut readable = Mask::all(true, frame.n_records());
    for item_idx in condition
        .reads
        .iter()
        .filter_map(|name| table.item_idx(name))
    {
        for &record_idx in frame.unreadable.of_item(item_idx) {
            readable.set(record_idx, false);
        }
    }
    readable
}

fn finding(table: &TableSpec, frame: &Frame, condition: &Condition, record_idx: usize) -> Finding {
    let values = values_of(table, frame, record_idx);
    let finding = Finding::new(
        condition.rule.as_str(),
        condition.severity,
        fill(&condition.message, &values),
        fill(&condition.fix, &values),
    );
    let finding = if condition.trial {
        on_trial(finding)
    } else {
        finding
    };
    let main = condition
        .items
        .first()
        .and_then(|name| Some((table.item(name)?, table.item_idx(name)?)));
    match main {
        Some((item, item_idx)) => placed(finding, table, frame, item, item_idx, record_idx),
        None => crate::at_record(finding.in_table(&table.name), frame, record_idx),
    }
}
