//! Rules that read central figures, drawn.

use chrono::NaiveDate;
use spec::Period;

use crate::drawn::{framed, lines, write_return};
use crate::{Figures, Reference, check};

const RULE: &str = r#"
[[rule]]
id = "site.not-as-given"
table = "site"
kind = "query"
severity = "error"
items = ["B"]
message = "Site {ID} has {B}, but was given {given}."
query = "SELECT site._row AS _row, c.value AS given FROM site JOIN circular AS c ON site.ID = c.name WHERE site.B <> c.value"
"#;

fn set(decimals: u8) -> String {
    format!(
        r#"
[[reference_values]]
set = "circular"
title = "the circular"
table = "circular"
period = "same"
figures = ["s1", "s2"]
decimals = {decimals}
"#
    )
}

fn findings(decimals: u8, figures: Option<&[(String, i128)]>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let folder = write_return(dir.path(), "demo", &set(decimals), RULE);
    let spec = spec::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let known: Vec<Figures<'_>> = figures
        .into_iter()
        .map(|figures| Figures {
            set: &spec.reference_values[0],
            figures,
        })
        .collect();
    let mut now = framed(
        &spec,
        "[site]\n| ID | TOTAL | A | B | KIND |\n| s1 | | | 12.5 | |\n| s2 | | | 0.1 | |\n| s3 | | | 9 | |\n",
    );
    let period = Period::parse(spec.period_kind, "2025-26").unwrap();
    let reference = Reference {
        previous: None,
        year_ago: None,
        others: &[],
        values: &known,
        organisation: None,
        period: Some(&period),
        received_on: NaiveDate::from_ymd_opt(2026, 5, 1).unwrap(),
    };
    lines(&check(&spec, &mut now, &reference).unwrap_or_else(|error| panic!("{error}")))
}

fn given(s1: i128, s2: i128) -> [(String, i128); 2] {
    [("s1".to_owned(), s1), ("s2".to_owned(), s2)]
}

#[test]
fn figures_are_compared_exactly() {
    assert!(findings(2, Some(&given(1250, 10))).is_empty());
    assert_eq!(
        findings(2, Some(&given(1250, 11))),
        ["error site.not-as-given site!D3: Site s2 has 0.10, but was given 0.11."]
    );
    assert_eq!(
        findings(0, Some(&given(12, 1))),
        [
            "error site.not-as-given site!D2: Site s1 has 12.50, but was given 12.",
            "error site.not-as-given site!D3: Site s2 has 0.10, but was given 1.",
        ]
    );
}

#[test]
fn without_figures_the_rule_does_not_run() {
    assert!(findings(2, None).is_empty());
}

#[test]
fn a_column_that_figures_do_not_have_is_found_before_the_first_file() {
    let tried_out = |rules: &str| -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let folder = write_return(dir.path(), "demo", &set(2), rules);
        let spec = spec::load(&folder).unwrap_or_else(|error| panic!("{error}"));
        let errors = crate::try_out(&spec, &[]).unwrap_or_else(|error| panic!("{error}"));
        errors.iter().map(ToString::to_string).collect()
    };
    assert!(tried_out(RULE).is_empty());
    let told = tried_out(&RULE.replace("<> c.value", "<> c.vlaue"));
    assert!(told[0].contains("vlaue"), "{told:?}");
}
