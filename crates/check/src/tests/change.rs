//! `change` and thresholds, drawn.

use super::sites;
use crate::drawn::{Drawn, findings};

#[test]
fn the_number_of_records_is_a_figure_too() {
    let rule = r#"
[[rule]]
id = "site.fewer"
table = "site"
kind = "change"
severity = "query"
against = "previous"
direction = "down"
thresholds = { percent = 50 }
message = "{title}: {value}, it was {before} ({difference}, {percent} %)."
"#;
    let four = sites("| s1 | 1 | | | |\n| s2 | 1 | | | |\n| s3 | 1 | | | |\n| s4 | 1 | | | |\n");
    let one = sites("| s1 | 1 | | | |\n");
    assert_eq!(
        findings(rule, &one, Some(&four)),
        ["query site.fewer -: site: 1, it was 4 (-3, 75.0 %)."]
    );
    assert!(findings(rule, &four, Some(&one)).is_empty());
}

#[test]
fn a_change_can_be_against_a_year_ago_and_matched_by_other_items() {
    let rule = r#"
[[rule]]
id = "site.less"
table = "site"
kind = "change"
severity = "error"
items = ["B"]
against = "year_ago"
by = ["KIND"]
direction = "down"
thresholds = { minimum = 0.01 }
message = "{B} after {before}."
"#;
    let drawn = Drawn {
        rules: rule,
        previous: Some("[site]\n| ID | TOTAL | A | B | KIND |\n| s9 | 1 | | 9 | x |\n"),
        year_ago: Some("[site]\n| ID | TOTAL | A | B | KIND |\n| s8 | 1 | | 0.30 | y |\n"),
        ..Drawn::default()
    };
    assert_eq!(
        drawn.findings(&sites("| s1 | 1 | | 0.29 | y |\n")),
        ["error site.less site!D2: 0.29 after 0.30."]
    );
    assert!(
        drawn
            .findings(&sites("| s1 | 1 | | 0.30 | y |\n"))
            .is_empty()
    );
}

#[test]
fn an_organisation_can_have_its_own_thresholds_in_sql_too() {
    let rules = r#"
[[rule]]
id = "site.moved"
table = "site"
kind = "change"
severity = "query"
items = ["TOTAL"]
against = "previous"
thresholds = { percent = 5, minimum = 10 }
message = "{value} after {before}."
[rule.thresholds_of.S1]
minimum = 100
source = "s"
confidence = "inferred"

[[rule]]
id = "site.a-above"
table = "site"
kind = "assert"
severity = "query"
items = ["A"]
message = "A is {A}."
assert = "A <= $most"
thresholds = { most = 5 }
thresholds_of.S1 = { most = 7, source = "s", confidence = "inferred" }
"#;
    let now = sites("| s1 | 150 | 6 | | |\n");
    let before = sites("| s1 | 100 | | | |\n");
    let drawn = Drawn {
        rules,
        previous: Some(&before),
        ..Drawn::default()
    };
    assert_eq!(
        drawn.findings(&now),
        [
            "query site.moved site!B2: 150 after 100.",
            "query site.a-above site!C2: A is 6."
        ]
    );
    let one = Drawn {
        kind: Some("council"),
        ..drawn
    };
    assert!(one.findings(&now).is_empty(), "S1 has its own");
    assert_eq!(one.findings(&sites("| s1 | 200 | 8 | | |\n")).len(), 2);
}

#[test]
fn what_a_record_said_of_the_same_thing_is_what_it_says() {
    let rule = |more: &str| {
        format!(
            r#"
[[rule]]
id = "site.other-kind"
table = "site"
kind = "unchanged"
severity = "query"
items = ["KIND", "A"]
against = "previous"
message = "{{title}} of {{ID}} is {{value}}; it was {{before}}."
{more}
"#
        )
    };
    let now = sites(
        "| s1 | 1 | 5 | | y |\n| s2 | 1 | 5 | | x |\n| s3 | 1 | 5 | | x |\n| new | 1 | 5 | | y |\n",
    );
    let before = sites("| s3 | 9 | 4 | | |\n| s1 | 9 | 4 | | x |\n| s2 | 9 | 5 | | x |\n");
    let of_a = "query site.other-kind site!C2: A of s1 is 5; it was 4.";
    let of_kind = "query site.other-kind site!E2: Kind of s1 is y; it was x.";
    assert_eq!(
        findings(&rule(""), &now, Some(&before)),
        [
            of_a,
            of_kind,
            "query site.other-kind site!C4: A of s3 is 5; it was 4.",
        ]
    );
    let where_x = rule("where = \"KIND = 'x'\"");
    assert_eq!(findings(&where_x, &now, Some(&before)), [of_a, of_kind]);
    let by_total = rule("by = [\"TOTAL\"]");
    assert!(
        findings(&by_total, &now, Some(&before)).is_empty(),
        "no total is the same"
    );
    assert!(findings(&rule(""), &now, None).is_empty());
}
