//! The sender's own columns: no rule reads them; they are kept as they are shown and said again with every finding.

use std::borrow::Cow;
use std::collections::BTreeMap;

use finding::{CellRef, Finding, Severity};
use sheet::{Cell, Raw, RawCell, Sheet};
use spec::{ItemKind, TableSpec};

use crate::columns::{Builder, Value, Values};
use crate::heading::normalise;
use crate::read::show_raw;

/// A column that the sender brought along for itself.
#[derive(Debug, Clone)]
pub struct OwnColumn {
    /// As the sender wrote it, trimmed.
    pub heading: String,
    /// 0-based.
    pub column_idx: u32,
    /// As the sender sees them, in parallel with the frame's records.
    pub values: Values,
}

impl OwnColumn {
    pub fn value(&self, record_idx: usize) -> Option<String> {
        self.values.plain(record_idx)
    }
}

/// Own columns under construction.
#[derive(Default)]
pub(crate) struct OwnColumns {
    columns: Vec<Building>,
}

struct Building {
    heading: String,
    column_idx: u32,
    values: Builder,
}

impl OwnColumns {
    /// Takes a headed column; a finding where one of the same heading is there already, and that one stays.
    pub(crate) fn add(&mut self, sheet: &Sheet, table: &TableSpec, cell: &Cell) -> Option<Finding> {
        let shown = show_raw(&cell.value);
        let heading = shown.trim();
        let same = |other: &Building| normalise(&other.heading) == normalise(heading);
        if let Some(first) = self.columns.iter().find(|other| same(other)) {
            return Some(column_twice(sheet, table, cell, heading, first));
        }
        self.columns.push(Building {
            heading: heading.to_owned(),
            column_idx: cell.column_idx,
            values: Builder::new(ItemKind::Text),
        });
        None
    }

    /// What a row holds in them, by heading.
    pub(crate) fn of_row(&self, cells: &[RawCell<'_>]) -> BTreeMap<String, String> {
        self.columns
            .iter()
            .filter_map(|column| Some((column.heading.clone(), shown(cells, column.column_idx)?)))
            .collect()
    }

    /// Whether a row holds anything in them.
    pub(crate) fn are_filled(&self, cells: &[RawCell<'_>]) -> bool {
        self.columns
            .iter()
            .any(|column| shown(cells, column.column_idx).is_some())
    }

    /// A record's row.
    pub(crate) fn push(&mut self, cells: &[RawCell<'_>]) {
        for column in &mut self.columns {
            column
                .values
                .push(shown(cells, column.column_idx).map(|text| Value::Text(Cow::Owned(text))));
        }
    }

    pub(crate) fn finish(self) -> Vec<OwnColumn> {
        self.columns
            .into_iter()
            .map(|column| OwnColumn {
                heading: column.heading,
                column_idx: column.column_idx,
                values: column.values.finish(),
            })
            .collect()
    }
}

fn shown(cells: &[RawCell<'_>], column_idx: u32) -> Option<String> {
    let idx = cells
        .binary_search_by_key(&column_idx, |cell| cell.column_idx)
        .ok()?;
    match cells[idx].raw {
        Raw::Text(text) if text.trim().is_empty() => None,
        raw => Some(show_raw(raw)),
    }
}

fn column_twice(
    sheet: &Sheet,
    table: &TableSpec,
    cell: &Cell,
    heading: &str,
    first: &Building,
) -> Finding {
    let first = CellRef::new(&sheet.name, cell.row_idx, first.column_idx);
    Finding::new(
        format!("{}.own-column-twice", table.name),
        Severity::Error,
        format!(
            "Two columns of your own are headed \"{heading}\": the first is at {}, and this one was not read.",
            first.address()
        ),
        "Give one of them another heading, or delete the one that is not meant.",
    )
    .in_table(&table.name)
    .at_cell(CellRef::new(&sheet.name, cell.row_idx, cell.column_idx))
    .with_value(heading)
}
