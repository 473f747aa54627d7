//! What may well be right and should not go by unseen: the sender says whether it is meant.

mod personal;
mod unit;

use std::collections::HashSet;

use finding::{CellRef, Finding, Findings, Severity};
use frame::Framed;
use spec::{Accumulation, ReturnSpec};

/// Queries about a file that could be read.
pub(crate) fn queries(
    spec: &ReturnSpec,
    framed: &Framed,
    previous: Option<&Framed>,
    told: &Findings,
) -> Vec<Finding> {
    let mut queries = cut_off(spec, framed);
    queries.extend(
        previous
            .iter()
            .flat_map(|previous| far_fewer(spec, framed, previous, told)),
    );
    queries.extend(typed_over(spec, framed, told));
    queries.extend(personal::queries(spec, framed));
    queries
}

/// One query in the place of those about single movements, where a form's figures are in another unit than before.
pub(crate) fn in_another_unit(
    spec: &ReturnSpec,
    framed: &Framed,
    earlier: Option<&Framed>,
    findings: Findings,
) -> Findings {
    match earlier {
        Some(earlier) => unit::single_out(spec, framed, earlier, findings),
        None => findings,
    }
}

/// Cells that a form calculates and somebody typed over: right today, and wrong as soon as a figure above changes.
/// What was found wrong with such a cell is told already.
fn typed_over(spec: &ReturnSpec, framed: &Framed, told: &Findings) -> Vec<Finding> {
    if framed
        .frames
        .iter()
        .all(|frame| frame.typed_over.is_empty())
    {
        return Vec::new();
    }
    let told: HashSet<&CellRef> = told
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .filter_map(|finding| finding.cell.as_ref())
        .collect();
    let mut queries = Vec::new();
    for frame in &framed.frames {
        let Some(table) = spec.table(&frame.table) else {
            continue;
        };
        for &(item_idx, record_idx) in &frame.typed_over {
            let item = &table.items[item_idx];
            let Some(cell) = frame.cell(item_idx, record_idx) else {
                continue;
            };
            if told.contains(&cell) {
                continue;
            }
            queries.push(
                Finding::new(
                    format!("{}.typed-over", table.name),
                    Severity::Query,
                    format!(
                        "{} ({}) is calculated in the form, but here a figure was typed over the formula.",
                        cell.address(),
                        item.title
                    ),
                    "Copy the formula back from a cell beside it, or say why the figure was typed.",
                )
                .in_table(&table.name)
                .on_item(&item.name)
                .at_cell(cell)
                .with_value(frame.shown(item, item_idx, record_idx).unwrap_or_default()),
            );
        }
    }
    queries
}

/// Rows at which some program or other stops: Excel 95, Excel 97–2003, Excel since.
const LAST_ROWS: [u64; 3] = [16_384, 65_536, 1_048_576];

/// From here on a round binary number of records is no accident.
const ROUND_FROM: u64 = 4_096;

/// Sheets that end where a program would cut them off.
///
/// In 2020 some 16,000 positive tests were lost where a file's rows ran out of an old format's.
fn cut_off(spec: &ReturnSpec, framed: &Framed) -> Vec<Finding> {
    let mut queries = Vec::new();
    for frame in &framed.frames {
        let has_records = spec
            .table(&frame.table)
            .is_some_and(|table| table.layout.records().is_some());
        if !has_records {
            continue;
        }
        // What stands below the last record by itself is not what a cut leaves.
        let last = frame.places.row_idxs.last();
        let n_rows = last.map_or(0, |row_idx| u64::from(*row_idx) + 1);
        let n_records = (frame.n_records() + frame.account.rejected_row_idxs.len()) as u64;
        let round = |n: u64| n >= ROUND_FROM && n.is_power_of_two();
        let why = if LAST_ROWS.contains(&n_rows) {
            format!("ends at row {n_rows}, which is the last row that some programs can hold")
        } else if round(n_records) || round(n_rows) {
            let n = if round(n_records) { n_records } else { n_rows };
            format!("has just {n} rows, a number at which programs stop")
        } else {
            continue;
        };
        queries.push(
            Finding::new(
                format!("{}.maybe-cut-off", frame.table),
                Severity::Query,
                format!(
                    "The sheet \"{}\" {why}. Its end may have been cut off: {n_records} records were found.",
                    frame.places.sheet
                ),
                "Compare the number of records with your own system's. If it is right, say so; if not, save all of them as an Excel workbook (.xlsx) or a CSV file.",
            )
            .in_table(&frame.table),
        );
    }
    queries
}

/// Below this a half is two or three records more or less.
const MANY: usize = 10;

/// A file that updates records by their keys holds what is new, so its size says nothing.
/// Where a rule of the return's own has told of a table as a whole, that is said already.
fn far_fewer(
    spec: &ReturnSpec,
    framed: &Framed,
    previous: &Framed,
    told: &Findings,
) -> Vec<Finding> {
    if spec.accumulation == Accumulation::Cumulative {
        return Vec::new();
    }
    let with_records = spec
        .tables
        .iter()
        .filter(|table| table.layout.records().is_some());
    with_records
        .filter_map(|table| {
            let (now, before) = (framed.frame(&table.name)?, previous.frame(&table.name)?);
            let (n_now, n_before) = (now.n_records(), before.n_records());
            let is_told = told.iter().any(|finding| {
                finding.table.as_deref() == Some(table.name.as_str())
                    && finding.row_number.is_none()
                    && finding.severity != Severity::Note
            });
            (n_before >= MANY && n_now * 2 <= n_before && !is_told).then(|| {
                Finding::new(
                    format!("{}.far-fewer-records", table.name),
                    Severity::Query,
                    format!(
                        "\"{}\" has {n_now} records; the file before had {n_before}.",
                        table.title
                    ),
                    "Check that none are missing; if the number is right, say why there are so many fewer.",
                )
                .in_table(&table.name)
            })
        })
        .collect()
}
