//! `no_overlap`, `within` and `continuous`, drawn.

use crate::drawn::findings;

const NO_OVERLAP: &str = r#"
[[rule]]
id = "stay.overlaps"
table = "stay"
kind = "no_overlap"
severity = "error"
by = ["EPISODE"]
from = "START"
to = "END"
touching = true
message = "{dates} meets {other_cell}, {other_dates}."
"#;

fn stays(rows: &str) -> String {
    format!("[stay]\n| EPISODE | KIND | START | END |\n{rows}")
}

fn with_episodes(episodes: &str, rows: &str) -> String {
    format!("[episode]\n| ID | START | END |\n{episodes}{}", stays(rows))
}

#[test]
fn one_finding_for_each_record_that_begins_too_early() {
    let drawing = stays(
        "| e1 | a | 2025-05-01 | 2025-06-01 |\n\
         | e1 | b | 2025-05-20 | 2025-05-25 |\n\
         | e1 | c | 2025-05-22 |  |\n\
         | e1 | d | 2025-07-01 | 2025-07-02 |\n\
         | e2 | a | 2025-05-20 | 2025-05-25 |\n\
         | e2 | b | 2025-05-25 | 2025-05-26 |\n",
    );
    assert_eq!(
        findings(NO_OVERLAP, &drawing, None),
        [
            "error stay.overlaps stay!C3: from 20 May 2025 to 25 May 2025 meets C2, from 1 May 2025 to 1 June 2025.",
            "error stay.overlaps stay!C4: from 22 May 2025 on meets C2, from 1 May 2025 to 1 June 2025.",
            "error stay.overlaps stay!C5: from 1 July 2025 to 2 July 2025 meets C4, from 22 May 2025 on.",
        ]
    );
    let strict = NO_OVERLAP.replace("touching = true", "");
    let found = findings(&strict, &drawing, None);
    assert_eq!(found.len(), 4);
    assert!(
        found[3].starts_with("error stay.overlaps stay!C7"),
        "{found:?}"
    );
}

#[test]
fn what_is_wrong_by_itself_overlaps_with_nothing() {
    let drawing = stays(
        "| e1 | a | 2025-05-01 | #REF! |\n\
         | e1 | b | 2025-05-20 | 2025-05-10 |\n\
         | e1 | c |  | 2025-05-25 |\n\
         | e1 | d | 2025-05-20 | 2025-05-25 |\n\
         | e1 | d | 2025-05-20 | 2025-05-25 |\n\
         |  | d | 2025-05-20 | 2025-05-25 |\n",
    );
    assert_eq!(
        findings(NO_OVERLAP, &drawing, None),
        [
            "error stay.end-cell-error stay!D2: End shows the spreadsheet error #REF! instead of a value.",
            "error stay.duplicate stay!C6: The record with Episode e1, Kind d, Start 20 May 2025 is there twice: first on row 5.",
        ]
    );
}

#[test]
fn a_condition_leaves_records_out_and_one_start_can_be_one_record() {
    let drawing = stays(
        "| e1 | a | 2025-05-01 |  |\n| e1 | b | 2025-05-01 |  |\n| e1 | c | 2025-05-02 |  |\n",
    );
    let cells = |extra: &str| -> Vec<String> {
        findings(&format!("{NO_OVERLAP}{extra}\n"), &drawing, None)
            .iter()
            .filter_map(|line| Some(line.split(' ').nth(2)?.to_owned()))
            .collect()
    };
    assert_eq!(cells(""), ["stay!C3:", "stay!C4:"]);
    assert_eq!(cells("where = \"KIND <> 'a'\""), ["stay!C4:"]);
    assert_eq!(cells("same_start = true"), ["stay!C4:"]);
}

const WITHIN: &str = r#"
[[rule]]
id = "stay.outside"
table = "stay"
kind = "within"
severity = "error"
by = ["EPISODE"]
from = "START"
to = "END"
parent = "episode"
parent_items = ["ID"]
parent_from = "START"
parent_to = "END"
message = "{dates} is outside {parent_cell}, {parent_dates}."
"#;

