//! Excel's formats, read by calamine.

use std::io::Cursor;

use calamine::{
    Data, DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb, XlsbError,
    Xlsx, XlsxError,
};
use memchr::memmem;

use crate::cells::{Cells, parse_iso_moment};
use crate::package::Package;
use crate::{Format, Limits, Refusal, Value, Workbook, worksheet};

/// Reads with the streaming reader: a sheet's extent is never allocated.
pub(crate) fn read_xlsx(package: Package<'_>, limits: &Limits) -> Result<Workbook, Refusal> {
    let mut xlsx = Xlsx::new(Cursor::new(&*package.bytes)).map_err(|error| match error {
        XlsxError::Password => Refusal::password(),
        _ => Refusal::broken("The workbook"),
    })?;
    let mut cells = Cells::new(limits);
    for (name, visible) in worksheets(xlsx.sheets_metadata()) {
        cells.start_sheet(&name, visible)?;
        let broken = |_: XlsxError| Refusal::broken(&format!("The sheet \"{name}\""));
        let mut reader = match xlsx.worksheet_cells_reader(&name) {
            // A sheet of another kind that is listed as a worksheet has no cells.
            Err(XlsxError::NotAWorksheet(_)) => continue,
            reader => reader.map_err(broken)?,
        };
        while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(broken)? {
            let value = match (cell.value, &cell.formula) {
                (DataRef::Empty, Some(_)) => Value::NotCalculated,
                (DataRef::Empty, None) => continue,
                (value, _) => to_value(value),
            };
            cells.push(cell.pos.0, cell.pos.1, value)?;
        }
    }
    cells.finish(Format::Xlsx, package.remarks)
}

/// As `read_xlsx`, but a formula without a result can't be told from one whose result is zero.
pub(crate) fn read_xlsb(package: Package<'_>, limits: &Limits) -> Result<Workbook, Refusal> {
    let mut xlsb = Xlsb::new(Cursor::new(&*package.bytes)).map_err(|error| match error {
        XlsbError::Password => Refusal::password(),
        _ => Refusal::broken("The workbook"),
    })?;
    let mut cells = Cells::new(limits);
    for (name, visible) in worksheets(xlsb.sheets_metadata()) {
        cells.start_sheet(&name, visible)?;
        let broken = |_: XlsbError| Refusal::broken(&format!("The sheet \"{name}\""));
        let mut reader = xlsb.worksheet_cells_reader(&name).map_err(broken)?;
        while let Some(cell) = reader.next_cell().map_err(broken)? {
            let (row_idx, column_idx) = cell.get_position();
            let value = to_value(cell.get_value().clone());
            cells.push(row_idx, column_idx, value)?;
        }
    }
    cells.finish(Format::Xlsb, package.remarks)
}

/// A compound file: an old workbook, an encrypted new one, or another program's document.
pub(crate) fn read_xls(bytes: &[u8], limits: &Limits) -> Result<Workbook, Refusal> {
    let holds = |name: &str| {
        let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memmem::find(bytes, &utf16).is_some()
    };
    if holds("EncryptedPackage") {
        return Err(Refusal::password());
    }
    // The header fills one sector of 512 bytes, and a directory and a table of sectors follow.
    if bytes.len() < 3 * 512 {
        return Err(Refusal::cut_off());
    }
    if !holds("Workbook") && !holds("Book") && !holds("WORKBOOK") && !holds("BOOK") {
        return Err(Refusal::not_a_spreadsheet(if holds("WordDocument") {
            "a Word document"
        } else if holds("PowerPoint Document") {
            "a PowerPoint presentation"
        } else if holds("__substg1.0_") {
            "an Outlook message"
        } else {
            "a document of another program"
        }));
    }
    let mut xls = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => Refusal::password(),
        _ => Refusal::broken("The workbook"),
    })?;
    let mut cells = Cells::new(limits);
    for (name, visible) in worksheets(xls.sheets_metadata()) {
        cells.start_sheet(&name, visible)?;
        let range = xls
            .worksheet_range(&name)
            .map_err(|_| Refusal::broken(&format!("The sheet \"{name}\"")))?;
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row_idx, row) in (first_row..).zip(range.rows()) {
            for (column_idx, data) in (first_column..).zip(row) {
                if *data != Data::Empty {
                    cells.push(row_idx, column_idx, to_value(borrow(data)))?;
                }
            }
        }
    }
    cells.finish(Format::Xls, Vec::new())
}

/// Names and visibility of the sheets that can have cells.
fn worksheets(sheets: &[calamine::Sheet]) -> Vec<(String, bool)> {
    sheets
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect()
}

fn borrow(data: &Data) -> DataRef<'_> {
    match data {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(truth) => DataRef::Bool(*truth),
        Data::DateTime(moment) => DataRef::DateTime(*moment),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

/// An empty cell becomes an empty text, which is not kept.
fn to_value(data: DataRef<'_>) -> Value {
    match data {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the binary formats keep whole numbers below 2^30 this way"
        )]
        DataRef::Int(number) => Value::Number(number as f64),
        DataRef::Float(number) => Value::Number(number),
        DataRef::String(text) => match worksheet::marked_error(&text) {
            Some(name) => Value::Error(name.to_owned()),
            None => Value::Text(text),
        },
        DataRef::SharedString(text) => Value::Text(text.to_owned()),
        DataRef::Bool(truth) => Value::Boolean(truth),
        DataRef::DateTime(moment) => to_moment(&moment),
        DataRef::DateTimeIso(text) => {
            parse_iso_moment(&text).map_or(Value::Text(text), Value::DateTime)
        }
        DataRef::DurationIso(text) => Value::Text(text),
        DataRef::Error(calamine::CellErrorType::GettingData) => {
            Value::Error("#GETTING_DATA".to_owned())
        }
        DataRef::Error(error) => Value::Error(error.to_string()),
        DataRef::Empty => Value::Text(String::new()),
    }
}

/// A duration as the sender sees it, `37:30:00`; a number that is no date, shown as one, stays a number.
///
/// A time alone lies on the day before the first day, 31 December 1899.
fn to_moment(moment: &ExcelDateTime) -> Value {
    let serial = moment.as_f64();
    if moment.is_duration() && serial.is_finite() && serial.abs() < 1e9 {
        #[expect(clippy::cast_possible_truncation, reason = "below 1e14")]
        let seconds = (serial * 86_400.0).round() as i64;
        let sign = if seconds < 0 { "-" } else { "" };
        let seconds = seconds.abs();
        return Value::Text(format!(
            "{sign}{}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        ));
    }
    // 2958466 would be the year 10000, where the reader's arithmetic ends.
    if moment.is_datetime()
        && (0.0..2_958_466.0).contains(&serial)
        && let Some(moment) = moment.as_datetime()
    {
        return Value::DateTime(moment);
    }
    Value::Number(serial)
}
