//! The sheets of a drawn workbook, cell by cell.

use arbitrary::{Result, Unstructured};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use sheet::{Cell, Value};

use super::Habits;

/// A worksheet as it is written, and what is meant by it.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) name_xml: String,
    pub(super) visible: bool,
    pub(super) state: &'static str,
    pub(super) xml: String,
    pub(super) cells: Vec<Cell>,
}

pub(super) struct Sheets {
    pub(super) habits: Habits,
    is_sound: bool,
    n_sheets: usize,
    /// XML and meaning of the shared texts.
    texts: Vec<(String, String)>,
    promised_texts: Option<&'static str>,
    pub(super) written: Vec<Written>,
    pub(super) names_xml: &'static str,
}

/// Texts as XML has them, and as they are.
const TEXTS: [(&str, &str); 12] = [
    ("a", "a"),
    ("", ""),
    ("a &amp; b &lt;c&gt;", "a & b <c>"),
    (" x ", " x "),
    ("007", "007"),
    ("é £ 😀", "é £ 😀"),
    ("a&#10;b", "a\nb"),
    ("&#x41;&#233;", "Aé"),
    ("_x0041_", "A"),
    ("_x000D_", "\r"),
    ("<![CDATA[1 < 2]]>", "1 < 2"),
    ("#REF!", "#REF!"),
];

/// Errors as a cell has them; the later ones are unknown to older programs.
const ERRORS: [&str; 9] = [
    "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!",
];

const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "-1",
    "0.1",
    "1E-3",
    "123456789012",
    "1.5",
    "9007199254740993",
    "1E+22",
    "-0.5",
];

/// Serial numbers of days, and of half days.
const SERIALS: [&str; 6] = ["61", "1000", "46127", "46127.5", "59", "2000.5"];

/// Styles that the workbook has: general, built-in date, built-in number, own date, text, own number that looks like a date.
const STYLES: [(usize, bool); 6] = [
    (0, false),
    (14, true),
    (2, false),
    (164, true),
    (49, false),
    (165, false),
];

/// What breaks readers where a number, a place, a type or a style should be.
const ODD_VALUES: [&str; 14] = [
    "1E400",
    "-1E400",
    "NaN",
    "",
    "abc",
    "4294967296",
    "-1",
    "2958466",
    "1e-400",
    "#NEW!",
    "_x0000_",
    "\u{fffe}",
    "&unknown;",
    "2026-02-30T25:61:00Z",
];
const ODD_PLACES: [&str; 14] = [
    "A1",
    "XFD1048576",
    "XFE1",
    "A1048577",
    "a1",
    "$B$2",
    "ZZZZZZZ1",
    "A0",
    "A4294967297",
    "1",
    "A",
    "",
    "A1:B2",
    "Sheet1!A1",
];
const ODD_TYPES: [&str; 9] = ["s", "e", "b", "d", "str", "inlineStr", "n", "", "zz"];
const ODD_NAMES: [&str; 7] = ["A", "a", "", "x&#0;y", "&#x1F;", "a/b:c*d?[e]", "Sheet0"];
const ODD_STATES: [&str; 3] = ["state=\"odd\"", "state=\"\"", "state=\"veryHidden\""];
const ODD_ROWS: [&str; 5] = [
    "r=\"0\"",
    "r=\"1048577\"",
    "r=\"-1\"",
    "r=\"99999999999\"",
    "r=\"1\" r=\"2\"",
];
const ODD_BETWEEN: [&str; 8] = [
    "<!-- <c r=\"A1\" t=\"e\"><v>#NEW!</v></c> -->",
    "</row>",
    "<row>",
    "<c/>",
    "<v>7</v>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<?a?>",
    "<c r=\"A1\" t=\"e\"><f>",
];

impl Sheets {
    pub(super) fn new(habits: Habits, is_sound: bool, n_sheets: usize) -> Self {
        Self {
            habits,
            is_sound,
            n_sheets,
            texts: Vec::new(),
            promised_texts: None,
            written: Vec::new(),
            names_xml: "",
        }
    }

