//! OpenDocument spreadsheets drawn from a fuzzer's bytes, sound or with something wrong.

use arbitrary::{Result, Unstructured};
use chrono::NaiveDate;
use sheet::{Cell, Value};
use zip::CompressionMethod;

use crate::archive;
use crate::reading::Meant;

/// A document, and what is in it if it is sound.
#[derive(Debug)]
pub struct Drawn {
    pub bytes: Vec<u8>,
    pub meant: Option<Vec<Meant>>,
}

/// A cell's attributes and content, and what is meant by it.
type Form = (&'static str, &'static str, Meaning);

#[derive(Clone, Copy)]
enum Meaning {
    Blank,
    Text(&'static str),
    Number(f64),
    Boolean(bool),
    Error(&'static str),
    Date,
    NotCalculated,
}

const FORMS: [Form; 15] = [
    ("", "", Meaning::Blank),
    ("table:style-name=\"ce1\"", "", Meaning::Blank),
    (
        "office:value-type=\"float\" office:value=\"1.5\"",
        "<text:p>1,5</text:p>",
        Meaning::Number(1.5),
    ),
    (
        "office:value-type=\"percentage\" office:value=\"0.25\"",
        "<text:p>25 %</text:p>",
        Meaning::Number(0.25),
    ),
    (
        "office:value-type=\"currency\" office:currency=\"GBP\" office:value=\"-12\"",
        "<text:p>-£12</text:p>",
        Meaning::Number(-12.0),
    ),
    (
        "office:value-type=\"string\"",
        "<text:p>a &amp; <text:span>b</text:span><text:s text:c=\"2\"/>c</text:p>",
        Meaning::Text("a & b  c"),
    ),
    (
        "office:value-type=\"string\"",
        "<office:annotation><dc:date>2026-01-01</dc:date><text:p>no</text:p></office:annotation><text:p>a</text:p><text:p/><text:p>b<text:line-break/>c<text:tab/>d</text:p>",
        Meaning::Text("a\n\nb\nc\td"),
    ),
    (
        "office:value-type=\"string\"",
        "<text:p><text:a xlink:href=\"mailto:a@b.example\">a@b.example</text:a></text:p>",
        Meaning::Text("a@b.example"),
    ),
    (
        "office:value-type=\"string\" office:string-value=\"whole\"",
        "<text:p>shown</text:p>",
        Meaning::Text("whole"),
    ),
    (
        "office:value-type=\"boolean\" office:boolean-value=\"true\"",
        "<text:p>WAHR</text:p>",
        Meaning::Boolean(true),
    ),
    (
        "office:value-type=\"date\" office:date-value=\"2026-04-15T10:30:00\"",
        "<text:p>15/04/26</text:p>",
        Meaning::Date,
    ),
    (
        "table:formula=\"of:=[.A1]\" office:value-type=\"float\" office:value=\"7\"",
        "<text:p>7</text:p>",
        Meaning::Number(7.0),
    ),
    ("table:formula=\"of:=[.A1]\"", "", Meaning::NotCalculated),
    (
        "table:formula=\"of:=1/0\" office:value-type=\"string\" office:string-value=\"\" calcext:value-type=\"error\"",
        "<text:p>#DIV/0!</text:p>",
        Meaning::Error("#DIV/0!"),
    ),
    (
        "office:value-type=\"string\"",
        "<draw:frame><draw:text-box><text:p>no</text:p></draw:text-box></draw:frame><text:p>&#xE9;</text:p>",
        Meaning::Text("é"),
    ),
];

const ODD_ATTRIBUTES: [&str; 12] = [
    "office:value-type=\"float\"",
    "office:value-type=\"float\" office:value=\"x\"",
    "office:value-type=\"float\" office:value=\"1e999\"",
    "office:value-type=\"date\" office:date-value=\"0000-00-00\"",
    "office:value-type=\"date\" office:date-value=\"99999-12-31T25:00:00\"",
    "office:value-type=\"time\" office:time-value=\"PT1e9H\"",
    "office:value-type=\"time\" office:time-value=\"PT99999999999999999999H\"",
    "office:value-type=\"time\" office:time-value=\"-PT.M\"",
    "table:number-columns-repeated=\"4294967295\"",
    "table:number-columns-repeated=\"0\"",
    "table:number-columns-repeated=\"-1\"",
    "office:value-type=\"&#0;\" office:string-value=\"&b;\"",
];

const ODD_CONTENT: [&str; 9] = [
    "<text:p>&#0;</text:p>",
    "<text:p>&nbsp;</text:p>",
    "<text:p><text:s text:c=\"4294967295\"/></text:p>",
    "<text:p>",
    "</table:table-cell>",
    "<table:table-row>",
    "<table:table table:name=\"B\"><table:table-row><table:table-cell/></table:table-row></table:table>",
    "<![CDATA[",
    "<table:table-cell office:value-type=\"float\" office:value=\"9\"/>",
];

pub fn draw(u: &mut Unstructured<'_>) -> Result<Drawn> {
    let is_sound: bool = u.arbitrary()?;
    let mut body = String::new();
    let mut meant = Vec::new();
    for idx in 0..u.int_in_range(1..=3)? {
        let hidden: bool = u.arbitrary()?;
        let (xml, name) = if !is_sound && u.int_in_range(0..=7)? == 7 {
            *u.choose(&[
                ("", ""),
                ("a", "a"),
                ("A", "A"),
                ("&#0;", "\0"),
                ("&x;", ""),
            ])?
        } else {
            [("A", "A"), ("b &amp; c", "b & c"), ("Été", "Été")][idx]
        };
        body.push_str(&format!(
            "<table:table table:name=\"{xml}\" table:style-name=\"{}\"><table:table-column/>",
            if hidden { "ta2" } else { "ta1" }
        ));
        let cells = draw_rows(&mut body, is_sound, u)?;
        body.push_str("</table:table>");
        meant.push((name.to_owned(), !hidden, cells));
    }
    if u.arbitrary()? {
        body.push_str("<table:named-expressions/><table:database-ranges/>");
    }
    let mut parts = vec![
        (
            "mimetype".to_owned(),
            b"application/vnd.oasis.opendocument.spreadsheet".to_vec(),
        ),
        (
            "content.xml".to_owned(),
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-content><office:automatic-styles><style:style style:name=\"ta1\"><style:table-properties table:display=\"true\"/></style:style><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/></style:style></office:automatic-styles><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>").into_bytes(),
        ),
        (
            "META-INF/manifest.xml".to_owned(),
            b"<manifest:manifest/>".to_vec(),
        ),
    ];
    if !is_sound {
        archive::damage(&mut parts, u)?;
    }
    let mut bytes = archive::zip(&parts, CompressionMethod::Stored);
    if !is_sound && u.int_in_range(0..=3)? == 3 {
        archive::damage_bytes(&mut bytes, u)?;
    }
    Ok(Drawn {
        bytes,
        meant: is_sound.then_some(meant),
    })
}

fn draw_rows(xml: &mut String, is_sound: bool, u: &mut Unstructured<'_>) -> Result<Vec<Cell>> {
    let mut meant = Vec::new();
    let mut row_idx: u32 = 0;
    for _ in 0..u.int_in_range(0..=10)? {
        let mut repeats = *u.choose(&[1, 1, 1, 2, 5])?;
        let grouped: bool = u.int_in_range(0..=7)? == 7;
        let further = u.choose(&[
            "",
            "table:style-name=\"ro1\"",
            "table:visibility=\"collapse\"",
        ])?;
        if grouped {
            xml.push_str("<table:table-row-group><table:table-header-rows>");
        }
        if !is_sound && u.int_in_range(0..=7)? == 7 {
            repeats = *u.choose(&[0, 1_048_576, u32::MAX])?;
        }
        let repeated = if repeats == 1 {
            String::new()
        } else {
            format!("table:number-rows-repeated=\"{repeats}\"")
        };
        xml.push_str(&format!("<table:table-row {further} {repeated}>"));
        let row = draw_row(xml, is_sound, u)?;
        xml.push_str("</table:table-row>");
        if grouped {
            xml.push_str("</table:table-header-rows></table:table-row-group>");
        }
        for _ in 0..repeats.min(5) {
            meant.extend(row.iter().map(|(column_idx, value)| Cell {
                row_idx,
                column_idx: *column_idx,
                value: value.clone(),
            }));
            row_idx += 1;
        }
    }
    Ok(meant)
}

fn draw_row(
    xml: &mut String,
    is_sound: bool,
    u: &mut Unstructured<'_>,
) -> Result<Vec<(u32, Value)>> {
    let mut row = Vec::new();
    let mut column_idx = 0;
    for _ in 0..u.int_in_range(0..=6)? {
        let (mut attributes, mut content, meaning) = *u.choose(&FORMS)?;
        let repeats: u32 = *u.choose(&[1, 1, 1, 3])?;
        let name = u.choose(&["table-cell", "table-cell", "covered-table-cell"])?;
        let repeated = if repeats == 1 {
            String::new()
        } else {
            format!("table:number-columns-repeated=\"{repeats}\"")
        };
        if !is_sound && u.int_in_range(0..=7)? == 7 {
            attributes = u.choose(&ODD_ATTRIBUTES)?;
        }
        if !is_sound && u.int_in_range(0..=7)? == 7 {
            content = u.choose(&ODD_CONTENT)?;
        }
        xml.push_str(&format!(
            "<table:{name} {attributes} {repeated}>{content}</table:{name}>"
        ));
        for _ in 0..repeats {
            row.extend(value(meaning).map(|value| (column_idx, value)));
            column_idx += 1;
        }
    }
    Ok(row)
}

fn value(meaning: Meaning) -> Option<Value> {
    Some(match meaning {
        Meaning::Blank => return None,
        Meaning::Text(text) => Value::Text(text.to_owned()),
        Meaning::Number(number) => Value::Number(number),
        Meaning::Boolean(truth) => Value::Boolean(truth),
        Meaning::Error(name) => Value::Error(name.to_owned()),
        Meaning::Date => {
            let date = NaiveDate::from_ymd_opt(2026, 4, 15)?;
            Value::DateTime(date.and_hms_opt(10, 30, 0)?)
        }
        Meaning::NotCalculated => Value::NotCalculated,
    })
}
