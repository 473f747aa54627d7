//! Rows as they are read, one after another, for a consumer that keeps what it needs and no more.

use chrono::NaiveDateTime;

use crate::{Cell, Sheet, SheetInfo, Value, Workbook};

/// Takes the rows of a file while it is read.
///
/// The sheets come in the workbook's order, each exactly once and even if it is empty, but for a sheet that starts again.
/// A file may be refused at any point; what was given of it is void then.
pub trait Sink {
    /// A sheet starts, or starts again from its first row: what it gave before is void.
    ///
    /// `sheet_idx` is its place in [`Opened::sheets`](crate::Opened::sheets).
    fn start_sheet(&mut self, sheet_idx: usize);

    /// The cells of one row with something in them, at least one, from left to right and no column twice.
    ///
    /// Rows come from top to bottom and no row twice; a row without cells does not come.
    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]);

    /// Where the next row stands in a file of separated values; other formats have no lines.
    fn line(&mut self, _line: Line) {}
}

/// A line of separated values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// 1-based, of the line that it starts on: a value may hold line ends.
    pub number: usize,
    /// Blank ones too. Where it is not that of other lines, nobody knows which value belongs where.
    pub n_values: usize,
}

/// A cell with something in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawCell<'a> {
    /// 0-based.
    pub column_idx: u32,
    pub raw: Raw<'a>,
}

/// What stands in a cell, before anyone says what it should be: a [`Value`] that is borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    /// Never empty, and without NUL characters.
    Text(&'a str),
    /// Always finite.
    Number(f64),
    Boolean(bool),
    DateTime(NaiveDateTime),
    /// An error value by its name.
    Error(&'a str),
    /// A formula that was saved without a result.
    NotCalculated,
    /// A cell that the file gives more than once: nobody knows which value counts.
    GivenTwice,
}

impl<'a> From<&'a Value> for Raw<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Raw::Text(text),
            Value::Number(number) => Raw::Number(*number),
            Value::Boolean(truth) => Raw::Boolean(*truth),
            Value::DateTime(moment) => Raw::DateTime(*moment),
            Value::Error(name) => Raw::Error(name),
            Value::NotCalculated => Raw::NotCalculated,
            Value::GivenTwice => Raw::GivenTwice,
        }
    }
}

impl From<Raw<'_>> for Value {
    fn from(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Text(text) => Value::Text(text.to_owned()),
            Raw::Number(number) => Value::Number(number),
            Raw::Boolean(truth) => Value::Boolean(truth),
            Raw::DateTime(moment) => Value::DateTime(moment),
            Raw::Error(name) => Value::Error(name.to_owned()),
            Raw::NotCalculated => Value::NotCalculated,
            Raw::GivenTwice => Value::GivenTwice,
        }
    }
}

impl Workbook {
    /// Its sheets, by what is known of them before they are read.
    pub fn infos(&self) -> Vec<SheetInfo> {
        let info = |sheet: &Sheet| SheetInfo::new(&sheet.name, sheet.visible);
        self.sheets.iter().map(info).collect()
    }

    /// Gives its rows to a sink, as reading the file did.
    pub fn give(&self, sink: &mut dyn Sink) {
        for (sheet_idx, sheet) in self.sheets.iter().enumerate() {
            sink.start_sheet(sheet_idx);
            for row in sheet.cells.chunk_by(|a, b| a.row_idx == b.row_idx) {
                let cells: Vec<RawCell<'_>> = row
                    .iter()
                    .map(|cell| RawCell {
                        column_idx: cell.column_idx,
                        raw: Raw::from(&cell.value),
                    })
                    .collect();
                sink.row(row[0].row_idx, &cells);
            }
        }
    }
}

/// Keeps every cell, for files that are known to be small.
pub(crate) struct Collect {
    pub(crate) sheets: Vec<Sheet>,
    sheet_idx: usize,
}

impl Collect {
    pub(crate) fn new(sheets: &[SheetInfo]) -> Self {
        let empty = |info: &SheetInfo| Sheet {
            name: info.name.clone(),
            visible: info.visible,
            cells: Vec::new(),
        };
        Self {
            sheets: sheets.iter().map(empty).collect(),
            sheet_idx: 0,
        }
    }
}

impl Sink for Collect {
    fn start_sheet(&mut self, sheet_idx: usize) {
        self.sheet_idx = sheet_idx;
        self.sheets[sheet_idx].cells.clear();
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        let cells = cells.iter().map(|cell| Cell {
            row_idx,
            column_idx: cell.column_idx,
            value: cell.raw.into(),
        });
        self.sheets[self.sheet_idx].cells.extend(cells);
    }
}
