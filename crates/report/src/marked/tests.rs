//! What a marking leaves alone, on workbooks as `rust_xlsxwriter` makes them and on odd ones made by hand.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use finding::{CellRef, Outcome, Severity};
use proptest::prelude::*;
use rust_xlsxwriter::{
    Chart, ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, DocProperties,
    ExcelDateTime, Format, Formula, Note, Table, Workbook,
};
use sheet::grid::{Grid, GridCell, GridSheet};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::*;

fn cover(findings: &[Finding]) -> Cover {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.severity).or_insert(0) += 1;
    }
    Cover {
        file_name: "return.xlsx".to_owned(),
        about: "HL1, 2026-27-Q1, Here".to_owned(),
        outcome: Outcome::of(findings.iter().map(|finding| finding.severity)),
        counts,
    }
}

fn at(cell: &str, severity: Severity) -> Finding {
    Finding::new(
        "case.a",
        severity,
        "=HYPERLINK(\"x\") is wrong.",
        "Mend it.",
    )
    .at_cell(cell.parse().unwrap())
    .with_value("-2+3")
}

fn marked(bytes: &[u8], findings: &[Finding]) -> Vec<u8> {
    mark(bytes, &cover(findings), findings, &Limits::default()).unwrap()
}

fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|idx| {
            let mut part = archive.by_index(idx).unwrap();
            let mut content = Vec::new();
            part.read_to_end(&mut content).unwrap();
            (part.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn text<'p>(parts: &'p BTreeMap<String, Vec<u8>>, name: &str) -> &'p str {
    let part = parts
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {:?}", parts.keys()));
    std::str::from_utf8(part).unwrap()
}

fn zip(parts: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(bytes: &[u8]) -> sheet::Workbook {
    sheet::read(bytes, "return.xlsx", &Limits::default()).unwrap()
}

/// Every part that should be is well-formed, and every relation leads somewhere.
fn check_package(bytes: &[u8]) {
    let parts = parts(bytes);
    let types = text(&parts, CONTENT_TYPES).to_owned();
    for (name, content) in &parts {
        let is_xml = [".xml", ".rels", ".vml"]
            .iter()
            .any(|ending| name.ends_with(ending));
        if !is_xml {
            continue;
        }
        let content = std::str::from_utf8(content).unwrap();
        let mut tags = xml::Tags::of(content);
        while let Some(tag) = tags.next().unwrap_or_else(|_| panic!("{name}: {content}")) {
            let mut names: Vec<_> = tag.attributes().into_iter().map(|(name, _)| name).collect();
            let n_names = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), n_names, "{name}: an attribute twice");
        }
        if let Some(of) = name.strip_suffix(".rels") {
            let of = of.replace("_rels/", "");
            assert!(
                of.is_empty() || parts.contains_key(&of),
                "{name} is of no part"
            );
            for relation in Relations::read(&of, Some(content.to_owned())).unwrap().all {
                assert!(parts.contains_key(&relation.target), "{name}: {relation:?}");
            }
        } else if name != CONTENT_TYPES {
            let ending = name.rsplit('.').next().unwrap();
            assert!(
                types.contains(&format!("PartName=\"/{name}\""))
                    || types.contains(&format!("Extension=\"{ending}\"")),
                "{name} has no content type: {types}"
            );
        }
    }
    for piece in types.split("PartName=\"/").skip(1) {
        let name = piece.split('"').next().unwrap();
        assert!(
            parts.contains_key(name),
            "{name} has a content type and is not there"
        );
    }
}

