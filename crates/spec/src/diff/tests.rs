//! What is told of each change, and that none is passed over.

mod every_part;

use super::*;
use crate::load;
use crate::load::sample::Sample;

/// A changed copy of the sample against the sample itself, a line for each change.
fn told(edits: &[(&str, &str, &str)]) -> Vec<String> {
    let (before, after) = (Sample::new(), Sample::new());
    for (file, from, to) in edits {
        after.edit(file, from, to);
    }
    let load = |sample: &Sample| load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
    diff(&load(&before), &load(&after))
        .iter()
        .map(|change| serde_json::to_string(change).unwrap())
        .collect()
}

#[test]
fn a_version_does_not_differ_from_itself_whatever_its_files_look_like() {
    assert_eq!(told(&[]), Vec::<String>::new());
    assert_eq!(
        told(&[
            ("CHANGES.md", "1.0", "1.0 again"),
            (
                "rules.toml",
                "[[rule]]\nid = \"case.too-many\"",
                "# Counted.\n[[rule]]\nid = \"case.too-many\""
            ),
            (
                "examples/valid.example",
                "All is well",
                "Everything is well"
            ),
        ]),
        Vec::<String>::new()
    );
}

#[test]
fn each_change_of_an_item_is_one_difference() {
    let schema = "tables/case.schema.json";
    for (from, to, expected) in [
        (
            "\"title\": \"Adults\"",
            "\"title\": \"Grown-ups\"",
            r#"{"subject":"item","table":"case","name":"ADULTS","what":"changed","property":"title","before":"Adults","after":"Grown-ups"}"#,
        ),
        (
            "\"maximum\": 99",
            "\"maximum\": 50",
            r#"{"subject":"item","table":"case","name":"ADULTS","what":"changed","property":"maximum","before":"99","after":"50"}"#,
        ),
        (
            "\"multipleOf\": 0.01",
            "\"multipleOf\": 0.1",
            r#"{"subject":"item","table":"case","name":"COST","what":"changed","property":"type","before":"number with 2 decimals","after":"number with 1 decimal"}"#,
        ),
        (
            "[\"AREA\", \"REF\"]",
            "[\"AREA\", \"REF\", \"ADULTS\"]",
            r#"{"subject":"item","table":"case","name":"ADULTS","what":"changed","property":"required","before":"no","after":"yes"}"#,
        ),
        (
            "\"maxLength\": 10, ",
            "",
            r#"{"subject":"item","table":"case","name":"REF","what":"changed","property":"maxLength","before":"10","after":null}"#,
        ),
    ] {
        assert_eq!(told(&[(schema, from, to)]), [expected], "{to}");
    }
}

