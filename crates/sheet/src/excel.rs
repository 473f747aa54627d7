//! Excel's formats, read by calamine.

use std::io::Cursor;

use calamine::{
    Data, DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb, XlsbError,
    Xlsx, XlsxError,
};
use memchr::memmem;

use crate::cells::{Cells, parse_iso_moment};
use crate::package::{self, Package};
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
    // A record that the reader does not heed: the weakest of three kinds of protection.
    let scrambled = || memmem::find(bytes, b"\x2f\x00\x06\x00\x00\x00").is_some();
    let mut xls = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => Refusal::password(),
        _ if scrambled() => Refusal::password(),
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
    let macros = holds("_VBA_PROJECT_CUR").then(package::remark_on_macros);
    cells.finish(Format::Xls, macros.into_iter().collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Parts, show};

    fn shown(rows: &str) -> String {
        Parts::xlsx(rows).shown()
    }

    #[test]
    fn cells_are_read_as_the_spreadsheet_holds_them() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> x </t></is></c><c r=\"B1\"><v>0.1</v></c><c r=\"C1\" t=\"b\"><v>1</v></c><c r=\"D1\" s=\"1\"><v>46127</v></c><c r=\"E1\" s=\"1\"/></row><row r=\"3\"><c r=\"A3\" t=\"e\"><v>#N/A</v></c><c r=\"B3\" t=\"d\"><v>2026-04-15T00:00:00</v></c><c r=\"C3\" t=\"str\"><v></v></c></row>"
            ),
            "A1=\" x \", B1=0.1, C1=true, D1=2026-04-15 00:00:00, A3=error #N/A, B3=2026-04-15 00:00:00"
        );
    }

    #[test]
    fn an_unknown_error_value_is_one_cell_and_the_rest_is_read() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\" t=\"e\"><f>X1#</f><v>#SPILL!</v></c><c r=\"C1\" t=\"e\"><v>#REF!</v></c><c r=\"D1\" t=\"e\"><v>#GETTING_DATA</v></c><c r=\"E1\"><v>2</v></c></row>"
            ),
            "A1=1, B1=error #SPILL!, C1=error #REF!, D1=error #GETTING_DATA, E1=2"
        );
    }

    #[test]
    fn a_formula_is_its_result_or_was_never_calculated() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\"><f>1+1</f><v>2</v></c><c r=\"B1\"><f>1+1</f></c><c r=\"C1\"><f>1+1</f><v/></c><c r=\"D1\" t=\"str\"><f>\"\"</f><v></v></c><c r=\"E1\"><f t=\"shared\" si=\"4000000000\"/></c></row>"
            ),
            "A1=2, B1=not calculated, C1=not calculated, E1=not calculated"
        );
    }

    #[test]
    fn two_cells_at_the_ends_of_the_grid_are_two_cells() {
        assert_eq!(
            shown(
                "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>"
            ),
            "A1=1, XFD1048576=2"
        );
        for place in ["XFE1", "A1048577", "ZZZZZZZ1", "A4294967295", "A4294967297"] {
            assert_eq!(
                shown(&format!("<row><c r=\"{place}\"><v>1</v></c></row>")),
                "file.outside-the-grid",
                "{place}"
            );
        }
        assert_eq!(shown("<row><c r=\"A0\"><v>1</v></c></row>"), "file.broken");
    }

    #[test]
    fn rows_out_of_order_are_sorted_and_a_cell_given_twice_is_refused() {
        assert_eq!(
            shown(
                "<row r=\"2\"><c r=\"B2\"><v>4</v></c><c r=\"A2\"><v>3</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>"
            ),
            "A1=1, A2=3, B2=4"
        );
        let twice = Parts::xlsx("<row><c r=\"A1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>");
        let refusal = twice.read().unwrap_err();
        assert_eq!(refusal.rule, "file.cell-twice");
        assert_eq!(refusal.message, "The file gives the cell A!A1 twice.");
    }

    #[test]
    fn dates_count_from_1904_where_the_workbook_says_so() {
        let rows = "<row><c r=\"A1\" s=\"1\"><v>44665</v></c></row>";
        let parts = Parts::xlsx(rows)
            .changed("xl/workbook.xml", "<workbookPr/>", "<workbookPr date1904=\"1\"/>")
            // Excel 2013 and later add this, which older readers took for "not 1904".
            .changed(
                "xl/workbook.xml",
                "</workbook>",
                "<extLst><ext xmlns:x15=\"http://schemas.microsoft.com/office/spreadsheetml/2010/11/main\"><x15:workbookPr chartTrackingRefBase=\"1\"/></ext></extLst></workbook>",
            );
        assert_eq!(parts.shown(), "A1=2026-04-15 00:00:00");
        assert_eq!(shown(rows), "A1=2022-04-14 00:00:00");
    }

    #[test]
    fn times_durations_and_impossible_dates_stay_visible() {
        assert_eq!(
            shown(
                "<row><c r=\"A1\" s=\"3\"><v>0.4375</v></c><c r=\"B1\" s=\"2\"><v>1.5625</v></c><c r=\"C1\" s=\"1\"><v>-1</v></c><c r=\"D1\" s=\"1\"><v>2958466</v></c><c r=\"E1\" s=\"1\"><v>-1e300</v></c><c r=\"F1\" s=\"2\"><v>1e300</v></c></row>"
            )
            .replace(&format!("{}", 1e300), "1e300"),
            "A1=1899-12-31 10:30:00, B1=\"37:30:00\", C1=-1, D1=2958466, E1=-1e300, F1=1e300"
        );
        assert_eq!(
            shown("<row><c r=\"A1\"><v>1E+400</v></c><c r=\"B1\"><v>NaN</v></c></row>"),
            "A1=error not a number, B1=error not a number"
        );
    }

    #[test]
    fn sheets_may_be_hidden_but_not_share_a_name() {
        let row = "<row><c r=\"A1\"><v>1</v></c></row>";
        let workbook = Parts::xlsx_sheets(&[
            ("A", "", row),
            ("B", "state=\"hidden\"", row),
            ("C", "state=\"veryHidden\"", ""),
        ])
        .read()
        .unwrap();
        let shown: Vec<_> = workbook
            .sheets
            .iter()
            .map(|sheet| (sheet.name.as_str(), sheet.visible, show(sheet)))
            .collect();
        assert_eq!(
            shown,
            [
                ("A", true, "A1=1".to_owned()),
                ("B", false, "A1=1".to_owned()),
                ("C", false, String::new()),
            ]
        );
        let twice = Parts::xlsx_sheets(&[("A", "", row), ("a", "", row)]);
        assert_eq!(twice.shown(), "file.same-sheet-name");
    }

    #[test]
    fn a_workbook_without_data_or_with_a_part_missing_is_refused() {
        assert_eq!(shown(""), "file.no-data");
        assert_eq!(Parts::xlsx_sheets(&[]).shown(), "file.no-data");
        let refusal = Parts::xlsx("")
            .changed("xl/_rels/workbook.xml.rels", "sheet1.xml", "sheet7.xml")
            .read()
            .unwrap_err();
        assert_eq!(refusal.rule, "file.broken");
        assert_eq!(
            refusal.message,
            "The sheet \"A\" is damaged and can't be read."
        );
        assert_eq!(shown("<row><c r=\"A1\"><v>1</v>"), "file.broken");
    }

    #[test]
    fn a_nul_character_in_a_text_is_removed_with_a_remark() {
        let workbook =
            Parts::xlsx("<row><c r=\"A1\" t=\"inlineStr\"><is><t>a_x0000_b</t></is></c></row>")
                .read()
                .unwrap();
        assert_eq!(show(&workbook.sheets[0]), "A1=\"ab\"");
        assert_eq!(workbook.remarks[0].rule, "file.nul-removed");
    }

    #[test]
    fn shared_texts_are_counted_in_each_of_their_cells() {
        let parts = Parts::xlsx(
            "<row><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>0</v></c></row>",
        )
        .with(
            "xl/sharedStrings.xml",
            "<sst uniqueCount=\"1\"><si><t>1234567890</t></si></sst>",
        );
        assert_eq!(parts.shown(), "A1=\"1234567890\", B1=\"1234567890\"");
        let limits = Limits {
            text_bytes: 19,
            ..Limits::default()
        };
        assert_eq!(
            parts.read_within(&limits).unwrap_err().rule,
            "file.expands-too-far"
        );
        assert_eq!(
            Parts::xlsx("<row><c r=\"A1\" t=\"s\"><v>1</v></c></row>").shown(),
            "file.broken"
        );
    }

    #[test]
    fn compound_files_are_told_apart() {
        let compound = |name: &str, n_bytes: usize| {
            let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
            bytes.resize(2048, 0);
            bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            bytes.resize(4096, 0);
            bytes.truncate(n_bytes);
            crate::read(&bytes, "return.xls", &Limits::default()).unwrap_err()
        };
        assert_eq!(compound("EncryptedPackage", 4096).rule, "file.password");
        assert_eq!(compound("Workbook", 4096).rule, "file.broken");
        assert_eq!(compound("Workbook", 1000).rule, "file.cut-off");
        let word = compound("WordDocument", 4096);
        assert_eq!(word.rule, "file.not-a-spreadsheet");
        assert_eq!(
            word.message,
            "The file is a Word document, not a spreadsheet."
        );
    }
}