/// A workbook with something of everything.
fn rich() -> Vec<u8> {
    let mut workbook = Workbook::new();
    workbook.set_properties(
        &DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1).unwrap()),
    );
    workbook
        .define_name("'My data'!Ours", "='My data'!$A$1:$B$3")
        .unwrap();
    workbook.define_name("Everywhere", "=Other!$A$1").unwrap();
    let money = Format::new().set_num_format("£#,##0.00").set_italic();
    let sheet = workbook.add_worksheet().set_name("My data").unwrap();
    sheet.write_string(0, 0, "Case").unwrap();
    sheet.write_string(0, 1, "Amount").unwrap();
    for row in 1..4 {
        sheet.write_string(row, 0, format!("c{row}")).unwrap();
        sheet
            .write_number_with_format(row, 1, f64::from(row) * 1.5, &money)
            .unwrap();
    }
    sheet
        .write_formula_with_format(4, 1, Formula::new("=SUM(B2:B4)").set_result("9"), &money)
        .unwrap();
    sheet
        .insert_note(1, 0, &Note::new("Seen by Ann").set_author("Ann"))
        .unwrap();
    sheet
        .add_data_validation(
            1,
            0,
            9,
            0,
            &DataValidation::new()
                .allow_list_strings(&["c1", "c2"])
                .unwrap(),
        )
        .unwrap();
    sheet
        .add_conditional_format(
            1,
            1,
            9,
            1,
            &ConditionalFormatCell::new()
                .set_rule(ConditionalFormatCellRule::GreaterThan(3))
                .set_format(Format::new().set_bold()),
        )
        .unwrap();
    sheet.set_print_area(0, 0, 9, 3).unwrap();
    sheet.set_repeat_rows(0, 0).unwrap();
    sheet.protect_with_password("secret");
    let mut chart = Chart::new_line();
    chart.add_series().set_values("'My data'!$B$2:$B$4");
    sheet.insert_chart(6, 3, &chart).unwrap();
    let other = workbook.add_worksheet().set_name("Other").unwrap();
    other.write_number(0, 0, 1).unwrap();
    other.add_table(2, 0, 4, 1, &Table::new()).unwrap();
    other.set_active(true);
    let hidden = workbook.add_worksheet().set_name("Hidden").unwrap();
    hidden.write_number(0, 0, 1).unwrap();
    hidden.set_hidden(true);
    workbook.save_to_buffer().unwrap()
}

#[test]
fn what_is_not_marked_stays_byte_for_byte() {
    let before = rich();
    let findings = [
        at("'My data'!B2", Severity::Error),
        at("'My data'!A2", Severity::Query),
        at("'My data'!C9", Severity::Note),
        Finding::new("file.x", Severity::Note, "Note.", "Nothing to do."),
    ];
    let after = marked(&before, &findings);
    check_package(&after);
    let (old, new) = (parts(&before), parts(&after));
    let changed: Vec<_> = old
        .iter()
        .filter(|(name, content)| new.get(*name) != Some(content))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        changed,
        [
            "[Content_Types].xml",
            "xl/_rels/workbook.xml.rels",
            "xl/comments1.xml",
            "xl/drawings/vmlDrawing1.vml",
            "xl/styles.xml",
            "xl/workbook.xml",
            "xl/worksheets/sheet1.xml",
            // It was the selected one.
            "xl/worksheets/sheet2.xml",
        ]
    );
    let added: Vec<_> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    assert_eq!(added, ["xl/lgdp/sheet1.xml"]);
    // Of the marked sheet only the cells' styles, and a row for the blank cell.
    let sheet = text(&new, "xl/worksheets/sheet1.xml");
    let plain = |text: &str| {
        let mut plain = text.replace(" t=\"s\"", "");
        for n in 0..40 {
            plain = plain.replace(&format!(" s=\"{n}\""), "");
        }
        plain.replace("<row r=\"9\"><c r=\"C9\"/></row>", "")
    };
    assert_eq!(plain(sheet), plain(text(&old, "xl/worksheets/sheet1.xml")));
    let workbook = text(&new, "xl/workbook.xml");
    assert!(
        workbook.contains("<definedName name=\"Ours\" localSheetId=\"1\">"),
        "{workbook}"
    );
    assert!(
        workbook.contains("name=\"_xlnm.Print_Area\" localSheetId=\"1\""),
        "{workbook}"
    );
    assert!(
        workbook.contains("<definedName name=\"Everywhere\">"),
        "{workbook}"
    );
    let comments = text(&new, "xl/comments1.xml");
    assert!(
        comments.contains("Seen by Ann") && comments.matches("<comment ").count() == 3,
        "{comments}"
    );
}

#[test]
fn marked_cells_read_as_before_and_our_sheet_comes_first() {
    let before = rich();
    let findings = [
        at("'My data'!B2", Severity::Error),
        at("Hidden!A1", Severity::Error),
    ];
    let after = read(&marked(&before, &findings));
    assert_eq!(after.sheets[0].name, sheet::FINDINGS_SHEET);
    assert_eq!(after.sheets[1..], read(&before).sheets[..]);
    assert_eq!(after.remarks, read(&before).remarks);
}

