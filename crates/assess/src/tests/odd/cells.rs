//! 42 to 64: cells.

use handmade::Parts;

use super::said::{Asked, File, HEADINGS, STOCK, row, said, xlsx};

fn check(name: &str, files: &[(&str, File)]) {
    insta::assert_snapshot!(name, Asked::visits().said(files));
}

/// A visit for each value of one column, drawn; the other columns have nothing wrong with them.
fn column(item: &str, values: &[&str]) -> File {
    let mut drawing = format!("[Visits]\n| {} |\n", HEADINGS.join(" | "));
    for (n, value) in (1..).zip(values) {
        let mut cells = [
            "Ardbeg",
            "",
            "2026-04-15",
            "'01",
            "1.5",
            "2",
            "TRUE",
            "50",
            "",
        ]
        .map(str::to_owned);
        cells[1] = format!("V{n:04}");
        cells[HEADINGS
            .iter()
            .position(|heading| *heading == item)
            .unwrap()] = (*value).to_owned();
        drawing += &format!("| {} |\n", cells.join(" | "));
    }
    File::new("visits.xlsx", xlsx(&drawing))
}

/// The same with handmade cells: each is what stands between `<c r="E2"` and `</c>`.
fn raw_column(item: &str, values: &[&str]) -> File {
    File::new("visits.xlsx", raw_parts(item, values).zip())
}

fn raw_parts(item: &str, values: &[&str]) -> Parts {
    let column_idx = HEADINGS
        .iter()
        .position(|heading| *heading == item)
        .unwrap();
    let letter = ('A'..).nth(column_idx).unwrap();
    let mut rows = row(1, &HEADINGS);
    for (row_number, value) in (2..).zip(values) {
        let seen = format!("<c r=\"C{row_number}\" s=\"1\"><v>46127</v></c>");
        let reference = format!("V{row_number:04}");
        let mut cells = ["Ardbeg", &reference, &seen, "01", "", "", "", "", ""];
        let raw = format!("<c r=\"{letter}{row_number}\"{value}</c>");
        cells[column_idx] = &raw;
        rows += &row(row_number, &cells);
    }
    Parts::xlsx_sheets(&[("Visits", "", &rows)])
}

/// With as many values that have nothing wrong with them, so that each of the others is told by itself.
fn sound<'a>(values: &[&'a str], sound: &'a str) -> Vec<&'a str> {
    values
        .iter()
        .copied()
        .chain(values.iter().map(|_| sound))
        .collect()
}

/// The days of 1900 are not accepted: what is shown as one of them is a number up to 366, such as a count in a cell of dates,
/// and no return asks for a day so long ago.
#[test]
fn n42_serial_dates() {
    check(
        "n42_serial_dates",
        &[(
            "1 March and 31 December 1900, 1 January 1901, the day before that never was, 0, -1, 2100, 2101, 10000",
            raw_column(
                "SEEN",
                &[
                    "61", "366", "367", "60", "0", "-1", "73415", "73780", "2958466",
                ]
                .map(|serial| format!(" s=\"1\"><v>{serial}</v>"))
                .each_ref()
                .map(String::as_str),
            ),
        )],
    );
}

#[test]
fn n43_dates_from_1904() {
    let parts = raw_parts("SEEN", &[" s=\"1\"><v>44665</v>"])
        .changed("xl/workbook.xml", "<workbookPr/>", "<workbookPr date1904=\"1\"/>")
        .changed(
            "xl/workbook.xml",
            "</workbook>",
            "<extLst><ext xmlns:x15=\"http://schemas.microsoft.com/office/spreadsheetml/2010/11/main\"><x15:workbookPr chartTrackingRefBase=\"1\"/></ext></extLst></workbook>",
        );
    let file = File::new("visits.xlsx", parts.zip());
    let asked = Asked::visits();
    let assessment = asked.assessed(&file);
    let seen: Vec<_> = assessment
        .row_blocks(&asked.spec, 10)
        .flat_map(|block| block.columns[2].values.clone())
        .collect();
    insta::assert_snapshot!(
        "n43_dates_from_1904",
        format!("{}{seen:?}", said(&assessment))
    );
}

