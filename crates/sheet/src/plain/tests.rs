//! What is read here is what calamine reads, cell for cell.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;

use handmade::{Parts, Sheet};

use super::Plain;
use crate::gate::Gate;
use crate::stream::Collect;
use crate::{Limits, Refusal, open, package};

/// All that is told of a file (its sheets, their cells, the remarks), or what it is refused for.
///
/// As text, in which nought and minus nought differ.
fn read(parts: &Parts, large_bytes: u64) -> Result<String, Refusal> {
    let limits = Limits {
        large_bytes,
        ..Limits::default()
    };
    let bytes = parts.zip();
    let opened = open(&bytes, "a.xlsx", &limits)?;
    let infos = opened.sheets().to_vec();
    let mut collect = Collect::new(&infos);
    let remarks = opened.read(&mut collect)?;
    Ok(format!("{infos:?} {:?} {remarks:?}", collect.sheets))
}

/// As it is read where every sheet is taken for a large one.
fn large(parts: &Parts) -> Result<String, Refusal> {
    read(parts, 0)
}

/// As calamine reads it.
fn small(parts: &Parts) -> Result<String, Refusal> {
    read(parts, u64::MAX)
}

/// Whether the first sheet is plain.
fn is_plain(parts: &Parts) -> bool {
    let limits = Limits {
        large_bytes: 0,
        ..Limits::default()
    };
    let bytes = parts.zip();
    let Ok(package) = package::open(&bytes, &limits) else {
        return false;
    };
    let Ok(plain) = Plain::open(&package) else {
        return false;
    };
    let mut collect = Collect::new(&plain.sheets);
    let mut gate = Gate::new(&limits, &plain.sheets, &mut collect);
    gate.start_sheet(0);
    plain.read_sheet(&package, 0, &mut gate).is_ok()
}

fn check(parts: &Parts, plain: bool) {
    assert_eq!(large(parts), small(parts));
    assert_eq!(is_plain(parts), plain, "{:?}", small(parts));
}

const TEXTS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sst xmlns=\"x\" count=\"4\" uniqueCount=\"5\"><si><t>a</t></si><si><t xml:space=\"preserve\"> b </t></si><si><t> c </t></si>\n<si><r><t>rich </t></r><r><t>text</t></r></si><si><t>R&amp;D _x0041_</t></si><si/></sst>";

fn texts(rows: &str) -> Parts {
    Parts::xlsx(rows).with("xl/sharedStrings.xml", TEXTS)
}

#[test]
fn a_sheet_of_records_is_plain() {
    check(
        &texts(
            "<row r=\"1\" spans=\"1:3\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" s=\"1\"><v>46127</v></c><c r=\"AA1\" t=\"b\"><v>1</v></c></row>\n<row r=\"3\" hidden=\"1\"><c r=\"A3\" s=\"0\"/><c r=\"B3\"></c><c r=\"C3\"><v>-12.50</v></c><c r=\"D3\" t=\"n\"><v>1.5E-7</v></c><c r=\"E3\" t=\"e\"><v>#N/A</v></c><c r=\"F3\" s=\"2\"><v>1.5</v></c></row><row r=\"4\"/>",
        ),
        true,
    );
    check(
        &texts(
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>1</v></c><c r=\"B1\" t=\"s\"><v>2</v></c><c r=\"C1\" t=\"s\"><v>3</v></c><c r=\"D1\" t=\"s\"><v>4</v></c><c r=\"E1\" t=\"s\"><v>5</v></c></row>",
        ),
        true,
    );
    check(
        &texts(
            "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t> x </t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> x </t></is></c><c r=\"C1\" t=\"str\"><v> y </v></c><c r=\"D1\"><v></v></c></row>",
        ),
        true,
    );
    check(
        &Parts::xlsx("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>"),
        true,
    );
    check(
        &Parts::xlsx("<row r=\"1\"><c r=\"A1\" s=\"1\"><v>1</v></c></row>").changed(
            "xl/workbook.xml",
            "<workbookPr/>",
            "<workbookPr date1904=\"1\"/>",
        ),
        true,
    );
    check(
        &texts("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>").changed(
            "xl/worksheets/sheet1.xml",
            "<sheetData>",
            "<sheetPr><tabColor rgb=\"FF\"/></sheetPr><dimension ref=\"A1:B2\"/><cols><col min=\"1\" max=\"2\"/></cols><sheetData>",
        ),
        true,
    );
}

