//! What is looked at in the list of a workbook's sheets before the reader gets it.
//!
//! Old workbooks list modules of macros, which have no part of their own, and sheets of macros.
//! The reader knows neither and gives up the whole workbook.

use memchr::{memchr, memmem};

/// The kinds of sheet that hold macros, as relationships name them.
const MACRO_SHEETS: [&str; 2] = ["/xlMacrosheet\"", "/xlIntlMacrosheet\""];

/// A kind of sheet without cells, which the reader knows and passes over.
const WITHOUT_CELLS: &str = "/chartsheet\"";

/// The XML with only what the reader knows; `None` where it is already so.
pub(crate) fn mend(name: &str, xml: &str) -> Option<String> {
    if name.ends_with("workbook.xml") {
        return without_modules(xml);
    }
    let is_of_workbook = name.ends_with("workbook.xml.rels") || name.ends_with("workbook.bin.rels");
    let has_macro_sheets = MACRO_SHEETS.iter().any(|kind| xml.contains(kind));
    (is_of_workbook && has_macro_sheets).then(|| {
        let kinds = MACRO_SHEETS.iter();
        kinds
            .fold(xml.to_owned(), |xml, kind| xml.replace(kind, WITHOUT_CELLS))
            // One of the readers goes by the folder.
            .replace("\"macrosheets/", "\"chartsheets/")
    })
}

/// Takes out the sheets that name no part.
fn without_modules(xml: &str) -> Option<String> {
    let mut kept = String::new();
    let mut done = 0;
    for start in memmem::find_iter(xml.as_bytes(), "<sheet ") {
        let Some(length) = memchr(b'>', &xml.as_bytes()[start..]) else {
            break;
        };
        let end = start + length + 1;
        let tag = &xml[start..end];
        if tag.ends_with("/>") && tag.contains(":id=\"\"") {
            kept.push_str(&xml[done..start]);
            done = end;
        }
    }
    if done == 0 {
        return None;
    }
    kept.push_str(&xml[done..]);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use handmade::Parts;

    use crate::fixture::Reading as _;

    const ROW: &str = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>";

    #[test]
    fn a_module_of_macros_among_the_sheets_is_passed_over() {
        let parts = Parts::xlsx(ROW).changed(
            "xl/workbook.xml",
            "<sheets>",
            "<sheets><sheet name=\"Module1\" sheetId=\"9\" state=\"veryHidden\" r:id=\"\"/>",
        );
        assert_eq!(parts.shown(), "A1=1");
        assert_eq!(parts.read().unwrap().sheets.len(), 1);
        let gone = Parts::xlsx(ROW).changed("xl/workbook.xml", "r:id=\"rId1\"", "r:id=\"rId7\"");
        assert_eq!(gone.shown(), "file.broken");
    }

    #[test]
    fn a_sheet_of_macros_is_remarked_on_and_passed_over() {
        let kind = "http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet";
        let parts = Parts::xlsx_sheets(&[("Macro1", "", ROW), ("A", "", ROW)])
            .with("xl/macrosheets/sheet1.xml", "<xm:macrosheet/>")
            .changed(
                "xl/_rels/workbook.xml.rels",
                "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml",
                &format!("{kind}\" Target=\"macrosheets/sheet1.xml"),
            );
        let workbook = parts.read().unwrap();
        let names: Vec<_> = workbook.sheets.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["A"]);
        assert_eq!(workbook.remarks[0].rule, "file.macros-ignored");
    }

    #[test]
    fn so_is_one_of_a_binary_workbook() {
        use handmade::xlsb::{cell, records, row};
        let one = records(&[row(0), cell(4, 0, 0, &[1])]);
        let parts = Parts::xlsb_sheets(&[("Macro1", 0, one.clone()), ("A", 0, one)])
            .renamed("xl/worksheets/sheet1.bin", "xl/macrosheets/sheet1.bin")
            .changed(
                "xl/_rels/workbook.bin.rels",
                "worksheet\" Target=\"worksheets/sheet1",
                "xlMacrosheet\" Target=\"macrosheets/sheet1",
            );
        let workbook = parts.read().unwrap();
        let names: Vec<_> = workbook.sheets.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["A"]);
    }
}