#[test]
fn days_lie_within_those_of_the_parent() {
    let drawing = with_episodes(
        "| e1 | 2025-05-01 | 2025-06-01 |\n| e2 | 2025-05-01 |  |\n",
        "| e1 | a | 2025-05-01 | 2025-06-01 |\n\
         | e1 | b | 2025-04-30 | 2025-05-25 |\n\
         | e1 | c | 2025-05-22 | 2025-06-02 |\n\
         | e1 | d | 2025-05-22 |  |\n\
         | e1 | e | 2025-06-02 | 2025-06-03 |\n\
         | e2 | a | 2025-05-22 |  |\n\
         | e3 | a | 2025-05-22 |  |\n",
    );
    assert_eq!(
        findings(WITHIN, &drawing, None),
        [
            "error stay.outside stay!C3: from 30 April 2025 to 25 May 2025 is outside episode!B2, from 1 May 2025 to 1 June 2025.",
            "error stay.outside stay!D4: from 22 May 2025 to 2 June 2025 is outside episode!B2, from 1 May 2025 to 1 June 2025.",
            "error stay.outside stay!D5: from 22 May 2025 on is outside episode!B2, from 1 May 2025 to 1 June 2025.",
            "error stay.outside stay!C6: from 2 June 2025 to 3 June 2025 is outside episode!B2, from 1 May 2025 to 1 June 2025.",
        ]
    );
}

#[test]
fn a_parent_that_is_wrong_by_itself_holds_nothing_against_its_records() {
    let rows = "| e1 | a | 2024-05-01 | 2024-06-01 |\n";
    for parent in [
        "| e1 | 2025-05-01 | 2025-04-01 |\n",
        "| e1 | #REF! | 2025-06-01 |\n",
    ] {
        let drawing = with_episodes(parent, rows);
        let found = findings(WITHIN, &drawing, None);
        assert!(
            !found.iter().any(|line| line.contains("stay.outside")),
            "{found:?}"
        );
    }
    let day = WITHIN.replace("\nto = \"END\"", "");
    let drawing = with_episodes("| e1 |  | 2024-04-30 |\n", rows);
    assert_eq!(
        findings(&day, &drawing, None),
        ["error stay.outside stay!C2: on 1 May 2024 is outside episode!B2, to 30 April 2024."]
    );
}

const CONTINUOUS: &str = r#"
[[rule]]
id = "stay.gap"
table = "stay"
kind = "continuous"
severity = "query"
by = ["EPISODE"]
from = "START"
to = "END"
message = "Nothing {gap} ({gap_days} days)."
"#;

const PARENT: &str = r#"
parent = "episode"
parent_items = ["ID"]
parent_from = "START"
parent_to = "END"
"#;

#[test]
fn a_gap_is_told_where_it_begins() {
    let drawing = with_episodes(
        "| e1 | 2025-05-01 | 2025-06-30 |\n| e2 | 2025-05-01 |  |\n",
        "| e1 | a | 2025-05-03 | 2025-05-10 |\n\
         | e1 | b | 2025-05-05 | 2025-05-06 |\n\
         | e1 | c | 2025-05-11 | 2025-05-12 |\n\
         | e1 | d | 2025-05-15 | 2025-06-28 |\n\
         | e2 | a | 2025-05-01 | 2025-05-10 |\n",
    );
    assert_eq!(
        findings(CONTINUOUS, &drawing, None),
        ["query stay.gap stay!D4: Nothing from 13 May 2025 to 14 May 2025 (2 days)."]
    );
    let with_parent = format!("{CONTINUOUS}{PARENT}");
    assert_eq!(
        findings(&with_parent, &drawing, None),
        [
            "query stay.gap stay!C2: Nothing from 1 May 2025 to 2 May 2025 (2 days).",
            "query stay.gap stay!D4: Nothing from 13 May 2025 to 14 May 2025 (2 days).",
            "query stay.gap stay!D5: Nothing from 29 June 2025 to 30 June 2025 (2 days).",
            "query stay.gap stay!D6: Nothing from 11 May 2025 on (all days).",
        ]
    );
    let before = format!("{with_parent}gaps = [\"before\"]\n");
    assert_eq!(findings(&before, &drawing, None).len(), 1);
    let patient = format!("{with_parent}thresholds = {{ days = 2 }}\n");
    assert_eq!(
        findings(&patient, &drawing, None).len(),
        1,
        "one has no end"
    );
}

#[test]
fn a_record_that_is_not_known_may_fill_the_gap() {
    let gap = "| e1 | a | 2025-05-03 | 2025-05-10 |\n| e1 | d | 2025-05-15 | 2025-06-28 |\n";
    assert_eq!(findings(CONTINUOUS, &stays(gap), None).len(), 1);
    for row in [
        "| e1 | b | #REF! | 2025-05-14 |\n",
        "| e1 | b | 2025-05-14 | 2025-05-11 |\n",
        "| e1 | b |  | 2025-05-14 |\n",
        "| #REF! | b | 2025-05-11 | 2025-05-14 |\n",
    ] {
        let found = findings(CONTINUOUS, &stays(&format!("{gap}{row}")), None);
        assert!(!found.iter().any(|line| line.contains("stay.gap")), "{row}");
    }
}