#[test]
fn anything_else_is_left_to_calamine() {
    for rows in [
        "<row><c r=\"A1\"><v>1</v></c></row>",
        "<row r=\"1\"><c><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"A2\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c></row>",
        "<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"A1\"><f>1+1</f><v>2</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>a&amp;b</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>_x0041_</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"e\"><v>#SPILL!</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"d\"><v>2026-04-01</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>9</v></c></row>",
        "<row r=\"1\"><c r=\"A1\"><v>x</v></c></row>",
        "<row r=\"1\"><c r=\"A1\"><v>1</v><v>2</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" s=\"9\"><v>1</v></c></row>",
        "<row r=\"1\"><c r='A1'><v>1</v></c></row>",
        "<row r=\"1\"><!-- --><c r=\"A1\"><v>1</v></c></row>",
        "<row r=\"1\"><x:c r=\"A1\"><v>1</v></x:c></row>",
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c>",
        "<row r=\"1\"><c r=\"A1\" t=\"b\"><v>true</v></c></row>",
        "<row r=\"1\"><c r=\"A1\"><v>1e400</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"s\" t=\"n\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"x\"><v></v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"d\"><v></v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><r><t>1</t></r></is></c></row>",
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1\"><c r=\"B1\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>",
    ] {
        check(&texts(rows), false);
    }
    let parts = texts("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>");
    for (part, from, to) in [
        ("xl/sharedStrings.xml", "<si/>", "<!-- --><si/>"),
        (
            "xl/sharedStrings.xml",
            "uniqueCount=\"5\"",
            "uniqueCount=\"99999\"",
        ),
        ("xl/sharedStrings.xml", "</sst>", ""),
        ("xl/sharedStrings.xml", "uniqueCount=\"5\"", "uniqueCount=5"),
        ("xl/sharedStrings.xml", "count=\"4\"", "count"),
        (
            "xl/sharedStrings.xml",
            "version=\"1.0\"",
            "version=\"encoding\" aencoding=\"UTF-8\"",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "</sheetData>",
            "<x r=\"ABCD1\"/></sheetData>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<sheetData>",
            "<dimension ref=\"B2:A1\"/><sheetData>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<sheetData>",
            "</col><sheetData>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<sheetData>",
            "<cols></dimension><sheetData>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<sheetData>",
            "<!DOCTYPE a><sheetData>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet",
            "<?xml version=\"1.0\" encoding=\"windows-1252\"?><worksheet",
        ),
        (
            "xl/sharedStrings.xml",
            "encoding=\"UTF-8\"",
            "encoding=\"windows-1252\"",
        ),
        ("xl/workbook.xml", "rId1", "rId7"),
        ("xl/styles.xml", "</styleSheet>", ""),
    ] {
        check(&parts.clone().changed(part, from, to), false);
    }
    check(&parts.with("sharedStrings.xml", TEXTS), false);
}

#[test]
fn a_sheet_that_turns_out_not_to_be_plain_starts_again_and_the_others_stay_plain() {
    let plain = "<row r=\"1\" hidden=\"1\"><c r=\"A1\"><v>1</v></c></row>";
    let other = format!("{plain}<row r=\"2\"><c r=\"A2\"><f>1</f><v>1</v></c></row>");
    let parts = Parts::xlsx_sheets(&[("A", "", plain), ("B", "", &other), ("C", "", plain)]);
    let told = large(&parts).unwrap();
    assert_eq!(told, small(&parts).unwrap());
    assert!(told.contains("filtered rows (3)"), "{told}");
}

