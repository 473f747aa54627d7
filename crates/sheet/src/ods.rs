//! Spreadsheets in the open document format (ods).
//!
//! Read here and not by calamine, which lays a sheet's whole extent out in memory, does not tell a formula without a result from a blank, and never returns from a cut sheet.

mod beside;

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use chrono::{NaiveDate, TimeDelta};
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;

use crate::gate::{Gate, Stop};
use crate::package::Package;
use crate::remarks;
use crate::{Limits, RawCell, Refusal, Remark, SheetInfo, Value, moment};

type Xml<'x> = quick_xml::Reader<&'x [u8]>;

pub(crate) struct Ods {
    content: String,
    limits: Limits,
}

impl Ods {
    pub(crate) fn open(package: &Package<'_>, limits: &Limits) -> Result<Self, Refusal> {
        let mut archive =
            ZipArchive::new(Cursor::new(&*package.bytes)).map_err(|_| Refusal::cut_off())?;
        let mut content = String::new();
        archive
            .by_name("content.xml")
            .map_err(|_| broken())?
            .read_to_string(&mut content)
            .map_err(|_| broken())?;
        Ok(Self {
            content,
            limits: limits.clone(),
        })
    }

    pub(crate) fn sheets(&self) -> Result<Vec<SheetInfo>, Refusal> {
        let mut sheets = Vec::new();
        let look_beside = beside::is_in(&self.content);
        self.each_table(|content, tag, mut info| {
            if look_beside {
                info.beside = beside::read(content)?;
            } else {
                content.skip(tag)?;
            }
            sheets.push(info);
            Ok(())
        })?;
        Ok(sheets)
    }

    pub(crate) fn read(&self, gate: &mut Gate<'_>) -> Result<Option<Remark>, Refusal> {
        let mut sheet_idx = 0;
        let n_hidden_rows = self.each_table(|content, _, _| {
            gate.start_sheet(sheet_idx);
            sheet_idx += 1;
            content.read_table(gate)
        })?;
        Ok(remarks::hidden_rows(n_hidden_rows))
    }

    /// Gives the number of hidden rows in the tables that were read.
    fn each_table<'x>(
        &'x self,
        mut visit: impl FnMut(&mut Content<'x>, &BytesStart<'x>, SheetInfo) -> Result<(), Refusal>,
    ) -> Result<usize, Refusal> {
        let mut content = Content {
            xml: Xml::from_str(&self.content),
            limits: &self.limits,
            hidden_styles: BTreeSet::new(),
            n_hidden_rows: 0,
        };
        content.xml.config_mut().expand_empty_elements = true;
        let mut style = String::new();
        loop {
            match content.next()? {
                Event::Start(tag) => match tag.name().as_ref() {
                    "style:style" => {
                        style = attribute(&tag, "style:name")?.unwrap_or_default();
                    }
                    "style:table-properties"
                        if attribute(&tag, "table:display")?.as_deref() == Some("false") =>
                    {
                        content.hidden_styles.insert(style.clone());
                    }
                    "table:table" => {
                        let style = attribute(&tag, "table:style-name")?.unwrap_or_default();
                        let info = SheetInfo::new(
                            attribute(&tag, "table:name")?.unwrap_or_default(),
                            !content.hidden_styles.contains(&style),
                        );
                        visit(&mut content, &tag, info)?;
                    }
                    // Deleted cells are kept here.
                    "table:tracked-changes" => content.skip(&tag)?,
                    _ => {}
                },
                Event::Eof => return Ok(content.n_hidden_rows),
                _ => {}
            }
        }
    }
}

fn broken() -> Refusal {
    Refusal::broken("The workbook")
}

/// The last row or column that is counted, far outside the grid: what stands there is refused, and not lost for want of a number.
const LAST: u32 = u32::MAX - 1;

struct Content<'x> {
    xml: Xml<'x>,
    limits: &'x Limits,
    /// Names of the table styles that are not displayed.
    hidden_styles: BTreeSet<String>,
    /// By hand or by a filter; only rows with something in them.
    n_hidden_rows: usize,
}

