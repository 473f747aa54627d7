//! 1 to 20: the file as a whole.

use handmade::{Parts, Sheet, xls};

use super::said::{Asked, CSV, File, VISITS, row, rows, said, xlsx};

fn check(name: &str, files: &[(&str, File)]) {
    insta::assert_snapshot!(name, Asked::visits().said(files));
}

/// A handmade workbook with one visit.
fn parts() -> Parts {
    Parts::xlsx_sheets(&[("Visits", "", &rows())])
}

fn as_xlsx(parts: &Parts) -> File {
    File::new("visits.xlsx", parts.zip())
}

/// A workbook whose second visit has this in its free text.
fn noting(text: &str) -> File {
    let visit = row(
        3,
        &["Ardbeg", "V0003", "2026-04-15", "01", "", "", "", "", text],
    );
    as_xlsx(&Parts::xlsx_sheets(&[("Visits", "", &(rows() + &visit))]))
}

#[test]
fn n01_empty_file() {
    check(
        "n01_empty_file",
        &[("no byte", File::new("visits.xlsx", ""))],
    );
}

#[test]
fn n02_cut_off() {
    let whole = xlsx(VISITS);
    let cut = |n_bytes: usize| File::new("visits.xlsx", &whole[..n_bytes]);
    check(
        "n02_cut_off",
        &[
            ("half of it", cut(whole.len() / 2)),
            ("all but the last bytes", cut(whole.len() - 8)),
            ("an old workbook's start", {
                let old = xls::workbook("Visits", &[xls::number(0, 0, 1.0)]);
                File::new("visits.xls", &old[..700])
            }),
        ],
    );
}

#[test]
fn n03_damaged_inside() {
    // In a part that no reader looks at: its bytes come right after its name.
    let name = "xl/media/logo.bin";
    let mut flipped = parts().with(name, &"x".repeat(5_000)).zip();
    let at = flipped
        .windows(name.len())
        .position(|w| w == name.as_bytes())
        .unwrap();
    flipped[at + name.len() + 6] ^= 1;
    check(
        "n03_damaged_inside",
        &[("one bit of a picture", File::new("visits.xlsx", flipped))],
    );
}

#[test]
fn n04_password() {
    let mut entry = parts().zip();
    for at in
        [b"PK\x01\x02", b"PK\x03\x04"].map(|mark| entry.windows(4).position(|w| w == mark).unwrap())
    {
        let flags = if entry[at + 2] == 1 { at + 8 } else { at + 6 };
        entry[flags] |= 1;
    }
    let manifest = "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    check(
        "n04_password",
        &[
            (
                "a new workbook, encrypted by Excel",
                File::new(
                    "visits.xlsx",
                    xls::compound("EncryptedPackage", &[7; 5_000]),
                ),
            ),
            (
                "an old workbook",
                File::new(
                    "visits.xls",
                    xls::protected_workbook("Visits", &[xls::number(0, 0, 1.0)]),
                ),
            ),
            (
                "an open document",
                File::new(
                    "visits.ods",
                    Parts::ods("").with("META-INF/manifest.xml", manifest).zip(),
                ),
            ),
            ("an encrypted zip", File::new("visits.xlsx", entry)),
        ],
    );
}

#[test]
fn n05_csv_named_xlsx() {
    check("n05_csv_named_xlsx", &[("", File::new("visits.xlsx", CSV))]);
}

#[test]
fn n06_web_page_named_xls() {
    let table = "<table><tr><td>COUNCIL</td></tr></table>";
    check(
        "n06_web_page_named_xls",
        &[
            ("a table alone", File::new("visits.xls", table)),
            (
                "a whole page",
                File::new(
                    "visits.xls",
                    format!(
                        "\u{feff}<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\">{table}</html>"
                    ),
                ),
            ),
        ],
    );
}

/// A note and not a question: the content leaves no doubt of what the file is, and all of it was read.
#[test]
fn n07_xlsx_named_xls() {
    let old = xls::workbook("Visits", &[xls::text(0, 0, "COUNCIL")]);
    check(
        "n07_xlsx_named_xls",
        &[
            ("a new workbook", File::new("visits.xls", xlsx(VISITS))),
            ("an old workbook", File::new("visits.xlsx", old)),
        ],
    );
}

