//! Findings as a workbook of their own: by check on the first sheet, all of them on the next.
//!
//! For a file that can't be given back with marks, and for whoever would rather have a list.
//! Every text is a text: none can become a formula, not even when its cell is edited.

use std::borrow::Cow;
use std::io::{Seek, Write};
use std::path::Path;

use finding::{Asks, Finding, Groups};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
};

use crate::fitting::fitting;
use crate::height;
use crate::listing::{self, Column, Cover};
use crate::workbook::WriteError;

/// The rows of a sheet, its headings among them.
const MOST_ROWS: u32 = 1_048_576;

/// A workbook of findings while they come.
pub struct FindingsWorkbook {
    workbook: Workbook,
    cover: Cover,
    own: Vec<String>,
    groups: Groups,
    looks: Looks,
    /// Of the list that is being written.
    sheet_idx: usize,
    next_row: u32,
    most_rows: u32,
}

/// How cells look.
struct Looks {
    title: Format,
    heading: Format,
    text: Format,
}

impl Looks {
    fn new() -> Self {
        let text = Format::new()
            .set_align(FormatAlign::Top)
            .set_text_wrap()
            .set_quote_prefix();
        Self {
            title: Format::new().set_bold().set_font_size(14),
            heading: text
                .clone()
                .set_bold()
                .set_background_color("E5E5E5")
                .set_border_bottom(FormatBorder::Thin),
            text,
        }
    }

    fn asks(&self, asks: Asks) -> Format {
        // Without the alpha.
        let colour = listing::colour(asks).get(2..).unwrap_or_default();
        self.text.clone().set_background_color(colour)
    }
}

/// Why a figure is right; before the sender's own columns. It is no longer than 4,000 characters.
const EXPLANATION: Column<'static> = ("Explanation", 50);

const OVERVIEW: &str = "Overview";
const FINDINGS: &str = "Findings";

impl FindingsWorkbook {
    /// `own` are the headings of the sender's own columns; rows wait in a file in `temporary` until they are packed.
    pub fn new(cover: Cover, own: Vec<String>, temporary: &Path) -> Result<Self, WriteError> {
        Self::with_rows(cover, own, temporary, MOST_ROWS)
    }

