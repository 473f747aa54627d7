//! Cells with values that are merged: only the first of them has a value in the file.

use std::collections::BTreeSet;

use finding::{CellRef, Finding, Severity};
use frame::Frame;
use sheet::{Area, SheetInfo};
use spec::TableSpec;

use super::Causes;

/// So many are named; the others are counted.
const NAMED: usize = 3;

pub(super) fn single_out(
    table: &TableSpec,
    frame: &Frame,
    sheets: &[SheetInfo],
    causes: &mut Causes,
) {
    let Some(info) = sheets.iter().find(|info| info.name == frame.places.sheet) else {
        return;
    };
    let mut merged: Vec<&Area> = info
        .beside
        .merged
        .iter()
        .filter(|area| holds_values(frame, area))
        .collect();
    merged.sort_by_key(|area| (area.rows.0, area.columns.0));
    let Some(first) = merged.first() else {
        return;
    };
    let blank: BTreeSet<(u32, u32)> = merged.iter().flat_map(|area| others(frame, area)).collect();
    let place = CellRef::new(&frame.places.sheet, first.rows.0, first.columns.0);
    causes.replace(
        table,
        |finding| {
            finding
                .cell
                .as_ref()
                .is_some_and(|cell| blank.contains(&(cell.row_idx, cell.column_idx)))
        },
        cause(table, &merged, place),
    );
    for area in merged {
        causes.reject(table, records(frame, area).iter().copied());
    }
}

/// The sheet rows of an area that are records.
fn records<'f>(frame: &'f Frame, area: &Area) -> &'f [u32] {
    let row_idxs = &frame.places.row_idxs;
    let from = row_idxs.partition_point(|row_idx| *row_idx < area.rows.0);
    let to = row_idxs.partition_point(|row_idx| *row_idx <= area.rows.1);
    &row_idxs[from..to]
}

/// The columns of an area that are items'.
fn columns(frame: &Frame, area: &Area) -> Vec<u32> {
    let of_items = frame.places.column_idxs.iter().flatten().copied();
    of_items
        .filter(|column_idx| (area.columns.0..=area.columns.1).contains(column_idx))
        .collect()
}

/// Whether it begins at a value of a record and goes further: no title, and not blank.
fn holds_values(frame: &Frame, area: &Area) -> bool {
    let Ok(record_idx) = frame.places.row_idxs.binary_search(&area.rows.0) else {
        return false;
    };
    let column = Some(area.columns.0);
    let item_idx = frame
        .places
        .column_idxs
        .iter()
        .position(|idx| *idx == column);
    let is_filled = item_idx.is_some_and(|item_idx| {
        !frame.values[item_idx].is_null(record_idx) || frame.is_unreadable(item_idx, record_idx)
    });
    is_filled && records(frame, area).len() * columns(frame, area).len() > 1
}

/// Its cells but the first.
fn others(frame: &Frame, area: &Area) -> Vec<(u32, u32)> {
    let columns = columns(frame, area);
    let first = (area.rows.0, area.columns.0);
    records(frame, area)
        .iter()
        .flat_map(|row_idx| columns.iter().map(|column_idx| (*row_idx, *column_idx)))
        .filter(|place| *place != first)
        .collect()
}

fn cause(table: &TableSpec, merged: &[&Area], first: CellRef) -> Finding {
    let range = |area: &&Area| {
        let address = |row_idx, column_idx| CellRef::new("", row_idx, column_idx).address();
        format!(
            "{}:{}",
            address(area.rows.0, area.columns.0),
            address(area.rows.1, area.columns.1)
        )
    };
    let named: Vec<String> = merged.iter().take(NAMED).map(range).collect();
    let more = match merged.len() - named.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Finding::new(
        format!("{}.merged-cells", table.name),
        Severity::Error,
        format!(
            "Cells with values are merged ({}{more}): only the first of each has its value, and the others were read as blank.",
            named.join(", ")
        ),
        "Unmerge them and fill in each cell.",
    )
    .in_table(&table.name)
    .at_cell(first)
}