    pub(super) fn meant(self) -> Vec<(String, bool, Vec<Cell>)> {
        let sheets = self.written.into_iter();
        sheets
            .map(|sheet| (sheet.name, sheet.visible, sheet.cells))
            .collect()
    }

    pub(super) fn draw(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..u.int_in_range(0..=6)? {
            let (xml, text) = *u.choose(&TEXTS)?;
            self.texts.push(match u.int_in_range(0..=3)? {
                0 => (format!("<si><t xml:space=\"preserve\">{xml}</t></si>"), text.to_owned()),
                1 => (
                    format!("<si><r><rPr><b/></rPr><t xml:space=\"preserve\">{xml}</t></r><r><t>b</t></r></si>"),
                    format!("{text}b"),
                ),
                2 => (
                    format!("<si><t xml:space=\"preserve\">{xml}</t><rPh sb=\"0\" eb=\"1\"><t>no</t></rPh><phoneticPr fontId=\"1\"/></si>"),
                    text.to_owned(),
                ),
                _ => ("<si><t/></si>".to_owned(), String::new()),
            });
        }
        if !self.is_sound {
            self.promised_texts = u
                .choose(&[None, Some("0"), Some("4294967295"), Some("x")])?
                .to_owned();
        }
        self.names_xml = *u.choose(&[
            "",
            "<definedNames><definedName name=\"n\">Sheet0!$A$1:$B$2</definedName></definedNames>",
            "<definedNames><definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"0\" hidden=\"1\">#REF!</definedName></definedNames>",
        ])?;
        for idx in 0..self.n_sheets {
            let sheet = self.draw_sheet(idx, u)?;
            self.written.push(sheet);
        }
        Ok(())
    }

    fn is_odd(&self, u: &mut Unstructured<'_>) -> Result<bool> {
        Ok(!self.is_sound && u.int_in_range(0..=7)? == 7)
    }

    fn draw_sheet(&self, idx: usize, u: &mut Unstructured<'_>) -> Result<Written> {
        let prefix = self.habits.prefix;
        let mut name = format!("Sheet{idx}");
        let mut name_xml = name.clone();
        if u.int_in_range(0..=3)? == 3 {
            name = format!("Été & {idx}");
            name_xml = format!("Été &amp; {idx}");
        }
        let mut state = *u.choose(&["", "state=\"visible\"", "state=\"hidden\""])?;
        if self.is_odd(u)? {
            name_xml = (*u.choose(&ODD_NAMES)?).to_owned();
        }
        if self.is_odd(u)? {
            state = u.choose(&ODD_STATES)?;
        }
        let xmlns = prefix.trim_end_matches(':');
        let colon = if xmlns.is_empty() { "" } else { ":" };
        let mut xml = format!(
            "{}<{prefix}worksheet xmlns{colon}{xmlns}=\"{}\" xmlns:r=\"{}\">{}",
            u.choose(&[
                "",
                "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n"
            ])?,
            self.habits.main,
            self.habits.office,
            u.choose(&[
                "",
                "<sheetPr/>",
                "<sheetPr/><dimension ref=\"A1:C3\"/>",
                "<dimension ref=\"A1\"/>",
                "<dimension ref=\"XFD1048576\"/>"
            ])?
            .replace('<', &format!("<{prefix}")),
        );
        xml.push_str(&format!("<{prefix}sheetData>"));
        let cells = self.draw_rows(&mut xml, u)?;
        xml.push_str(&format!("</{prefix}sheetData>"));
        if u.arbitrary()? {
            xml.push_str(&format!(
                "<{prefix}mergeCells count=\"1\"><{prefix}mergeCell ref=\"A1:B2\"/></{prefix}mergeCells>"
            ));
        }
        xml.push_str(&format!("</{prefix}worksheet>"));
        Ok(Written {
            name,
            name_xml,
            visible: state != "state=\"hidden\"",
            state,
            xml,
            cells,
        })
    }

