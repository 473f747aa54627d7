//! What a sheet says of its rows, columns and cells beside their values: what is hidden, and what is shown as one cell.

use std::collections::BTreeSet;

/// Cells from a first row and column to a last, 0-based and both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub rows: (u32, u32),
    pub columns: (u32, u32),
}

/// Of one sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Cells that are shown as one, and of which only the first has a value.
    pub merged: Vec<Area>,
    /// From a first column to a last, 0-based and both included.
    pub hidden_columns: Vec<(u32, u32)>,
    /// 0-based and ascending, where the format's reader does not count them itself.
    pub(crate) hidden_rows: Vec<u32>,
    /// Cells by row and column that the file gives more than once, where the format's reader takes the last of them.
    pub(crate) given_twice: BTreeSet<(u32, u32)>,
    pub(crate) formulas: Formulas,
}

/// Cells by row and column whose values are formulas' results, as many as a form may have: of a longer list nothing is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Formulas {
    cells: BTreeSet<(u32, u32)>,
    are_too_many: bool,
}

/// A form has some thousand cells.
const MOST_FORMULAS: usize = 20_000;

impl Formulas {
    fn insert(&mut self, place: (u32, u32)) {
        self.are_too_many |= self.cells.len() == MOST_FORMULAS;
        if self.are_too_many {
            self.cells.clear();
        } else {
            self.cells.insert(place);
        }
    }
}

impl Area {
    pub fn has(&self, row_idx: u32, column_idx: u32) -> bool {
        (self.rows.0..=self.rows.1).contains(&row_idx)
            && (self.columns.0..=self.columns.1).contains(&column_idx)
    }

    /// More than one cell.
    pub(crate) fn is_several(&self) -> bool {
        self.rows.0 < self.rows.1 || self.columns.0 < self.columns.1
    }
}

impl Beside {
    /// Adds what a further piece of the same sheet says.
    pub(crate) fn extend(&mut self, more: Beside) {
        self.merged.extend(more.merged);
        self.hidden_columns.extend(more.hidden_columns);
        self.hidden_rows.extend(more.hidden_rows);
        self.formulas.are_too_many |= more.formulas.are_too_many;
        more.formulas
            .cells
            .into_iter()
            .for_each(|place| self.formulas.insert(place));
    }

    /// Whether a cell's value is a formula's result, as far as the format says; none where a sheet has more formulas than any form.
    pub fn is_calculated(&self, row_idx: u32, column_idx: u32) -> bool {
        self.formulas.cells.contains(&(row_idx, column_idx))
    }

    pub(crate) fn add_formula(&mut self, row_idx: u32, column_idx: u32) {
        self.formulas.insert((row_idx, column_idx));
    }

    pub(crate) fn hides_column(&self, column_idx: u32) -> bool {
        self.hidden_columns
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&column_idx))
    }

    pub(crate) fn hides_row(&self, row_idx: u32) -> bool {
        self.hidden_rows.binary_search(&row_idx).is_ok()
    }
}