#[test]
fn the_findings_sheet_has_texts_alone_and_links_to_the_cells() {
    let after = parts(&marked(&rich(), &[at("'My data'!B2", Severity::Error)]));
    let sheet = text(&after, "xl/lgdp/sheet1.xml");
    assert!(
        !sheet.contains("<f>") && !sheet.contains("hidden"),
        "{sheet}"
    );
    assert!(
        sheet.contains("=HYPERLINK(&quot;x&quot;) is wrong."),
        "{sheet}"
    );
    assert!(
        sheet.contains("location=\"&apos;My data&apos;!B2\""),
        "{sheet}"
    );
    let names = [
        "sheetPr",
        "dimension",
        "sheetViews",
        "sheetFormatPr",
        "cols",
        "sheetData",
        "autoFilter",
        "hyperlinks",
        "pageMargins",
        "pageSetup",
    ];
    let order: Vec<_> = names
        .iter()
        .map(|name| sheet.find(&format!("<{name}")).unwrap())
        .collect();
    assert!(order.is_sorted());
}

#[test]
fn many_findings_are_told_by_check_too() {
    let findings: Vec<_> = (1..=30)
        .map(|row| at(&format!("Other!B{row}"), Severity::Error))
        .collect();
    let after = read(&marked(&rich(), &findings));
    let names: Vec<_> = after
        .sheets
        .iter()
        .map(|sheet| sheet.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            sheet::FINDINGS_SHEET,
            sheet::OVERVIEW_SHEET,
            "My data",
            "Other",
            "Hidden"
        ]
    );
}

#[test]
fn a_second_marking_takes_the_place_of_the_first() {
    let first = marked(
        &rich(),
        &[
            at("'My data'!B2", Severity::Error),
            at("'My data'!B3", Severity::Query),
            at("Other!C9", Severity::Error),
        ],
    );
    let second = marked(&first, &[at("'My data'!B3", Severity::Error)]);
    check_package(&second);
    let once = marked(&rich(), &[at("'My data'!B3", Severity::Error)]);
    let names = |bytes: &[u8]| -> Vec<String> {
        read(bytes)
            .sheets
            .into_iter()
            .map(|sheet| sheet.name)
            .collect()
    };
    assert_eq!(names(&second), names(&once));
    assert_eq!(read(&second).sheets, read(&once).sheets);
    let (second, once) = (parts(&second), parts(&once));
    // B2 looks as it did at first: its style is that of B4, which was never marked.
    let style = |parts: &BTreeMap<String, Vec<u8>>, cell: &str| {
        let sheet = text(parts, "xl/worksheets/sheet1.xml");
        let tag = sheet.split(&format!("<c r=\"{cell}\"")).nth(1).unwrap();
        tag.split('>').next().unwrap().to_owned()
    };
    assert_eq!(style(&second, "B2"), style(&second, "B4"));
    assert_ne!(style(&second, "B3"), style(&second, "B4"));
    let comments = text(&second, "xl/comments1.xml");
    assert_eq!(comments.matches("<comment ").count(), 2, "{comments}");
    assert_eq!(
        text(&second, "xl/drawings/vmlDrawing1.vml")
            .matches("<v:shape ")
            .count(),
        text(&once, "xl/drawings/vmlDrawing1.vml")
            .matches("<v:shape ")
            .count()
    );
}

#[test]
fn a_workbook_that_runs_something_or_is_no_excel_workbook_is_not_marked() {
    let try_with = |name: &str| {
        let mut parts = parts(&rich());
        parts.insert(name.to_owned(), b"x".to_vec());
        mark(&zip(&parts), &cover(&[]), &[], &Limits::default())
    };
    assert_eq!(try_with("xl/vbaProject.bin"), Err(NotMarked::Macros));
    assert_eq!(
        try_with("xl/macrosheets/sheet1.xml").map_err(|e| e == NotMarked::Macros),
        Err(true)
    );
    assert_eq!(
        mark(b"a,b\n1,2\n", &cover(&[]), &[], &Limits::default()),
        Err(NotMarked::OtherFormat)
    );
}

