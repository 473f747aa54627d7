//! 21 to 41: sheets and layout.

use handmade::{Parts, Sheet, xls};

use super::said::{Asked, CSV, File, HEADINGS, STOCK, VISITS, row, rows, said, visit, xlsx};

fn check(name: &str, files: &[(&str, File)]) {
    insta::assert_snapshot!(name, Asked::visits().said(files));
}

fn drawn(drawing: &str) -> File {
    File::new("visits.xlsx", xlsx(drawing))
}

fn handmade(sheet: Sheet<'_>) -> File {
    File::new("visits.xlsx", parts(sheet).zip())
}

fn parts(sheet: Sheet<'_>) -> Parts {
    let name = if sheet.name.is_empty() {
        "Visits"
    } else {
        sheet.name
    };
    Parts::xlsx_of(&[Sheet { name, ..sheet }])
}

fn of_rows(rows: &str) -> File {
    handmade(Sheet {
        rows,
        ..Sheet::default()
    })
}

#[test]
fn n21_absurd_declared_extent() {
    check(
        "n21_absurd_declared_extent",
        &[(
            "",
            handmade(Sheet {
                before: "<dimension ref=\"A1:XFD1048576\"/>",
                rows: &rows(),
                ..Sheet::default()
            }),
        )],
    );
}

#[test]
fn n22_absurd_extent() {
    let far = |cell: &str| of_rows(&(rows() + "<row r=\"1048576\">" + cell + "</row>"));
    check(
        "n22_absurd_extent",
        &[
            (
                "a value in the last cell of all",
                far("<c r=\"XFD1048576\"><v>1</v></c>"),
            ),
            ("a style there", far("<c r=\"XFD1048576\" s=\"1\"/>")),
        ],
    );
}

#[test]
fn n23_ghost_rows() {
    let styled =
        "<row r=\"1048576\" ht=\"15\" customHeight=\"1\"><c r=\"A1048576\" s=\"1\"/></row>";
    check("n23_ghost_rows", &[("", of_rows(&(rows() + styled)))]);
}

#[test]
fn n24_lying_shared_texts() {
    let with = |texts: &str, rows: &str| {
        let parts = parts(Sheet {
            rows,
            ..Sheet::default()
        })
        .with("xl/sharedStrings.xml", texts);
        File::new("visits.xlsx", parts.zip())
    };
    let shared = row(3, &["<c r=\"A3\" t=\"s\"><v>7</v></c>"]);
    check(
        "n24_lying_shared_texts",
        &[
            (
                "more promised than can be",
                with(
                    "<sst uniqueCount=\"4294967295\"><si><t>a</t></si></sst>",
                    &rows(),
                ),
            ),
            (
                "a text that is not there",
                with(
                    "<sst uniqueCount=\"1\"><si><t>a</t></si></sst>",
                    &(rows() + &shared),
                ),
            ),
        ],
    );
}

#[test]
fn n25_outside_the_grid() {
    let at =
        |place: &str| of_rows(&(rows() + &format!("<row><c r=\"{place}\"><v>1</v></c></row>")));
    check(
        "n25_outside_the_grid",
        &[
            ("row 0", at("A0")),
            ("row 4,294,967,295", at("A4294967295")),
            ("column ZZZZZZZ", at("ZZZZZZZ3")),
            ("column XFE", at("XFE3")),
        ],
    );
}

#[test]
fn n26_cell_given_twice() {
    let one = "<c r=\"B3\"><v>1</v></c>";
    let two = format!("{one}{one}");
    let beyond = "<c r=\"J70\"><v>1</v></c><c r=\"J70\"><v>1</v></c>";
    let seen = "<c r=\"C3\" s=\"1\"><v>46127</v></c>";
    let twice = row(3, &["Ardbeg", &two, seen, "01"]);
    let heading = rows().replacen(
        "</row>",
        "<c r=\"D1\" t=\"inlineStr\"><is><t>WARD</t></is></c></row>",
        1,
    );
    let mut old: Vec<xls::Record> = (0..)
        .zip(HEADINGS)
        .map(|(column_idx, heading)| xls::text(0, column_idx, heading))
        .collect();
    old.extend([
        xls::text(1, 0, "Ardbeg"),
        xls::text(1, 1, "V0001"),
        xls::day(1, 2, 46_127.0),
        xls::text(1, 3, "01"),
        xls::text(1, 1, "V0002"),
    ]);
    check(
        "n26_cell_given_twice",
        &[
            ("two values for B3", of_rows(&(rows() + &twice))),
            ("two headings for D1", of_rows(&heading)),
            (
                "two values for B2 in an old workbook",
                File::new("visits.xls", xls::workbook("Visits", &old)),
            ),
            (
                "two values for a cell that nothing is asked of",
                of_rows(&(rows() + &row(70, &["", "", "", "", "", "", "", "", "", beyond]))),
            ),
            (
                "rows out of order",
                of_rows(&(row(1, &HEADINGS) + &visit(3) + &visit(2))),
            ),
        ],
    );
}