#[test]
fn items_come_go_and_are_renamed() {
    let schema = "tables/site.schema.json";
    let units = "\"UNITS\": { \"title\": \"Units\", \"description\": \"How many.\", \"type\": \"integer\", \"enum\": [1, 2, 3],\n      \"x-source\": \"guide\", \"x-confidence\": \"published\" }";
    assert_eq!(
        told(&[(
            schema,
            units,
            &format!(
                "{units},\n    \"NOTE\": {{ \"title\": \"Note\", \"description\": \"Any.\", \"type\": \"string\", \"x-source\": \"guide\", \"x-confidence\": \"inferred\" }}"
            )
        )]),
        [r#"{"subject":"item","table":"site","name":"NOTE","what":"added","after":"Note, text"}"#]
    );
    assert_eq!(
        told(&[
            (schema, "\"CASEREF\": {", "\"CASENO\": {"),
            (
                "rules.toml",
                "items = [\"CASEREF\"]",
                "items = [\"CASENO\"]"
            ),
            ("rules.toml", "{CASEREF}", "{CASENO}"),
        ]),
        [
            r#"{"subject":"item","table":"site","name":"CASENO","what":"renamed","before":"CASEREF","why":"same title"}"#,
            r#"{"subject":"rule","table":null,"name":"site.case-unknown","what":"changed","property":"items","before":"CASEREF","after":"CASENO"}"#,
            r#"{"subject":"rule","table":null,"name":"site.case-unknown","what":"changed","property":"message","before":"There is no case {CASEREF}.","after":"There is no case {CASENO}."}"#,
        ]
    );
}

#[test]
fn codes_lines_rules_and_facts_are_compared_by_name() {
    for (file, from, to, expected) in [
        (
            "codes/reason.csv",
            "2,Second,,,",
            "2,Second,,2026-12-31,",
            r#"{"subject":"code","table":"reason","name":"2","what":"changed","property":"in force","before":"always","after":"until 2026-12-31"}"#,
        ),
        (
            "codes/reason.csv",
            "2,Second,,,guide,inferred\n",
            "2,Second,,,guide,inferred\n3,Third,,,guide,inferred\n",
            r#"{"subject":"code","table":"reason","name":"3","what":"added","after":"Third"}"#,
        ),
        (
            "tables/form.toml",
            "row = 10",
            "row = 12",
            r#"{"subject":"line","table":"form","name":"2","what":"changed","property":"row","before":"10","after":"12"}"#,
        ),
        (
            "tables/form.toml",
            "column = \"D\"",
            "column = \"F\"",
            r#"{"subject":"item","table":"form","name":"part_time","what":"changed","property":"column","before":"D","after":"F"}"#,
        ),
        (
            "tables/case.toml",
            "names = [\"Cases\"]",
            "names = [\"Applications\", \"Cases\"]",
            r#"{"subject":"table","table":null,"name":"case","what":"changed","property":"sheets","before":"Cases","after":"Applications, Cases"}"#,
        ),
        (
            "rules.toml",
            "severity = \"query\"",
            "severity = \"error\"",
            r#"{"subject":"rule","table":null,"name":"case.adults-without-cost","what":"changed","property":"severity","before":"query","after":"error"}"#,
        ),
        (
            "rules.toml",
            "most = 5",
            "most = 7.5",
            r#"{"subject":"rule","table":null,"name":"case.adults-without-cost","what":"changed","property":"threshold most","before":"5","after":"7.5"}"#,
        ),
        (
            "rules.toml",
            "trial = true",
            "",
            r#"{"subject":"rule","table":null,"name":"site.gone","what":"changed","property":"trial","before":"yes","after":null}"#,
        ),
        (
            "tables/case.schema.json",
            "\"x-severity\": \"error\"",
            "\"x-severity\": \"query\"",
            r#"{"subject":"rule","table":null,"name":"case.cost-missing","what":"changed","property":"severity","before":"error","after":"query"}"#,
        ),
        (
            "return.toml",
            "value = \"Ten years.\"",
            "value = \"Five years.\"",
            r#"{"subject":"fact","table":null,"name":"retention","what":"changed","property":"value","before":"Ten years.","after":"Five years."}"#,
        ),
        (
            "return.toml",
            "extra_columns = \"refuse\"",
            "extra_columns = \"ignore\"",
            r#"{"subject":"return","table":null,"name":"demo","what":"changed","property":"extra columns","before":"refuse","after":"ignore"}"#,
        ),
    ] {
        assert_eq!(told(&[(file, from, to)]), [expected], "{file}: {to}");
    }
}

#[test]
fn a_rule_that_is_gone_is_told_with_what_it_said() {
    let (before, after) = (Sample::new(), Sample::new());
    let text = std::fs::read_to_string(after.dir().join("rules.toml")).unwrap();
    let at = text.find("[[rule]]\nid = \"site.gone\"").unwrap();
    after.write("rules.toml", &text[..at]);
    let changes = diff(&load(&before.dir()).unwrap(), &load(&after.dir()).unwrap());
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].name, "site.gone");
    assert_eq!(
        changes[0].what,
        What::Removed {
            before: "error: {SITE} is gone.".to_owned()
        }
    );
}
