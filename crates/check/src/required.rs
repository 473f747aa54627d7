//! Whether what has to be filled in is filled in. Zero is not blank, and an unreadable cell is not blank either.

use finding::{Finding, Severity};
use frame::{Frame, item_rule};
use spec::{Layout, TableSpec};

use crate::{line_prefix, placed, schema};

pub(crate) fn check(table: &TableSpec, frame: &Frame) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item_idx, item) in table.items.iter().enumerate() {
        if !item.required {
            continue;
        }
        let Some(filled) = schema::filled(&frame.values[item_idx]) else {
            continue;
        };
        for record_idx in filled.not().idxs() {
            if frame.is_unreadable(item_idx, record_idx) || !applies(table, record_idx, &item.name)
            {
                continue;
            }
            let fix = match table.layout {
                Layout::Matrix(_) => "Enter the figure; enter 0 if there are none.".to_owned(),
                _ => format!("Enter {}.", item.title),
            };
            let finding = Finding::new(
                item_rule(table, item, "missing"),
                Severity::Error,
                format!(
                    "{}{} is blank, but has to be filled in.",
                    line_prefix(table, frame, record_idx),
                    item.title
                ),
                fix,
            );
            findings.push(placed(finding, table, frame, item, item_idx, record_idx));
        }
    }
    findings
}

/// Whether a line of a form has this item.
fn applies(table: &TableSpec, record_idx: usize, item: &str) -> bool {
    match &table.layout {
        Layout::Matrix(matrix) => matrix
            .lines
            .get(record_idx)
            .is_none_or(|line| !line.not_applicable.iter().any(|name| name == item)),
        Layout::Records(_) | Layout::TurnAround { .. } => true,
    }
}
