//! Raw cells and a spec to typed frames that remember their cells.
//!
//! A frame is a polars table whose columns are the spec's items and whose rows are its records;
//! a column knows its sheet column and a row its sheet row, so every value has a cell.
//! What can't be read as its item's type is null and a finding; what is read otherwise than it stands is a note.
//! A [`Framer`] takes the rows of a workbook while it is read, so that its cells are never all in memory.
//! It knows nothing of rules: whether a readable value is right is decided in `check`.

mod account;
mod columns;
mod earlier;
mod framer;
mod heading;
mod identity;
mod locate;
mod matrix;
mod own;
mod ragged;
mod read;
mod records;
mod shape;
mod unreadable;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use finding::{CellRef, Findings, Name, column_letters};
use polars::prelude::{DataFrame, PolarsResult};
use sheet::Workbook;
use spec::{DateFormat, Item, Organisation, Organisations, Period, Read, ReturnSpec, TableSpec};

pub use account::{Account, IgnoredRows, IgnoredSheet};
use columns::Builder;
pub use columns::{PRECISION, Value, Values, show_decimal};
pub use framer::Framer;
pub use heading::normalise as normalise_heading;
pub use own::OwnColumn;
pub use read::show_raw;
pub use shape::{DayOrder, Shape, day_order};
pub use unreadable::Unreadable;

/// A table of a workbook, typed.
#[derive(Debug, Clone)]
pub struct Frame {
    pub table: String,
    /// One column per item, in the spec's order, in parallel with `places.row_idxs`.
    pub values: Vec<Values>,
    pub places: Places,
    /// The cells that could not be read.
    pub unreadable: Unreadable,
    /// For a turn-around table: which records are new.
    pub new_rows: Option<Vec<bool>>,
    /// The sender's own columns, which no rule reads.
    pub own: Vec<OwnColumn>,
    /// For a form: cells by item and record that it calculates, and that hold a figure where others like them hold a formula.
    pub typed_over: Vec<(usize, usize)>,
    pub account: Account,
}

impl Frame {
    pub fn n_records(&self) -> usize {
        self.places.row_idxs.len()
    }

    /// The frame as polars sees it: the items' columns. Shares the values.
    pub fn data(&self, table: &TableSpec) -> PolarsResult<DataFrame> {
        let all: Vec<usize> = (0..table.items.len()).collect();
        self.select(table, &all)
    }

    /// Some items' columns, in this order. Shares the values.
    pub fn select(&self, table: &TableSpec, item_idxs: &[usize]) -> PolarsResult<DataFrame> {
        let columns = item_idxs
            .iter()
            .filter_map(|&item_idx| Some((table.items.get(item_idx)?, self.values.get(item_idx)?)))
            .map(|(item, values)| values.to_column(&item.name))
            .collect();
        DataFrame::new(self.n_records(), columns)
    }

    /// Whether the cell of an item in a record could not be read, or was found wrong.
    pub fn is_unreadable(&self, item_idx: usize, record_idx: usize) -> bool {
        self.unreadable.has(item_idx, record_idx)
    }

    /// Takes an item's wrong values away, so that no later rule reads them.
    pub fn take_away(&mut self, item_idx: usize, record_idxs: &[usize]) {
        if let Some(values) = self.values.get_mut(item_idx) {
            values.set_nulls(record_idxs);
        }
        self.unreadable.insert_all(item_idx, record_idxs);
    }

    /// The cell of an item in a record; `None` where the item has no cell of its own.
    pub fn cell(&self, item_idx: usize, record_idx: usize) -> Option<CellRef> {
        let column_idx = (*self.places.column_idxs.get(item_idx)?)?;
        let row_idx = *self.places.row_idxs.get(record_idx)?;
        Some(CellRef::new(&self.places.sheet, row_idx, column_idx))
    }

    /// What the sender's own columns hold for a record, by heading.
    pub fn own(&self, record_idx: usize) -> BTreeMap<String, String> {
        self.own
            .iter()
            .filter_map(|column| Some((column.heading.clone(), column.value(record_idx)?)))
            .collect()
    }

    /// The value as the sender would write it; `None` where it is blank or unreadable.
    pub fn shown(&self, item: &Item, item_idx: usize, record_idx: usize) -> Option<String> {
        self.values.get(item_idx)?.shown(record_idx, item)
    }
}