#[test]
fn n44_dates_as_text() {
    check(
        "n44_dates_as_text",
        &[
            (
                "each in its own way, day first",
                column(
                    "SEEN",
                    &[
                        "'03/04/2026",
                        "'3.4.2026",
                        "'2026-04-03",
                        "'2026-04-03T00:00:00",
                        "'3 April 2026",
                        "'3-Apr-2026",
                    ],
                ),
            ),
            (
                "that say too little, or no day there is",
                column(
                    "SEEN",
                    &sound(
                        &[
                            "'1.4.26",
                            "'Apr-26",
                            "'April 2026",
                            "'31/06/2026",
                            "'next week",
                            "'03/04/2026 10:00",
                        ],
                        "2026-04-15",
                    ),
                ),
            ),
            (
                "month first, in all of a column",
                column(
                    "SEEN",
                    &[
                        "'04/13/2026",
                        "'04/05/2026",
                        "'04/28/2026",
                        "'06/07/2026",
                        "'12/31/2026",
                    ],
                ),
            ),
            (
                "month first and day first",
                column(
                    "SEEN",
                    &["'04/13/2026", "'13/04/2026", "'04/05/2026", "'05/05/2026"],
                ),
            ),
        ],
    );
}

#[test]
fn n45_dates_with_a_time() {
    check(
        "n45_dates_with_a_time",
        &[
            (
                "drawn",
                column(
                    "SEEN",
                    &[
                        "2026-04-15T10:30:00",
                        "2026-04-15T00:00:00",
                        "'2026-04-15T00:00:00Z",
                    ],
                ),
            ),
            (
                "handmade",
                raw_column(
                    "SEEN",
                    &[
                        " t=\"d\"><v>2026-04-15T00:00:00+01:00</v>",
                        " s=\"3\"><v>0.4375</v>",
                        " s=\"1\"><v>-5.5</v>",
                    ],
                ),
            ),
        ],
    );
}

#[test]
fn n46_code_changed_into_a_date() {
    check(
        "n46_code_changed_into_a_date",
        &[
            (
                "1-2 and SEP1 as Excel leaves them",
                column("OFFICE", &["2026-02-01", "2026-09-01"]),
            ),
            (
                "as a CSV file has them then",
                column("OFFICE", &["'01-Feb", "'01-Sep", "'Sep-01", "'01/02/2026"]),
            ),
        ],
    );
}

#[test]
fn n47_code_changed_into_a_number() {
    check(
        "n47_code_changed_into_a_number",
        &[
            ("a leading zero lost", column("OFFICE", &["1", "2"])),
            (
                "more digits than a number holds",
                raw_column(
                    "NOTE",
                    &[
                        "><v>123456789012345</v>",
                        "><v>1234567890123456</v>",
                        "><v>1.23456789012346E+18</v>",
                    ],
                ),
            ),
            (
                "as a CSV file has it then",
                column("REF", &["'1.23457E+15", "'V0002"]),
            ),
        ],
    );
}

#[test]
fn n48_numbers_as_text() {
    check(
        "n48_numbers_as_text",
        &[
            (
                "amounts",
                column(
                    "HOURS",
                    &[
                        "'1,234",
                        "'£5.00",
                        "'5\u{a0}",
                        "'(5)",
                        "'5-",
                        "'\u{2212}5",
                        "'+5",
                        "'1 234.50",
                        "'£1,234.5",
                        "'1,23",
                        "'5%",
                    ],
                ),
            ),
            ("a share", column("SHARE", &["'5%", "'12.5 %", "'5"])),
            (
                "a share that is stored as one, shown with a sign",
                raw_column("SHARE", &[" s=\"4\"><v>0.05</v>"]),
            ),
        ],
    );
}

