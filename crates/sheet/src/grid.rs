//! A workbook drawn as text, as tests and examples write it.
//!
//! The notation is that of the return spec's examples: `[Sheet]`, rows of `| a | b |`, and edits such as `set HL1!F7: 3`.
//! A drawing knows nothing of file formats; `report` writes one as a real workbook.

mod edit;
mod notation;

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use crate::{Cell, Format, Sheet, Value, Workbook};

pub use edit::EditError;
pub use notation::NotationError;

/// A drawn workbook.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    pub sheets: Vec<GridSheet>,
}

/// A drawn sheet. Blank cells are not stored, so `A1` and `XFD1048576` may stand alone in one.
#[derive(Debug, Clone, PartialEq)]
pub struct GridSheet {
    pub name: String,
    pub visible: bool,
    /// By 0-based row and column; never holds `Blank`.
    cells: BTreeMap<(u32, u32), GridCell>,
}

/// What is drawn in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum GridCell {
    Blank,
    Text(String),
    /// As it was written, so that `0.10` stays `0.10`: digits with an optional `-` and fraction.
    Number(String),
    Date(NaiveDate),
    DateTime(NaiveDateTime),
    Boolean(bool),
    /// By name: `#REF!`.
    Error(String),
    /// Without the leading `=`. No result: a formula that was never calculated.
    Formula {
        formula: String,
        result: Option<Box<GridCell>>,
    },
}

/// Why a drawing can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct GridError {
    /// 1-based, within the text that was given.
    pub line: usize,
    pub message: String,
}

/// The value of every cell that is not drawn.
static BLANK: GridCell = GridCell::Blank;

impl Grid {
    /// Reads a drawing: sheets, rows, `at D9`, comments and blank lines; no edits.
    pub fn parse(text: &str) -> Result<Self, GridError> {
        notation::parse_grid(text)
    }

    /// Applies one edit: `set`, `clear`, `insert`, `remove`, `append`, `rename` or `drop`.
    ///
    /// Inserting or removing a row moves the cells below it, and nothing else: formulas keep their text.
    /// A comment or an empty line changes nothing.
    pub fn apply(&mut self, edit: &str) -> Result<(), EditError> {
        edit::apply(self, edit)
    }

    pub fn sheet(&self, name: &str) -> Option<&GridSheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }

    pub fn sheet_mut(&mut self, name: &str) -> Option<&mut GridSheet> {
        self.sheets.iter_mut().find(|sheet| sheet.name == name)
    }

    /// `Blank` where nothing is drawn, or there is no such sheet.
    pub fn cell(&self, sheet: &str, row_idx: u32, column_idx: u32) -> &GridCell {
        self.sheet(sheet)
            .map_or(&BLANK, |sheet| sheet.cell(row_idx, column_idx))
    }

    /// Setting `Blank` clears the cell.
    pub fn set_cell(
        &mut self,
        sheet: &str,
        row_idx: u32,
        column_idx: u32,
        cell: GridCell,
    ) -> Result<(), EditError> {
        self.sheet_mut(sheet)
            .ok_or_else(|| EditError::NoSuchSheet(sheet.to_owned()))?
            .set_cell(row_idx, column_idx, cell);
        Ok(())
    }

    /// The raw cells that reading this drawing's xlsx file gives.
    pub fn to_workbook(&self) -> Workbook {
        Workbook {
            format: Format::Xlsx,
            properties: crate::Properties::new(),
            sheets: self.sheets.iter().map(GridSheet::to_sheet).collect(),
            remarks: Vec::new(),
        }
    }
}

