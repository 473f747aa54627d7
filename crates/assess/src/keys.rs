//! Gives each finding the key by which it is known again in the sender's next file.

use std::collections::HashMap;

use finding::{Finding, FindingKey, Findings};
use frame::{Frame, Framed};
use spec::{Layout, ReturnSpec, TableSpec};

/// Findings with the same key but for their number are told apart in report order.
pub(crate) fn give(spec: &ReturnSpec, framed: &Framed, findings: &mut Findings) {
    let mut n_same: HashMap<FindingKey, usize> = HashMap::new();
    for finding in findings {
        let record = record_of(spec, framed, finding);
        let parts: Vec<&str> = record.iter().map(String::as_str).collect();
        let key = |nth| {
            FindingKey::new(
                &finding.rule,
                finding.table.as_deref(),
                finding.item.as_deref(),
                &parts,
                nth,
            )
        };
        let first = key(0);
        let nth = n_same.entry(first.clone()).or_default();
        let given = if *nth == 0 { first } else { key(*nth) };
        *nth += 1;
        finding.key = Some(given);
    }
}

/// What tells the finding's record from every other; nothing for a finding about no one record.
fn record_of(spec: &ReturnSpec, framed: &Framed, finding: &Finding) -> Vec<String> {
    let Some(row_number) = finding.row_number else {
        return Vec::new();
    };
    // A row that is no record has nothing but its place.
    record(spec, framed, finding, row_number).unwrap_or_else(|| vec![row_number.to_string()])
}

fn record(
    spec: &ReturnSpec,
    framed: &Framed,
    finding: &Finding,
    row_number: u32,
) -> Option<Vec<String>> {
    let name = finding.table.as_deref()?;
    let (table, frame) = (spec.table(name)?, framed.frame(name)?);
    let record_idx = record_idx(frame, row_number.checked_sub(1)?)?;
    let of_key = key_idxs(table)
        .iter()
        .map(|&item_idx| frame.values[item_idx].plain(record_idx))
        .collect::<Option<Vec<_>>>()
        .filter(|values| !values.is_empty());
    // Without a key of its own, or with one that can't be read, a record is what it says.
    of_key.or_else(|| {
        Some(
            frame
                .values
                .iter()
                .map(|values| values.plain(record_idx).unwrap_or_default())
                .collect(),
        )
    })
}

/// The items that tell a record of a table from every other.
fn key_idxs(table: &TableSpec) -> Vec<usize> {
    let names = match &table.layout {
        Layout::Matrix(matrix) => std::slice::from_ref(&matrix.line_item),
        Layout::Records(_) | Layout::TurnAround { .. } => table.keys.as_slice(),
    };
    names
        .iter()
        .filter_map(|name| table.item_idx(name))
        .collect()
}

pub(crate) fn record_idx(frame: &Frame, row_idx: u32) -> Option<usize> {
    let row_idxs = &frame.places.row_idxs;
    // The lines of a matrix stand in the spec's order, which need not be the sheet's.
    match row_idxs.binary_search(&row_idx) {
        Ok(record_idx) => Some(record_idx),
        Err(_) if row_idxs.is_sorted() => None,
        Err(_) => row_idxs.iter().position(|other| *other == row_idx),
    }
}
