//! Whether a form stands where its spec says: its anchors, its lines and its columns.
//!
//! A row or column that was put in or taken out moves everything beyond it.
//! Read on regardless, each figure would be another's, so that the form is refused in one sentence that says what moved.

use finding::{CellRef, Finding, Severity, column_letters};
use sheet::Sheet;
use spec::TableSpec;
use spec::layout::{Anchor, Matrix};

use super::cell_at;
use crate::heading::normalise;
use crate::read::show_raw;

/// The first thing that does not stand, as a blocker.
pub(super) fn fault(sheet: &Sheet, table: &TableSpec, layout: &Matrix) -> Option<Finding> {
    let wrong = wrong_anchors(sheet, layout);
    if wrong.is_empty() {
        return lines(sheet, table, layout).or_else(|| columns(sheet, table, layout));
    }
    // An anchor may be a heading: where others stand, its column may have moved, which is said more plainly so.
    let columns = (wrong.len() < layout.anchors.len()).then(|| columns(sheet, table, layout));
    columns.flatten().or_else(|| anchors(sheet, table, &wrong))
}

/// What a cell says, without the spaces around it.
fn said(sheet: &Sheet, row_idx: u32, column_idx: u32) -> String {
    cell_at(sheet, row_idx, column_idx)
        .map(|cell| show_raw(&cell.value).trim().to_owned())
        .unwrap_or_default()
}

fn says(sheet: &Sheet, anchor: &Anchor, row_idx: u32, column_idx: u32) -> bool {
    normalise(&said(sheet, row_idx, column_idx)).contains(&normalise(&anchor.text))
}

fn wrong_anchors<'a>(sheet: &Sheet, layout: &'a Matrix) -> Vec<&'a Anchor> {
    let anchors = layout.anchors.iter();
    anchors
        .filter(|anchor| !says(sheet, anchor, anchor.row_idx, anchor.column_idx))
        .collect()
}

/// A text so many rows or columns away is another one of the same words.
const FURTHEST: u32 = 5;

fn anchors(sheet: &Sheet, table: &TableSpec, wrong: &[&Anchor]) -> Option<Finding> {
    let first = *wrong.first()?;
    let place = CellRef::new(&sheet.name, first.row_idx, first.column_idx);
    let found = said(sheet, first.row_idx, first.column_idx);
    // All of them by as many rows, or as many columns: then it is this form, and something was put in or taken out.
    let moved_to = sheet.cells.iter().find(|cell| {
        let n_rows = cell.row_idx.abs_diff(first.row_idx);
        let n_columns = cell.column_idx.abs_diff(first.column_idx);
        n_rows.min(n_columns) == 0
            && n_rows.max(n_columns) <= FURTHEST
            && wrong.iter().all(|anchor| {
                let row_idx = (anchor.row_idx + cell.row_idx).checked_sub(first.row_idx);
                let column_idx =
                    (anchor.column_idx + cell.column_idx).checked_sub(first.column_idx);
                row_idx
                    .zip(column_idx)
                    .is_some_and(|(row_idx, column_idx)| says(sheet, anchor, row_idx, column_idx))
            })
    });
    let finding = match moved_to {
        Some(cell) => Finding::new(
            format!("{}.form-moved", table.name),
            Severity::Blocker,
            format!(
                "The form has moved: {} should say \"{}\", which stands in {}.",
                place.address(),
                first.text,
                CellRef::new(&sheet.name, cell.row_idx, cell.column_idx).address()
            ),
            "Copy your figures into a fresh copy of the form, without adding or deleting rows or columns.",
        ),
        None => {
            let says = if found.is_empty() {
                "is blank".to_owned()
            } else {
                format!("says \"{found}\"")
            };
            Finding::new(
                format!("{}.wrong-form", table.name),
                Severity::Blocker,
                format!(
                    "This is not the form that was asked for: {} should say \"{}\" but {says}.",
                    place.address(),
                    first.text
                ),
                "Check that you are using this period's form for this return, and copy your figures into it.",
            )
        }
    };
    Some(
        finding
            .in_table(&table.name)
            .at_cell(place)
            .with_value(found),
    )
}