#[test]
fn a_signature_and_the_order_of_calculation_are_not_kept() {
    let mut signed = parts(&rich());
    signed.insert("_xmlsignatures/origin.sigs".to_owned(), Vec::new());
    signed.insert(
        "_xmlsignatures/sig1.xml".to_owned(),
        b"<Signature/>".to_vec(),
    );
    signed.insert("xl/calcChain.xml".to_owned(), b"<calcChain/>".to_vec());
    let mut change = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(signed[name].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        signed.insert(name.to_owned(), text.replace(from, to).into_bytes());
    };
    change(
        "_rels/.rels",
        "</Relationships>",
        "<Relationship Id=\"s\" Type=\"http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin\" Target=\"_xmlsignatures/origin.sigs\"/></Relationships>",
    );
    change(
        "xl/_rels/workbook.xml.rels",
        "</Relationships>",
        "<Relationship Id=\"c\" Type=\"a/calcChain\" Target=\"calcChain.xml\"/></Relationships>",
    );
    change(
        CONTENT_TYPES,
        "</Types>",
        "<Override PartName=\"/_xmlsignatures/sig1.xml\" ContentType=\"a\"/><Override PartName=\"/xl/calcChain.xml\" ContentType=\"b\"/><Default Extension=\"sigs\" ContentType=\"c\"/></Types>",
    );
    let after = marked(&zip(&signed), &[at("Other!A1", Severity::Error)]);
    check_package(&after);
    let after = parts(&after);
    let left: Vec<_> = after
        .keys()
        .filter(|name| name.contains("ign") || name.contains("calc"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(text(&after, "xl/lgdp/sheet1.xml").contains("The workbook was signed."));
}

#[test]
fn a_workbook_for_macros_without_any_comes_back_as_a_plain_one() {
    let mut parts_before = parts(&rich());
    let types = text(&parts_before, CONTENT_TYPES).replace(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    );
    parts_before.insert(CONTENT_TYPES.to_owned(), types.into_bytes());
    let after = parts(&marked(&zip(&parts_before), &[]));
    let types = text(&after, CONTENT_TYPES);
    assert!(!types.contains("macroEnabled"), "{types}");
    assert!(types.contains("PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\""), "{types}");
}

#[test]
fn many_comments_are_capped_and_it_is_said() {
    let findings: Vec<_> = (1..=MOST_COMMENTS + 5)
        .map(|row| at(&format!("Other!B{row}"), Severity::Error))
        .collect();
    let after = marked(&rich(), &findings);
    check_package(&after);
    let after = parts(&after);
    let comments = text(&after, "xl/lgdp/comments1.xml");
    assert_eq!(comments.matches("<comment ").count(), MOST_COMMENTS);
    assert!(text(&after, "xl/lgdp/sheet1.xml").contains("5 cells have no comment"));
    assert!(
        text(&after, "xl/worksheets/sheet2.xml")
            .contains(&format!("<c r=\"B{}\" s=", MOST_COMMENTS + 5))
    );
}

#[test]
fn one_comment_tells_all_that_is_wrong_with_a_cell() {
    let mut findings: Vec<_> = (0..7).map(|_| at("Other!A1", Severity::Query)).collect();
    findings.push(at("Other!A1", Severity::Error));
    let after = parts(&marked(&rich(), &findings));
    let comments = text(&after, "xl/lgdp/comments1.xml");
    assert_eq!(comments.matches("Mend it.").count(), 5, "{comments}");
    assert!(
        comments.contains("And 3 more") && comments.contains("To fix"),
        "{comments}"
    );
}

#[test]
fn a_drawing_that_is_not_understood_costs_the_comments_of_its_sheet_and_no_more() {
    let mut odd = parts(&rich());
    let drawing = "xl/drawings/vmlDrawing1.vml".to_owned();
    odd.insert(drawing.clone(), b"<xml>something else</xml>".to_vec());
    let findings = [
        at("'My data'!B2", Severity::Error),
        at("Other!A1", Severity::Error),
    ];
    let after = marked(&zip(&odd), &findings);
    check_package(&after);
    let after = parts(&after);
    assert_eq!(after[&drawing], odd[&drawing]);
    assert_eq!(after["xl/comments1.xml"], odd["xl/comments1.xml"]);
    assert!(text(&after, "xl/lgdp/comments1.xml").contains("ref=\"A1\""));
    assert!(text(&after, "xl/lgdp/sheet1.xml").contains("1 cell has no comment"));
}

/// As spreadsheet programs write them in the strict kind of the format, and some other programs with prefixes.
#[test]
fn a_strict_workbook_with_prefixes_and_odd_part_names_is_marked() {
    let main = "http://purl.oclc.org/ooxml/spreadsheetml/main";
    let relations = "http://purl.oclc.org/ooxml/officeDocument/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut odd = BTreeMap::new();
    for (name, content) in [
        (CONTENT_TYPES, "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/other/tab.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/></Types>".to_owned()),
        ("_rels/.rels", format!("<Relationships xmlns=\"{package}\"><Relationship Id=\"a\" Type=\"{relations}/officeDocument\" Target=\"book/main.xml\"/></Relationships>")),
        ("book/main.xml", format!("\u{feff}<x:workbook xmlns:x=\"{main}\" xmlns:q=\"{relations}\"><x:sheets><x:sheet name=\"It's\" sheetId=\"3\" q:id=\"t\"/></x:sheets></x:workbook>")),
        ("book/_rels/main.xml.rels", format!("<Relationships xmlns=\"{package}\"><Relationship Id=\"t\" Type=\"{relations}/worksheet\" Target=\"../other/tab.xml\"/></Relationships>")),
        ("other/tab.xml", format!("<x:worksheet xmlns:x=\"{main}\"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>")),
    ] {
        odd.insert(name.to_owned(), content.into_bytes());
    }
    let after = marked(
        &zip(&odd),
        &[
            at("'It''s'!A1", Severity::Error),
            at("'It''s'!B2", Severity::Error),
        ],
    );
    check_package(&after);
    let after = parts(&after);
    assert_eq!(
        text(&after, "other/tab.xml"),
        format!(
            "<x:worksheet xmlns:x=\"{main}\"><x:sheetData><x:row><x:c s=\"1\"><x:v>1</x:v></x:c></x:row><x:row r=\"2\"><x:c r=\"B2\" s=\"1\"/></x:row></x:sheetData><x:legacyDrawing xmlns:r=\"{relations}\" r:id=\"rIdLgdp2\"/></x:worksheet>"
        )
    );
    assert!(
        text(&after, "book/main.xml").contains(
            "<x:sheets><x:sheet name=\"lgdp findings\" sheetId=\"4\" q:id=\"rIdLgdp1\"/>"
        )
    );
    assert!(text(&after, "book/styles.xml").contains(&format!("xmlns=\"{main}\"")));
}

fn drawn(cells: &BTreeMap<(u32, u32), GridCell>) -> Grid {
    let mut sheet = GridSheet::new("Data");
    for ((row_idx, column_idx), cell) in cells {
        sheet.set_cell(*row_idx, *column_idx, cell.clone());
    }
    let mut grid = Grid::default();
    grid.sheets.push(sheet);
    grid.sheets.push(GridSheet::new("Empty"));
    grid
}

fn any_cell() -> impl Strategy<Value = GridCell> {
    prop_oneof![
        "[ -~£é\u{1f600}]{1,12}".prop_map(GridCell::Text),
        (-1_000_000_i32..1_000_000).prop_map(|n| GridCell::Number(n.to_string())),
        any::<bool>().prop_map(GridCell::Boolean),
        Just(GridCell::Error("#SPILL!".to_owned())),
        Just(GridCell::Formula {
            formula: "A1&\"<\"".to_owned(),
            result: Some(Box::new(GridCell::Number("2".to_owned()))),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_marked_workbook_holds_the_same_cells(
        cells in proptest::collection::btree_map((0_u32..12, 0_u32..9), any_cell(), 1..30),
        at in proptest::collection::vec((0_u32..15, 0_u32..12, 0_usize..4, any::<bool>()), 0..40),
        again in proptest::collection::vec((0_u32..15, 0_u32..12, 0_usize..4, any::<bool>()), 0..20),
    ) {
        let findings = |at: Vec<(u32, u32, usize, bool)>| -> Vec<Finding> {
            at.into_iter()
                .map(|(row_idx, column_idx, severity, is_data)| {
                    let sheet = if is_data { "Data" } else { "Empty" };
                    Finding::new("case.a", Severity::ALL[severity], "Wrong.", "Mend it.")
                        .at_cell(CellRef::new(sheet, row_idx, column_idx))
                })
                .collect()
        };
        let before = crate::workbook::write_xlsx(&drawn(&cells)).unwrap();
        let first = marked(&before, &findings(at));
        check_package(&first);
        let second = marked(&first, &findings(again));
        check_package(&second);
        for after in [first, second] {
            let own: Vec<_> = read(&after).sheets.into_iter().filter(|sheet| !sheet::is_ours(&sheet.name)).collect();
            prop_assert_eq!(own, read(&before).sheets);
        }
    }
}
