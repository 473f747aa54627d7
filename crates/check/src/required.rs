//! Whether what has to be filled in is filled in. Zero is not blank, and an unreadable cell is not blank either.

use chrono::NaiveDate;
use finding::{Finding, Severity};
use frame::{Frame, item_rule, show_date};
use spec::{Applies, Item, ItemKind, Layout, TableSpec};

use crate::codes::some_codes;
use crate::{Reference, line_prefix, placed, schema};

pub(crate) fn check(table: &TableSpec, frame: &Frame, reference: &Reference<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (item_idx, item) in table.items.iter().enumerate() {
        if !item.required {
            continue;
        }
        let Some(filled) = schema::filled(&frame.values[item_idx]) else {
            continue;
        };
        let fix = fix(item, reference);
        for record_idx in filled.not().idxs() {
            if frame.is_unreadable(item_idx, record_idx)
                || applies(table, record_idx, &item.name, reference) != Applies::Yes
            {
                continue;
            }
            let finding = Finding::new(
                item_rule(table, item, "missing"),
                Severity::Error,
                format!(
                    "{}{} is blank, but has to be filled in.",
                    line_prefix(table, frame, record_idx),
                    item.title
                ),
                fix.as_str(),
            );
            findings.push(placed(finding, table, frame, item, item_idx, record_idx));
        }
    }
    findings
}

/// What to do, as plainly as what is asked for allows.
fn fix(item: &Item, reference: &Reference<'_>) -> String {
    match item.kind {
        ItemKind::Integer | ItemKind::Decimal { .. } => {
            "Enter the figure; enter 0 if there are none.".to_owned()
        }
        ItemKind::Date => {
            let example = NaiveDate::from_ymd_opt(2026, 4, 1).map(|day| show_date(day, item));
            format!("Enter the date, such as {}.", example.unwrap_or_default())
        }
        ItemKind::Boolean => "Enter yes or no.".to_owned(),
        ItemKind::Text => match &item.codes {
            Some(codes) => {
                let day = reference.period.map(|period| period.end);
                format!("Enter one of: {}.", some_codes(codes, day))
            }
            None => "Enter it in this cell.".to_owned(),
        },
    }
}

/// Whether a cell is blank because it is for other organisations: nothing is to be added up there.
pub(crate) fn is_for_others(
    table: &TableSpec,
    record_idx: usize,
    item: &str,
    reference: &Reference<'_>,
) -> bool {
    let Layout::Matrix(matrix) = &table.layout else {
        return false;
    };
    matrix.lines.get(record_idx).is_some_and(|line| {
        !line.lacks(item) && matrix.applies(line, item, reference.organisation) == Applies::No
    })
}

/// Whether a record has this item: a line of a form may not, or not for every organisation.
fn applies(table: &TableSpec, record_idx: usize, item: &str, reference: &Reference<'_>) -> Applies {
    match &table.layout {
        Layout::Matrix(matrix) => matrix.lines.get(record_idx).map_or(Applies::Yes, |line| {
            matrix.applies(line, item, reference.organisation)
        }),
        Layout::Records(_) | Layout::TurnAround { .. } => Applies::Yes,
    }
}
