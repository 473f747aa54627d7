//! A form that was not filled in, and lines of it that were not: blank cells told as what they are together.

use std::collections::BTreeMap;

use finding::{CellRef, Finding, Severity};
use frame::{Frame, item_rule};
use spec::layout::{Line, Matrix};
use spec::{Applies, TableSpec};

use super::Causes;
use crate::Request;

/// So many cells that are to be filled in make a form.
const FORM: usize = 5;

/// So many make a line; fewer are told one by one.
const LINE: usize = 3;

pub(super) fn single_out(
    request: &Request<'_>,
    table: &TableSpec,
    matrix: &Matrix,
    frame: &Frame,
    causes: &mut Causes,
) {
    let blank = Blank::of(table, &causes.findings);
    let asked: Vec<Vec<&str>> = matrix
        .lines
        .iter()
        .map(|line| asked(request, table, matrix, line))
        .collect();
    let n_asked: usize = asked.iter().map(Vec::len).sum();
    let blank_of = |line: &Line, items: &[&str]| {
        let is_blank = |item: &&&str| blank.has(line.row_idx, item);
        items.iter().filter(is_blank).count()
    };
    let lines = matrix.lines.iter().zip(&asked);
    let n_blank: usize = lines
        .clone()
        .map(|(line, items)| blank_of(line, items))
        .sum();
    let is_missing = |finding: &Finding| finding.rule.as_str().ends_with("-missing");
    if is_untouched(request, matrix, table, frame) {
        // Which of its cells have to be filled in may be said by rules of the return's own.
        let of_a_blank = |finding: &Finding| {
            finding.severity == Severity::Error && finding.cell.is_some() && finding.value.is_none()
        };
        let told = causes.findings.iter().filter(|finding| {
            finding.table.as_deref() == Some(table.name.as_str()) && of_a_blank(finding)
        });
        let places: Vec<&CellRef> = told.filter_map(|finding| finding.cell.as_ref()).collect();
        if let (FORM.., Some(first)) = (places.len(), places.iter().min()) {
            let cause = of_form(table, first, places.len(), places.len());
            causes.replace(table, of_a_blank, cause);
        }
        return;
    }
    if n_asked >= FORM && n_blank * 10 >= n_asked * 9 {
        if let Some(first) = &blank.first {
            causes.replace(table, is_missing, of_form(table, first, n_blank, n_asked));
        }
        return;
    }
    for (line, items) in lines {
        if items.len() < LINE || blank_of(line, items) < items.len() {
            continue;
        }
        let row_number = Some(line.row_idx + 1);
        causes.replace(
            table,
            |finding| finding.row_number == row_number && is_missing(finding),
            of_line(table, frame, line, items),
        );
    }
}

/// Whether nothing stands in any cell that is the sender's to fill in.
fn is_untouched(request: &Request<'_>, matrix: &Matrix, table: &TableSpec, frame: &Frame) -> bool {
    let entered = matrix.columns.iter().filter(|column| !column.computed);
    entered
        .filter_map(|column| Some((column, table.item_idx(&column.item)?)))
        .all(|(column, item_idx)| {
            let lines = matrix.lines.iter().enumerate();
            lines
                .filter(|(_, line)| !line.computed)
                .filter(|(_, line)| {
                    matrix.applies(line, &column.item, request.organisation) != Applies::No
                })
                .all(|(record_idx, _)| {
                    let is_blank = frame.values[item_idx].is_null(record_idx);
                    is_blank && !frame.is_unreadable(item_idx, record_idx)
                })
        })
}

/// The items of a line that its sender fills in and may not leave blank.
fn asked<'t>(
    request: &Request<'_>,
    table: &'t TableSpec,
    matrix: &'t Matrix,
    line: &Line,
) -> Vec<&'t str> {
    if line.computed {
        return Vec::new();
    }
    let entered = matrix.columns.iter().filter(|column| !column.computed);
    entered
        .map(|column| column.item.as_str())
        .filter(|name| table.item(name).is_some_and(|item| item.required))
        .filter(|name| matrix.applies(line, name, request.organisation) == Applies::Yes)
        .collect()
}

/// The cells that are blank and must not be.
struct Blank {
    /// Items by 0-based row.
    by_row: BTreeMap<u32, Vec<String>>,
    first: Option<CellRef>,
}

impl Blank {
    fn of(table: &TableSpec, findings: &[Finding]) -> Self {
        let mut blank = Self {
            by_row: BTreeMap::new(),
            first: None,
        };
        for finding in findings {
            let (Some(name), Some(cell)) = (&finding.item, &finding.cell) else {
                continue;
            };
            let is_missing = finding.table.as_deref() == Some(table.name.as_str())
                && table
                    .item(name)
                    .is_some_and(|item| finding.rule.as_str() == item_rule(table, item, "missing"));
            if !is_missing {
                continue;
            }
            blank
                .by_row
                .entry(cell.row_idx)
                .or_default()
                .push(name.to_string());
            if blank.first.as_ref().is_none_or(|first| cell < first) {
                blank.first = Some(cell.clone());
            }
        }
        blank
    }

    fn has(&self, row_idx: u32, item: &str) -> bool {
        let of_row = self.by_row.get(&row_idx);
        of_row.is_some_and(|items| items.iter().any(|name| name == item))
    }
}

fn of_form(table: &TableSpec, first: &CellRef, n_blank: usize, n_asked: usize) -> Finding {
    let title = &table.title;
    let from = first.address();
    let message = if n_blank == n_asked {
        format!(
            "\"{title}\" is not filled in: all {n_asked} cells that need a figure are blank, from {from} on."
        )
    } else {
        format!(
            "\"{title}\" is hardly filled in: {n_blank} of the {n_asked} cells that need a figure are blank, from {from} on."
        )
    };
    Finding::new(
        format!("{}.form-blank", table.name),
        Severity::Error,
        message,
        "Fill in the form, with 0 where there is none; if you sent the wrong file, send the right one.",
    )
    .in_table(&table.name)
    .at_cell(first.clone())
}

fn of_line(table: &TableSpec, frame: &Frame, line: &Line, items: &[&str]) -> Finding {
    let finding = Finding::new(
        format!("{}.line-blank", table.name),
        Severity::Error,
        format!(
            "Line {} ({}) is blank: none of its {} cells is filled in.",
            line.code,
            line.label,
            items.len()
        ),
        "Enter the figures of this line, with 0 where there is none.",
    )
    .in_table(&table.name);
    let record_idx = frame
        .places
        .row_idxs
        .iter()
        .position(|row_idx| *row_idx == line.row_idx);
    let first = items.first().and_then(|item| table.item_idx(item));
    match first
        .zip(record_idx)
        .and_then(|(item_idx, record_idx)| frame.cell(item_idx, record_idx))
    {
        Some(cell) => finding.at_cell(cell),
        None => finding.at_row(line.row_idx + 1),
    }
}