impl GridSheet {
    /// An empty, visible sheet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visible: true,
            cells: BTreeMap::new(),
        }
    }

    pub fn cell(&self, row_idx: u32, column_idx: u32) -> &GridCell {
        self.cells.get(&(row_idx, column_idx)).unwrap_or(&BLANK)
    }

    /// Setting `Blank` clears the cell.
    pub fn set_cell(&mut self, row_idx: u32, column_idx: u32, cell: GridCell) {
        if cell == GridCell::Blank {
            self.cells.remove(&(row_idx, column_idx));
        } else {
            self.cells.insert((row_idx, column_idx), cell);
        }
    }

    /// The cells with something in them as (row, column, cell), 0-based, by row and then column.
    pub fn cells(&self) -> impl Iterator<Item = (u32, u32, &GridCell)> {
        self.cells
            .iter()
            .map(|(&(row_idx, column_idx), cell)| (row_idx, column_idx, cell))
    }

    /// The cells of one row with something in them, by 0-based column.
    pub fn row(&self, row_idx: u32) -> impl Iterator<Item = (u32, &GridCell)> {
        self.cells
            .range((row_idx, 0)..=(row_idx, u32::MAX))
            .map(|(&(_, column_idx), cell)| (column_idx, cell))
    }

    /// How many rows there are down to the last one with something in it.
    pub fn n_rows(&self) -> u32 {
        self.cells
            .keys()
            .next_back()
            .map_or(0, |(row_idx, _)| row_idx.saturating_add(1))
    }

    fn to_sheet(&self) -> Sheet {
        Sheet {
            name: self.name.clone(),
            visible: self.visible,
            cells: self
                .cells()
                .filter_map(|(row_idx, column_idx, cell)| {
                    Some(Cell {
                        row_idx,
                        column_idx,
                        value: cell.to_value()?,
                    })
                })
                .collect(),
        }
    }
}

impl GridCell {
    /// The value as a reader sees it; `None` for blank cells and empty text.
    pub fn to_value(&self) -> Option<Value> {
        Some(match self {
            GridCell::Blank => return None,
            GridCell::Text(text) if text.is_empty() => return None,
            GridCell::Text(text) => Value::Text(text.clone()),
            GridCell::Number(literal) => match literal.parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Number(number),
                _ => Value::Text(literal.clone()),
            },
            GridCell::Date(date) => Value::DateTime(date.and_time(NaiveTime::MIN)),
            GridCell::DateTime(moment) => Value::DateTime(*moment),
            GridCell::Boolean(truth) => Value::Boolean(*truth),
            GridCell::Error(name) => Value::Error(name.clone()),
            GridCell::Formula { result: None, .. } => Value::NotCalculated,
            GridCell::Formula {
                result: Some(result),
                ..
            } => return result.to_value(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_gives_raw_cells() {
        let grid = Grid::parse(
            "[HL1]\n| 0.10 | '012 | | 2026-04-15 |\n| =A1*2 -> 0.2 | =A1+A2 -> | #REF! | TRUE |\n[Old hidden]\n",
        )
        .unwrap();
        let workbook = grid.to_workbook();
        let shown: Vec<_> = workbook.sheets[0]
            .cells
            .iter()
            .map(|cell| (cell.row_idx, cell.column_idx, cell.value.clone()))
            .collect();
        let date = NaiveDate::from_ymd_opt(2026, 4, 15).unwrap();
        assert_eq!(
            shown,
            [
                (0, 0, Value::Number(0.1)),
                (0, 1, Value::Text("012".to_owned())),
                (0, 3, Value::DateTime(date.and_time(NaiveTime::MIN))),
                (1, 0, Value::Number(0.2)),
                (1, 1, Value::NotCalculated),
                (1, 2, Value::Error("#REF!".to_owned())),
                (1, 3, Value::Boolean(true)),
            ]
        );
        assert!(workbook.sheets[0].visible);
        assert!(!workbook.sheets[1].visible);
    }

    #[test]
    fn an_empty_text_and_a_cleared_cell_are_no_cells() {
        let mut grid = Grid::parse("[A]\n| ' | 1 |").unwrap();
        grid.set_cell("A", 0, 1, GridCell::Blank).unwrap();
        assert_eq!(grid.to_workbook().sheets[0].cells, []);
        assert_eq!(grid.sheet("A").unwrap().n_rows(), 1);
        assert_eq!(
            grid.set_cell("B", 0, 0, GridCell::Boolean(true)),
            Err(EditError::NoSuchSheet("B".to_owned()))
        );
    }

    #[test]
    fn a_row_is_seen_without_its_blanks() {
        let grid = Grid::parse("[A]\n| 1 |\n| | x | | y |").unwrap();
        let row: Vec<_> = grid
            .sheet("A")
            .unwrap()
            .row(1)
            .map(|(idx, _)| idx)
            .collect();
        assert_eq!(row, [1, 3]);
        assert_eq!(grid.cell("A", 1, 3), &GridCell::Text("y".to_owned()));
        assert_eq!(grid.cell("B", 1, 3), &GridCell::Blank);
    }
}
