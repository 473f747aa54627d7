//! Zip-based workbooks made by hand, for tests.

pub(crate) mod xlsb;

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Limits, Refusal, Value, Workbook, read};

/// The parts of a zip archive, by name.
#[derive(Clone)]
pub(crate) struct Parts(Vec<(String, Vec<u8>)>);

const SPREADSHEETML: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

impl Parts {
    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    /// One visible sheet `A` with these rows; style 1 is a date, 2 a duration, 3 a time of day.
    pub(crate) fn xlsx(rows: &str) -> Self {
        Self::xlsx_sheets(&[("A", "", rows)])
    }

    /// Sheets as (name, further attributes, rows).
    pub(crate) fn xlsx_sheets(sheets: &[(&str, &str, &str)]) -> Self {
        let mut parts = Self::empty()
            .with("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>")
            .with("_rels/.rels", &format!("<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"))
            .with("xl/styles.xml", &format!("<styleSheet xmlns=\"{SPREADSHEETML}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"46\"/><xf numFmtId=\"20\"/></cellXfs></styleSheet>"));
        let mut listed = String::new();
        let mut related = String::new();
        for (idx, (name, attributes, rows)) in sheets.iter().enumerate() {
            let _ = write!(
                listed,
                "<sheet name=\"{name}\" sheetId=\"{0}\" {attributes} r:id=\"rId{0}\"/>",
                idx + 1
            );
            let _ = write!(
                related,
                "<Relationship Id=\"rId{0}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{0}.xml\"/>",
                idx + 1
            );
            parts = parts.with(
                &format!("xl/worksheets/sheet{}.xml", idx + 1),
                &format!(
                    "<worksheet xmlns=\"{SPREADSHEETML}\"><sheetData>{rows}</sheetData></worksheet>"
                ),
            );
        }
        parts
            .with("xl/workbook.xml", &format!("<workbook xmlns=\"{SPREADSHEETML}\" xmlns:r=\"{OFFICE}\"><workbookPr/><sheets>{listed}</sheets></workbook>"))
            .with("xl/_rels/workbook.xml.rels", &format!("<Relationships xmlns=\"{RELATIONS}\">{related}</Relationships>"))
    }

    /// A document whose `content.xml` holds this in its body.
    pub(crate) fn ods(body: &str) -> Self {
        Self::empty()
            .with("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            .with("META-INF/manifest.xml", "<manifest:manifest/>")
            .with("content.xml", &format!("<office:document-content><office:automatic-styles><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/></style:style></office:automatic-styles><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"))
    }

    /// Adds a part, or puts this in the place of one.
    pub(crate) fn with(self, name: &str, content: &str) -> Self {
        self.with_bytes(name, content.as_bytes().to_vec())
    }

    pub(crate) fn with_bytes(mut self, name: &str, content: Vec<u8>) -> Self {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), content));
        self
    }

    /// Replaces text within a part, which must be there.
    pub(crate) fn changed(mut self, name: &str, from: &str, to: &str) -> Self {
        let (_, content) = self.0.iter_mut().find(|(n, _)| n == name).unwrap();
        let text = String::from_utf8(std::mem::take(content)).unwrap();
        assert!(text.contains(from), "{text}");
        *content = text.replace(from, to).into_bytes();
        self
    }

    pub(crate) fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.0 {
            zip.start_file(name.as_str(), SimpleFileOptions::default())
                .unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    pub(crate) fn read(&self) -> Result<Workbook, Refusal> {
        self.read_within(&Limits::default())
    }

    pub(crate) fn read_within(&self, limits: &Limits) -> Result<Workbook, Refusal> {
        read(&self.zip(), "return", limits)
    }

    /// The first sheet's cells as `A1=…`, or the refusal's rule.
    pub(crate) fn shown(&self) -> String {
        match self.read() {
            Err(refusal) => refusal.rule.to_owned(),
            Ok(workbook) => show(&workbook.sheets[0]),
        }
    }
}

pub(crate) fn show(sheet: &crate::Sheet) -> String {
    let cells: Vec<String> = sheet
        .cells
        .iter()
        .map(|cell| {
            let place = finding::CellRef::new("", cell.row_idx, cell.column_idx).address();
            match &cell.value {
                Value::Text(text) => format!("{place}=\"{text}\""),
                Value::Number(number) => format!("{place}={number}"),
                Value::Boolean(truth) => format!("{place}={truth}"),
                Value::DateTime(moment) => format!("{place}={moment}"),
                Value::Error(name) => format!("{place}=error {name}"),
                Value::NotCalculated => format!("{place}=not calculated"),
            }
        })
        .collect();
    cells.join(", ")
}
