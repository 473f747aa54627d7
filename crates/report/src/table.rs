//! A table of any length as a workbook: its rows on the first sheet, then notes about it, then what its columns mean.
//!
//! Rows wait in a file until the workbook is packed, so that memory does not grow with them.
//! The same rows give the same bytes on any day.

use std::io::{Seek, Write};
use std::path::Path;

use chrono::NaiveDate;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use spec::ItemKind;

use crate::fitting::fitting;

/// How many rows a sheet has room for below its headings.
pub const MOST_ROWS: u32 = 1_048_575;

/// A spreadsheet keeps this many digits of a number.
const EXACT_DIGITS: usize = 15;

const DATA: &str = "Data";

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("a sheet has room for {MOST_ROWS} rows, and there are more")]
    TooManyRows,
    #[error("a sheet has no room for so many columns")]
    TooManyColumns,
    #[error("the value of {column} is not what its column holds")]
    Value { column: String },
    #[error(transparent)]
    Xlsx(#[from] XlsxError),
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub heading: String,
    pub kind: ItemKind,
}

/// A workbook while its rows come.
pub struct TableWorkbook {
    workbook: Workbook,
    columns: Vec<Column>,
    next_row: u32,
    n_cut: u64,
    date: Format,
    text: Format,
}

/// A sheet of texts: its name, its headings with their widths, and its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub name: &'static str,
    pub columns: Vec<(&'static str, u16)>,
    pub rows: Vec<Vec<String>>,
}

impl TableWorkbook {
    /// Rows wait in a file in `temporary`.
    pub fn new(columns: Vec<Column>, temporary: &Path) -> Result<Self, TableError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(temporary)?;
        workbook.set_properties(
            &DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?),
        );
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(DATA)?;
        sheet.set_freeze_panes(1, 0)?;
        let heading = heading();
        for (column, idx) in columns.iter().zip(0..) {
            let width = match column.kind {
                ItemKind::Text => 22,
                ItemKind::Integer | ItemKind::Decimal { .. } | ItemKind::Date => 14,
                ItemKind::Boolean => 10,
            };
            let idx = u16::try_from(idx).map_err(|_| TableError::TooManyColumns)?;
            sheet.set_column_width(idx, width)?;
            sheet.write_string_with_format(0, idx, &column.heading, &heading)?;
        }
        Ok(Self {
            workbook,
            columns,
            next_row: 1,
            n_cut: 0,
            date: Format::new().set_num_format("dd/mm/yyyy"),
            text: Format::new().set_quote_prefix(),
        })
    }

    /// Adds a row: a value for each column, in Postgres text form. A text that a cell has no room for is cut, with a mark
    /// at its end.
    pub fn add(
        &mut self,
        cells: impl IntoIterator<Item = Option<impl AsRef<str>>>,
    ) -> Result<(), TableError> {
        if self.next_row > MOST_ROWS {
            return Err(TableError::TooManyRows);
        }
        let row = self.next_row;
        let sheet = self.workbook.worksheet_from_index(0)?;
        for ((value, column), idx) in cells.into_iter().zip(&self.columns).zip(0_u16..) {
            let Some(value) = value else { continue };
            let value = value.as_ref();
            let wrong = || TableError::Value {
                column: column.heading.clone(),
            };
            match column.kind {
                ItemKind::Text => {
                    let fitting = fitting(value);
                    self.n_cut += u64::from(fitting != value);
                    sheet.write_string_with_format(row, idx, fitting, &self.text)?;
                }
                ItemKind::Integer | ItemKind::Decimal { .. } if is_exact(value) => {
                    let number: f64 = value.parse().map_err(|_| wrong())?;
                    sheet.write_number(row, idx, number)?;
                }
                // More digits than a spreadsheet keeps: as a text they are all there.
                ItemKind::Integer | ItemKind::Decimal { .. } => {
                    sheet.write_string(row, idx, value)?;
                }
                ItemKind::Date => match value.parse::<NaiveDate>().ok().and_then(excel_day) {
                    Some(day) => {
                        sheet.write_datetime_with_format(row, idx, day, &self.date)?;
                    }
                    // Before a spreadsheet's first day.
                    None => {
                        sheet.write_string(row, idx, value)?;
                    }
                },
                ItemKind::Boolean => {
                    let truth: bool = value.parse().map_err(|_| wrong())?;
                    sheet.write_boolean(row, idx, truth)?;
                }
            }
        }
        self.next_row += 1;
        Ok(())
    }

    /// How many rows were added.
    pub fn n_rows(&self) -> u32 {
        self.next_row - 1
    }

    /// How many texts were cut.
    pub fn n_cut(&self) -> u64 {
        self.n_cut
    }

    /// Writes the workbook, once all rows are added, with these sheets behind them.
    pub fn save<W: Write + Seek + Send>(
        mut self,
        sheets: &[Sheet],
        to: W,
    ) -> Result<(), TableError> {
        let last_column = u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let last_row = self.next_row - 1;
        self.workbook
            .worksheet_from_index(0)?
            .autofilter(0, 0, last_row, last_column)?;
        for sheet in sheets {
            write_texts(self.workbook.add_worksheet(), sheet)?;
        }
        Ok(self.workbook.save_to_writer(to)?)
    }
}

fn heading() -> Format {
    Format::new()
        .set_bold()
        .set_align(FormatAlign::Top)
        .set_text_wrap()
        .set_quote_prefix()
        .set_background_color("E5E5E5")
        .set_border_bottom(FormatBorder::Thin)
}