#[test]
fn an_empty_sheet_is_plain_too() {
    let parts = Parts::xlsx_sheets(&[
        ("A", "", ""),
        ("B", "", "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>"),
    ]);
    check(&parts, true);
    check(
        &parts.changed(
            "xl/worksheets/sheet1.xml",
            "<sheetData></sheetData>",
            "<sheetData/>",
        ),
        true,
    );
}

#[test]
fn what_stands_beside_the_cells_is_told_as_of_other_sheets() {
    let row = "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\"><v>2</v></c></row>";
    let parts = Parts::xlsx_of(&[Sheet {
        name: "A",
        before: "<cols><col min=\"1\" max=\"1\" hidden=\"1\"/></cols>",
        rows: row,
        after: "<mergeCells><mergeCell ref=\"A1:B2\"/></mergeCells>",
        ..Sheet::default()
    }]);
    check(&parts, true);
    let told = large(&parts).unwrap();
    assert!(told.contains("hidden_columns: [(0, 0)]"), "{told}");
    assert!(told.contains("rows: (0, 1), columns: (0, 1)"), "{told}");
    assert!(told.contains("file.hidden-columns"), "{told}");
}

#[test]
fn what_a_large_workbook_is_refused_for_is_what_a_small_one_is() {
    let row = |number: u32, cells: &str| format!("<row r=\"{number}\">{cells}</row>");
    for rows in [
        String::new(),
        row(1_048_577, "<c r=\"A1048577\"><v>1</v></c>"),
        row(1, "<c r=\"ABCD1\"><v>1</v></c>"),
        row(
            1,
            &format!("<c r=\"A1\" t=\"str\"><v>{}</v></c>", "x".repeat(32_768)),
        ),
        // The second fault is met before a reader that goes cell by cell is done with the first.
        row(
            1,
            &format!("<c r=\"A1\" t=\"str\"><v>{}</v></c>", "x".repeat(32_768)),
        ) + &row(2, "<c r=\"A2\" t=\"x\"><v>1</v></c>"),
    ] {
        let refusal = large(&Parts::xlsx(&rows)).unwrap_err();
        assert_eq!(refusal, small(&Parts::xlsx(&rows)).unwrap_err());
    }
}

#[test]
fn a_part_of_many_blocks_is_read_whole() {
    let mut rows = String::new();
    for number in 1..=2_000 {
        let _ = write!(
            rows,
            "<row r=\"{number}\"><c r=\"A{number}\"><v>{number}</v></c><c r=\"B{number}\" t=\"inlineStr\"><is><t>text {number}</t></is></c></row>"
        );
    }
    let parts = Parts::xlsx(&rows);
    assert!(large(&parts).unwrap().contains("Text(\"text 2000\")"));
    check(&parts, true);
}

