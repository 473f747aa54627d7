//! Rules that read beyond the file, drawn: other returns of the same organisation.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use spec::{Link, Period, ReturnSpec};

use crate::drawn::{framed, lines, write_return};
use crate::{Other, Reference, check, links};

const COMPARED: &str = r#"
[[compared_with]]
return = "base"
version = "1"
period = "same"
"#;

const RULE: &str = r#"
[[rule]]
id = "site.total-differs-from-base"
table = "site"
kind = "query"
severity = "query"
items = ["TOTAL"]
message = "Site {ID} has {TOTAL}, but the base return {before}."
query = """
WITH base AS (SELECT ID AS base_id, TOTAL AS before FROM base_site)
SELECT _row, before FROM site JOIN base ON site.ID = base.base_id WHERE TOTAL <> before
"""
"#;

struct Two {
    _dir: tempfile::TempDir,
    spec: ReturnSpec,
    base: ReturnSpec,
}

fn two() -> Two {
    let dir = tempfile::tempdir().unwrap();
    let base = write_return(dir.path(), "base", "", "");
    let folder = write_return(dir.path(), "demo", COMPARED, RULE);
    let load = |folder| spec::load(folder).unwrap_or_else(|error| panic!("{error}"));
    Two {
        spec: load(&folder),
        base: load(&base),
        _dir: dir,
    }
}

const NOW: &str = "[site]\n| ID | TOTAL | A | B | KIND |\n| s1 | 5 |\n| s2 | 6 |\n| s3 | 7 |\n";

impl Two {
    fn findings(&self, base: Option<&str>) -> Vec<String> {
        let mut now = framed(&self.spec, NOW);
        let base = base.map(|drawing| framed(&self.base, drawing));
        let others: Vec<Other<'_>> = base
            .iter()
            .map(|framed| Other {
                spec: &self.base,
                framed,
            })
            .collect();
        let period = Period::parse(self.spec.period_kind, "2025-26").unwrap();
        let reference = Reference {
            previous: None,
            year_ago: None,
            others: &others,
            values: &[],
            organisation: None,
            period: Some(&period),
            received_on: NaiveDate::from_ymd_opt(2026, 5, 1).unwrap(),
        };
        let findings = check(&self.spec, &mut now, &reference);
        lines(&findings.unwrap_or_else(|error| panic!("{error}")))
    }
}

#[test]
fn a_rule_reads_another_return_of_the_same_organisation() {
    let base = "[site]\n| ID | TOTAL | A | B | KIND |\n| s3 | 8 |\n| s1 | 5 |\n";
    assert_eq!(
        two().findings(Some(base)),
        ["query site.total-differs-from-base site!B4: Site s3 has 7, but the base return 8."]
    );
}

#[test]
fn what_could_not_be_read_there_is_compared_with_nothing() {
    let base = "[site]\n| ID | TOTAL | A | B | KIND |\n| s1 | #REF! |\n| s2 | |\n";
    assert!(two().findings(Some(base)).is_empty());
}

#[test]
fn without_the_other_return_its_rules_do_not_run_and_are_known_by_name() {
    let two = two();
    assert!(two.findings(None).is_empty());
    let read: Vec<_> = links(&two.spec, None)
        .map(|(rule, links)| (rule.id.as_str(), links))
        .collect();
    let link = BTreeSet::from([Link::Return("base".to_owned())]);
    assert_eq!(read, [("site.total-differs-from-base", link)]);
}

#[test]
fn a_column_that_the_other_return_does_not_have_is_found_before_the_first_file() {
    let tried_out = |rules: &str| -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let base = write_return(dir.path(), "base", "", "");
        let folder = write_return(dir.path(), "demo", COMPARED, rules);
        let load = |folder| spec::load(folder).unwrap_or_else(|error| panic!("{error}"));
        let errors = crate::try_out(&load(&folder), &[load(&base)]);
        let errors = errors.unwrap_or_else(|error| panic!("{error}"));
        errors.iter().map(ToString::to_string).collect()
    };
    assert!(tried_out(RULE).is_empty());
    let told = tried_out(&RULE.replace("TOTAL AS before", "TOTLA AS before"));
    assert!(told[0].starts_with("rule site.total-differs-from-base could not be run: "));
    assert!(told[0].contains("TOTLA"), "{told:?}");
}

#[test]
fn a_rule_is_not_called_right_where_the_other_return_is_not_there_to_try_it_on() {
    let two = two();
    let told = crate::try_out(&two.spec, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        told[0].to_string(),
        "rule site.total-differs-from-base could not be run: there is no table base_site to try it on"
    );
}
