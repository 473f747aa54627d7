//! 65 to 74: CSV.

use super::said::{Asked, CSV, File, said};

fn check(name: &str, files: &[(&str, File)]) {
    insta::assert_snapshot!(name, Asked::visits().said(files));
}

fn csv(bytes: impl Into<Vec<u8>>) -> File {
    File::new("visits.csv", bytes)
}

fn changed(from: &str, to: &str) -> File {
    assert!(CSV.contains(from), "{from}");
    csv(CSV.replace(from, to))
}

/// The notes that would be loaded, to see how their letters were read.
fn with_notes(files: &[(&str, File)]) -> String {
    let asked = Asked::visits();
    let mut all = String::new();
    for (what, file) in files {
        let assessment = asked.assessed(file);
        let notes: Vec<_> = assessment
            .row_blocks(&asked.spec, 10)
            .flat_map(|block| block.columns[8].values.clone())
            .collect();
        all += &format!("== {what}\n{}{notes:?}\n\n", said(&assessment));
    }
    all
}

#[test]
fn n65_windows_1252() {
    let bytes = |note: &[u8]| {
        let (before, after) = CSV.split_once("none").unwrap();
        csv([before.as_bytes(), note, after.as_bytes()].concat())
    };
    insta::assert_snapshot!(
        "n65_windows_1252",
        with_notes(&[
            (
                "pound sign, accent and apostrophe",
                bytes(b"\xa35 for D\xf9n \x92n")
            ),
            ("a byte that is no letter", bytes(b"\xa3 \x81")),
        ])
    );
}

#[test]
fn n66_utf_16() {
    let utf16 = |text: &str| {
        csv(text
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>())
    };
    let text = CSV.replace("none", "£5 for Dùn");
    insta::assert_snapshot!(
        "n66_utf_16",
        with_notes(&[
            ("with its mark", utf16(&format!("\u{feff}{text}"))),
            ("without", utf16(&text)),
        ])
    );
}

#[test]
fn n67_utf_8_with_a_mark() {
    check(
        "n67_utf_8_with_a_mark",
        &[("", csv(format!("\u{feff}{CSV}")))],
    );
}

#[test]
fn n68_separators_and_line_ends() {
    check(
        "n68_separators_and_line_ends",
        &[
            ("semicolons", csv(CSV.replace(',', ";"))),
            ("tabs", csv(CSV.replace(',', "\t"))),
            ("carriage returns alone", csv(CSV.replace('\n', "\r"))),
            ("something else", csv(CSV.replace(',', "~"))),
        ],
    );
}

/// A finding on the line, whose values are all left alone: after a separator too many or too few nobody knows which belongs where.
/// Where most lines are so, and in a form, whose cells are known by their places alone, it is the file.
#[test]
fn n69_ragged_lines() {
    let lines: String = (3..6)
        .map(|n| format!("Ardbeg,V{n:04},2026-04-15,01,1,5,2,yes,50,\n"))
        .collect();
    let mut all = Asked::visits().said(&[
        ("a value too many", changed("0.25,1,no", "0,25,1,no")),
        ("a value too few", changed("0.25,1,no", "0.25,no")),
        (
            "a title, a total and a note of one value each",
            csv(format!("Home visits\n{CSV}Total\nProvisional\n")),
        ),
        (
            "with a line end in a value before it",
            changed("none\n", "\"one\ntwo\"\nArdbeg,V0009\n"),
        ),
        ("in most lines", csv(format!("{CSV}{lines}"))),
    ]);
    let form = "Library stock return 2026,,,\nCouncil,Ardbeg,,\nYear,2026-27,,\n,,,\nLine,Books,Maps,Total\n1,10,2,12\n2,5,1,6\n3,15,3,18\n";
    let as_form = |text: String| File::new("stock.csv", text);
    all += &Asked::stock().said(&[
        ("a form", as_form(form.to_owned())),
        ("in a form", as_form(form.replace("5,1,6", "5,6"))),
    ]);
    insta::assert_snapshot!("n69_ragged_lines", all);
}

#[test]
fn n70_quotes() {
    check(
        "n70_quotes",
        &[
            ("never closed", changed("none", "\"none")),
            ("within a value", changed("none", "a 5\" pipe")),
            ("after the closing one", changed("none", "\"none\" at all")),
            (
                "a line break within",
                changed("none", "\"one\ntwo, three\""),
            ),
        ],
    );
}

#[test]
fn n71_blank_lines() {
    check(
        "n71_blank_lines",
        &[("", changed("none\n", "none\n\n,,,,,,,,\n"))],
    );
}

#[test]
fn n72_type_changes_late() {
    let lines: String = (3..2_000)
        .map(|n| format!("Ardbeg,V{n:04},2026-04-15,01,1.5,2,yes,50,\n"))
        .collect();
    let late = "Ardbeg,V2000,2026-04-15,01,1.5,two,yes,50,\n";
    check(
        "n72_type_changes_late",
        &[("", csv(format!("{CSV}{lines}{late}")))],
    );
}

#[test]
fn n73_headings_alone() {
    let headings = CSV.lines().next().unwrap();
    check(
        "n73_headings_alone",
        &[
            ("and nothing else", csv(headings)),
            ("and a total", csv(format!("{headings}\nTotal,,,,,,,,\n"))),
            ("not even those", csv("\n\n")),
        ],
    );
}

#[test]
fn n74_nul_bytes() {
    check("n74_nul_bytes", &[("", changed("none", "no\0ne"))]);
}