/// A cell's attributes but its place, and its content.
fn cell() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        4 => any::<i32>().prop_map(|n| n.to_string()),
        4 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| n.to_string()),
        2 => (any::<i64>(), 0_usize..18).prop_map(|(n, places)| format!("{n}.{:0places$}", 7)),
        1 => any::<f32>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        1 => select(vec!["", "-", "1.", ".5", "007", "+1", "1e", "1E+5", "NaN", "-0", "1e99", "1e-99"]).prop_map(str::to_owned),
    ];
    let text = prop_oneof![
        4 => "[a-zA-Z0-9 ]{0,12}",
        1 => "[ \\t\\n\\ra-c_x&;#é-]{0,8}",
        1 => select(vec!["&amp;", "&#233;", "_x000D_", "&nope;", "a\u{a0}", "<![CDATA[x]]>"]).prop_map(str::to_owned),
    ];
    let content = prop_oneof![
        8 => number.prop_map(|n| format!("><v>{n}</v></c>")),
        4 => (0_u32..8).prop_map(|idx| format!(" t=\"s\"><v>{idx}</v></c>")),
        2 => text.clone().prop_map(|text| format!(" t=\"str\"><v>{text}</v></c>")),
        2 => text.clone().prop_map(|text| format!(" t=\"inlineStr\"><is><t>{text}</t></is></c>")),
        1 => text.prop_map(|text| format!(" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")),
        1 => select(vec!["0", "1", "true", "2"]).prop_map(|b| format!(" t=\"b\"><v>{b}</v></c>")),
        1 => select(vec!["#N/A", "#REF!", "#SPILL!"]).prop_map(|e| format!(" t=\"e\"><v>{e}</v></c>")),
        1 => select(vec![
            "/>", "></c>", " t=\"x\"/>", " t=\"x\"><v></v></c>", " t=\"d\"><v>2026-04-01</v></c>", " t=\"is\"><v>1</v></c>",
            " t=\"s\"><v></v></c>", " t=\"s\"><v>007</v></c>", " t=\"s\"><v>x</v></c>", " t=\"b\"><v></v></c>", "><f>1</f><v>2</v></c>",
            " x:t=\"b\"><v>1</v></c>", " cm=\"1\" ><v>1</v></c>", " t=\"str\"><v/></c>", "><is><t>x</t></is></c>", "> <v>1</v></c>",
        ]).prop_map(str::to_owned),
    ];
    let style =
        prop_oneof![3 => Just(String::new()), 2 => (0_u32..5).prop_map(|s| format!(" s=\"{s}\""))];
    (style, content).prop_map(|(style, content)| format!("{style}{content}"))
}

fn sheet() -> impl Strategy<Value = String> {
    let gap = prop_oneof![9 => Just(1_u32), 1 => 2_u32..4];
    let cells = proptest::collection::vec((gap.clone(), cell()), 0..4);
    let space = select(vec!["", "", "", "\n", " "]);
    let hidden = select(vec!["", "", "", " hidden=\"1\"", " hidden=\"0\""]);
    proptest::collection::vec((gap, hidden, space, cells), 1..4).prop_map(|rows| {
        let mut xml = String::new();
        let mut number = 0;
        for (gap, hidden, space, cells) in rows {
            number += gap;
            let _ = write!(xml, "{space}<row r=\"{number}\"{hidden}>");
            let mut column = 0_u8;
            for (gap, cell) in cells {
                column += u8::try_from(gap).unwrap();
                let letter = char::from(b'A' + column - 1);
                let _ = write!(xml, "{space}<c r=\"{letter}{number}\"{cell}");
            }
            xml.push_str("</row>");
        }
        xml
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn every_sheet_is_read_as_calamine_reads_it(rows in sheet()) {
        let parts = texts(&rows);
        prop_assert_eq!(large(&parts), small(&parts), "{}", rows);
    }

    /// Damage of all kinds: a stretch of a part is put in the place of another.
    #[test]
    fn damaged_parts_are_read_as_calamine_reads_them(
        rows in sheet(),
        is_texts in any::<bool>(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        len in 0_usize..12,
    ) {
        let sheet = format!(
            "<?xml version='1.0' encoding='UTF-8'?><worksheet xmlns=\"x\" xmlns:y=\"z\"><dimension ref=\"A1:B2\"/><cols><col min=\"1\" max=\"2\"/></cols><sheetData>{rows}</sheetData><pageMargins left=\"1\"/></worksheet>"
        );
        let (name, whole) = if is_texts {
            ("xl/sharedStrings.xml", TEXTS)
        } else {
            ("xl/worksheets/sheet1.xml", sheet.as_str())
        };
        let bytes = whole.as_bytes();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let piece = &bytes[from..(from + len).min(bytes.len())];
        let damaged = [&bytes[..to], piece, &bytes[(to + 1).min(bytes.len())..]].concat();
        let damaged = String::from_utf8_lossy(&damaged);
        let parts = texts(&rows).with("xl/worksheets/sheet1.xml", &sheet).with(name, &damaged);
        prop_assert_eq!(large(&parts), small(&parts), "{}", damaged);
    }
}