#[test]
fn n49_decimal_comma_and_units() {
    check(
        "n49_decimal_comma_and_units",
        &[("", column("HOURS", &["'1.234,56", "'1,5", "'5 FTE", "'5h"]))],
    );
}

#[test]
fn n50_binary_fractions() {
    check(
        "n50_binary_fractions",
        &[
            (
                "whole numbers",
                raw_column(
                    "VISITORS",
                    &[
                        "><v>5.0000001</v>",
                        "><v>5.0000000000000009</v>",
                        "><v>4.9999999999999991</v>",
                    ],
                ),
            ),
            (
                "amounts",
                raw_column(
                    "HOURS",
                    &[
                        "><v>0.30000000000000004</v>",
                        "><v>1.005</v>",
                        "><v>1.0049999999999999</v>",
                    ],
                ),
            ),
        ],
    );
}

#[test]
fn n51_no_number_at_all() {
    check(
        "n51_no_number_at_all",
        &[(
            "",
            raw_column("HOURS", &["><v>NaN</v>", "><v>1E+400</v>", "><v>-INF</v>"]),
        )],
    );
}

#[test]
fn n52_error_cells() {
    check(
        "n52_error_cells",
        &[(
            "",
            column(
                "HOURS",
                &sound(
                    &[
                        "#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!",
                    ],
                    "1",
                ),
            ),
        )],
    );
}

#[test]
fn n53_newer_error_cells() {
    let error = |name: &str| format!(" t=\"e\"><v>{name}</v>");
    let names = [
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#BUSY!",
        "#PYTHON!",
    ]
    .map(error);
    check(
        "n53_newer_error_cells",
        &[(
            "",
            raw_column(
                "HOURS",
                &sound(&names.each_ref().map(String::as_str), "><v>1</v>"),
            ),
        )],
    );
}

#[test]
fn n54_formula_without_a_result() {
    let parts = raw_parts("HOURS", &["><f>1+1</f>", "><f>1+1</f><v>0</v>"]);
    let to_be_calculated = parts.clone().changed(
        "xl/workbook.xml",
        "</workbook>",
        "<calcPr calcId=\"124519\" fullCalcOnLoad=\"1\"/></workbook>",
    );
    check(
        "n54_formula_without_a_result",
        &[
            ("none, and a nought", File::new("visits.xlsx", parts.zip())),
            (
                "as programs that can't calculate write it",
                File::new("visits.xlsx", to_be_calculated.zip()),
            ),
        ],
    );
}

/// A figure typed over a formula is known by the formulas beside it, and asked about; where it is wrong, that is told and no more.
/// A form whose figures were all pasted as values is as good as any: a rule works out every calculated cell again.
#[test]
fn n55_formula_with_its_result() {
    let stock = |drawing: &str| File::new("stock.xlsx", xlsx(drawing));
    let all = Asked::stock().said(&[
        ("all calculated", stock(STOCK)),
        ("one typed over", stock(&STOCK.replace("=C6+C7 -> 3", "3"))),
        (
            "one of another line's typed over",
            stock(&STOCK.replace("=B7+C7 -> 6", "6")),
        ),
        (
            "one typed over with another figure",
            stock(&STOCK.replace("=C6+C7 -> 3", "4")),
        ),
        (
            "a figure that was to be entered is calculated",
            stock(&STOCK.replace("| 5 |", "| =2+3 -> 5 |")),
        ),
        (
            "none calculated, as when values were pasted",
            stock(&pasted(STOCK)),
        ),
    ]);
    insta::assert_snapshot!("n55_formula_with_its_result", all);
}

/// The drawing with every formula's result in its place.
fn pasted(drawing: &str) -> String {
    let cell = |cell: &str| match cell.split_once(" -> ") {
        Some((_, result)) => format!(" {result}"),
        None => cell.to_owned(),
    };
    let line = |line: &str| line.split('|').map(cell).collect::<Vec<_>>().join("|") + "\n";
    drawing.lines().map(line).collect()
}

