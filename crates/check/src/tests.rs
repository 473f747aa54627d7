//! Rules drawn: a table in, findings out.

mod bodies;
mod change;
mod days;

use crate::drawn::{Drawn, findings};

const SITES: &str = "
[site]
| ID | TOTAL | A | B | KIND |
";

fn sites(rows: &str) -> String {
    format!("{SITES}{rows}")
}

#[test]
fn one_bad_cell_is_one_finding() {
    let rules = r#"
[[rule]]
id = "site.a-above-total"
table = "site"
kind = "assert"
severity = "error"
items = ["A"]
message = "A is {A}, above {TOTAL}."
assert = "A <= TOTAL"
"#;
    let drawing = sites(
        "| s1 | #REF! | 5 | | x |\n| s2 | -1 | 5 | | y |\n| s3 | 4 | 5 | | |\n| s4 | 1 | #N/A | | x |\n",
    );
    assert_eq!(
        findings(rules, &drawing, None),
        [
            "error site.total-cell-error site!B2: Total shows the spreadsheet error #REF! instead of a value.",
            "error site.total-too-small site!B3: Total is -1, which is less than 0.",
            "error site.a-above-total site!C4: A is 5, above 4.",
            "error site.a-cell-error site!C5: A shows the spreadsheet error #N/A instead of a value.",
        ]
    );
}

#[test]
fn a_condition_of_the_schema_is_a_rule_with_words() {
    let drawing = sites("| s1 | 1 | | | x |\n| s2 | 1 | | | y |\n| s3 | 1 | | | z |\n");
    assert_eq!(
        findings("", &drawing, None),
        [
            "error site.a-for-x site!C2: A is blank, but the kind is x.",
            "error site.kind-not-allowed site!E4: Kind is \"z\", which is not one of the values that are allowed.",
        ]
    );
}

#[test]
fn keys_occur_once_and_blank_ones_are_only_missing() {
    let drawing =
        sites("| s1 | 1 | 1 | | |\n| s1 | 1 | 1 | | |\n| | 1 | 1 | | |\n| | 2 | 1 | | |\n");
    assert_eq!(
        findings("", &drawing, None),
        [
            "error site.duplicate site!A3: The record with Site s1 is there twice: first on row 2.",
            "error site.id-missing site!A4: Site is blank, but has to be filled in.",
            "error site.id-missing site!A5: Site is blank, but has to be filled in.",
        ]
    );
}

const REFERENCE: &str = r#"
[[rule]]
id = "visit.site-unknown"
table = "visit"
kind = "references"
severity = "error"
items = ["SITE"]
parent = "site"
parent_items = ["ID"]
message = "There is no site {SITE}."
"#;

#[test]
fn a_child_needs_its_parent() {
    let drawing = format!(
        "{}[visit]\n| SITE |\n| s1 |\n| s9 |\n",
        sites("| s1 | 1 | 1 | | |\n")
    );
    assert_eq!(
        findings(REFERENCE, &drawing, None),
        ["error visit.site-unknown visit!A3: There is no site s9."]
    );
}

#[test]
fn where_a_parent_cannot_be_read_its_children_are_not_blamed() {
    let drawing = format!(
        "{}[visit]\n| SITE |\n| s1 |\n| s9 |\n",
        sites("| s1 | 1 | 1 | | |\n| #REF! | 1 | 1 | | |\n")
    );
    assert_eq!(
        findings(REFERENCE, &drawing, None),
        [
            "error site.id-cell-error site!A3: Site shows the spreadsheet error #REF! instead of a value."
        ]
    );
}

