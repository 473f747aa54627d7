//! Rows whose values slipped to the left or the right, from some column on.

use std::collections::BTreeSet;

use finding::{CellRef, Finding, Severity, column_letters};
use frame::{Frame, Shape};
use sheet::Value;
use spec::TableSpec;

use super::{Causes, rows_in_words};

/// So many values that can be told have to be found one column further.
const ENOUGH: usize = 2;

/// How a row slipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    /// The first column, 0-based, whose item's value stands elsewhere.
    from_column_idx: u32,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn of(self, column_idx: u32) -> Option<u32> {
        match self {
            Side::Left => column_idx.checked_sub(1),
            Side::Right => column_idx.checked_add(1),
        }
    }
}

pub(super) fn single_out(
    table: &TableSpec,
    frame: &Frame,
    columns: &[Column<'_>],
    shifts: &[(u32, Shift)],
    causes: &mut Causes,
) {
    let last_column_idx = columns.last().map(|column| column.column_idx);
    for (shift, rows) in grouped(frame, shifts) {
        let pushed_out = last_column_idx.and_then(|column_idx| shift.side.of(column_idx));
        causes.replace(
            table,
            |finding| {
                let row_idx = finding.row_number.map(|number| number.saturating_sub(1));
                // The last value stands where there is no heading.
                let column_idx = finding.cell.as_ref().map(|cell| cell.column_idx);
                row_idx.is_some_and(|row_idx| rows.contains(&row_idx))
                    || (finding.rule.as_str().ends_with(".column-ignored")
                        && column_idx.is_some()
                        && column_idx == pushed_out)
            },
            cause(table, frame, &rows, shift),
        );
        causes.reject(table, rows);
    }
}

/// So many runs of rows are told one by one.
const MOST_RUNS: usize = 20;

/// Runs of records that slipped in the same way; where there are many, all that did.
fn grouped(frame: &Frame, shifts: &[(u32, Shift)]) -> Vec<(Shift, BTreeSet<u32>)> {
    let next_record = |row_idx: u32| {
        let record_idx = frame.places.row_idxs.binary_search(&row_idx).ok()?;
        frame.places.row_idxs.get(record_idx + 1).copied()
    };
    let runs: Vec<(Shift, BTreeSet<u32>)> = shifts
        .chunk_by(|a, b| a.1 == b.1 && next_record(a.0) == Some(b.0))
        .map(|run| (run[0].1, run.iter().map(|(row_idx, _)| *row_idx).collect()))
        .collect();
    if runs.len() <= MOST_RUNS {
        return runs;
    }
    let mut all: Vec<(Shift, BTreeSet<u32>)> = Vec::new();
    for (shift, rows) in runs {
        match all.iter_mut().find(|(known, _)| *known == shift) {
            Some((_, known)) => known.extend(rows),
            None => all.push((shift, rows)),
        }
    }
    all
}

/// A column and what its values look like.
#[expect(clippy::struct_field_names, reason = "the house's name for a place")]
pub(super) struct Column<'a> {
    column_idx: u32,
    required: bool,
    shape: Shape<'a>,
}

impl<'a> Column<'a> {
    /// From left to right.
    pub(super) fn of(table: &'a TableSpec, frame: &Frame) -> Vec<Self> {
        let mut columns: Vec<Self> = table
            .items
            .iter()
            .zip(&frame.places.column_idxs)
            .filter_map(|(item, column_idx)| {
                Some(Self {
                    column_idx: (*column_idx)?,
                    required: item.required,
                    shape: Shape::new(item),
                })
            })
            .collect();
        columns.sort_by_key(|column| column.column_idx);
        columns
    }

    /// How the cell that stands here suits it.
    fn suits(&self, cells: &[(u32, Value)], column_idx: Option<u32>) -> Suits {
        let cell = column_idx
            .and_then(|idx| cells.binary_search_by_key(&idx, |(idx, _)| *idx).ok())
            .map(|at| &cells[at].1);
        match cell {
            None if self.required => Suits::Not,
            Some(value) if !self.shape.fits(value) => Suits::Not,
            Some(_) if self.shape.tells() => Suits::Surely,
            None | Some(_) => Suits::Perhaps,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suits {
    Not,
    /// Blank where it may be, or free text.
    Perhaps,
    Surely,
}

/// The shift after which everything in the row is in its place.
pub(super) fn shift(columns: &[Column<'_>], cells: &[(u32, Value)]) -> Option<Shift> {
    let here: Vec<Suits> = columns
        .iter()
        .map(|column| column.suits(cells, Some(column.column_idx)))
        .collect();
    let is_wrong = |suits: &Suits| *suits == Suits::Not;
    let n_right_here = here.iter().position(is_wrong)?;
    [Side::Right, Side::Left]
        .into_iter()
        .filter_map(|side| {
            let there: Vec<Suits> = columns
                .iter()
                .map(|column| column.suits(cells, side.of(column.column_idx)))
                .collect();
            let first_right = there.iter().rposition(is_wrong).map_or(0, |last| last + 1);
            (first_right..columns.len())
                .filter_map(|from| {
                    // What slipped to the left has taken the place of the value before it.
                    let kept = match side {
                        Side::Left => from.saturating_sub(1),
                        Side::Right => from,
                    };
                    let surely = |suits: &&Suits| **suits == Suits::Surely;
                    let n_sure = there[from..].iter().filter(surely).count();
                    let left_empty = cells
                        .binary_search_by_key(&columns[from].column_idx, |(idx, _)| *idx)
                        .is_err();
                    (kept <= n_right_here && n_sure >= ENOUGH).then_some((n_sure, left_empty, from))
                })
                .max_by_key(|(n_sure, left_empty, from)| {
                    (*n_sure, *left_empty, std::cmp::Reverse(*from))
                })
                .map(|(n_sure, _, from)| {
                    let shift = Shift {
                        from_column_idx: columns[from].column_idx,
                        side,
                    };
                    (n_sure, shift)
                })
        })
        .max_by_key(|(n_sure, _)| *n_sure)
        .map(|(_, shift)| shift)
}

fn cause(table: &TableSpec, frame: &Frame, rows: &BTreeSet<u32>, shift: Shift) -> Finding {
    let first = rows.first().copied().unwrap_or_default();
    let last = rows.last().copied().unwrap_or_default();
    let (side, back) = match shift.side {
        Side::Left => ("left", "right"),
        Side::Right => ("right", "left"),
    };
    let now = shift.side.of(shift.from_column_idx).unwrap_or_default();
    let column = column_letters(now);
    Finding::new(
        format!("{}.row-shifted", table.name),
        Severity::Error,
        format!(
            "{}: the values from column {column} on stand one column too far to the {side}.",
            rows_in_words(first, last, rows.len())
        ),
        format!(
            "Move them one column to the {back}, so that each value stands under its own heading."
        ),
    )
    .in_table(&table.name)
    .at_cell(CellRef::new(&frame.places.sheet, first, now))
}