#[test]
fn n27_sheet_name() {
    let named = |name: &str| drawn(&VISITS.replace("[Visits]", name));
    check(
        "n27_sheet_name",
        &[
            ("a space behind it", named("[Visits ]")),
            ("another case", named("[VISITS]")),
            ("another name, and the only sheet", named("[Sheet1]")),
            (
                "another name, and not the only sheet",
                named("[Notes]\n| a |\n[Sheet1]"),
            ),
        ],
    );
}

#[test]
fn n28_two_sheets_of_one_name() {
    let parts = Parts::xlsx_sheets(&[("Visits", "", &rows()), ("visits", "", "")]);
    check(
        "n28_two_sheets_of_one_name",
        &[("", File::new("visits.xlsx", parts.zip()))],
    );
}

#[test]
fn n29_other_sheets() {
    check(
        "n29_other_sheets",
        &[(
            "",
            drawn(&format!(
                "{VISITS}[Last year]\n| a | b |\n| 1 | 2 |\n[Notes]\n| c |"
            )),
        )],
    );
}

#[test]
fn n30_hidden_sheets() {
    let state = |name: &str, state: &str, others: &str| {
        let sheets = [("Visits", "", &*rows()), (name, state, others)];
        File::new("visits.xlsx", Parts::xlsx_sheets(&sheets).zip())
    };
    let filled = row(1, &["Somebody's name"]);
    let hidden = Parts::xlsx_sheets(&[("Visits", "state=\"hidden\"", &rows())]);
    check(
        "n30_hidden_sheets",
        &[
            ("hidden", state("Old", "state=\"hidden\"", &filled)),
            ("very hidden", state("Old", "state=\"veryHidden\"", &filled)),
            (
                "hidden with nothing on it",
                state("Old", "state=\"hidden\"", ""),
            ),
            ("the return's own", File::new("visits.xlsx", hidden.zip())),
        ],
    );
}

#[test]
fn n31_hidden_rows_and_columns() {
    let hidden_row = rows().replace("<row r=\"2\"", "<row r=\"2\" hidden=\"1\"");
    let mut old: Vec<xls::Record> = (0..)
        .zip(HEADINGS)
        .map(|(column_idx, heading)| xls::text(0, column_idx, heading))
        .collect();
    old.extend([
        xls::hidden_columns(4, 5),
        xls::hidden_row(1),
        xls::text(1, 0, "Ardbeg"),
        xls::text(1, 1, "V0001"),
        xls::day(1, 2, 46_127.0),
        xls::text(1, 3, "01"),
    ]);
    let columns = |columns: &'static str| {
        handmade(Sheet {
            before: columns,
            rows: &rows(),
            ..Sheet::default()
        })
    };
    check(
        "n31_hidden_rows_and_columns",
        &[
            ("a row", of_rows(&hidden_row)),
            (
                "a row, as LibreOffice says it",
                of_rows(&hidden_row.replace("\"1\" ", "\"true\" ")),
            ),
            (
                "two columns",
                columns("<cols><col min=\"5\" max=\"6\" hidden=\"1\"/></cols>"),
            ),
            (
                "columns that nothing stands in",
                columns("<cols><col min=\"50\" max=\"16384\" hidden=\"1\"/></cols>"),
            ),
            (
                "both in an old workbook",
                File::new("visits.xls", xls::workbook("Visits", &old)),
            ),
        ],
    );
}

#[test]
fn n32_what_is_kept_beside_the_cells() {
    let with = |name: &str, content: &str| {
        let parts = parts(Sheet {
            rows: &rows(),
            ..Sheet::default()
        })
        .with(name, content);
        File::new("visits.xlsx", parts.zip())
    };
    check(
        "n32_what_is_kept_beside_the_cells",
        &[
            (
                "a pivot table's copy of its source",
                with("xl/pivotCache/pivotCacheRecords1.xml", "<a/>"),
            ),
            ("comments", with("xl/comments1.xml", "<comments/>")),
            (
                "document properties",
                with("docProps/core.xml", "<coreProperties/>"),
            ),
        ],
    );
}

