//! Where a table stands on its sheet.

use crate::Provenance;

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
    pub provenance: Provenance,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixColumn {
    pub item: String,
    pub column_idx: u32,
    pub computed: bool,
}