impl<'x> Content<'x> {
    fn next(&mut self) -> Result<Event<'x>, Refusal> {
        self.xml.read_event().map_err(|_| broken())
    }

    fn skip(&mut self, tag: &BytesStart<'x>) -> Result<(), Refusal> {
        self.xml
            .read_to_end(tag.name())
            .map(drop)
            .map_err(|_| broken())
    }

    fn read_table(&mut self, gate: &mut Gate<'_>) -> Result<(), Refusal> {
        let mut row_idx: u32 = 0;
        loop {
            match self.next()? {
                Event::Start(tag) => match tag.name().as_ref() {
                    "table:table-row" => {
                        let repeats = repeats(&tag, "table:number-rows-repeated")?;
                        let visibility = attribute(&tag, "table:visibility")?;
                        let hidden = visibility.is_some_and(|how| how != "visible");
                        let row = self.read_row()?;
                        // Only rows with something in them are written out.
                        let n_rows = if row.is_empty() { 0 } else { repeats };
                        if hidden {
                            self.n_hidden_rows += n_rows as usize;
                        }
                        let cells = self.repeated(&row);
                        for row_idx in (row_idx..).take(n_rows as usize) {
                            gate.row(row_idx, &cells).map_err(Stop::into_refusal)?;
                        }
                        row_idx = row_idx.saturating_add(repeats).min(LAST);
                    }
                    // Drawings and forms, and tables within them.
                    "table:shapes" | "office:forms" | "table:table" => self.skip(&tag)?,
                    _ => {}
                },
                Event::End(tag) if tag.name().as_ref() == "table:table" => return Ok(()),
                Event::Eof => return Err(broken()),
                _ => {}
            }
        }
    }

    /// Each cell as often as it is repeated, up to the first that is outside the grid.
    fn repeated<'v>(&self, row: &'v [(std::ops::Range<u32>, Value)]) -> Vec<RawCell<'v>> {
        row.iter()
            .flat_map(|(columns, value)| {
                let last = self.limits.columns.max(columns.start);
                let columns = columns.start..columns.end.min(last.saturating_add(1));
                columns.map(|column_idx| RawCell {
                    column_idx,
                    raw: value.into(),
                })
            })
            .collect()
    }

    /// The cells with something in them, each with the columns that it is repeated in.
    fn read_row(&mut self) -> Result<Vec<(std::ops::Range<u32>, Value)>, Refusal> {
        let mut row = Vec::new();
        let mut column_idx: u32 = 0;
        loop {
            match self.next()? {
                Event::Start(tag)
                    if matches!(
                        tag.name().as_ref(),
                        "table:table-cell" | "table:covered-table-cell"
                    ) =>
                {
                    let repeats = repeats(&tag, "table:number-columns-repeated")?;
                    let end = column_idx.saturating_add(repeats);
                    if let Some(value) = self.read_cell(&tag)? {
                        row.push((column_idx..end, value));
                    }
                    column_idx = end.min(LAST);
                }
                Event::Start(tag) if is_of_a_table(&tag) => return Err(broken()),
                Event::End(tag) if tag.name().as_ref() == "table:table-row" => return Ok(row),
                Event::Eof => return Err(broken()),
                _ => {}
            }
        }
    }

    fn read_cell(&mut self, tag: &BytesStart<'x>) -> Result<Option<Value>, Refusal> {
        let text = self.read_text(tag)?;
        if attribute(tag, "calcext:value-type")?.as_deref() == Some("error") {
            let name = if text.is_empty() { "#VALUE!" } else { &text };
            return Ok(Some(Value::Error(name.to_owned())));
        }
        let of = |name| attribute(tag, name);
        Ok(match of("office:value-type")?.as_deref() {
            Some("float" | "percentage" | "currency") => {
                let number = of("office:value")?.ok_or_else(broken)?;
                Some(match (number.trim(), text.as_str()) {
                    // LibreOffice writes a truth value that came from an Excel workbook this way.
                    ("1", "TRUE") => Value::Boolean(true),
                    ("0", "FALSE") => Value::Boolean(false),
                    (number, _) => Value::Number(number.parse().map_err(|_| broken())?),
                })
            }
            Some("date") => {
                let date = of("office:date-value")?.ok_or_else(broken)?;
                Some(moment::parse_iso(&date).map_or(Value::Text(date), Value::DateTime))
            }
            Some("time") => Some(parse_time(of("office:time-value")?.ok_or_else(broken)?)),
            Some("boolean") => Some(Value::Boolean(
                of("office:boolean-value")?.as_deref() == Some("true"),
            )),
            Some(_) => {
                let text = of("office:string-value")?.unwrap_or(text);
                (!text.is_empty()).then_some(Value::Text(text))
            }
            None if of("table:formula")?.is_some() => Some(Value::NotCalculated),
            None => (!text.is_empty()).then_some(Value::Text(text)),
        })
    }

    /// The text of a cell's paragraphs up to the cell's end, without its comment and drawings.
    fn read_text(&mut self, cell: &BytesStart<'x>) -> Result<String, Refusal> {
        let mut text = String::new();
        let mut n_paragraphs = 0;
        let mut within = false;
        loop {
            match self.next()? {
                Event::Start(tag) => match tag.name().as_ref() {
                    "text:p" => {
                        if n_paragraphs > 0 {
                            text.push('\n');
                        }
                        n_paragraphs += 1;
                        within = true;
                    }
                    "text:s" => {
                        let wanted = repeats(&tag, "text:c")? as usize;
                        // One more than is allowed is enough to be refused for it.
                        let n_spaces = wanted.min(self.limits.characters + 1);
                        text.extend(std::iter::repeat_n(' ', n_spaces));
                    }
                    "text:tab" => text.push('\t'),
                    "text:line-break" => text.push('\n'),
                    // How the text is spoken is no part of it.
                    "office:annotation" | "text:ruby-text" => self.skip(&tag)?,
                    name if name.starts_with("draw:") => self.skip(&tag)?,
                    _ if is_of_a_table(&tag) => return Err(broken()),
                    _ => {}
                },
                Event::End(tag) if tag.name() == cell.name() => return Ok(text),
                Event::End(tag) if tag.name().as_ref() == "text:p" => within = false,
                Event::Text(piece) if within => text.push_str(&piece.xml10_content()),
                Event::CData(piece) if within => text.push_str(&piece.xml10_content()),
                Event::GeneralRef(entity) if within => push_entity(&entity, &mut text)?,
                Event::Eof => return Err(broken()),
                _ => {}
            }
            if text.len() as u64 > self.limits.text_bytes {
                return Err(Refusal::expands_too_far());
            }
        }
    }
}