#[test]
fn sums_are_exact_and_pass_over_blanks() {
    let rules = r#"
[[rule]]
id = "site.total-is-not-the-sum"
table = "site"
kind = "sum"
severity = "error"
items = ["TOTAL"]
total = "TOTAL"
parts = ["A", "-B"]
message = "Total is {total}, A less B is {expected}."
"#;
    let drawing = sites("| s1 | 5 | 7 | 2 | |\n| s2 | 5 | 7 | 2.01 | |\n| s3 | 5 | 7 | | |\n");
    assert_eq!(
        findings(rules, &drawing, None),
        ["error site.total-is-not-the-sum site!B3: Total is 5, A less B is 4.99."]
    );
}

const CHANGE: &str = r#"
[[rule]]
id = "site.total-moved"
table = "site"
kind = "change"
severity = "query"
items = ["TOTAL"]
against = "previous"
thresholds = { percent = 5, minimum = 10 }
message = "{title} is {value}; it was {before} ({difference}, {percent} %)."
"#;

#[test]
fn a_movement_is_asked_about_when_it_passes_both_thresholds() {
    let now =
        sites("| s1 | 111 | | | |\n| s2 | 109 | | | |\n| s3 | 1010 | | | |\n| new | 500 | | | |\n");
    let before = sites("| s1 | 100 | | | |\n| s2 | 100 | | | |\n| s3 | 1000 | | | |\n");
    assert_eq!(
        findings(CHANGE, &now, Some(&before)),
        ["query site.total-moved site!B2: Total is 111; it was 100 (11, 11.0 %)."]
    );
    assert!(
        findings(CHANGE, &now, None).is_empty(),
        "nothing to compare with"
    );
}

#[test]
fn what_was_there_has_to_be_there_again() {
    let rules = r#"
[[rule]]
id = "site.gone"
table = "site"
kind = "present"
severity = "error"
items = ["ID"]
against = "previous"
where = "KIND = 'x'"
message = "Site {ID} is not there any more."
"#;
    let before = sites("| s1 | 1 | 1 | | x |\n| s2 | 1 | 1 | | x |\n| s3 | 1 | 1 | | y |\n");
    let now = sites("| s1 | 1 | 1 | | x |\n");
    assert_eq!(
        findings(rules, &now, Some(&before)),
        ["error site.gone -: Site s2 is not there any more."]
    );
}

#[test]
fn a_query_points_at_its_row_and_fills_in_its_columns() {
    let rules = r#"
[[rule]]
id = "site.visited-too-often"
table = "site"
kind = "query"
severity = "query"
items = ["ID"]
message = "Site {ID} was visited {n} times by {last_day}."
query = "SELECT s._row AS _row, COUNT(*) AS n, MAX($period_end) AS last_day FROM site AS s JOIN visit AS v ON s.ID = v.SITE GROUP BY s._row HAVING COUNT(*) > $most"
thresholds = { most = 1 }
"#;
    let drawing = format!(
        "{}[visit]\n| SITE |\n| s2 |\n| s2 |\n| s1 |\n",
        sites("| s1 | 1 | 1 | | |\n| s2 | 1 | 1 | | |\n")
    );
    assert_eq!(
        findings(rules, &drawing, None),
        ["query site.visited-too-often site!A3: Site s2 was visited 2 times by 31 March 2026."]
    );
}

#[test]
fn a_rule_of_each_item_points_at_the_one_that_is_wrong() {
    let rules = r#"
[[rule]]
id = "site.below-zero"
table = "site"
kind = "assert"
severity = "error"
items = ["A", "B"]
message = "{title} of {ID} is {value}."
assert = "$value >= 0 OR KIND = 'x'"

[[rule]]
id = "site.above-all"
table = "site"
kind = "query"
severity = "query"
items = ["A", "B"]
message = "{title} is {value}, above the {most} of all."
query = "WITH all_sites AS (SELECT MAX(TOTAL) AS most FROM site) SELECT _row, most FROM site CROSS JOIN all_sites WHERE $value > most"
"#;
    let drawing = sites("| s1 | 9 | -1 | -0.50 | y |\n| s2 | 9 | -1 | 9.01 | x |\n");
    assert_eq!(
        findings(rules, &drawing, None),
        [
            "error site.below-zero site!C2: A of s1 is -1.",
            "error site.below-zero site!D2: B of s1 is -0.50.",
            "query site.above-all site!D3: B is 9.01, above the 9 of all.",
        ]
    );
}

