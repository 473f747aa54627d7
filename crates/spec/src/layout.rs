//! Where a table stands on its sheet.

use crate::{Applies, OnlyFor, Organisation, Provenance};

/// The three layouts that between them cover the field's returns.
#[derive(Debug, Clone)]
pub enum Layout {
    /// A header row found by name; every row below it is a record.
    Records(Records),
    /// As records, on rows that were sent out filled in and come back updated, with new ones added.
    TurnAround {
        records: Records,
        /// The item that is filled in on rows that were sent out and blank on new ones.
        key: String,
        /// Items that are blank on a row that is sent out, whatever was answered last.
        asked_anew: Vec<String>,
    },
    /// Fixed cells: a record is one line of the form.
    Matrix(Matrix),
}

impl Layout {
    pub fn records(&self) -> Option<&Records> {
        match self {
            Layout::Records(records) | Layout::TurnAround { records, .. } => Some(records),
            Layout::Matrix(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The header row is one of the sheet's first rows, this many.
    pub search_rows: u32,
    /// Rows that are not records.
    pub ignores: Vec<IgnoredRow>,
}

/// Rows whose item starts with one of these texts (trimmed, without case) are not records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredRow {
    pub item: String,
    pub starts_with: Vec<String>,
    pub reason: String,
}

#[derive(Debug, Clone)]
pub struct Matrix {
    /// 0-based; this column carries the line codes.
    pub code_column_idx: Option<u32>,
    pub anchors: Vec<Anchor>,
    /// The item that holds the line code.
    pub line_item: String,
    pub lines: Vec<Line>,
    pub columns: Vec<MatrixColumn>,
    /// Cells that are for some organisations only, beside whole lines and columns.
    pub cells: Vec<CellsFor>,
}

impl Matrix {
    /// Whether every line has this item, whoever's form it is.
    pub fn is_for_all(&self, item: &str) -> bool {
        let has_it = |line: &Line| !line.lacks(item) && line.only_for.0.is_empty();
        let column = self.columns.iter().find(|column| column.item == item);
        let is_single = |cells: &CellsFor| cells.items.iter().any(|name| name == item);
        self.lines.iter().all(has_it)
            && column.is_none_or(|column| column.only_for.0.is_empty())
            && !self.cells.iter().any(is_single)
    }

    /// Whether the cell of an item in a line is for an organisation: it has to be blank where it is not.
    pub fn applies(&self, line: &Line, item: &str, organisation: Option<&Organisation>) -> Applies {
        if line.lacks(item) {
            return Applies::No;
        }
        let column = self.columns.iter().find(|column| column.item == item);
        let cells = self.cells.iter().filter(|cells| {
            cells.lines.contains(&line.code) && cells.items.iter().any(|name| name == item)
        });
        let said = std::iter::once(&line.only_for)
            .chain(column.map(|column| &column.only_for))
            .chain(cells.map(|cells| &cells.only_for))
            .map(|only_for| only_for.applies(organisation));
        said.fold(Applies::Yes, |all, one| match (all, one) {
            (Applies::No, _) | (_, Applies::No) => Applies::No,
            (Applies::NotKnown, _) | (_, Applies::NotKnown) => Applies::NotKnown,
            (Applies::Yes, Applies::Yes) => Applies::Yes,
        })
    }
}

impl Line {
    /// Whether no organisation has this item in this line.
    pub fn lacks(&self, item: &str) -> bool {
        self.not_applicable.iter().any(|name| name == item)
    }
}

/// The cells of some lines and items, which are for some organisations only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellsFor {
    /// By code.
    pub lines: Vec<String>,
    pub items: Vec<String>,
    pub only_for: OnlyFor,
    pub provenance: Provenance,
}

/// A text that proves that this is the form; compared by its normalised words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub row_idx: u32,
    pub column_idx: u32,
    pub text: String,
}

/// One line of a form.
#[derive(Debug, Clone)]
pub struct Line {
    pub code: String,
    pub row_idx: u32,
    pub label: String,
    pub description: String,
    pub computed: bool,
    /// Items that this line does not have.
    pub not_applicable: Vec<String>,
    pub only_for: OnlyFor,
    pub provenance: Provenance,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixColumn {
    pub item: String,
    pub column_idx: u32,
    pub computed: bool,
    pub only_for: OnlyFor,
}