    fn draw_rows(&self, xml: &mut String, u: &mut Unstructured<'_>) -> Result<Vec<Cell>> {
        let prefix = self.habits.prefix;
        let mut meant = Vec::new();
        let mut row_idx: u32 = 0;
        let n_rows = u.int_in_range(0..=12)?;
        for _ in 0..n_rows {
            let place = if self.habits.writes_places {
                row_idx += u.int_in_range(0..=3)?;
                format!(" r=\"{}\"", row_idx + 1)
            } else {
                String::new()
            };
            let place = if self.is_odd(u)? {
                format!(" {}", u.choose(&ODD_ROWS)?)
            } else {
                place
            };
            let further = u.choose(&[
                "",
                " spans=\"1:3\"",
                " hidden=\"1\"",
                " ht=\"12.5\" customHeight=\"1\"",
            ])?;
            xml.push_str(&format!("<{prefix}row{place}{further}>"));
            let mut column_idx: u32 = 0;
            for _ in 0..u.int_in_range(0..=6)? {
                if self.habits.writes_places {
                    column_idx += u.int_in_range(0..=2)?;
                }
                let value = self.draw_cell(xml, row_idx, column_idx, u)?;
                meant.extend(value.map(|value| Cell {
                    row_idx,
                    column_idx,
                    value,
                }));
                column_idx += 1;
                if self.is_odd(u)? {
                    xml.push_str(u.choose(&ODD_BETWEEN)?);
                }
            }
            xml.push_str(&format!("</{prefix}row>"));
            row_idx += 1;
        }
        Ok(meant)
    }

    /// Writes a cell and gives what is meant by it.
    fn draw_cell(
        &self,
        xml: &mut String,
        row_idx: u32,
        column_idx: u32,
        u: &mut Unstructured<'_>,
    ) -> Result<Option<Value>> {
        let p = self.habits.prefix;
        let style = u.choose_index(STYLES.len() + 1)?;
        let (style_xml, is_date) = match style.checked_sub(1) {
            Some(style) => (format!(" s=\"{style}\""), STYLES[style].1),
            None => (String::new(), false),
        };
        let formula = u
            .choose(&[
                "",
                "",
                "<f>1+1</f>",
                "<f t=\"shared\" ref=\"A1:A9\" si=\"0\">A1</f>",
                "<f t=\"shared\" si=\"0\"/>",
                "<f t=\"array\" ref=\"A1\">\"x\" &amp; 1</f>",
            ])?
            .replace("<f", &format!("<{p}f"))
            .replace("</f", &format!("</{p}f"));
        let has_formula = !formula.is_empty();
        let (mut kind, mut value, meant) = match u.int_in_range(0..=9)? {
            0 | 1 => {
                let number = if is_date {
                    *u.choose(&SERIALS)?
                } else {
                    *u.choose(&NUMBERS)?
                };
                (
                    *u.choose(&["", "n"])?,
                    number.to_owned(),
                    self.number(number, is_date),
                )
            }
            2 if !self.texts.is_empty() && !has_formula => {
                let idx = u.choose_index(self.texts.len())?;
                ("s", idx.to_string(), text(&self.texts[idx].1))
            }
            3 => {
                let (xml, meant) = *u.choose(&TEXTS)?;
                ("str", xml.to_owned(), text(meant))
            }
            4 => {
                let truth: bool = u.arbitrary()?;
                (
                    "b",
                    u8::from(truth).to_string(),
                    Some(Value::Boolean(truth)),
                )
            }
            5 => {
                let name = *u.choose(&ERRORS)?;
                ("e", name.to_owned(), Some(Value::Error(name.to_owned())))
            }
            6 => {
                let moment = NaiveDate::from_ymd_opt(2026, 4, 15)
                    .and_then(|date| date.and_hms_opt(10, 30, 0));
                (
                    "d",
                    "2026-04-15T10:30:00".to_owned(),
                    moment.map(Value::DateTime),
                )
            }
            7 if !has_formula => {
                let (inline, meant) = *u.choose(&TEXTS)?;
                let place = self.place(row_idx, column_idx);
                xml.push_str(&format!("<{p}c{place}{style_xml} t=\"inlineStr\"><{p}is><{p}t xml:space=\"preserve\">{inline}</{p}t></{p}is></{p}c>"));
                return Ok(text(meant));
            }
            _ => {
                let place = self.place(row_idx, column_idx);
                if has_formula {
                    xml.push_str(&format!("<{p}c{place}{style_xml}>{formula}</{p}c>"));
                    return Ok(Some(Value::NotCalculated));
                }
                xml.push_str(&format!("<{p}c{place}{style_xml}/>"));
                return Ok(None);
            }
        };
        let mut place = self.place(row_idx, column_idx);
        if self.is_odd(u)? {
            kind = u.choose(&ODD_TYPES)?;
        }
        if self.is_odd(u)? {
            value = (*u.choose(&ODD_VALUES)?).to_owned();
        }
        if self.is_odd(u)? {
            place = format!(" r=\"{}\"", u.choose(&ODD_PLACES)?);
        }
        let kind = if kind.is_empty() {
            String::new()
        } else {
            format!(" t=\"{kind}\"")
        };
        xml.push_str(&format!(
            "<{p}c{place}{style_xml}{kind}>{formula}<{p}v>{value}</{p}v></{p}c>"
        ));
        Ok(meant)
    }

