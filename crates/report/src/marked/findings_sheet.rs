//! The sheets of findings in front of the sender's own: every text is written in its cell, none can become a formula.

use std::borrow::Cow;
use std::fmt::Write as _;

use finding::{Asks, CellRef, Finding, Group, column_letters};

use super::styles::SheetStyles;
use super::xml::escape;
use crate::height;
use crate::listing::{self, Cover};

/// How many links spreadsheet programs allow on a sheet, with a margin.
const MOST_LINKS: usize = 65_000;

/// Which of our sheets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ours {
    /// The one that is seen first.
    Findings,
    Overview,
}

impl Ours {
    fn code_name(self) -> &'static str {
        match self {
            Ours::Findings => sheet::OUR_CODE_NAMES[0],
            Ours::Overview => sheet::OUR_CODE_NAMES[1],
        }
    }
}

/// A sheet while it is written.
struct Writer<'s> {
    styles: &'s SheetStyles,
    /// Of the table's columns.
    widths: Vec<u16>,
    rows: String,
    n_rows: u32,
}

impl<'s> Writer<'s> {
    fn new(styles: &'s SheetStyles, widths: Vec<u16>) -> Self {
        Self {
            styles,
            widths,
            rows: String::new(),
            n_rows: 0,
        }
    }

    /// A sentence above the table, which runs on over the cells beside it.
    fn line(&mut self, style: u32, text: &str) {
        self.n_rows += 1;
        let _ = write!(self.rows, "<row r=\"{}\">", self.n_rows);
        self.cells(&[(style, Cow::Borrowed(text))], None);
    }