#[test]
fn n08_no_spreadsheet_at_all() {
    let zip = Parts::empty().with_bytes("visits.xlsx", xlsx(VISITS)).zip();
    check(
        "n08_no_spreadsheet_at_all",
        &[
            ("a PDF", File::new("visits.xlsx", "%PDF-1.7 and so on")),
            ("a picture", File::new("visits.png", b"\x89PNG\r\n\x1a\n")),
            ("a zip with a workbook in it", File::new("visits.zip", zip)),
            (
                "a zip with something else in it",
                File::new("visits.xlsx", Parts::empty().with("a.txt", "a").zip()),
            ),
            (
                "a Word document",
                File::new(
                    "visits.xlsx",
                    Parts::empty().with("word/document.xml", "<a/>").zip(),
                ),
            ),
            (
                "noise",
                File::new("visits.xlsx", (0..=255).rev().collect::<Vec<u8>>()),
            ),
        ],
    );
}

#[test]
fn n09_other_formats() {
    let strict = [
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/styles.xml",
    ]
    .iter()
    .fold(parts(), |parts, part| {
        parts.changed(
            part,
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
        )
    })
    .changed(
        "xl/_rels/workbook.xml.rels",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    )
    .changed(
        "xl/workbook.xml",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    );
    let xml = "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>";
    check(
        "n09_other_formats",
        &[
            ("Strict Open XML", as_xlsx(&strict)),
            ("an old workbook", File::new("visits.xls", old_visits())),
            (
                "a binary workbook",
                File::new("visits.xlsb", binary_visits().zip()),
            ),
            (
                "an open document",
                File::new("visits.ods", open_visits().zip()),
            ),
            (
                "Excel 4",
                File::new("visits.xls", b"\x09\x04\x06\x00\x00\x00\x10\x00"),
            ),
            ("Excel 2003 XML", File::new("visits.xls", xml)),
            (
                "Apple Numbers",
                File::new(
                    "visits.numbers",
                    Parts::empty().with("Index/Document.iwa", "x").zip(),
                ),
            ),
        ],
    );
}

fn old_visits() -> Vec<u8> {
    let mut records: Vec<xls::Record> = (0..)
        .zip(super::said::HEADINGS)
        .map(|(column_idx, heading)| xls::text(0, column_idx, heading))
        .collect();
    records.extend([
        xls::text(1, 0, "Ardbeg"),
        xls::text(1, 1, "V0001"),
        xls::day(1, 2, 46_127.0),
        xls::text(1, 3, "01"),
        xls::number(1, 4, 1.5),
    ]);
    xls::workbook("Visits", &records)
}

fn binary_visits() -> Parts {
    use handmade::xlsb::{DATE, GENERAL, cell, records, row, wide};
    let mut all = vec![row(0)];
    all.extend(
        (0..)
            .zip(super::said::HEADINGS)
            .map(|(column_idx, heading)| cell(6, column_idx, GENERAL, &wide(heading))),
    );
    all.extend([
        row(1),
        cell(6, 0, GENERAL, &wide("Ardbeg")),
        cell(6, 1, GENERAL, &wide("V0001")),
        cell(5, 2, DATE, &46_127_f64.to_le_bytes()),
        cell(6, 3, GENERAL, &wide("01")),
        cell(5, 4, GENERAL, &1.5_f64.to_le_bytes()),
    ]);
    Parts::xlsb_sheets(&[("Visits", 0, records(&all))])
}

fn open_visits() -> Parts {
    let text = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let headings = super::said::HEADINGS.map(text).concat();
    let visit = [
        text("Ardbeg"),
        text("V0001"),
        "<table:table-cell office:value-type=\"date\" office:date-value=\"2026-04-15\"/>"
            .to_owned(),
        text("01"),
        "<table:table-cell office:value-type=\"float\" office:value=\"1.5\"/>".to_owned(),
    ]
    .concat();
    Parts::ods(&format!(
        "<table:table table:name=\"Visits\"><table:table-row>{headings}</table:table-row><table:table-row>{visit}</table:table-row></table:table>"
    ))
}

/// Macros are a note and not a question: a return's own workbook may have them, and no value depends on whether they ran.
/// What may be out of date, or hold what was not meant to be sent, is asked about.
#[test]
fn n10_macros_links_and_objects() {
    check(
        "n10_macros_links_and_objects",
        &[
            ("macros", as_xlsx(&parts().with("xl/vbaProject.bin", "x"))),
            (
                "links to other files",
                as_xlsx(&parts().with("xl/externalLinks/externalLink1.xml", "<externalLink/>")),
            ),
            (
                "an embedded file",
                as_xlsx(&parts().with("xl/embeddings/oleObject1.bin", "x")),
            ),
            ("a command in a cell", noting("=cmd|'/c calc'!A1")),
        ],
    );
}