/// Whether it is a number of which all digits are there in a spreadsheet's cell.
fn is_exact(value: &str) -> bool {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.');
    if !value.chars().all(is_of_number) {
        return false;
    }
    let digits = value.chars().filter(char::is_ascii_digit);
    digits.skip_while(|digit| *digit == '0').count() <= EXACT_DIGITS
}

/// The first of March 1900 is the first day that all spreadsheet programs count alike.
fn excel_day(day: NaiveDate) -> Option<NaiveDate> {
    let (first, last) = (
        NaiveDate::from_ymd_opt(1900, 3, 1)?,
        NaiveDate::from_ymd_opt(9999, 12, 31)?,
    );
    (first..=last).contains(&day).then_some(day)
}

fn write_texts(to: &mut Worksheet, sheet: &Sheet) -> Result<(), TableError> {
    to.set_name(sheet.name)?;
    to.set_freeze_panes(1, 0)?;
    let (heading, text) = (
        heading(),
        Format::new()
            .set_align(FormatAlign::Top)
            .set_text_wrap()
            .set_quote_prefix(),
    );
    for ((name, width), column) in sheet.columns.iter().zip(0_u16..) {
        to.set_column_width(column, *width)?;
        to.write_string_with_format(0, column, *name, &heading)?;
    }
    for (row, texts) in (1..=MOST_ROWS).zip(&sheet.rows) {
        for (value, column) in texts.iter().zip(0_u16..) {
            if !value.is_empty() {
                to.write_string_with_format(row, column, fitting(value), &text)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use sheet::{Limits, Value};

    use super::*;

    fn column(heading: &str, kind: ItemKind) -> Column {
        Column {
            heading: heading.to_owned(),
            kind,
        }
    }

    fn saved() -> Vec<u8> {
        let columns = vec![
            column("=T", ItemKind::Text),
            column("N", ItemKind::Integer),
            column("D", ItemKind::Decimal { scale: 2 }),
            column("DAY", ItemKind::Date),
            column("B", ItemKind::Boolean),
        ];
        let mut table = TableWorkbook::new(columns, &std::env::temp_dir()).unwrap();
        table
            .add([
                Some("=1+1"),
                Some("7"),
                Some("-1.50"),
                Some("2026-04-01"),
                Some("true"),
            ])
            .unwrap();
        table
            .add([
                None,
                Some("12345678901234567890"),
                None,
                Some("1066-10-14"),
                None,
            ])
            .unwrap();
        assert_eq!(table.n_rows(), 2);
        let notes = Sheet {
            name: "Notes",
            columns: vec![("About", 20), ("Note", 80)],
            rows: vec![vec!["Rows".to_owned(), "@2".to_owned()]],
        };
        let mut bytes = Cursor::new(Vec::new());
        table.save(&[notes], &mut bytes).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn values_keep_their_kinds_and_every_digit() {
        let bytes = saved();
        let workbook = sheet::read(&bytes, "a.xlsx", &Limits::default()).unwrap();
        let cells = |idx: usize| -> Vec<String> {
            workbook.sheets[idx]
                .cells
                .iter()
                .map(|cell| match &cell.value {
                    Value::Text(text) => text.clone(),
                    other => format!("{other:?}"),
                })
                .collect()
        };
        let data = cells(0);
        assert_eq!(data[..6], ["=T", "N", "D", "DAY", "B", "=1+1"]);
        assert!(
            data[6].contains('7') && data[7].contains("-1.5"),
            "{data:?}"
        );
        assert!(data[8].contains("2026"), "{data:?}");
        assert_eq!(data[10..], ["12345678901234567890", "1066-10-14"]);
        assert_eq!(cells(1), ["About", "Note", "Rows", "@2"]);
    }

    #[test]
    fn the_same_rows_are_the_same_bytes() {
        assert!(saved() == saved());
    }

    #[test]
    fn a_text_that_no_cell_holds_is_cut_and_everything_else_is_there() {
        let notes = "\u{e9}".repeat(50_000);
        let mut table = TableWorkbook::new(
            vec![column("own_columns", ItemKind::Text)],
            &std::env::temp_dir(),
        )
        .unwrap();
        table.add([Some("short")]).unwrap();
        table.add([Some(notes.as_str())]).unwrap();
        assert_eq!(table.n_cut(), 1);
        let about = Sheet {
            name: "Notes",
            columns: vec![("About", 20)],
            rows: vec![vec![notes.clone()]],
        };
        let mut bytes = Cursor::new(Vec::new());
        table.save(&[about], &mut bytes).unwrap();
        let workbook = sheet::read(&bytes.into_inner(), "a.xlsx", &Limits::default()).unwrap();
        for (sheet, n_cells) in workbook.sheets.iter().zip([3, 2]) {
            assert_eq!(sheet.cells.len(), n_cells);
            let Some(Value::Text(last)) = sheet.cells.last().map(|cell| &cell.value) else {
                panic!("a text")
            };
            let (kept, mark) = last.split_once(" … ").unwrap();
            assert!(notes.starts_with(kept));
            let n_cut = 50_000 - kept.chars().count();
            assert_eq!(mark, format!("[cut: {n_cut} more characters]"));
        }
    }

    #[test]
    fn a_row_too_many_is_refused_and_not_left_out() {
        let columns = vec![column("N", ItemKind::Integer)];
        let mut table = TableWorkbook::new(columns, &std::env::temp_dir()).unwrap();
        table.next_row = MOST_ROWS;
        table.add([Some("1")]).unwrap();
        assert!(matches!(
            table.add([Some("2")]),
            Err(TableError::TooManyRows)
        ));
    }
}
