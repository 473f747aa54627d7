//! Untrusted bytes to raw cells that know their place.
//!
//! The only user of calamine and of the csv reader, and the only place that looks at a file's bytes.
//! The content decides the format, never the file's name.
//! It knows nothing of specs: what a cell means is decided in `frame`.

pub mod grid;

use chrono::NaiveDateTime;

/// What was read: every non-blank cell of every worksheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Workbook {
    pub format: Format,
    pub sheets: Vec<Sheet>,
    /// What the sender should know of the reading, in plain sentences (macros ignored, text decoded …).
    pub remarks: Vec<Remark>,
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Xlsx,
    Xls,
    Xlsb,
    Ods,
    Csv,
}

/// Something the sender should know that is not about one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// `file.<what>`, a rule id.
    pub rule: &'static str,
    pub message: String,
    pub fix: String,
}

/// One worksheet. A CSV file is one sheet named after its file, without the ending.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    pub name: String,
    /// False for hidden and very hidden sheets.
    pub visible: bool,
    /// By row, then column; no cell twice; blank cells absent.
    pub cells: Vec<Cell>,
}

/// A cell with something in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// 0-based.
    pub row_idx: u32,
    /// 0-based.
    pub column_idx: u32,
    pub value: Value,
}

/// What stands in a cell, before anyone says what it should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Never empty. Every CSV value is one.
    Text(String),
    /// Always finite.
    Number(f64),
    Boolean(bool),
    /// A cell that the spreadsheet shows as a date or time.
    DateTime(NaiveDateTime),
    /// An error value by its name, `#REF!` or one of the newer ones.
    Error(String),
    /// A formula that was saved without a result.
    NotCalculated,
}