    fn place(&self, row_idx: u32, column_idx: u32) -> String {
        if !self.habits.writes_places {
            return String::new();
        }
        // Columns stay below AA here.
        let letter = char::from_u32(u32::from(b'A') + column_idx).unwrap_or('Z');
        format!(" r=\"{letter}{}\"", row_idx + 1)
    }

    fn number(&self, digits: &str, is_date: bool) -> Option<Value> {
        let number: f64 = digits.parse().ok()?;
        if is_date {
            moment(number, self.habits.counts_from_1904).map(Value::DateTime)
        } else {
            Some(Value::Number(number))
        }
    }

    pub(super) fn styles_xml(&self) -> String {
        let formats: String = STYLES
            .iter()
            .map(|(id, _)| format!("<xf numFmtId=\"{id}\" applyNumberFormat=\"1\"/>"))
            .collect();
        format!(
            "<styleSheet xmlns=\"{}\"><numFmts count=\"2\"><numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy;@\"/><numFmt numFmtId=\"165\" formatCode=\"[Red]#,##0.00&quot; days&quot;\"/></numFmts><cellXfs count=\"6\">{formats}</cellXfs></styleSheet>",
            self.habits.main
        )
    }

    pub(super) fn texts_xml(&self) -> String {
        let n = self.texts.len().to_string();
        let promised = self.promised_texts.unwrap_or(&n);
        let items: String = self.texts.iter().map(|(xml, _)| xml.as_str()).collect();
        format!(
            "<sst xmlns=\"{}\" count=\"{n}\" uniqueCount=\"{promised}\">{items}</sst>",
            self.habits.main
        )
    }
}

fn text(meant: &str) -> Option<Value> {
    (!meant.is_empty()).then(|| Value::Text(meant.to_owned()))
}

/// Excel counts from the day before 1 January 1900 and has a 29 February in that year, or from 1 January 1904.
fn moment(serial: f64, from_1904: bool) -> Option<NaiveDateTime> {
    let first = if from_1904 {
        NaiveDate::from_ymd_opt(1904, 1, 1)?
    } else if serial < 60.0 {
        NaiveDate::from_ymd_opt(1899, 12, 31)?
    } else {
        NaiveDate::from_ymd_opt(1899, 12, 30)?
    };
    let seconds = (serial * 86_400.0) as i64;
    Some(first.and_hms_opt(0, 0, 0)? + TimeDelta::seconds(seconds))
}
