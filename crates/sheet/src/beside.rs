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
