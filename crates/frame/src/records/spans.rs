//! Headings over several columns that are merged into one cell: each of the columns may be the heading's.

use finding::{CellRef, Finding, Severity, column_letters};
use sheet::{Area, Cell};
use spec::TableSpec;

/// A heading over several columns. The first of them with a value below it holds the item; two would be a guess.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) item_idx: usize,
    /// The first and the last.
    pub(super) columns: (u32, u32),
    row_idx: u32,
    chosen: Option<u32>,
    has_two: bool,
}

impl Span {
    /// Those of a row of headings. `of_item` says where each item's heading starts.
    pub(super) fn all(header: &[Cell], merged: &[Area], of_item: &[Option<u32>]) -> Vec<Self> {
        let Some(row_idx) = header.first().map(|cell| cell.row_idx) else {
            return Vec::new();
        };
        let of = |(item_idx, first): (usize, &Option<u32>)| {
            let first = (*first)?;
            let area = merged.iter().find(|area| {
                area.has(row_idx, first)
                    && area.columns.0 == first
                    && area.columns.0 < area.columns.1
            })?;
            Some(Self {
                item_idx,
                columns: area.columns,
                row_idx,
                chosen: None,
                has_two: false,
            })
        };
        of_item.iter().enumerate().filter_map(of).collect()
    }

    pub(super) fn has(&self, column_idx: u32) -> bool {
        (self.columns.0..=self.columns.1).contains(&column_idx)
    }

    /// Whether a value in this column is the item's.
    pub(super) fn choose(&mut self, column_idx: u32) -> bool {
        let chosen = *self.chosen.get_or_insert(column_idx);
        self.has_two |= chosen != column_idx;
        chosen == column_idx
    }

    pub(super) fn is_clear(&self) -> bool {
        !self.has_two
    }

    /// What is to be told of it: nothing, where the first column holds the values.
    pub(super) fn finding(&self, sheet: &str, table: &TableSpec) -> Option<Finding> {
        let item = &table.items[self.item_idx];
        let (first, last) = (
            column_letters(self.columns.0),
            column_letters(self.columns.1),
        );
        let finding = if self.has_two {
            Finding::new(
                format!("{}.column-twice", table.name),
                Severity::Blocker,
                format!(
                    "The heading {} stands over columns {first} to {last}, and more than one of them has values.",
                    item.name
                ),
                "Unmerge the heading and give each column its own, or delete the column that is not meant.",
            )
        } else {
            let chosen = self.chosen.filter(|chosen| *chosen != self.columns.0)?;
            Finding::new(
                format!("{}.heading-merged", table.name),
                Severity::Note,
                format!(
                    "The heading {} stands over columns {first} to {last}. The values were read from column {}, the only one that has any.",
                    item.name,
                    column_letters(chosen)
                ),
                "Nothing to do if that is what you meant.",
            )
        };
        Some(
            finding
                .in_table(&table.name)
                .on_item(&item.name)
                .at_cell(CellRef::new(sheet, self.row_idx, self.columns.0)),
        )
    }
}
