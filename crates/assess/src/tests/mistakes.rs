//! One mistake, one finding: what many wrong cells have in common is told once, and every row is accounted for.

use super::odd::said::{Asked, File, HEADINGS, said, xlsx};

/// A dozen visits, each as its cells are drawn.
fn visits() -> Vec<Vec<String>> {
    (1..=12)
        .map(|n| {
            let office = ["'01", "'02", "'1-2"][n % 3];
            [
                "Ardbeg",
                &format!("V{n:04}"),
                &format!("2026-04-{:02}", n + 10),
                office,
                &format!("{n}.25"),
                &n.to_string(),
                "TRUE",
                "50",
                "as planned",
            ]
            .map(str::to_owned)
            .to_vec()
        })
        .collect()
}

fn drawn(headings: &[&str], rows: &[Vec<String>]) -> File {
    let mut drawing = format!("[Visits]\n| {} |\n", headings.join(" | "));
    for row in rows {
        drawing += &format!("| {} |\n", row.join(" | "));
    }
    File::new("visits.xlsx", xlsx(&drawing))
}

fn changed(change: impl Fn(usize, &mut Vec<String>)) -> File {
    let mut rows = visits();
    for (n, row) in (1..).zip(&mut rows) {
        change(n, row);
    }
    drawn(&HEADINGS, &rows)
}

fn check(name: &str, files: &[(&str, File)]) {
    insta::assert_snapshot!(name, Asked::visits().said(files));
}

#[test]
fn rows_that_slipped() {
    check(
        "rows_that_slipped",
        &[
            (
                "to the right, from the fifth on",
                changed(|n, row| {
                    if n >= 5 {
                        row.insert(0, String::new());
                    }
                }),
            ),
            (
                "to the right from column D on, the seventh and eighth",
                changed(|n, row| {
                    if n == 7 || n == 8 {
                        row.insert(3, String::new());
                    }
                }),
            ),
            (
                "to the left from column D on, the third",
                changed(|n, row| {
                    if n == 3 {
                        row.remove(3);
                    }
                }),
            ),
            (
                "all of them, to the left",
                changed(|_, row| {
                    row.remove(1);
                }),
            ),
        ],
    );
}

#[test]
fn columns_under_each_others_headings() {
    check(
        "columns_under_each_others_headings",
        &[
            ("two", changed(|_, row| row.swap(2, 3))),
            (
                "three in a round",
                changed(|_, row| row[1..4].rotate_left(1)),
            ),
            ("one and free text", changed(|_, row| row.swap(2, 8))),
        ],
    );
}

#[test]
fn a_whole_column() {
    check(
        "a_whole_column",
        &[
            (
                "months first",
                changed(|n, row| row[2] = format!("'04/{:02}/2026", n + 7)),
            ),
            (
                "years in two digits",
                changed(|n, row| row[2] = format!("'{:02}/04/26", n + 7)),
            ),
            (
                "with its unit",
                changed(|n, row| row[4] = format!("'{n}.25 h")),
            ),
            (
                "codes without their noughts, but for one",
                changed(|n, row| {
                    if n != 3 {
                        row[3] = (n % 3 + 1).to_string();
                    }
                }),
            ),
            ("never filled in", changed(|_, row| row[3] = String::new())),
            (
                "filled in twice",
                changed(|n, row| {
                    if n != 4 && n != 5 {
                        row[3] = String::new();
                    }
                }),
            ),
            (
                "of formulas that went wrong",
                changed(|_, row| row[4] = "#REF!".to_owned()),
            ),
        ],
    );
}

#[test]
fn few_faults_are_told_one_by_one() {
    check(
        "few_faults_are_told_one_by_one",
        &[(
            "four in a row, and one in each of three",
            changed(|n, row| match n {
                2 => {
                    row[2] = "'soon".to_owned();
                    row[4] = "'long".to_owned();
                    row[5] = "'many".to_owned();
                    row[6] = "'perhaps".to_owned();
                }
                5..=7 => row[4] = "'long".to_owned(),
                _ => {}
            }),
        )],
    );
}

#[test]
fn another_returns_file() {
    let wardens = "[Rounds]
| Wardens' rounds |
| COUNCIL | Warden's number | WALKED | STREETS | TICKETS |
| Ardbeg | W1 | 2026-04-15 | 12 | 3 |
";
    let file = || File::new("rounds.xlsx", xlsx(wardens));
    let mut all = Asked::visits().said(&[
        ("records for records", file()),
        (
            "a form for records",
            File::new("stock.xlsx", xlsx(super::odd::said::STOCK)),
        ),
        (
            "nothing that is known",
            File::new("list.xlsx", xlsx("[List]\n| Name | Colour |\n| a | red |")),
        ),
    ]);
    all += &Asked::stock().said(&[("records for a form", file())]);
    insta::assert_snapshot!("another_returns_file", all);
}

#[test]
fn headings_typed_again() {
    let mut rows = visits();
    rows.insert(6, HEADINGS.map(str::to_owned).to_vec());
    check(
        "headings_typed_again",
        &[("before the seventh visit", drawn(&HEADINGS, &rows))],
    );
}

#[test]
fn a_large_file_that_is_wrong_throughout_is_told_in_few_words() {
    let mut csv = HEADINGS.join(",");
    for n in 1..=5_000 {
        // Slipped to the right, every one.
        csv += &format!("\n,Ardbeg,V{n:04},15/04/2026,01,1.5,2,yes,50");
    }
    let assessment = Asked::visits().assessed(&File::new("visits.csv", csv));
    insta::assert_snapshot!("a_large_file_that_is_wrong_throughout", said(&assessment));
}
