//! What is for some organisations only, drawn.

use crate::drawn::Drawn;

const SUMS: &str = r#"
[[rule]]
id = "form.across"
table = "form"
kind = "sum"
severity = "error"
total = "total"
parts = ["roads", "bridges"]
message = "{total}, not {expected}."

[[rule]]
id = "form.down"
table = "form"
kind = "sum"
severity = "error"
items = ["roads"]
total_line = "all"
part_lines = ["pay", "dues"]
message = "{value}, not {expected}."
"#;

const BRIDGES: &[(&str, &str, &str)] = &[(
    "tables/form.toml",
    "column = \"C\"",
    "column = \"C\"\nonly_for = [\"bridge\", \"S9\"]",
)];

fn form(rows: &str) -> String {
    format!("[form]\n| The form |\n{rows}")
}

fn found(kind: Option<&str>, edits: &[(&str, &str, &str)], rows: &str) -> Vec<String> {
    Drawn {
        rules: SUMS,
        kind,
        edits,
        ..Drawn::default()
    }
    .findings(&form(rows))
}

/// As the form comes back from a body without bridges: its formulas still add up the blank column.
const WITHOUT: &str = "| pay | 5 |  | 5 |\n| dues | 2 |  | 2 |\n| all | 7 | 0 | 7 |\n";

#[test]
fn a_column_of_others_is_blank_and_counts_as_nothing() {
    assert!(found(Some("council"), BRIDGES, WITHOUT).is_empty());
    let wrong = WITHOUT.replace("| 5 |\n", "| 6 |\n");
    assert_eq!(
        found(Some("council"), BRIDGES, &wrong),
        ["error form.across form!D2: Line pay (Pay): 6, not 5."]
    );
}

#[test]
fn a_filled_in_cell_of_others_is_a_finding_and_a_blank_one_of_ours_is_missing() {
    let filled = WITHOUT.replace("| dues | 2 |  |", "| dues | 2 | 0 |");
    assert_eq!(
        found(Some("council"), BRIDGES, &filled),
        [
            "error form.bridges-not-applicable form!C3: Line dues (Dues), Bridges: this cell is not for One, but it is filled in."
        ]
    );
    let calculated = WITHOUT.replace("| all | 7 | 0 | 7 |", "| all | 7 | 3 | 10 |");
    let by_itself = found(Some("council"), BRIDGES, &calculated);
    assert!(
        by_itself[0].starts_with("error form.bridges-not-applicable form!C4: "),
        "{by_itself:?}"
    );
    let added_up = calculated.replace("| pay | 5 |  | 5 |", "| pay | 5 | 3 | 5 |");
    let told = found(Some("council"), BRIDGES, &added_up);
    assert_eq!(told.len(), 2, "the cell and the total, {told:?}");
    assert!(told[0].contains("form!C2"), "{told:?}");
    assert_eq!(
        found(Some("bridge"), BRIDGES, WITHOUT),
        [
            "error form.bridges-missing form!C2: Line pay (Pay): Bridges is blank, but has to be filled in.",
            "error form.bridges-missing form!C3: Line dues (Dues): Bridges is blank, but has to be filled in.",
        ]
    );
}

#[test]
fn where_nobody_said_whose_form_it_is_both_are_right() {
    assert!(found(None, BRIDGES, WITHOUT).is_empty());
    let filled = "| pay | 5 | 1 | 6 |\n| dues | 2 | 1 | 3 |\n| all | 7 | 2 | 9 |\n";
    assert!(found(None, BRIDGES, filled).is_empty());
}

#[test]
fn an_organisation_can_be_named_by_its_code() {
    let to = "column = \"C\"\nonly_for = [\"S1\"]";
    let edits = [("tables/form.toml", "column = \"C\"", to)];
    assert_eq!(found(Some("council"), &edits, WITHOUT).len(), 2);
}

#[test]
fn lines_and_single_cells_can_be_for_others() {
    let line = [(
        "tables/form.toml",
        "row = 3",
        "row = 3\nonly_for = [\"partnership\"]",
    )];
    let rows = "| pay | 5 | 1 | 6 |\n| dues |  |  | 0 |\n| all | 5 | 1 | 6 |\n";
    assert!(found(Some("council"), &line, rows).is_empty());
    assert_eq!(found(Some("partnership"), &line, rows).len(), 2);
    let cells = [(
        "tables/form.toml",
        "computed = true\n[[lines.column]]\nitem = \"roads\"",
        "computed = true\n[[lines.cells]]\nlines = [\"dues\"]\nitems = [\"roads\"]\nonly_for = [\"partnership\"]\nsource = \"s\"\nconfidence = \"inferred\"\n[[lines.column]]\nitem = \"roads\"",
    )];
    let rows = "| pay | 5 | 1 | 6 |\n| dues |  | 1 | 1 |\n| all | 5 | 2 | 7 |\n";
    assert!(found(Some("council"), &cells, rows).is_empty());
    assert_eq!(
        found(Some("partnership"), &cells, rows),
        [
            "error form.roads-missing form!B3: Line dues (Dues): Roads is blank, but has to be filled in."
        ]
    );
}

#[test]
fn a_rule_can_be_for_some_organisations_only() {
    let rules = format!("{SUMS}only_for = [\"bridge\"]\n");
    let rows = "| pay | 5 | 1 | 6 |\n| dues | 2 | 1 | 3 |\n| all | 8 | 2 | 10 |\n";
    let n_found = |kind: Option<&str>| {
        Drawn {
            rules: &rules,
            kind,
            ..Drawn::default()
        }
        .findings(&form(rows))
        .len()
    };
    assert_eq!(n_found(Some("bridge")), 1);
    assert_eq!(n_found(Some("council")), 0);
    assert_eq!(n_found(None), 0, "nobody said that it is for this one");
}
