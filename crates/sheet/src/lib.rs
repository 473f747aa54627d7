//! Untrusted bytes to raw cells that know their place.
//!
//! The only user of calamine, and the only place that looks at a file's bytes.
//! The content decides the format, never the file's name.
//! It knows nothing of specs: what a cell means is decided in `frame`.

mod cells;
mod excel;
#[cfg(test)]
mod fixture;
pub mod grid;
mod kind;
mod limits;
mod ods;
mod package;
mod records;
mod refusal;
#[cfg(test)]
mod same;
mod separated;
mod text;
mod worksheet;

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::NaiveDateTime;

use kind::Kind;
pub use limits::Limits;
pub use refusal::Refusal;

/// Reads a file of any format that is known, or says why it can't be used.
///
/// `file_name` names the sheet of a CSV file and is compared with the content; it decides nothing.
/// The readers of old binary formats may take much memory for a small hostile file, so call this in a process that may die.
pub fn read(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Workbook, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::empty());
    }
    if bytes.len() as u64 > limits.file_bytes {
        return Err(Refusal::too_large(limits.file_bytes));
    }
    let kind = kind::sniff(bytes)?;
    // A reader that panics does so because of the file; there is nothing left behind to be inconsistent.
    let read = AssertUnwindSafe(|| match kind {
        Kind::Zip => read_package(bytes, limits),
        Kind::Compound => excel::read_xls(bytes, limits),
        Kind::Text => separated::read(bytes, file_name, limits),
    });
    let mut workbook = catch_unwind(read).unwrap_or_else(|_| Err(Refusal::broken("The file")))?;
    let wrong_ending = kind::wrong_ending(file_name, workbook.format);
    workbook.remarks.extend(wrong_ending);
    Ok(workbook)
}

fn read_package(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let package = package::open(bytes, limits)?;
    match package.format {
        Format::Ods => ods::read(package, limits),
        Format::Xlsb => excel::read_xlsb(package, limits),
        _ => excel::read_xlsx(package, limits),
    }
}

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
    /// Never empty. Every CSV value is one, but for error values.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Parts;

    fn rule(bytes: &[u8], name: &str) -> String {
        match read(bytes, name, &Limits::default()) {
            Err(refusal) => refusal.rule.to_owned(),
            Ok(workbook) => {
                let remarks: Vec<_> = workbook.remarks.iter().map(|r| r.rule).collect();
                format!("{:?} {}", workbook.format, remarks.join(" "))
            }
        }
    }

    #[test]
    fn the_content_decides_and_the_name_is_only_compared() {
        let xlsx = Parts::xlsx("<row><c r=\"A1\"><v>1</v></c></row>").zip();
        assert_eq!(rule(&xlsx, "a.xlsx"), "Xlsx ");
        assert_eq!(rule(&xlsx, "a.xls"), "Xlsx file.wrong-ending");
        assert_eq!(rule(b"a,b\n1,2\n", "a.xlsx"), "Csv file.wrong-ending");
        assert_eq!(rule(b"a,b\n1,\xa3\n", "a.csv"), "Csv file.text-decoded");
        assert_eq!(rule(b"<html><table>", "a.xls"), "file.html");
        assert_eq!(rule(b"%PDF-1.7", "a.xlsx"), "file.not-a-spreadsheet");
        assert_eq!(rule(b"", "a.xlsx"), "file.empty");
        assert_eq!(rule(b"\n\n", "a.csv"), "file.no-data");
    }

    #[test]
    fn a_file_over_the_limit_is_refused_before_it_is_looked_at() {
        let limits = Limits {
            file_bytes: 1_000_000,
            ..Limits::default()
        };
        let refusal = read(&vec![b'a'; 1_000_001], "a.csv", &limits).unwrap_err();
        assert_eq!(refusal.rule, "file.too-large");
        assert_eq!(refusal.message, "The file is larger than 1 MB.");
    }
}