    fn with_rows(
        cover: Cover,
        own: Vec<String>,
        temporary: &Path,
        most_rows: u32,
    ) -> Result<Self, WriteError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(temporary)?;
        workbook.set_properties(
            &DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?),
        );
        workbook.add_worksheet().set_name(OVERVIEW)?;
        let mut this = Self {
            workbook,
            cover,
            own,
            groups: Groups::default(),
            looks: Looks::new(),
            sheet_idx: 0,
            next_row: 0,
            most_rows,
        };
        this.start_list()?;
        Ok(this)
    }

    /// Another sheet for the list, which the one before has no room for.
    fn start_list(&mut self) -> Result<(), WriteError> {
        self.sheet_idx += 1;
        let name = match self.sheet_idx {
            1 => FINDINGS.to_owned(),
            n => format!("{FINDINGS} {n}"),
        };
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        sheet.set_landscape();
        sheet.set_print_fit_to_pages(1, 0);
        let own = self
            .own
            .iter()
            .map(|heading| (heading.as_str(), listing::OWN_WIDTH));
        let columns = listing::COLUMNS.into_iter().chain([EXPLANATION]);
        let columns: Vec<Column<'_>> = columns.chain(own).collect();
        write_headings(sheet, 0, &columns, &self.looks.heading)?;
        self.next_row = 1;
        Ok(())
    }

    /// Adds findings, which come in report order, each with the explanation that it has.
    pub fn add<'a>(
        &mut self,
        findings: impl IntoIterator<Item = (&'a Finding, Option<&'a str>)>,
    ) -> Result<(), WriteError> {
        for (finding, explanation) in findings {
            if self.next_row == self.most_rows {
                self.end_list()?;
                self.start_list()?;
            }
            let asks = self.looks.asks(Asks::of(finding.severity));
            let sheet = self.workbook.worksheet_from_index(self.sheet_idx)?;
            let mut line = listing::line(finding, &self.own);
            let explanation = Cow::Borrowed(explanation.unwrap_or(""));
            line.insert(listing::COLUMNS.len(), explanation);
            let widths = listing::COLUMNS.iter().chain([&EXPLANATION]);
            let widths = widths.map(|(_, width)| *width);
            fit_row(
                sheet,
                self.next_row,
                &line,
                widths.chain(std::iter::repeat(listing::OWN_WIDTH)),
            )?;
            for (text, column) in line.iter().zip(0_u16..) {
                let look = if column == 0 { &asks } else { &self.looks.text };
                write_cell(
                    sheet,
                    self.next_row,
                    column,
                    text,
                    listing::ROW_COLUMN,
                    look,
                )?;
            }
            self.groups.add(finding);
            self.next_row += 1;
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), WriteError> {
        let n_columns = listing::COLUMNS.len() + 1 + self.own.len();
        let last_column = u16::try_from(n_columns.saturating_sub(1)).unwrap_or(u16::MAX);
        let sheet = self.workbook.worksheet_from_index(self.sheet_idx)?;
        sheet.autofilter(0, 0, self.next_row.saturating_sub(1), last_column)?;
        Ok(())
    }

    /// Writes the workbook, once all findings are added.
    pub fn save<W: Write + Seek + Send>(mut self, to: W) -> Result<(), WriteError> {
        self.end_list()?;
        let groups = self.groups.into_vec();
        let sheet = self.workbook.worksheet_from_index(0)?;
        sheet.set_landscape();
        sheet.set_print_fit_to_pages(1, 0);
        sheet.write_string_with_format(0, 0, "What was found", &self.looks.title)?;
        sheet.write_string(1, 0, fitting(&self.cover.sentence()))?;
        sheet.write_string(2, 0, fitting(&self.cover.about))?;
        let headings_row = 4;
        write_headings(sheet, headings_row, &listing::OVERVIEW, &self.looks.heading)?;
        let mut row = headings_row;
        for group in &groups {
            row += 1;
            let asks = self.looks.asks(Asks::of(group.severity));
            let line = listing::overview_line(group);
            let widths = listing::OVERVIEW.iter().map(|(_, width)| *width);
            fit_row(sheet, row, &line, widths)?;
            for (text, column) in line.iter().zip(0_u16..) {
                let look = if column == 0 { &asks } else { &self.looks.text };
                write_cell(sheet, row, column, text, listing::COUNT_COLUMN, look)?;
            }
        }
        sheet.autofilter(headings_row, 0, row, 6)?;
        Ok(self.workbook.save_to_writer(to)?)
    }
}