#[test]
fn n56_blank_nought_and_markers() {
    check(
        "n56_blank_nought_and_markers",
        &[(
            "",
            column(
                "HOURS",
                &["", "0", "'n/a", "'..", "'-", "'c", "'*", "'x", "'nil", "' "],
            ),
        )],
    );
}

#[test]
fn n57_yes_and_no() {
    check(
        "n57_yes_and_no",
        &[(
            "",
            column(
                "URGENT",
                &["TRUE", "'Y", "'yes", "1", "0", "'no", "'X", "2", "'on"],
            ),
        )],
    );
}

#[test]
fn n58_invisible_differences() {
    check(
        "n58_invisible_differences",
        &[
            (
                "in codes",
                column(
                    "OFFICE",
                    &[
                        "' 01 ",
                        "'01\u{200b}",
                        "'\u{202e}01",
                        "'０１",
                        "'01\u{a0}",
                        "'1\u{2011}2",
                        "'1\u{2013}2",
                    ],
                ),
            ),
            (
                "in free text",
                column(
                    "NOTE",
                    &["'  two  spaces  ", "'“smart” and ’", "'one\\ntwo"],
                ),
            ),
        ],
    );
}

#[test]
fn n59_nul_in_a_text() {
    check(
        "n59_nul_in_a_text",
        &[(
            "",
            raw_column("NOTE", &[" t=\"inlineStr\"><is><t>a_x0000_b</t></is>"]),
        )],
    );
}

#[test]
fn n60_text_too_long() {
    let long = format!("'{}", "a".repeat(61));
    check("n60_text_too_long", &[("", column("NOTE", &[&long]))]);
}

#[test]
fn n61_rich_text() {
    let rich = " t=\"inlineStr\"><is><r><rPr><b/></rPr><t>bold</t></r><r><t xml:space=\"preserve\"> and not</t></r><rPh sb=\"0\" eb=\"1\"><t>phonetic</t></rPh></is>";
    let asked = Asked::visits();
    let assessment = asked.assessed(&raw_column("NOTE", &[rich]));
    let notes: Vec<_> = assessment
        .row_blocks(&asked.spec, 10)
        .flat_map(|block| block.columns[8].values.clone())
        .collect();
    insta::assert_snapshot!("n61_rich_text", format!("{}{notes:?}", said(&assessment)));
}

#[test]
fn n62_personal_data_in_free_text() {
    check(
        "n62_personal_data_in_free_text",
        &[(
            "a CHI number, a National Insurance number, a mail address, and none of them",
            column(
                "NOTE",
                &[
                    "'CHI 0101701233",
                    "'NI AB123456C given",
                    "'AB 12 34 56 C",
                    "'write to a.person@example.org",
                    "'order 0101701234",
                    "'a@b",
                ],
            ),
        )],
    );
}

#[test]
fn n63_text_like_a_formula() {
    let asked = Asked::visits();
    let assessment = asked.assessed(&column(
        "NOTE",
        &["'=cmd\\|'/c calc'!A1", "'+44 131", "'@home"],
    ));
    let notes: Vec<_> = assessment
        .row_blocks(&asked.spec, 10)
        .flat_map(|block| block.columns[8].values.clone())
        .collect();
    insta::assert_snapshot!(
        "n63_text_like_a_formula",
        format!("{}{notes:?}", said(&assessment))
    );
}

#[test]
fn n64_a_record_twice() {
    let drawing = format!(
        "[Visits]\n| {} |\n{}",
        HEADINGS.join(" | "),
        "| Ardbeg | V0001 | 2026-04-15 | '01 |\n".repeat(2)
    );
    check(
        "n64_a_record_twice",
        &[("", File::new("visits.xlsx", xlsx(&drawing)))],
    );
}