/// A heading over several columns is each column's, but only one of them may have values: two under one heading would be a guess.
/// One over several rows is found from each of them.
#[test]
fn n33_merged_cells() {
    let merged = |ranges: &[&str], rows: &str| {
        let ranges: String = ranges
            .iter()
            .map(|range| format!("<mergeCell ref=\"{range}\"/>"))
            .collect();
        let after = format!("<mergeCells>{ranges}</mergeCells>");
        handmade(Sheet {
            rows,
            after: &after,
            ..Sheet::default()
        })
    };
    let groups = row(1, &["COUNCIL", "REF", "When and where", "", "How much"])
        + &row(2, &[&["", ""], &HEADINGS[2..]].concat());
    let title = row(1, &["Home visits"]) + &row(2, &HEADINGS) + &visit(3);
    let down = rows()
        + &visit(3).replace("V0003", "").replace(
            "<c r=\"B3\" t=\"inlineStr\"><is><t xml:space=\"preserve\"></t></is></c>",
            "",
        )
        + &visit(4);
    // The heading of column E over E and F, and all that follows one column further.
    let across = |values: &[(&str, &str)]| {
        let spread = |row: &str| {
            ('F'..='I').rev().fold(row.to_owned(), |row, column| {
                let next = char::from_u32(u32::from(column) + 1).unwrap_or(column);
                row.replace(&format!("r=\"{column}"), &format!("r=\"{next}"))
            })
        };
        let mut rows = spread(&row(1, &HEADINGS));
        for (row_number, (e, f)) in (2..).zip(values) {
            let hours = format!("<c r=\"E{row_number}\"><v>1.5</v></c>");
            let cell = |column: char, value: &str| match value {
                "" => String::new(),
                value => format!("<c r=\"{column}{row_number}\"><v>{value}</v></c>"),
            };
            let cells = cell('E', e) + &cell('F', f);
            rows += &visit(row_number).replace(&hours, &cells);
        }
        merged(&["E1:F1"], &rows)
    };
    check(
        "n33_merged_cells",
        &[
            (
                "a heading over two columns, values under the first",
                across(&[("1.5", ""), ("", ""), ("2", "")]),
            ),
            (
                "values under the second",
                across(&[("", "1.5"), ("", ""), ("", "two")]),
            ),
            ("values under both", across(&[("1.5", ""), ("", "2")])),
            ("a title above the headings", merged(&["A1:I1"], &title)),
            (
                "headings over two rows each",
                merged(
                    &["A1:A2", "B1:B2", "C1:C2"],
                    &(row(1, &HEADINGS) + &visit(3)),
                ),
            ),
            (
                "headings over two rows beside groups of headings",
                merged(&["A1:A2", "B1:B2", "C1:D1", "E1:G1"], &(groups + &visit(3))),
            ),
            ("a value over two records", merged(&["B2:B3"], &down)),
            (
                "many values",
                merged(
                    &["E2:F2", "A2:A4", "B3:B4", "H2:H4", "D3:D4"],
                    &(rows() + &visit(3) + &visit(4)),
                ),
            ),
        ],
    );
}

#[test]
fn n34_where_the_headings_are() {
    let headings = "| COUNCIL | REF | SEEN | OFFICE | HOURS | VISITORS | URGENT | SHARE | NOTE |";
    let moved = VISITS.replace(
        "[Visits]\n",
        "[Visits]\n| Home visits |\n| for 2026-27 |\n|\n",
    );
    let indented = VISITS.replace("\n|", "\n| | |");
    let two = VISITS.replace(
        headings,
        &format!("| Whose | | When | | How much | | | | |\n{headings}"),
    );
    let none = VISITS.replace(headings, "| a | b | c | d | e | f | g | h | i |");
    check(
        "n34_where_the_headings_are",
        &[
            ("below a title", drawn(&moved)),
            ("from column C on", drawn(&indented)),
            ("below a row of groups", drawn(&two)),
            ("nowhere", drawn(&none)),
            (
                "below the fiftieth row",
                drawn(&VISITS.replace("[Visits]\n", &format!("[Visits]\n{}", "|\n".repeat(60)))),
            ),
        ],
    );
}

#[test]
fn n35_how_headings_are_typed() {
    let typed = |from: &str, to: &str| drawn(&VISITS.replacen(from, to, 1));
    check(
        "n35_how_headings_are_typed",
        &[
            (
                "spaces, case, a line break",
                typed(
                    "COUNCIL | REF | SEEN",
                    " Council\u{a0}| ref\\n | Seen\u{200b}",
                ),
            ),
            (
                "by title and alias",
                typed(
                    "REF | SEEN | OFFICE | HOURS",
                    "Reference | Day seen: | Office | Time “taken”",
                ),
            ),
            ("twice", drawn(&VISITS.replace("NOTE |", "NOTE | Hours |"))),
        ],
    );
}

