//! A file with what it is compared with: another return, central figures, other organisations.

use std::fs;

use super::*;

const COMPARED: &str = r#"
[[compared_with]]
return = "plans"
version = "1"
period = "same"

[[reference_values]]
set = "ceilings"
title = "the ceilings of the year"
table = "ceiling"
period = "same"
figures = ["v2"]
"#;

const RULES: &str = r#"
[[rule]]
id = "visit.longer-than-planned"
table = "visit"
kind = "query"
severity = "query"
items = ["MINUTES"]
message = "The visit {REF} took {MINUTES} minutes, {planned} were planned."
fix = "Say why."
source = "tests"
confidence = "inferred"
query = """
WITH plan AS (SELECT REF AS plan_ref, MINUTES AS planned FROM plans_visit)
SELECT _row, planned FROM visit JOIN plan ON visit.REF = plan.plan_ref WHERE MINUTES > planned
"""

[[rule]]
id = "visit.above-the-ceiling"
table = "visit"
kind = "query"
severity = "error"
items = ["MINUTES"]
message = "The visit {REF} took {MINUTES} minutes, more than {most}."
fix = "Correct it."
source = "tests"
confidence = "inferred"
query = """
WITH given AS (SELECT name AS given_for, value AS most FROM ceiling)
SELECT _row, most FROM visit JOIN given ON visit.REF = given.given_for WHERE MINUTES > most
"""

[[rule]]
id = "visit.also-elsewhere"
stage = "collection"
table = "visit"
kind = "query"
severity = "query"
items = ["REF"]
message = "Somebody else has a visit {REF}."
fix = "Ask both."
source = "tests"
confidence = "inferred"
query = """
WITH all_refs AS (SELECT REF AS known, COUNT(*) AS n FROM all_visit GROUP BY REF)
SELECT v._organisation AS _organisation, v._row AS _row FROM all_visit AS v JOIN all_refs ON v.REF = all_refs.known WHERE n > 1
"""
"#;

const ORGANISATIONS: &str =
    "code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to
S12000001,Ardbeg,council,100,,,,,
S12000002,Brora,council,200,,,,,
S12000003,Crail,council,300,,,,,
";

/// The visits beside a copy called plans, which they are compared with.
fn linked() -> Demo {
    let demo = Demo::new();
    let root = demo.dir.path();
    let (visits, plans) = (root.join("visits/1"), root.join("plans/1"));
    for file in [
        "return.toml",
        "rules.toml",
        "CHANGES.md",
        "tables/visit.toml",
        "tables/visit.schema.json",
        "codes/purpose.csv",
    ] {
        let to = plans.join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let text = fs::read_to_string(visits.join(file)).unwrap();
        fs::write(to, text.replace("id = \"visits\"", "id = \"plans\"")).unwrap();
    }
    for (file, more) in [("return.toml", COMPARED), ("rules.toml", RULES)] {
        let text = fs::read_to_string(visits.join(file)).unwrap();
        fs::write(visits.join(file), text + more).unwrap();
    }
    fs::write(root.join("organisations.csv"), ORGANISATIONS).unwrap();
    demo
}

impl Demo {
    /// As Ardbeg's file of one year, with its other returns' files and central figures.
    fn check_linked(&self, drawing: &str, more: &[&str]) -> (Option<i32>, String) {
        let file = self.workbook("visits.xlsx", drawing);
        let mut arguments = vec!["--organisation", "S12000001", "--period", "2025-26"];
        arguments.extend(more);
        let output = self.check(&file, &arguments);
        (output.status.code(), stdout(&output))
    }
}

