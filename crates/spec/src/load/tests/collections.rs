//! Rules over the returns of all organisations.

use super::told;
use crate::load::sample::Sample;
use crate::{RuleKind, Stage, load};

const RULE: &str = r#"
[[rule]]
id = "case.twice"
stage = "collection"
table = "case"
kind = "query"
severity = "query"
items = ["REF"]
message = "{REF} is elsewhere too."
fix = "Ask about {REF}."
source = "guide"
confidence = "inferred"
query = "SELECT c._organisation AS _organisation, c._row AS _row, o.sg_code AS other FROM all_case AS c JOIN all_organisations AS o ON c.AREA = o.sg_code WHERE o.returned"
"#;

#[test]
fn a_collection_rule_reads_the_tables_of_all_organisations() {
    let sample = Sample::new();
    sample.edit("rules.toml", "[[rule]]", &format!("{RULE}\n[[rule]]"));
    let spec = load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
    let rule = spec
        .rules
        .iter()
        .find(|rule| rule.id == "case.twice")
        .unwrap();
    assert_eq!(rule.stage, Stage::Collection);
    let RuleKind::Query { reads, .. } = &rule.kind else {
        panic!("{:?}", rule.kind);
    };
    assert_eq!(reads.as_slice(), ["all_case", "all_organisations"]);
    assert!(spec.links_of(rule).is_empty());
    assert_eq!(spec.rules.last().unwrap().stage, Stage::Return);
}

/// Its words may hold nothing but the record's own values: a council's finding never shows another's data.
#[test]
fn what_a_collection_rule_may_not_do_is_told_exactly() {
    for (from, to, why) in [
        (
            "{REF} is elsewhere too.",
            "{REF} is at {other} too.",
            "rules.toml, line 9, column 1: {other} is nothing that this rule knows",
        ),
        (
            "Ask about {REF}.",
            "Ask {other}.",
            "rules.toml, line 10, column 1: {other} is nothing that this rule knows",
        ),
        (
            "SELECT c._organisation AS _organisation, c._row AS _row, o.sg_code AS other",
            "SELECT c._row AS _row",
            "rules.toml, line 13, column 1: does not return _organisation",
        ),
        (
            "SELECT c._organisation AS _organisation, c._row AS _row, o.sg_code AS other",
            "SELECT *",
            "rules.toml, line 13, column 1: has to name its columns, _organisation and _row among them",
        ),
        (
            "FROM all_case AS c",
            "FROM case AS c",
            "rules.toml, line 13, column 1: there is no table \"case\"",
        ),
        (
            "severity = \"query\"",
            "severity = \"blocker\"",
            "rules.toml, line 7, column 1: \"blocker\" is for files, and this rule looks at returns that stand",
        ),
        (
            "stage = \"collection\"",
            "stage = \"all\"",
            "rules.toml, line 4, column 1: \"all\" is not one of \"return\", \"collection\"",
        ),
        (
            "stage = \"collection\"\n",
            "",
            "rules.toml, line 12, column 1: there is no table \"all_case\"; there is no table \"all_organisations\"",
        ),
    ] {
        let sample = Sample::new();
        sample.edit("rules.toml", "[[rule]]", &format!("{RULE}\n[[rule]]"));
        sample.edit("rules.toml", from, to);
        let told = load(&sample.dir())
            .unwrap_err()
            .to_string()
            .replace("\nrules.toml, line 12, column 1: ", "; ");
        assert_eq!(told, why, "{from:?} → {to:?}");
    }
}

#[test]
fn only_a_query_looks_at_all_organisations() {
    told(&[(
        "rules.toml",
        "kind = \"unique\"",
        "kind = \"unique\"\nstage = \"collection\"",
        "rules.toml, line 36, column 1: only a query can look at the returns of all organisations",
    )]);
}