/// A column more is a note and not a question: what is asked for was all read, systems add columns to what they export,
/// and whoever asks for the return says in its spec where nothing more may come (that is refused).
#[test]
fn n36_columns() {
    let moved = "[Visits]
| NOTE | REF | SEEN | OFFICE | HOURS | VISITORS | URGENT | SHARE | COUNCIL |
| none | V0001 | 2026-04-15 | '01 | 1.5 | 2 | TRUE | 50 | Ardbeg |";
    check(
        "n36_columns",
        &[
            ("in another order", drawn(moved)),
            ("one missing", drawn(&without_column(3))),
            (
                "one more",
                drawn(
                    &VISITS
                        .replace("NOTE |", "NOTE | Colour |")
                        .replace("| none |", "| none | red |"),
                ),
            ),
            (
                "one misspelt",
                drawn(&VISITS.replacen("VISITORS", "VISTORS", 1)),
            ),
        ],
    );
}

/// The visits without one of their columns.
fn without_column(column_idx: usize) -> String {
    let without = |line: &str| {
        let mut cells: Vec<&str> = line.split('|').collect();
        if cells.len() > column_idx + 1 {
            cells.remove(column_idx + 1);
        }
        cells.join("|") + "\n"
    };
    VISITS.lines().map(without).collect()
}

#[test]
fn n37_rows_that_are_no_records() {
    let rows = "| Total | | | | 1.75 | 3 | | | |\n|\n| Figures are provisional. |\n";
    check(
        "n37_rows_that_are_no_records",
        &[("", drawn(&format!("{VISITS}{rows}")))],
    );
}

#[test]
fn n38_another_years_form_or_another_return() {
    let stock = |from: &str, to: &str| File::new("stock.xlsx", xlsx(&STOCK.replace(from, to)));
    let mut all = Asked::stock().said(&[
        ("nothing wrong", stock("", "")),
        ("last year's form", stock("return 2026", "return 2025")),
        (
            "this year's form for last year",
            stock("2026-27", "2025-26"),
        ),
        (
            "a line more",
            stock("| '2 |", "| '1a | 1 | 1 | 2 |\n| '2 |"),
        ),
        ("another return", File::new("stock.xlsx", xlsx(VISITS))),
    ]);
    all += &Asked::visits().said(&[("another return", File::new("visits.xlsx", xlsx(STOCK)))]);
    insta::assert_snapshot!("n38_another_years_form_or_another_return", all);
}

#[test]
fn n39_another_council() {
    check(
        "n39_another_council",
        &[
            (
                "all records",
                drawn(&VISITS.replace("Ardbeg", "Brora Council")),
            ),
            (
                "one record",
                drawn(&VISITS.replacen("Ardbeg", "S12000002", 1)),
            ),
            (
                "no council that is known",
                drawn(&VISITS.replacen("Ardbeg", "Ardbg", 1)),
            ),
        ],
    );
}

#[test]
fn n40_at_a_programs_limit() {
    let mut csv = String::from(CSV);
    for n in 3..65_536 {
        csv += &format!("Ardbeg,V{n:04},2026-04-15,01,1.5,2,yes,50,\n");
    }
    let less_one = &csv[..csv.trim_end().rfind('\n').unwrap()];
    let counted = |csv: &str| said(&Asked::visits().assessed(&File::new("visits.csv", csv)));
    let all = format!(
        "== 65,536 rows\n{}\n== one less\n{}",
        counted(&csv),
        counted(less_one)
    );
    insta::assert_snapshot!("n40_at_a_programs_limit", all);
}

#[test]
fn n41_far_fewer_records_than_before() {
    let of = |n: usize| {
        let records: String = (1..=n)
            .map(|n| format!("Ardbeg,V{n:04},2026-04-15,01,1.5,2,yes,50,\n"))
            .collect();
        let headings = CSV.lines().next().unwrap();
        File::new("visits.csv", format!("{headings}\n{records}"))
    };
    let asked = Asked::visits();
    let mut all = String::new();
    for (what, now, before) in [
        ("half", 20, 40),
        ("more than half", 21, 40),
        ("half of very few", 2, 4),
    ] {
        all += &format!(
            "== {what}\n{}\n",
            said(&asked.assessed_after(&of(now), Some(&of(before))))
        );
    }
    insta::assert_snapshot!("n41_far_fewer_records_than_before", all);
}