    /// A row of the table, as high as its texts; `number` is the column whose text is a number.
    fn row(&mut self, cells: &[(u32, Cow<'_, str>)], number: Option<u32>) {
        self.n_rows += 1;
        let texts = cells.iter().map(|(_, text)| text.as_ref());
        let widths = self.widths.iter().copied().map(f64::from);
        let height = height::of_row(height::CALIBRI_11, texts.zip(widths));
        let _ = write!(
            self.rows,
            "<row r=\"{}\" ht=\"{height}\" customHeight=\"1\">",
            self.n_rows
        );
        self.cells(cells, number);
    }

    fn cells(&mut self, cells: &[(u32, Cow<'_, str>)], number: Option<u32>) {
        for (column_idx, (style, text)) in (0..).zip(cells) {
            let place = format!("{}{}", column_letters(column_idx), self.n_rows);
            if text.is_empty() {
                let _ = write!(self.rows, "<c r=\"{place}\" s=\"{style}\"/>");
            } else if number == Some(column_idx) {
                let _ = write!(
                    self.rows,
                    "<c r=\"{place}\" s=\"{style}\"><v>{text}</v></c>"
                );
            } else {
                let _ = write!(
                    self.rows,
                    "<c r=\"{place}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
                    escape(&literal(text))
                );
            }
        }
        self.rows.push_str("</row>");
    }

    /// Headings, which stay in sight from here on.
    fn headings<'t>(&mut self, headings: impl Iterator<Item = &'t str>) {
        let style = self.styles.heading;
        let cells: Vec<_> = headings.map(|text| (style, Cow::Borrowed(text))).collect();
        self.row(&cells, None);
    }

    /// The part, of which the first `n_kept` rows stay in sight and are followed by a table as wide as the columns.
    fn finish(self, namespace: &str, which: Ours, n_kept: u32, links: &str) -> String {
        let mut columns = String::new();
        for (n, width) in (1..).zip(&self.widths) {
            let _ = write!(
                columns,
                "<col min=\"{n}\" max=\"{n}\" width=\"{width}\" customWidth=\"1\"/>"
            );
        }
        let last_column = u32::try_from(self.widths.len().saturating_sub(1)).unwrap_or(0);
        let end = format!("{}{}", column_letters(last_column), self.n_rows.max(n_kept));
        let first = format!("A{}", n_kept + 1);
        let code_name = which.code_name();
        let selected = match which {
            Ours::Findings => " tabSelected=\"1\"",
            Ours::Overview => "",
        };
        let links = if links.is_empty() {
            String::new()
        } else {
            format!("<hyperlinks>{links}</hyperlinks>")
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<worksheet xmlns=\"{namespace}\"><sheetPr codeName=\"{code_name}\"><tabColor rgb=\"{}\"/><pageSetUpPr fitToPage=\"1\"/></sheetPr><dimension ref=\"A1:{end}\"/><sheetViews><sheetView showGridLines=\"0\"{selected} workbookViewId=\"0\"><pane ySplit=\"{n_kept}\" topLeftCell=\"{first}\" activePane=\"bottomLeft\" state=\"frozen\"/><selection pane=\"bottomLeft\" activeCell=\"{first}\" sqref=\"{first}\"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>{columns}</cols><sheetData>{}</sheetData><autoFilter ref=\"A{n_kept}:{end}\"/>{links}<pageMargins left=\"0.5\" right=\"0.5\" top=\"0.5\" bottom=\"0.5\" header=\"0.3\" footer=\"0.3\"/><pageSetup orientation=\"landscape\" fitToHeight=\"0\"/></worksheet>",
            sheet::OUR_TAB_COLOUR,
            self.rows
        )
    }
}

/// What the findings sheet says beside the findings themselves.
pub(super) struct Page<'a> {
    pub(super) cover: &'a Cover,
    /// Sentences on how the workbook was marked.
    pub(super) notes: &'a [String],
    pub(super) namespace: &'a str,
    pub(super) styles: &'a SheetStyles,
}

/// The list of findings, each with a link to its cell.
pub(super) fn findings(page: &Page<'_>, findings: &[Finding], own: &[String]) -> String {
    let own_widths = own.iter().map(|_| listing::OWN_WIDTH);
    let widths = listing::COLUMNS.iter().map(|(_, width)| *width);
    let mut sheet = Writer::new(page.styles, widths.chain(own_widths).collect());
    sheet.line(page.styles.title, "What was found in this workbook");
    sheet.line(page.styles.line, &page.cover.sentence());
    sheet.line(page.styles.line, &page.cover.about);
    for note in page.notes {
        sheet.line(page.styles.line, note);
    }
    sheet.line(page.styles.line, "");
    let headings = listing::COLUMNS.iter().map(|(heading, _)| *heading);
    sheet.headings(headings.chain(own.iter().map(String::as_str)));
    let n_kept = sheet.n_rows;
    let mut links = String::new();
    let mut n_links = 0;
    for finding in findings {
        let cells: Vec<(u32, Cow<'_, str>)> = listing::line(finding, own)
            .into_iter()
            .zip(0..)
            .map(|(text, idx)| {
                let style = match (idx, &finding.cell) {
                    (0, _) => page.styles.of(Asks::of(finding.severity)),
                    (listing::CELL_COLUMN, Some(_)) if n_links < MOST_LINKS => page.styles.link,
                    _ => page.styles.text,
                };
                (style, text)
            })
            .collect();
        sheet.row(&cells, Some(listing::ROW_COLUMN));
        if let (Some(cell), true) = (&finding.cell, n_links < MOST_LINKS) {
            n_links += 1;
            let column = column_letters(listing::CELL_COLUMN);
            let _ = write!(
                links,
                "<hyperlink ref=\"{column}{}\" location=\"{}\" display=\"{}\"/>",
                sheet.n_rows,
                escape(&location(cell)),
                escape(&cell.address())
            );
        }
    }
    sheet.finish(page.namespace, Ours::Findings, n_kept, &links)
}

/// The findings by check.
pub(super) fn overview(page: &Page<'_>, groups: &[Group]) -> String {
    let widths = listing::OVERVIEW.iter().map(|(_, width)| *width);
    let mut sheet = Writer::new(page.styles, widths.collect());
    sheet.line(page.styles.title, "What was found, by check");
    sheet.line(page.styles.line, &page.cover.sentence());
    sheet.line(page.styles.line, "");
    sheet.headings(listing::OVERVIEW.iter().map(|(heading, _)| *heading));
    let n_kept = sheet.n_rows;
    for group in groups {
        let cells: Vec<(u32, Cow<'_, str>)> = listing::overview_line(group)
            .into_iter()
            .zip(0..)
            .map(|(text, idx)| {
                let style = if idx == 0 {
                    page.styles.of(Asks::of(group.severity))
                } else {
                    page.styles.text
                };
                (style, text)
            })
            .collect();
        sheet.row(&cells, Some(listing::COUNT_COLUMN));
    }
    sheet.finish(page.namespace, Ours::Overview, n_kept, "")
}

/// A place within the workbook: the sheet's name always in quotes, since `HL1` alone could be a cell.
fn location(cell: &CellRef) -> String {
    format!("'{}'!{}", cell.sheet.replace('\'', "''"), cell.address())
}

/// A text that reads as an escaped character, `_x0041_`, is escaped itself.
fn literal(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        let is_escape = c == '_'
            && text.as_bytes().get(at + 1) == Some(&b'x')
            && text.as_bytes().get(at + 6) == Some(&b'_')
            && text.as_bytes()[at + 2..at + 6]
                .iter()
                .all(u8::is_ascii_hexdigit);
        written.push_str(if is_escape { "_x005F_" } else { "" });
        if !is_escape {
            written.push(c);
        }
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_as_an_escape_is_meant_literally() {
        assert_eq!(literal("a_x0041_b"), "a_x005F_x0041_b");
        assert_eq!(literal("_x00"), "_x00");
        assert_eq!(literal("_xzzzz_"), "_xzzzz_");
        assert_eq!(literal("£_x0041_£"), "£_x005F_x0041_£");
    }

    #[test]
    fn a_link_is_told_from_a_cell() {
        assert_eq!(location(&CellRef::new("HL1", 4, 1)), "'HL1'!B5");
        assert_eq!(location(&CellRef::new("It's", 0, 0)), "'It''s'!A1");
    }
}