/// Whether every line's code stands on its row; else the first that does not.
fn lines(sheet: &Sheet, table: &TableSpec, layout: &Matrix) -> Option<Finding> {
    let column_idx = layout.code_column_idx?;
    let line = layout
        .lines
        .iter()
        .find(|line| said(sheet, line.row_idx, column_idx) != line.code)?;
    let place = CellRef::new(&sheet.name, line.row_idx, column_idx);
    let found = said(sheet, line.row_idx, column_idx);
    let now_on = sheet
        .cells
        .iter()
        .filter(|cell| cell.column_idx == column_idx)
        .find(|cell| show_raw(&cell.value).trim() == line.code);
    let (message, fix) = match now_on {
        Some(cell) => (
            format!(
                "The lines of the form have moved: line {} ({}) should stand on row {}. It was found on row {}.",
                line.code,
                line.label,
                line.row_idx + 1,
                cell.row_idx + 1
            ),
            "Copy your figures into a fresh copy of the form, without adding or deleting rows.",
        ),
        None => (
            format!(
                "The form has no line {} ({}): its code should stand in {}, which {}.",
                line.code,
                line.label,
                place.address(),
                if found.is_empty() {
                    "is blank".to_owned()
                } else {
                    format!("says \"{found}\"")
                }
            ),
            "Check that you are using this period's form for this return, and copy your figures into it without changing its lines.",
        ),
    };
    Some(
        Finding::new(
            format!("{}.lines-moved", table.name),
            Severity::Blocker,
            message,
            fix,
        )
        .in_table(&table.name)
        .at_cell(place)
        .with_value(found),
    )
}

/// Whether the columns stand under their own headings, on a form whose headings are known.
///
/// A form's headings are no part of the spec, but where they say the items' titles they tell where the columns are.
fn columns(sheet: &Sheet, table: &TableSpec, layout: &Matrix) -> Option<Finding> {
    let titled = titled(table, layout);
    let first_column_idx = titled.iter().map(|column| column.column_idx).min()?;
    let first_line = layout.lines.iter().map(|line| line.row_idx).min()?;
    let headed = (0..first_line)
        .map(|row_idx| Headed::by(sheet, row_idx, &titled))
        .max_by_key(|headed| headed.n_stand + headed.moved.len())?;
    let n_found = headed.n_stand + headed.moved.len();
    if n_found < 2 || n_found * 2 < titled.len() {
        return None;
    }
    // Left of the figures stand the lines' labels, one of which may well be called as a column is.
    let moved = match headed.moved.as_slice() {
        [(_, now)] if *now < first_column_idx => return None,
        moved => moved,
    };
    let (column, now) = moved.iter().min_by_key(|(column, _)| column.column_idx)?;
    let place = CellRef::new(&sheet.name, headed.row_idx, column.column_idx);
    let found = said(sheet, headed.row_idx, column.column_idx);
    Some(
        Finding::new(
            format!("{}.columns-moved", table.name),
            Severity::Blocker,
            format!(
                "The columns of the form have moved: \"{}\" should stand in column {}. It was found in column {}.",
                column.title,
                column_letters(column.column_idx),
                column_letters(*now)
            ),
            "Copy your figures into a fresh copy of the form, without adding, deleting or moving columns.",
        )
        .in_table(&table.name)
        .at_cell(place)
        .with_value(found),
    )
}

/// A column by its item's title.
struct Titled<'a> {
    title: &'a str,
    normalised: String,
    column_idx: u32,
}

/// The columns whose title no other column has.
fn titled<'a>(table: &'a TableSpec, layout: &Matrix) -> Vec<Titled<'a>> {
    let all: Vec<Titled<'_>> = layout
        .columns
        .iter()
        .filter_map(|column| {
            let item = table.item(&column.item)?;
            Some(Titled {
                title: &item.title,
                normalised: normalise(&item.title),
                column_idx: column.column_idx,
            })
        })
        .collect();
    let n_of = |normalised: &str| {
        let same = all.iter().filter(|column| column.normalised == normalised);
        same.count()
    };
    let alone: Vec<bool> = all
        .iter()
        .map(|column| !column.normalised.is_empty() && n_of(&column.normalised) == 1)
        .collect();
    let all = all.into_iter().zip(alone);
    all.filter(|(_, alone)| *alone)
        .map(|(column, _)| column)
        .collect()
}

/// A row, as far as it says the titles of columns.
struct Headed<'a> {
    row_idx: u32,
    n_stand: usize,
    /// Columns whose title stands once, elsewhere, and where.
    moved: Vec<(&'a Titled<'a>, u32)>,
}

impl<'a> Headed<'a> {
    fn by(sheet: &Sheet, row_idx: u32, titled: &'a [Titled<'a>]) -> Self {
        let from = sheet.cells.partition_point(|cell| cell.row_idx < row_idx);
        let cells = sheet.cells[from..].iter();
        let headings: Vec<(u32, String)> = cells
            .take_while(|cell| cell.row_idx == row_idx)
            .map(|cell| (cell.column_idx, normalise(&show_raw(&cell.value))))
            .collect();
        let mut headed = Self {
            row_idx,
            n_stand: 0,
            moved: Vec::new(),
        };
        for column in titled {
            let places: Vec<u32> = headings
                .iter()
                .filter(|(_, heading)| *heading == column.normalised)
                .map(|(column_idx, _)| *column_idx)
                .collect();
            if places.contains(&column.column_idx) {
                headed.n_stand += 1;
            } else if let [now] = places.as_slice() {
                headed.moved.push((column, *now));
            }
        }
        headed
    }
}
