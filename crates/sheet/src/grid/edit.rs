//! Edits of a drawing, one line each.

use std::collections::BTreeMap;

use finding::{CellRef, ParseCellRefError};

use super::notation::{NotationError, parse_row, trim};
use super::{Grid, GridCell, GridSheet};

/// Why an edit can't be applied. Nothing is changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("not an edit: {0} (set, clear, insert, remove, append, rename and drop are)")]
    UnknownEdit(String),
    #[error("the edit has no colon: {0}")]
    NoColon(String),
    #[error("there is no sheet {0}")]
    NoSuchSheet(String),
    #[error("there is a sheet {0} already")]
    SheetExists(String),
    #[error("{0} is not a row: write it as Sheet!7")]
    NotARow(String),
    #[error(transparent)]
    Cell(#[from] ParseCellRefError),
    #[error(transparent)]
    Notation(#[from] NotationError),
}

pub(super) fn apply(grid: &mut Grid, edit: &str) -> Result<(), EditError> {
    let edit = trim(edit);
    if edit.is_empty() || edit.starts_with('#') {
        return Ok(());
    }
    let unknown = || EditError::UnknownEdit(edit.to_owned());
    let (verb, rest) = edit.split_once(' ').ok_or_else(unknown)?;
    let rest = trim(rest);
    match verb {
        "set" => {
            let (place, cell) = split_at_colon(rest)?;
            let cell = cell.parse()?;
            set(grid, &place.parse()?, cell)
        }
        "clear" => set(grid, &rest.parse()?, GridCell::Blank),
        "insert" => {
            let (place, row) = split_at_colon(rest)?;
            let cells = parse_row(row)?;
            let (sheet, row_idx) = find_row(grid, place)?;
            sheet.cells = move_rows(sheet, |row| {
                Some(if row >= row_idx {
                    row.saturating_add(1)
                } else {
                    row
                })
            });
            fill_row(sheet, row_idx, cells);
            Ok(())
        }
        "remove" => {
            let (sheet, row_idx) = find_row(grid, rest)?;
            sheet.cells = move_rows(sheet, |row| match row {
                row if row == row_idx => None,
                row if row > row_idx => Some(row - 1),
                row => Some(row),
            });
            Ok(())
        }
        "append" => {
            let (name, row) = split_at_colon(rest)?;
            let cells = parse_row(row)?;
            let sheet = find_sheet(grid, name)?;
            fill_row(sheet, sheet.n_rows(), cells);
            Ok(())
        }
        "rename" => {
            let (name, new_name) = split_at_colon(rest)?;
            let new_name = unquote(new_name);
            if grid.sheet(&new_name).is_some() {
                return Err(EditError::SheetExists(new_name));
            }
            find_sheet(grid, name)?.name = new_name;
            Ok(())
        }
        "drop" => {
            let name = find_sheet(grid, rest)?.name.clone();
            grid.sheets.retain(|sheet| sheet.name != name);
            Ok(())
        }
        _ => Err(unknown()),
    }
}

/// At the first one: a sheet's name can't hold a colon.
fn split_at_colon(rest: &str) -> Result<(&str, &str), EditError> {
    let (before, after) = rest
        .split_once(':')
        .ok_or_else(|| EditError::NoColon(rest.to_owned()))?;
    Ok((trim(before), trim(after)))
}

fn set(grid: &mut Grid, place: &CellRef, cell: GridCell) -> Result<(), EditError> {
    grid.set_cell(&place.sheet, place.row_idx, place.column_idx, cell)
}

/// A name with or without quotes.
fn unquote(name: &str) -> String {
    match name.strip_prefix('\'').and_then(|n| n.strip_suffix('\'')) {
        Some(quoted) => quoted.replace("''", "'"),
        None => name.to_owned(),
    }
}

fn find_sheet<'g>(grid: &'g mut Grid, name: &str) -> Result<&'g mut GridSheet, EditError> {
    let name = unquote(name);
    grid.sheet_mut(&name).ok_or(EditError::NoSuchSheet(name))
}