#[test]
fn n11_one_huge_cell() {
    let text = "a".repeat(40_000);
    let mut asked = Asked::visits();
    let long = as_xlsx(&Parts::xlsx_sheets(&[(
        "Visits",
        "",
        &(rows()
            + &row(
                3,
                &["Ardbeg", "V0003", "2026-04-15", "01", "", "", "", "", &text],
            )),
    )]));
    let mut all = said(&asked.assessed(&long));
    asked.limits.part_bytes = 30_000;
    all += &said(&asked.assessed(&long));
    insta::assert_snapshot!("n11_one_huge_cell", all);
}

#[test]
fn n12_too_many_cells() {
    let mut asked = Asked::visits();
    asked.limits.cells = 13;
    let file = File::new("visits.xlsx", xlsx(VISITS));
    insta::assert_snapshot!("n12_too_many_cells", said(&asked.assessed(&file)));
}

#[test]
fn n13_overlapping_parts() {
    // The third entry of the directory points at the bytes of the second.
    let mut bytes = parts().zip();
    let entries: Vec<usize> = bytes
        .windows(4)
        .enumerate()
        .filter_map(|(at, w)| (w == b"PK\x01\x02").then_some(at))
        .collect();
    let place = bytes[entries[1] + 42..entries[1] + 46].to_vec();
    bytes[entries[2] + 42..entries[2] + 46].copy_from_slice(&place);
    check(
        "n13_overlapping_parts",
        &[("", File::new("visits.xlsx", bytes))],
    );
}

#[test]
fn n14_too_many_parts() {
    let many = (0..2_000).fold(parts(), |parts, n| {
        parts.with(&format!("xl/media/{n}.png"), "")
    });
    check("n14_too_many_parts", &[("2,006 of them", as_xlsx(&many))]);
}

#[test]
fn n15_strange_part_names() {
    check(
        "n15_strange_part_names",
        &[
            (
                "a path out of the archive",
                as_xlsx(&parts().with("../../etc/passwd", "root")),
            ),
            (
                "an absolute path",
                as_xlsx(&parts().with("/etc/passwd", "root")),
            ),
            (
                "a sheet twice but for its case",
                as_xlsx(&parts().with("XL/worksheets/SHEET1.xml", "<worksheet/>")),
            ),
        ],
    );
}

#[test]
fn n16_document_type() {
    let entities = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    check(
        "n16_document_type",
        &[(
            "in a sheet",
            as_xlsx(&parts().changed(
                "xl/worksheets/sheet1.xml",
                "<worksheet",
                &format!("{entities}<worksheet"),
            )),
        )],
    );
}

#[test]
fn n17_many_attributes() {
    let attributes: String = (0..200_000).map(|n| format!(" a{n}=\"\"")).collect();
    check(
        "n17_many_attributes",
        &[(
            "200,000 on a row",
            as_xlsx(&parts().changed(
                "xl/worksheets/sheet1.xml",
                "<row r=\"2\"",
                &format!("<row r=\"2\"{attributes}"),
            )),
        )],
    );
}

#[test]
fn n18_broken_xml() {
    let sheet = "xl/worksheets/sheet1.xml";
    check(
        "n18_broken_xml",
        &[
            (
                "a tag never closed",
                as_xlsx(&parts().changed(sheet, "</sheetData>", "<row")),
            ),
            (
                "cut",
                as_xlsx(
                    &parts().with(sheet, "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1"),
                ),
            ),
            (
                "not UTF-8",
                as_xlsx(&parts().with_bytes(sheet, b"<worksheet>\xff\xfe</worksheet>".to_vec())),
            ),
            ("a control character in free text", noting("bell _x0007_")),
        ],
    );
}

#[test]
fn n19_broken_compound_file() {
    // What these do to a process that reads them is seen in a child; here it is what is said.
    let mut header = vec![0_u8; 1_536];
    header[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    let workbook = xls::compound("Workbook", &[0xff; 5_000]);
    check(
        "n19_broken_compound_file",
        &[
            ("a header alone", File::new("visits.xls", &header[..512])),
            ("nothing behind the header", File::new("visits.xls", header)),
            ("noise for a workbook", File::new("visits.xls", workbook)),
        ],
    );
}

#[test]
fn n20_nothing_in_it() {
    check(
        "n20_nothing_in_it",
        &[
            ("no sheets", as_xlsx(&Parts::xlsx_sheets(&[]))),
            (
                "an empty sheet",
                as_xlsx(&Parts::xlsx_sheets(&[("Visits", "", "")])),
            ),
            (
                "a sheet whose part is missing",
                as_xlsx(&parts().without("xl/worksheets/sheet1.xml")),
            ),
            (
                "a chart alone",
                as_xlsx(&Parts::xlsx_of(&[Sheet {
                    name: "Visits",
                    after: "<drawing/>",
                    ..Sheet::default()
                }])),
            ),
        ],
    );
}