/// Where a frame's values stand.
#[derive(Debug, Clone)]
pub struct Places {
    pub sheet: Name,
    /// The sheet row of each record, 0-based.
    pub row_idxs: Vec<u32>,
    /// The sheet column of each item, 0-based; `None` for a matrix's line code.
    pub column_idxs: Vec<Option<u32>>,
}

impl Places {
    /// The column letters of each item that has a column.
    pub fn letters(&self, table: &TableSpec) -> BTreeMap<String, String> {
        table
            .items
            .iter()
            .zip(&self.column_idxs)
            .filter_map(|(item, idx)| Some((item.name.clone(), column_letters((*idx)?))))
            .collect()
    }
}

/// Whose return it should be and for when, where that is known.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub organisation: Option<&'a Organisation>,
    pub period: Option<&'a Period>,
    pub organisations: &'a Organisations,
}

/// A workbook, framed.
#[derive(Debug, Default)]
pub struct Framed {
    /// The tables that could be framed, in the spec's order.
    pub frames: Vec<Frame>,
    pub findings: Findings,
    /// Sheets that no table stands on.
    pub ignored_sheets: Vec<IgnoredSheet>,
    /// Of a file of another version: what that one did not ask for, or asked for otherwise.
    pub unasked: Unasked,
}

/// By the newer version's names.
#[derive(Debug, Default)]
pub struct Unasked {
    pub tables: BTreeSet<String>,
    /// Table and item.
    pub items: BTreeSet<(String, String)>,
}

impl Unasked {
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.items.is_empty()
    }
}

impl Framed {
    /// Every table of a return without a record.
    pub fn empty(spec: &ReturnSpec) -> Self {
        Self {
            frames: spec.tables.iter().map(empty).collect(),
            ..Self::default()
        }
    }

    /// Whether the file was asked for all that a rule reads of it.
    pub fn was_asked_for(&self, read: &Read<'_>) -> bool {
        let table = &read.table.name;
        let is_unasked = |item: &&Item| {
            let mut items = self.unasked.items.iter();
            items.any(|(of, name)| of == table && *name == item.name)
        };
        !self.unasked.tables.contains(table) && !read.items.iter().any(is_unasked)
    }

    pub fn frame(&self, table: &str) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.table == table)
    }
}

/// Frames every table of a return that a workbook in memory has. Never fails: what is wrong is a finding.
pub fn frame(workbook: &Workbook, spec: &ReturnSpec, expected: Expected<'_>) -> Framed {
    let mut framer = Framer::new(&workbook.infos(), &workbook.properties, spec, expected);
    workbook.give(&mut framer);
    framer.finish()
}

/// The frame of an optional table whose sheet is not there.
fn empty(table: &TableSpec) -> Frame {
    Frame {
        table: table.name.clone(),
        values: table
            .items
            .iter()
            .map(|item| Builder::new(item.kind).finish())
            .collect(),
        places: Places {
            sheet: Name::from(table.sheet.names.first().map_or("", String::as_str)),
            row_idxs: Vec::new(),
            column_idxs: vec![None; table.items.len()],
        },
        unreadable: Unreadable::default(),
        new_rows: matches!(table.layout, spec::Layout::TurnAround { .. }).then(Vec::new),
        own: Vec::new(),
        typed_over: Vec::new(),
        account: Account::default(),
    }
}

/// A day as sentences say it, which nobody takes for another: `2 August 2026`.
pub fn day_in_words(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

/// A date as a person here writes it, or in the item's own form.
pub fn show_date(date: NaiveDate, item: &Item) -> String {
    match item.date_formats.first() {
        Some(DateFormat::Digits) => date.format("%d%m%Y").to_string(),
        Some(DateFormat::Iso) => date.format("%Y-%m-%d").to_string(),
        Some(DateFormat::Slashed) | None => date.format("%d/%m/%Y").to_string(),
    }
}

/// A rule id that follows from an item: `case.assess-missing`.
pub fn item_rule(table: &TableSpec, item: &Item, what: &str) -> String {
    format!(
        "{}.{}-{what}",
        table.name,
        item.name.to_lowercase().replace('_', "-")
    )
}
