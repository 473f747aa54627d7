//! A column that is wrong from top to bottom is one mistake.

use std::collections::BTreeMap;

use finding::{CellRef, Finding, Severity, column_letters};
use frame::Frame;
use spec::{Applies, Layout, TableSpec};

use super::{Causes, n_values};
use crate::Request;

/// So many cells have to be wrong before they are told as one.
const MANY: usize = 5;

pub(super) fn single_out(
    request: &Request<'_>,
    table: &TableSpec,
    frame: &Frame,
    causes: &mut Causes,
) {
    let mut groups: BTreeMap<(usize, String), Vec<&Finding>> = BTreeMap::new();
    for finding in &causes.findings {
        let of_table = finding.table.as_deref() == Some(&table.name);
        if !of_table || finding.severity != Severity::Error || finding.cell.is_none() {
            continue;
        }
        let item_idx = finding
            .item
            .as_deref()
            .and_then(|item| table.item_idx(item));
        if let Some(item_idx) = item_idx
            && is_of_the_value_alone(table, item_idx, finding)
        {
            let key = (item_idx, finding.rule.as_str().to_owned());
            groups.entry(key).or_default().push(finding);
        }
    }
    let wrong: Vec<(usize, String, Finding)> = groups
        .into_iter()
        .filter_map(|((item_idx, rule), findings)| {
            let of = if rule.ends_with("-missing") {
                n_cells(request, table, frame, item_idx)
            } else {
                n_values(frame, item_idx)
            };
            let nearly_all = findings.len() >= MANY && findings.len() * 10 >= of * 9;
            nearly_all.then(|| cause(table, item_idx, rule, &findings, of))?
        })
        .collect();
    for (item_idx, rule, cause) in wrong {
        let item = table.items[item_idx].name.clone();
        causes.replace(
            table,
            |finding| {
                finding.item.as_deref() == Some(item.as_str()) && finding.rule.as_str() == rule
            },
            cause,
        );
    }
}

/// How many cells of an item there are to fill in.
fn n_cells(request: &Request<'_>, table: &TableSpec, frame: &Frame, item_idx: usize) -> usize {
    let Layout::Matrix(matrix) = &table.layout else {
        return frame.n_records();
    };
    let item = &table.items[item_idx].name;
    let applies = |line: &&spec::layout::Line| {
        matrix.applies(line, item, request.organisation) == Applies::Yes
    };
    matrix.lines.iter().filter(applies).count()
}

/// What follows from the item's own property: `<table>.<item>-<what>`.
fn is_of_the_value_alone(table: &TableSpec, item_idx: usize, finding: &Finding) -> bool {
    let item = table.items[item_idx].name.to_lowercase().replace('_', "-");
    let start = format!("{}.{item}-", table.name);
    finding.rule.as_str().starts_with(&start)
}

fn cause(
    table: &TableSpec,
    item_idx: usize,
    rule: String,
    findings: &[&Finding],
    of: usize,
) -> Option<(usize, String, Finding)> {
    let mut places: Vec<(&CellRef, &Finding)> = findings
        .iter()
        .filter_map(|finding| Some((finding.cell.as_ref()?, *finding)))
        .collect();
    places.sort_by(|a, b| a.0.cmp(b.0));
    let (first_cell, first) = *places.first()?;
    let item = &table.items[item_idx];
    let next: Vec<String> = places[1..]
        .iter()
        .take(2)
        .map(|(cell, _)| cell.address())
        .collect();
    let column = column_letters(first_cell.column_idx);
    let n = places.len();
    let message = if rule.ends_with("-missing") {
        format!(
            "{} (column {column}) is blank in {n} of {of} {}, first in {}, and has to be filled in.",
            item.title,
            match table.layout {
                Layout::Matrix(_) => "lines",
                Layout::Records(_) | Layout::TurnAround { .. } => "records",
            },
            first_cell.address()
        )
    } else {
        format!(
            "{n} of the {of} values in column {column} ({}) have the same fault. The first, {}: {} The next: {}.",
            item.title,
            first_cell.address(),
            first.message,
            next.join(", "),
        )
    };
    let mut cause = (*first).clone();
    cause.message = message;
    cause.fix = format!("{} Do the same in the whole column.", first.fix).into();
    Some((item_idx, rule, cause))
}