/// `HL1!7` → its sheet and row 6.
fn find_row<'g>(grid: &'g mut Grid, place: &str) -> Result<(&'g mut GridSheet, u32), EditError> {
    let not_a_row = || EditError::NotARow(place.to_owned());
    let (name, row) = place.rsplit_once('!').ok_or_else(not_a_row)?;
    let row_number: u32 = row.parse().map_err(|_| not_a_row())?;
    let row_idx = row_number.checked_sub(1).ok_or_else(not_a_row)?;
    Ok((find_sheet(grid, name)?, row_idx))
}

fn move_rows(
    sheet: &mut GridSheet,
    to: impl Fn(u32) -> Option<u32>,
) -> BTreeMap<(u32, u32), GridCell> {
    std::mem::take(&mut sheet.cells)
        .into_iter()
        .filter_map(|((row, column), cell)| Some(((to(row)?, column), cell)))
        .collect()
}

fn fill_row(sheet: &mut GridSheet, row_idx: u32, cells: Vec<GridCell>) {
    for (column_idx, cell) in (0..).zip(cells) {
        sheet.set_cell(row_idx, column_idx, cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "[HL1]\n| a | b |\n| 1 | 2 |\n| =A2 -> 1 | 4 |\n[My sheet]\n| x |";

    fn check(edits: &[&str], expected: &str) {
        let mut grid = Grid::parse(DRAWN).unwrap();
        for edit in edits {
            grid.apply(edit).unwrap();
        }
        assert_eq!(grid, Grid::parse(expected).unwrap(), "{edits:?}");
    }

    #[test]
    fn cells_are_set_and_cleared() {
        check(
            &[
                "set HL1!B2: '012",
                "clear HL1!A1",
                "set 'My sheet'!A1: a: b",
            ],
            "[HL1]\n| | b |\n| 1 | '012 |\n| =A2 -> 1 | 4 |\n[My sheet]\n| a: b |",
        );
    }

    #[test]
    fn rows_move_and_formulas_keep_their_text() {
        check(
            &["insert HL1!2: | n | m | o |"],
            "[HL1]\n| a | b |\n| n | m | o |\n| 1 | 2 |\n| =A2 -> 1 | 4 |\n[My sheet]\n| x |",
        );
        check(
            &["insert HL1!1: |"],
            "[HL1]\n|\n| a | b |\n| 1 | 2 |\n| =A2 -> 1 | 4 |\n[My sheet]\n| x |",
        );
        check(
            &["remove HL1!2"],
            "[HL1]\n| a | b |\n| =A2 -> 1 | 4 |\n[My sheet]\n| x |",
        );
        check(
            &[
                "append HL1: | | 5 |",
                "append My sheet: | 6 |",
                "# nothing",
                "",
            ],
            "[HL1]\n| a | b |\n| 1 | 2 |\n| =A2 -> 1 | 4 |\n| | 5 |\n[My sheet]\n| x |\n| 6 |",
        );
    }

    #[test]
    fn sheets_are_renamed_and_dropped() {
        check(
            &["rename HL1: 'It''s'", "drop 'My sheet'"],
            "[It's]\n| a | b |\n| 1 | 2 |\n| =A2 -> 1 | 4 |",
        );
    }

    #[test]
    fn an_edit_that_can_not_be_applied_says_why_and_changes_nothing() {
        for (edit, message) in [
            (
                "move HL1!2: 3",
                "not an edit: move HL1!2: 3 (set, clear, insert, remove, append, rename and drop are)",
            ),
            ("set HL2!A1: 3", "there is no sheet HL2"),
            ("set HL1!A1 3", "the edit has no colon: HL1!A1 3"),
            ("set HL1: 3", "\"HL1\" is not a cell: write it as Sheet!B12"),
            ("insert HL1!2: a", "a row starts and ends with a bar: a"),
            ("remove HL1!0", "HL1!0 is not a row: write it as Sheet!7"),
            ("append HL2: | 1 |", "there is no sheet HL2"),
            ("rename HL1: My sheet", "there is a sheet My sheet already"),
            ("drop HL2", "there is no sheet HL2"),
        ] {
            let mut grid = Grid::parse(DRAWN).unwrap();
            assert_eq!(grid.apply(edit).unwrap_err().to_string(), message);
            assert_eq!(grid, Grid::parse(DRAWN).unwrap(), "{edit}");
        }
    }
}
