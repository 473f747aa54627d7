//! A drawn workbook as an xlsx file.
//!
//! What the writer has no words for (error values, formulas that were never calculated, a text result that looks like a number) is written as a formula with a placeholder for its result, and put right in the sheet's XML afterwards.
//! The same drawing gives the same bytes on any day.

use std::io::{Cursor, Read, Write};

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, Formula, IntoExcelDateTime, Workbook, Worksheet,
    XlsxError,
};
use sheet::grid::{Grid, GridCell, GridSheet};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Why a workbook can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the workbook has no sheet")]
    NoSheets,
    #[error("{0} is outside the grid of a worksheet")]
    OutsideGrid(finding::CellRef),
    #[error(transparent)]
    Xlsx(#[from] XlsxError),
    #[error("the workbook can't be packed")]
    Zip(#[from] zip::result::ZipError),
    #[error("the workbook can't be packed")]
    Io(#[from] std::io::Error),
    #[error("the workbook that was packed can't be read again: {0}")]
    Again(#[from] sheet::Refusal),
}

/// Starts a placeholder: a private-use character that no sheet's XML holds after `<v>` by itself.
const PLACEHOLDER: char = '\u{f8ff}';

/// What stands for a placeholder in the end.
enum Patch {
    /// An error value, not a formula.
    Error(String),
    /// A formula with this result and `t` attribute; without a result, no `<v>` at all.
    Formula(Option<(&'static str, String)>),
}

/// The drawing as an xlsx file, with real date cells, hidden sheets and formulas with their calculated values.
pub fn write_xlsx(grid: &Grid) -> Result<Vec<u8>, WriteError> {
    if grid.sheets.is_empty() {
        return Err(WriteError::NoSheets);
    }
    let mut workbook = Workbook::new();
    workbook.set_properties(
        &DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?),
    );
    let mut patches = Vec::new();
    let mut active = false;
    for sheet in &grid.sheets {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(&sheet.name)?;
        if !sheet.visible {
            worksheet.set_hidden(true);
        } else if !active {
            worksheet.set_active(true);
            active = true;
        }
        write_sheet(worksheet, sheet, &mut patches)?;
        // A date in a column too narrow for it shows as ####.
        worksheet.autofit();
    }
    let bytes = workbook.save_to_buffer()?;
    if patches.is_empty() {
        return Ok(bytes);
    }
    put_right(&bytes, &patches)
}

fn write_sheet(
    worksheet: &mut Worksheet,
    sheet: &GridSheet,
    patches: &mut Vec<Patch>,
) -> Result<(), WriteError> {
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let moment = Format::new().set_num_format("dd/mm/yyyy hh:mm:ss");
    for (row_idx, column_idx, cell) in sheet.cells() {
        let column = u16::try_from(column_idx).map_err(|_| {
            WriteError::OutsideGrid(finding::CellRef::new(&sheet.name, row_idx, column_idx))
        })?;
        match cell {
            GridCell::Blank => {}
            GridCell::Text(text) => {
                worksheet.write_string(row_idx, column, text)?;
            }
            GridCell::Number(literal) => {
                match literal.parse::<f64>() {
                    Ok(number) => worksheet.write_number(row_idx, column, number)?,
                    Err(_) => worksheet.write_string(row_idx, column, literal)?,
                };
            }
            GridCell::Date(day) => {
                worksheet.write_datetime_with_format(row_idx, column, day, &date)?;
            }
            GridCell::DateTime(time) => {
                worksheet.write_datetime_with_format(row_idx, column, time, &moment)?;
            }
            GridCell::Boolean(truth) => {
                worksheet.write_boolean(row_idx, column, *truth)?;
            }
            GridCell::Error(name) => {
                let formula = Formula::new("=0").set_result(placeholder(patches.len()));
                patches.push(Patch::Error(name.clone()));
                worksheet.write_formula(row_idx, column, formula)?;
            }
            GridCell::Formula { formula, result } => {
                let formula =
                    Formula::new(format!("={formula}")).set_result(placeholder(patches.len()));
                patches.push(Patch::Formula(result.as_deref().and_then(cached_result)));
                match result.as_deref() {
                    Some(GridCell::Date(_)) => {
                        worksheet.write_formula_with_format(row_idx, column, formula, &date)?
                    }
                    Some(GridCell::DateTime(_)) => {
                        worksheet.write_formula_with_format(row_idx, column, formula, &moment)?
                    }
                    _ => worksheet.write_formula(row_idx, column, formula)?,
                };
            }
        }
    }
    Ok(())
}

fn placeholder(idx: usize) -> String {
    format!("{PLACEHOLDER}{idx}")
}

/// A result's `t` attribute and text.
fn cached_result(result: &GridCell) -> Option<(&'static str, String)> {
    Some(match result {
        GridCell::Blank | GridCell::Formula { .. } => return None,
        GridCell::Text(text) => ("str", text.clone()),
        GridCell::Number(literal) => ("n", literal.clone()),
        GridCell::Date(day) => ("n", day.to_excel_serial_date().to_string()),
        GridCell::DateTime(time) => ("n", time.to_excel_serial_date().to_string()),
        GridCell::Boolean(truth) => ("b", u8::from(*truth).to_string()),
        GridCell::Error(name) => ("e", name.clone()),
    })
}

/// Packs the file again with every placeholder in its sheets replaced.
fn put_right(bytes: &[u8], patches: &[Patch]) -> Result<Vec<u8>, WriteError> {
    let mut from = ZipArchive::new(Cursor::new(bytes))?;
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for idx in 0..from.len() {
        let mut part = from.by_index(idx)?;
        let name = part.name()?.into_owned();
        if !name.starts_with("xl/worksheets/sheet") {
            to.raw_copy_file(part)?;
            continue;
        }
        let mut xml = String::new();
        part.read_to_string(&mut xml)?;
        to.start_file(name, SimpleFileOptions::default())?;
        to.write_all(patch_sheet(&xml, patches).as_bytes())?;
    }
    Ok(to.finish()?.into_inner())
}

/// Cells are `<c r="A1" s="1" t="str"><f>…</f><v>placeholder</v></c>`; a formula's own `<` is escaped.
fn patch_sheet(xml: &str, patches: &[Patch]) -> String {
    let value = format!("<v>{PLACEHOLDER}");
    let mut mended = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(at) = rest.find(&value) {
        let (before, after) = rest.split_at(at);
        let (idx, after) = after[value.len()..].split_once("</v>").unwrap_or_default();
        let cell = before.rfind("<c ").unwrap_or(0);
        let (open, formula) = before[cell..].split_once(" t=\"str\"").unwrap_or_default();
        mended.push_str(&before[..cell]);
        mended.push_str(open);
        match idx.parse().ok().and_then(|idx: usize| patches.get(idx)) {
            Some(Patch::Error(name)) => {
                mended.extend([" t=\"e\"><v>", &escape(name), "</v>"]);
            }
            Some(Patch::Formula(Some((kind, result)))) => {
                let result = escape(result);
                mended.extend([" t=\"", kind, "\"", formula, "<v>", &result, "</v>"]);
            }
            Some(Patch::Formula(None)) | None => mended.push_str(formula),
        }
        rest = after;
    }
    mended.push_str(rest);
    mended
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "[HL1]\n\
        | Reference | Opened | Amount | Open? |\n\
        | '0012 | 2026-04-15 | 0.10 | TRUE |\n\
        | ' padded\\s | 2026-04-15T10:30:05 | -1234567.89 | FALSE |\n\
        |\n\
        | #REF! | #N/A | #SPILL! | #DIV/0! |\n\
        | =A1&\"<\" -> a < b & c | =B2 -> 2026-04-15 | =C2*2 -> 0.2 | =D2 -> TRUE |\n\
        | =A1 -> '5 | =A1 -> 'TRUE | =X1# -> #CALC! | =C2+C3 -> |\n\
        | =A1 -> 2026-04-15T10:30:05 | =SORT(A1:A3) -> | line\\nbreak \\| bar | £ é \u{1f600} |\n\
        at XFD1048576\n\
        | end |\n\
        [Old data hidden]\n\
        | x |\n";

    fn read(bytes: &[u8]) -> sheet::Workbook {
        sheet::read(bytes, "return.xlsx", &sheet::Limits::default()).unwrap()
    }

    fn sheet_xml(bytes: &[u8]) -> String {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut xml = String::new();
        let mut part = archive.by_name("xl/worksheets/sheet1.xml").unwrap();
        part.read_to_string(&mut xml).unwrap();
        xml
    }

    #[test]
    fn a_drawing_reads_back_as_it_was_drawn() {
        let grid = Grid::parse(DRAWN).unwrap();
        assert_eq!(read(&write_xlsx(&grid).unwrap()), grid.to_workbook());
    }

    #[test]
    fn a_drawing_without_formulas_and_errors_reads_back_too() {
        let grid = Grid::parse("[A hidden]\n| 1 | a |\n[B]\n| 2 |\n[C]\n| 3 |").unwrap();
        assert_eq!(read(&write_xlsx(&grid).unwrap()), grid.to_workbook());
    }

    #[test]
    fn an_error_is_an_error_cell_and_an_uncalculated_formula_has_no_value() {
        let drawn = "[A]\n| #SPILL! | =B1+1 -> | =B1 -> 'x | =SORT(B1:B9) -> |";
        let xml = sheet_xml(&write_xlsx(&Grid::parse(drawn).unwrap()).unwrap());
        let row = xml.split("<row").nth(1).unwrap();
        for cell in [
            "<c r=\"A1\" t=\"e\"><v>#SPILL!</v></c>",
            "<c r=\"B1\"><f>B1+1</f></c>",
            "<c r=\"C1\" t=\"str\"><f>B1</f><v>x</v></c>",
        ] {
            assert!(row.contains(cell), "{row}");
        }
        assert!(!xml.contains(PLACEHOLDER), "{xml}");
    }

    #[test]
    fn the_same_drawing_gives_the_same_bytes_on_any_day() {
        let bytes = write_xlsx(&Grid::parse(DRAWN).unwrap()).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        for idx in 0..archive.len() {
            let mut part = archive.by_index(idx).unwrap();
            assert_eq!(part.last_modified().unwrap().year(), 1980);
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            let stamps = text.matches("2000-01-01T00:00:00Z").count();
            let is_core = part.name().unwrap() == "docProps/core.xml";
            assert_eq!(stamps, if is_core { 2 } else { 0 }, "{text}");
        }
        assert_eq!(bytes, write_xlsx(&Grid::parse(DRAWN).unwrap()).unwrap());
    }

    #[test]
    fn what_no_workbook_can_hold_is_an_error() {
        assert!(matches!(
            write_xlsx(&Grid::default()),
            Err(WriteError::NoSheets)
        ));
        for drawn in [
            "[a/b]\n| 1 |",
            "[A]\nat XFE1\n| 1 |",
            "[A]\nat A1048577\n| 1 |",
        ] {
            let grid = Grid::parse(drawn).unwrap();
            assert!(write_xlsx(&grid).is_err(), "{drawn}");
        }
        let mut grid = Grid::parse("[A]").unwrap();
        let far = GridCell::Text("x".to_owned());
        grid.set_cell("A", 0, 70_000, far).unwrap();
        assert_eq!(
            write_xlsx(&grid).unwrap_err().to_string(),
            "A!CYNI1 is outside the grid of a worksheet"
        );
    }
}