#[test]
fn a_rule_on_trial_is_a_note_and_one_out_of_force_says_nothing() {
    let rule = |extra: &str| {
        format!(
            "[[rule]]\nid = \"site.a-twice\"\ntable = \"site\"\nkind = \"unique\"\nseverity = \"error\"\nitems = [\"A\"]\nmessage = \"A is {{A}} as in {{first}}.\"\n{extra}\n"
        )
    };
    let drawing = sites("| s1 | 1 | 1 | | |\n| s2 | 1 | 1 | | |\n");
    assert_eq!(
        findings(&rule(""), &drawing, None),
        ["error site.a-twice site!C3: A is 1 as in C2."]
    );
    assert_eq!(
        findings(&rule("trial = true"), &drawing, None),
        ["note site.a-twice site!C3: On trial, not counted yet: A is 1 as in C2."]
    );
    assert!(findings(&rule("valid_from = 2026-04-01"), &drawing, None).is_empty());
    assert!(findings(&rule("valid_to = 2025-03-31"), &drawing, None).is_empty());
}

#[test]
fn a_condition_has_dates_in_force_and_a_trial_too() {
    let findings = |extra: &str| {
        let with = format!("{extra}\"x-rule\"");
        Drawn {
            edits: &[("tables/site.schema.json", "\"x-rule\"", &with)],
            ..Drawn::default()
        }
        .findings(&sites("| s1 | 1 | | | x |\n"))
    };
    assert_eq!(
        findings(r#""x-trial": true, "#),
        ["note site.a-for-x site!C2: On trial, not counted yet: A is blank, but the kind is x."]
    );
    assert_eq!(findings(r#""x-valid-to": "2026-03-31", "#).len(), 1);
    assert!(findings(r#""x-valid-from": "2026-04-01", "#).is_empty());
    assert!(findings(r#""x-valid-to": "2026-03-30", "#).is_empty());
}

#[test]
fn a_rule_that_names_no_column_is_found_before_the_first_file() {
    let rule = |id: &str, kind: &str| {
        format!(
            "[[rule]]\nid = \"site.{id}\"\ntable = \"site\"\nseverity = \"error\"\nmessage = \"m\"\nvalid_to = 2020-04-01\n{kind}\n"
        )
    };
    let rules = [
        rule("fine", "kind = \"query\"\nquery = \"SELECT s._row, p.A FROM site AS s JOIN previous_site AS p ON s.ID = p.ID JOIN year_ago_site AS y ON s.ID = y.ID\""),
        rule("nowhere", "kind = \"query\"\nquery = \"SELECT s._row FROM site AS s WHERE s.NOWHERE > 1\""),
        rule("not-a-number", "kind = \"assert\"\nassert = \"ID - 1 > 2\""),
    ]
    .concat();
    let told: Vec<String> = Drawn {
        rules: &rules,
        ..Drawn::default()
    }
    .tried_out();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told[0].starts_with("rule site.nowhere could not be run: "),
        "{told:#?}"
    );
    assert!(
        told[1].starts_with("rule site.not-a-number could not be run: "),
        "{told:#?}"
    );
}

#[test]
fn every_rule_of_return_specs_can_be_run() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
    let specs = spec::load_all(&root).unwrap_or_else(|error| panic!("{error}"));
    for spec in &specs {
        let is_other = |other: &&spec::ReturnSpec| {
            let link = spec.compared_with(&other.id);
            link.is_some_and(|link| link.version == other.version)
        };
        let others: Vec<_> = specs.iter().filter(is_other).cloned().collect();
        let errors = crate::try_out(spec, &others).unwrap_or_else(|error| panic!("{error}"));
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "{}: {told:#?}", spec.id);
    }
}