#[test]
fn a_file_is_compared_with_another_returns() {
    let demo = linked();
    let plans = CLEAN.replace("| 45 |", "| 40 |");
    let plans = format!("plans={}", demo.workbook("plans.xlsx", &plans));
    let (status, said) = demo.check_linked(CLEAN, &["--other", &plans]);
    assert_eq!(status, Some(0), "{said}");
    insta::assert_snapshot!(said, @r"
    visits.xlsx: needs explanation: 1 to explain.
    Table visit on visits: 3 rows: 2 loaded, 0 rejected, 1 ignored (1 the row of headings).
    Not compared with the ceilings of the year, which is not here: 1 check did not run (visit.above-the-ceiling).

    To explain
    - visits!D3 [visit.longer-than-planned]
      The visit v2 took 45 minutes, 40 were planned.
      Say why.
    ");
}

#[test]
fn what_a_file_is_not_compared_with_is_said_and_an_unreadable_one_is_the_same() {
    let demo = linked();
    let (_, without) = demo.check_linked(CLEAN, &[]);
    assert!(
        without.contains(
            "Not compared with VISITS, which is not here: 1 check did not run (visit.longer-than-planned)."
        ),
        "{without}"
    );
    let broken = format!(
        "plans={}",
        demo.file("plans.xlsx", b"PK\x03\x04 and no more")
    );
    let (status, with_broken) = demo.check_linked(CLEAN, &["--other", &broken]);
    assert_eq!((status, with_broken), (Some(0), without));
}

#[test]
fn central_figures_are_taken_from_beside_the_spec_or_as_named() {
    let demo = linked();
    let head = "organisation,name,value,source,confidence\n";
    let beside = demo.dir.path().join("reference-values/ceilings");
    fs::create_dir_all(&beside).unwrap();
    let csv = format!("{head}S12000001,v2,40,tests,published\nS12000002,v2,10,tests,published\n");
    fs::write(beside.join("2025-26.csv"), csv).unwrap();
    let (status, said) = demo.check_linked(CLEAN, &[]);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("The visit v2 took 45 minutes, more than 40."),
        "{said}"
    );

    let mine = demo.file(
        "mine.csv",
        format!("{head}S12000001,v2,60,tests,demo\n").as_bytes(),
    );
    let named = format!("ceiling={mine}");
    let (status, said) = demo.check_linked(CLEAN, &["--values", &named]);
    assert_eq!(status, Some(0), "{said}");
    let (_, json) = demo.check_linked(CLEAN, &["--values", &named, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let compared: Vec<String> = json["compared_with"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let known = one["sha256"].as_str().map_or(0, str::len);
            format!(
                "{} {} {known} {}",
                one["kind"], one["name"], one["rules_not_run"]
            )
        })
        .collect();
    assert_eq!(
        compared,
        [
            r#""earlier" "previous" 0 ["visit.much-longer-than-before"]"#,
            r#""return" "plans" 0 ["visit.longer-than-planned"]"#,
            r#""reference_values" "ceilings/2025-26" 64 []"#,
        ]
    );
    // Nobody's figures, so nothing to compare with.
    let another = demo.file(
        "another.csv",
        format!("{head}S12000002,v2,10,tests,demo\n").as_bytes(),
    );
    let named = format!("ceiling={another}");
    let (_, said) = demo.check_linked(CLEAN, &["--values", &named]);
    assert!(
        said.contains("Not compared with the ceilings of the year"),
        "{said}"
    );
}

#[test]
fn files_of_several_organisations_are_checked_against_each_other() {
    let demo = linked();
    let theirs = CLEAN.replace("'v1", "'v9");
    let (own, other, faulty) = (
        demo.workbook("ardbeg.xlsx", CLEAN),
        demo.workbook("brora.xlsx", &theirs),
        demo.workbook("crail.xlsx", WITH_FAULTS),
    );
    let files = [
        format!("S12000001={own}"),
        format!("Brora={other}"),
        format!("S12000003={faulty}"),
    ];
    let spec = demo.spec();
    let check = |files: &[String], more: &[&str]| {
        let mut arguments = vec!["check-collection", "--spec", &spec, "--period", "2025-26"];
        arguments.extend(["--received", "2026-05-01"]);
        arguments.extend(more);
        arguments.extend(files.iter().map(String::as_str));
        lgdp(&arguments)
    };
    let output = check(&files[..2], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    insta::assert_snapshot!(stdout(&output), @r"
    visits 2025-26, 2 returns checked against each other: 2 to explain.

    S12000001 Ardbeg
    - visits!A3 [visit.also-elsewhere]
      Somebody else has a visit v2.
      Ask both.

    S12000002 Brora
    - visits!A3 [visit.also-elsewhere]
      Somebody else has a visit v2.
      Ask both.
    ");
    // A file with something to fix can't stand.
    let output = check(&files, &["--format", "csv"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = stdout(&output);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.starts_with("organisation,rule,severity,"), "{said}");
    let left_out = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        left_out.contains("left out: S12000003 crail.xlsx: needs correction"),
        "{left_out}"
    );
    let twice = [files[0].clone(), files[0].clone()];
    assert_eq!(check(&twice, &[]).status.code(), Some(2));
}