/// No spreadsheet program writes a table, row or cell within a cell, and nothing says which cell it would be.
fn is_of_a_table(tag: &BytesStart<'_>) -> bool {
    matches!(
        tag.name().as_ref(),
        "table:table" | "table:table-row" | "table:table-cell" | "table:covered-table-cell"
    )
}

fn push_entity(entity: &BytesRef<'_>, text: &mut String) -> Result<(), Refusal> {
    if let Some(plain) = resolve_xml_entity(entity.as_ref()) {
        text.push_str(plain);
    } else if let Ok(Some(c)) = entity.resolve_char_ref() {
        text.push(c);
    } else {
        return Err(broken());
    }
    Ok(())
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, Refusal> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| broken())?;
        if attribute.key.as_ref() == name {
            let value = unescape(&attribute.value).map_err(|_| broken())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// At least once, as spreadsheet programs take it.
fn repeats(tag: &BytesStart<'_>, name: &str) -> Result<u32, Refusal> {
    match attribute(tag, name)? {
        Some(count) => count.parse().map(|n: u32| n.max(1)).map_err(|_| broken()),
        None => Ok(1),
    }
}

/// `PT10H30M00S` as the sender sees it: a time of day, or a duration where there are more hours than in a day.
fn parse_time(text: String) -> Value {
    let mut seconds: f64 = 0.0;
    let (sign, positive) = match text.strip_prefix('-') {
        Some(positive) => ("-", positive),
        None => ("", &*text),
    };
    let Some(parts) = positive.strip_prefix("PT") else {
        return Value::Text(text);
    };
    let mut number = String::new();
    for c in parts.chars() {
        let unit = match c {
            '0'..='9' | '.' => {
                number.push(c);
                continue;
            }
            'H' => 3_600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => return Value::Text(text),
        };
        seconds += number.parse::<f64>().unwrap_or_default() * unit;
        number.clear();
    }
    if !(0.0..1e9).contains(&seconds) {
        return Value::Text(text);
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 1e9")]
    let seconds = seconds.round() as i64;
    let day_before_first = NaiveDate::from_ymd_opt(1899, 12, 31).unwrap_or_default();
    if seconds < 86_400 && sign.is_empty() {
        let midnight = day_before_first.and_time(chrono::NaiveTime::MIN);
        return Value::DateTime(midnight + TimeDelta::seconds(seconds));
    }
    Value::Text(format!(
        "{sign}{}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    ))
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use crate::beside::Area;
    use crate::fixture::{Reading as _, show};
    use crate::{Format, Limits};

    fn table(rows: &str) -> Parts {
        Parts::ods(&format!(
            "<table:table table:name=\"A\" table:style-name=\"ta1\">{rows}</table:table>"
        ))
    }

    #[test]
    fn cells_are_read_as_the_spreadsheet_holds_them() {
        let rows = "<table:table-column/><table:table-row><table:table-cell office:value-type=\"string\"><office:annotation><text:p>comment</text:p></office:annotation> <text:p>a &amp; b<text:s text:c=\"2\"/>c</text:p><text:p><text:span>d</text:span></text:p></table:table-cell><table:table-cell office:value-type=\"float\" office:value=\"0.1\"><text:p>0,10</text:p></table:table-cell><table:table-cell table:number-columns-repeated=\"3\"/><table:table-cell office:value-type=\"date\" office:date-value=\"2026-04-15\"><text:p>x</text:p></table:table-cell><table:covered-table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"/></table:table-row><table:table-row table:number-rows-repeated=\"2\"/><table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"2\" office:value-type=\"percentage\" office:value=\"0.5\"/></table:table-row>";
        assert_eq!(
            table(rows).shown(),
            "A1=\"a & b  c\nd\", B1=0.1, F1=2026-04-15 00:00:00, G1=true, A4=0.5, B4=0.5, A5=0.5, B5=0.5"
        );
    }

    #[test]
    fn formulas_errors_and_times_keep_their_meaning() {
        let cell = |attributes: &str, text: &str| {
            format!("<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>")
        };
        let row = [
            cell("table:formula=\"of:=1\" office:value-type=\"float\" office:value=\"1\"", "1"),
            cell("table:formula=\"of:=1\"", ""),
            cell("table:formula=\"of:=1\" office:value-type=\"string\" office:string-value=\"\"", ""),
            cell("office:value-type=\"string\" office:string-value=\"\" calcext:value-type=\"error\"", "#DIV/0!"),
            cell("office:value-type=\"time\" office:time-value=\"PT10H30M00S\"", "10:30"),
            cell("office:value-type=\"time\" office:time-value=\"PT37H30M00S\"", "37:30"),
            cell("office:value-type=\"time\" office:time-value=\"-PT01H30M00S\"", "-1:30"),
            cell("office:value-type=\"string\"", "<text:ruby><text:ruby-base>a</text:ruby-base><text:ruby-text>b</text:ruby-text></text:ruby>"),
        ]
        .concat();
        assert_eq!(
            table(&format!("<table:table-row>{row}</table:table-row>")).shown(),
            "A1=1, B1=not calculated, D1=error #DIV/0!, E1=1899-12-31 10:30:00, F1=\"37:30:00\", G1=\"-1:30:00\", H1=\"a\""
        );
    }

    #[test]
    fn a_number_that_shows_as_a_truth_value_is_one() {
        let cell = |value: &str, text: &str| {
            format!(
                "<table:table-cell office:value-type=\"float\" office:value=\"{value}\"><text:p>{text}</text:p></table:table-cell>"
            )
        };
        let row = [
            cell("1", "TRUE"),
            cell("0", "FALSE"),
            cell("1", "1"),
            cell("2", "TRUE"),
        ];
        assert_eq!(
            table(&format!(
                "<table:table-row>{}</table:table-row>",
                row.concat()
            ))
            .shown(),
            "A1=true, B1=false, C1=1, D1=2"
        );
    }

    #[test]
    fn hidden_rows_with_something_in_them_are_counted() {
        let cell = "<table:table-cell office:value-type=\"float\" office:value=\"1\"/>";
        let row = |attributes: &str, cell: &str| {
            format!("<table:table-row {attributes}>{cell}</table:table-row>")
        };
        let rows = [
            row("", cell),
            row("table:visibility=\"visible\"", cell),
            row("table:visibility=\"collapse\"", cell),
            row(
                "table:visibility=\"filter\" table:number-rows-repeated=\"2\"",
                cell,
            ),
            row(
                "table:visibility=\"collapse\" table:number-rows-repeated=\"1000000\"",
                "",
            ),
        ];
        let remarks = table(&rows.concat()).read().unwrap().remarks;
        assert_eq!(remarks[0].rule, "file.hidden-rows");
        assert!(remarks[0].message.contains("(3)"), "{remarks:?}");
    }

    #[test]
    fn merged_cells_and_hidden_columns_are_seen() {
        let cell = "<table:table-cell office:value-type=\"float\" office:value=\"1\"/>";
        let columns = "<table:table-column table:number-columns-repeated=\"2\"/><table:table-column table:visibility=\"collapse\" table:number-columns-repeated=\"3\"/>";
        let merged = "<table:table-cell table:number-columns-spanned=\"2\" table:number-rows-spanned=\"3\" office:value-type=\"float\" office:value=\"1\"/><table:covered-table-cell/>";
        let rows = format!(
            "{columns}<table:table-row table:number-rows-repeated=\"2\">{}</table:table-row><table:table-row>{cell}{merged}</table:table-row>",
            cell.repeat(3)
        );
        let bytes = table(&rows).zip();
        let limits = Limits::default();
        let opened = crate::open(&bytes, "a.ods", &limits).unwrap();
        let beside = opened.sheets()[0].beside.clone();
        let area = Area {
            rows: (2, 4),
            columns: (1, 2),
        };
        assert_eq!(beside.merged, [area]);
        assert_eq!(beside.hidden_columns, [(2, 4)]);
        let remarks = table(&rows).read().unwrap().remarks;
        assert_eq!(remarks[0].rule, "file.hidden-columns");
        assert!(remarks[0].message.contains("(1)"), "{remarks:?}");
    }

    #[test]
    fn hidden_tables_are_marked_and_deleted_cells_are_not_read() {
        let row = "<table:table-row><table:table-cell office:value-type=\"float\" office:value=\"1\"/></table:table-row>";
        let workbook = Parts::ods(&format!(
            "<table:tracked-changes><table:table table:name=\"gone\">{row}</table:table></table:tracked-changes><table:table table:name=\"A\" table:style-name=\"ta1\">{row}<table:shapes><table:table>{row}</table:table></table:shapes></table:table><table:table table:name=\"B\" table:style-name=\"ta2\">{row}</table:table>"
        ))
        .read()
        .unwrap();
        assert_eq!(workbook.format, Format::Ods);
        let shown: Vec<_> = workbook
            .sheets
            .iter()
            .map(|sheet| (sheet.name.as_str(), sheet.visible, show(sheet)))
            .collect();
        assert_eq!(
            shown,
            [
                ("A", true, "A1=1".to_owned()),
                ("B", false, "A1=1".to_owned())
            ]
        );
    }

    #[test]
    fn a_table_row_or_cell_within_a_cell_is_refused() {
        let cell = "<table:table-cell/>";
        let row = "<table:table-row><table:table-cell/></table:table-row>";
        let inner = format!("<table:table table:name=\"B\">{row}</table:table>");
        for within in [cell, row, &inner, &format!("<text:p>{inner}</text:p>")] {
            let rows = format!(
                "<table:table-row><table:table-cell>{within}</table:table-cell></table:table-row>"
            );
            assert_eq!(table(&rows).shown(), "file.broken", "{within}");
        }
        let rows = format!("<table:table-row>{inner}</table:table-row>");
        assert_eq!(table(&rows).shown(), "file.broken");
    }

    #[test]
    fn repetition_is_held_to_the_limits() {
        let cell = "<table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"float\" office:value=\"1\"/>";
        let rows = |n: u32, cell: &str| {
            table(&format!(
                "<table:table-row table:number-rows-repeated=\"{n}\">{cell}</table:table-row>"
            ))
            .shown()
        };
        assert_eq!(rows(1_048_576, cell), "file.too-many-cells");
        let never = cell.replace("16384", "0");
        assert_eq!(rows(2, &never), "A1=1, A2=1");
        assert_eq!(rows(4_000_000_000, &never), "file.outside-the-grid");
        assert_eq!(rows(4_000_000_000, "<table:table-cell/>"), "file.no-data");
        assert_eq!(
            rows(1, &cell.replace("16384", "4000000000")),
            "file.outside-the-grid"
        );
        let far = "<table:table-cell table:number-columns-repeated=\"4294967295\"/>";
        assert_eq!(
            rows(4_000_000_000, &format!("{far}{never}")),
            "file.outside-the-grid"
        );
        let below = format!(
            "{never}</table:table-row><table:table-row table:number-rows-repeated=\"4294967295\">{far}</table:table-row><table:table-row>{never}"
        );
        assert_eq!(rows(1, &below), "file.outside-the-grid");
        let nul = "<table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"6\"><text:p>\0</text:p></table:table-cell>";
        assert_eq!(rows(1_048_576, nul), "file.too-many-cells");
        assert_eq!(rows(1, nul), "file.no-data");
        let spaces = "<table:table-cell office:value-type=\"string\"><text:p><text:s text:c=\"4000000000\"/></text:p></table:table-cell>";
        assert_eq!(rows(1, spaces), "file.text-too-long");
    }

    #[test]
    fn a_document_that_is_cut_or_encrypted_is_refused() {
        let cut = Parts::ods("").with(
            "content.xml",
            "<office:document-content><table:table table:name=\"A\"><table:table-row>",
        );
        assert_eq!(cut.shown(), "file.broken");
        let encrypted = table("").with(
            "META-INF/manifest.xml",
            "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>",
        );
        assert_eq!(encrypted.shown(), "file.password");
        // As LibreOffice writes it: the parts are noise.
        let noise = encrypted.with_bytes("content.xml", vec![0xff, 0x80, 0x3c, 0x21]);
        assert_eq!(noise.shown(), "file.password");
        assert_eq!(table("").shown(), "file.no-data");
    }
}