/// As high as its wrapped texts: not every program sees to that by itself.
fn fit_row(
    sheet: &mut Worksheet,
    row: u32,
    texts: &[Cow<'_, str>],
    widths: impl Iterator<Item = u16>,
) -> Result<(), WriteError> {
    let texts = texts.iter().map(Cow::as_ref).zip(widths.map(f64::from));
    sheet.set_row_height(row, height::of_row(height::CALIBRI_11, texts))?;
    Ok(())
}

fn write_headings(
    sheet: &mut Worksheet,
    row: u32,
    columns: &[Column<'_>],
    look: &Format,
) -> Result<(), WriteError> {
    sheet.set_freeze_panes(row + 1, 0)?;
    for ((heading, width), column) in columns.iter().zip(0_u16..) {
        sheet.set_column_width(column, *width)?;
        // The sender's own headings are as long as they made them.
        sheet.write_string_with_format(row, column, fitting(heading), look)?;
    }
    Ok(())
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    number_column: u32,
    look: &Format,
) -> Result<(), WriteError> {
    match text.parse::<f64>() {
        Ok(number) if u32::from(column) == number_column => {
            sheet.write_number_with_format(row, column, number, look)?;
        }
        _ if text.is_empty() => {
            sheet.write_blank(row, column, look)?;
        }
        _ => {
            sheet.write_string_with_format(row, column, text, look)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Cursor, Read};

    use finding::{CellRef, Outcome, Severity};
    use sheet::{Limits, Value};

    use super::*;

    fn findings() -> Vec<Finding> {
        let mut findings: Vec<_> = (0..5)
            .map(|row| {
                Finding::new("case.a", Severity::Error, "=1+1", "+Mend it.")
                    .on_item("AGE")
                    .at_cell(CellRef::new("HL1", row, 1))
                    .with_value("@x_x0041_")
            })
            .collect();
        findings[0].own.insert("=Ref".to_owned(), "-7".to_owned());
        findings.push(Finding::new(
            "file.x",
            Severity::Note,
            "Note.",
            "Nothing to do.",
        ));
        findings
    }

    fn saved(findings: &[Finding], most_rows: u32) -> Vec<u8> {
        let cover = Cover {
            file_name: "return.ods".to_owned(),
            about: "HL1 2026".to_owned(),
            outcome: Outcome::NeedsCorrection,
            counts: BTreeMap::from([(Severity::Error, 5), (Severity::Note, 1)]),
        };
        let own = crate::csv::own_headings(findings);
        let dir = std::env::temp_dir();
        let mut workbook = FindingsWorkbook::with_rows(cover, own, &dir, most_rows).unwrap();
        let explained = |finding| (finding, Some("=So it is."));
        workbook.add(findings[..2].iter().map(explained)).unwrap();
        let not = |finding| (finding, None);
        workbook.add(findings[2..].iter().map(not)).unwrap();
        let mut bytes = Cursor::new(Vec::new());
        workbook.save(&mut bytes).unwrap();
        bytes.into_inner()
    }

    /// The rows of a sheet as text.
    fn rows(workbook: &sheet::Workbook, sheet_idx: usize) -> Vec<String> {
        let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for cell in &workbook.sheets[sheet_idx].cells {
            let shown = match &cell.value {
                Value::Text(text) => text.clone(),
                Value::Number(number) => format!("#{number}"),
                other => format!("{other:?}"),
            };
            rows.entry(cell.row_idx).or_default().push(shown);
        }
        rows.into_values().map(|row| row.join("|")).collect()
    }

    #[test]
    fn findings_are_told_by_check_and_listed_in_full() {
        let bytes = saved(&findings(), MOST_ROWS);
        let workbook = sheet::read(&bytes, "a.xlsx", &Limits::default()).unwrap();
        assert_eq!(
            rows(&workbook, 0),
            [
                "What was found",
                "return.ods: needs correction: 5 to fix, 1 for information.",
                "HL1 2026",
                "What to do|How many|Column|First places|What is wrong (the first of them)|How to fix it|Check",
                "To fix|#5|AGE|HL1!B1, HL1!B2, HL1!B3, HL1!B4, HL1!B5|=1+1|+Mend it.|case.a",
                "For information|#1|Note.|Nothing to do.|file.x",
            ]
        );
        let list = rows(&workbook, 1);
        assert_eq!(list.len(), 7);
        assert_eq!(
            list[0],
            "What to do|Sheet|Cell|Row|Column|Value|What is wrong|How to fix it|Check|Table|On trial as|Key|Explanation|=Ref"
        );
        assert_eq!(
            list[1],
            "To fix|HL1|B1|#1|AGE|@x_x0041_|=1+1|+Mend it.|case.a|=So it is.|-7"
        );
        assert_eq!(list[6], "For information|Note.|Nothing to do.|file.x");
    }

    #[test]
    fn nothing_in_it_is_a_formula_or_hidden() {
        let bytes = saved(&findings(), MOST_ROWS);
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for idx in 0..archive.len() {
            let mut part = archive.by_index(idx).unwrap();
            let mut xml = String::new();
            part.read_to_string(&mut xml).unwrap();
            for what in ["<f>", "hidden", "externalLink", "pivotCache", "<comment"] {
                // The range of the filter is a name that programs keep to themselves.
                let xml = xml
                    .replace(
                        "_xlnm._FilterDatabase\" localSheetId=\"0\" hidden=\"1\"",
                        "",
                    )
                    .replace(
                        "_xlnm._FilterDatabase\" localSheetId=\"1\" hidden=\"1\"",
                        "",
                    );
                assert!(!xml.contains(what), "{what}: {xml}");
            }
        }
    }

    #[test]
    fn a_list_that_is_too_long_for_a_sheet_goes_on_on_the_next() {
        let bytes = saved(&findings(), 4);
        let workbook = sheet::read(&bytes, "a.xlsx", &Limits::default()).unwrap();
        let names: Vec<_> = workbook
            .sheets
            .iter()
            .map(|sheet| sheet.name.as_str())
            .collect();
        assert_eq!(names, ["Overview", "Findings", "Findings 2"]);
        assert_eq!(rows(&workbook, 1).len(), 4);
        assert_eq!(rows(&workbook, 2).len(), 4);
    }
}
