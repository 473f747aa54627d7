//! Excel workbooks, by the rows of their sheets.

use std::fmt::Write as _;

use crate::Parts;

pub(crate) const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
pub(crate) const OFFICE: &str =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const SPREADSHEETML: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// A worksheet's XML, in the pieces that tests change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sheet<'a> {
    pub name: &'a str,
    /// Further attributes in the list of sheets: `state="hidden"`.
    pub attributes: &'a str,
    /// What stands before the rows: `<cols>…</cols>`.
    pub before: &'a str,
    pub rows: &'a str,
    /// What stands after the rows: `<mergeCells>…</mergeCells>`.
    pub after: &'a str,
}

impl Parts {
    /// One visible sheet `A` with these rows; style 1 is a date, 2 a duration, 3 a time of day, 4 a percentage.
    pub fn xlsx(rows: &str) -> Self {
        Self::xlsx_sheets(&[("A", "", rows)])
    }

    /// Sheets as (name, further attributes, rows).
    pub fn xlsx_sheets(sheets: &[(&str, &str, &str)]) -> Self {
        let sheets: Vec<_> = sheets
            .iter()
            .map(|&(name, attributes, rows)| Sheet {
                name,
                attributes,
                rows,
                ..Sheet::default()
            })
            .collect();
        Self::xlsx_of(&sheets)
    }

    pub fn xlsx_of(sheets: &[Sheet<'_>]) -> Self {
        let mut parts = Self::empty()
            .with("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>")
            .with("_rels/.rels", &format!("<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"))
            .with("xl/styles.xml", &format!("<styleSheet xmlns=\"{SPREADSHEETML}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"46\"/><xf numFmtId=\"20\"/><xf numFmtId=\"9\"/></cellXfs></styleSheet>"));
        let mut listed = String::new();
        let mut related = String::new();
        for (idx, sheet) in (1..).zip(sheets) {
            let _ = write!(
                listed,
                "<sheet name=\"{}\" sheetId=\"{idx}\" {} r:id=\"rId{idx}\"/>",
                sheet.name, sheet.attributes,
            );
            let _ = write!(
                related,
                "<Relationship Id=\"rId{idx}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{idx}.xml\"/>",
            );
            parts = parts.with(
                &format!("xl/worksheets/sheet{idx}.xml"),
                &format!(
                    "<worksheet xmlns=\"{SPREADSHEETML}\">{}<sheetData>{}</sheetData>{}</worksheet>",
                    sheet.before, sheet.rows, sheet.after
                ),
            );
        }
        parts
            .with("xl/workbook.xml", &format!("<workbook xmlns=\"{SPREADSHEETML}\" xmlns:r=\"{OFFICE}\"><workbookPr/><sheets>{listed}</sheets></workbook>"))
            .with("xl/_rels/workbook.xml.rels", &format!("<Relationships xmlns=\"{RELATIONS}\">{related}</Relationships>"))
    }
}
