//! A file of an older version of the return is read as that version asked for it, and its figures are compared with what
//! they are called now.

use std::path::Path;

use chrono::NaiveDate;
use finding::{RuleId, Severity};
use spec::rule::{Against, Change, Direction, Figure, Thresholds, When};
use spec::{
    Confidence, InForce, ItemKind, ItemLineage, Lineage, OnlyFor, Organisations, Period,
    Provenance, ReturnSpec, Returns, Rule, RuleKind, Stage, TableLineage,
};

use crate::{Assessment, EarlierVersions, Request, SourceFile, assess};

fn provenance() -> Provenance {
    Provenance {
        source: "tests".to_owned(),
        confidence: Confidence::Inferred,
    }
}

/// The visits with a rule on movements; before, hours were whole and called something else.
fn versions() -> [ReturnSpec; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/returns/visits/1");
    let mut now = spec::load(&folder).unwrap();
    let mut before = now.clone();
    "0".clone_into(&mut before.version);
    before.valid_from = NaiveDate::from_ymd_opt(2019, 4, 1).unwrap();
    before.rules.clear();
    let mut items = before.tables[0].items.iter_mut();
    let item = items.find(|item| item.name == "HOURS").unwrap();
    "SPENT".clone_into(&mut item.name);
    item.headings.clear();
    item.kind = ItemKind::Integer;
    item.schema = serde_json::json!({"type": "integer"});
    now.rules.push(Rule {
        id: "visit.hours-moved".to_owned(),
        table: "visit".to_owned(),
        severity: Severity::Query,
        items: vec!["HOURS".to_owned()],
        message: "{before} hours are {value}.".to_owned(),
        fix: "Say why.".to_owned(),
        in_force: InForce::default(),
        only_for: OnlyFor::default(),
        trial: false,
        stage: Stage::Return,
        thresholds: Thresholds::default(),
        kind: RuleKind::Change(Change {
            against: Against::Previous,
            by: Vec::new(),
            figure: Figure::Items,
            direction: Direction::Either,
            when: When::default(),
        }),
        provenance: provenance(),
    });
    now.lineage = Some(Lineage {
        version: "0".to_owned(),
        tables: Vec::new(),
        items: vec![ItemLineage {
            table: "visit".to_owned(),
            was: vec!["SPENT".to_owned()],
            now: vec!["HOURS".to_owned()],
            breaks: false,
            codes: [].into(),
            note: None,
            provenance: provenance(),
        }],
    });
    [before, now]
}

fn assessed(versions: &[ReturnSpec; 2]) -> Assessment {
    let [before, now] = versions;
    let source = |csv: &'static str| SourceFile {
        name: "visits.csv",
        bytes: csv.as_bytes(),
    };
    let period = Period::parse(now.period_kind, "2026-27").unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/returns");
    let organisations = Organisations::load(&folder.join("organisations.csv")).unwrap();
    assess(&Request {
        spec: now,
        organisations: &organisations,
        organisation: organisations.find("S12000001"),
        period: Some(&period),
        received_on: NaiveDate::from_ymd_opt(2027, 4, 20).unwrap(),
        file: source("COUNCIL,REF,SEEN,OFFICE,HOURS,SHARE,VISITORS,URGENT,NOTE\nArdbeg,V0001,2026-04-15,01,41.50,,,,\n"),
        previous: Some(source(
            "COUNCIL,REF,SEEN,OFFICE,SPENT,SHARE,VISITORS,URGENT,NOTE\nArdbeg,V0001,2026-04-15,01,40,,,,\n",
        )),
        year_ago: None,
        earlier: EarlierVersions {
            published: versions,
            previous: Some(before),
            year_ago: None,
        },
        others: &[],
        values: &[],
        limits: &sheet::Limits::default(),
        returns: &Returns::default(),
    })
    .unwrap()
}

fn moved(assessment: &Assessment) -> Vec<&str> {
    let findings = assessment.findings.as_slice().iter();
    let moved = findings.filter(|finding| finding.rule.as_str() == "visit.hours-moved");
    moved.map(|finding| finding.message.as_str()).collect()
}

#[test]
fn a_figure_is_compared_with_what_it_was_called() {
    let assessment = assessed(&versions());
    assert_eq!(moved(&assessment), ["40.00 hours are 41.50."]);
    let compared = &assessment.head.compared_with[0];
    assert!(compared.sha256.is_some() && compared.rules_not_run.is_empty());
}

#[test]
fn a_figure_in_another_unit_is_not_compared_and_the_rule_is_named() {
    let mut versions = versions();
    let items = &mut versions[1].tables[0].items;
    let hours = items.iter_mut().find(|item| item.name == "HOURS").unwrap();
    hours.unit = Some("minutes".to_owned());
    let assessment = assessed(&versions);
    assert_eq!(moved(&assessment), [""; 0]);
    let compared = &assessment.head.compared_with[0];
    let rules: Vec<&str> = compared.rules_not_run.iter().map(RuleId::as_str).collect();
    assert_eq!(
        (compared.sha256.is_some(), rules),
        (true, vec!["visit.hours-moved"])
    );
}

/// The visits with a rule in SQL on what was said before.
fn with_query(query: &str) -> [ReturnSpec; 2] {
    let mut versions = versions();
    let rule = versions[1].rules.last_mut().unwrap();
    rule.message = "{before} hours are {HOURS}.".to_owned();
    rule.kind = RuleKind::Query {
        select: query.to_owned(),
        reads: vec!["previous_visit".to_owned(), "visit".to_owned()],
    };
    versions
}

#[test]
fn sql_that_reads_what_an_earlier_version_did_not_ask_for_does_not_run_and_is_named() {
    let of = |item: &str| {
        format!(
            "SELECT v._row AS _row, COALESCE(p.{item}, 0) AS before \
             FROM visit AS v JOIN previous_visit AS p ON v.REF = p.REF WHERE v.HOURS <> COALESCE(p.{item}, 0)"
        )
    };
    let stopped = |assessment: &Assessment| -> Vec<String> {
        let compared = &assessment.head.compared_with[0];
        assert!(compared.sha256.is_some());
        let rules = compared.rules_not_run.iter();
        rules.map(|rule| rule.as_str().to_owned()).collect()
    };
    let assessment = assessed(&with_query(&of("HOURS")));
    assert_eq!(moved(&assessment), ["40.00 hours are 41.50."]);
    assert_eq!(stopped(&assessment), [""; 0]);
    // Blank and not asked for look the same to it: it would find 0 hours before.
    let mut versions = with_query(&of("HOURS"));
    versions[1].lineage.as_mut().unwrap().items[0].breaks = true;
    let assessment = assessed(&versions);
    assert_eq!(moved(&assessment), [""; 0]);
    assert_eq!(stopped(&assessment), ["visit.hours-moved"]);
    // What it does not read does not stop it.
    let other = "SELECT v._row AS _row, p.REF AS before FROM visit AS v JOIN previous_visit AS p ON v.REF = p.REF";
    let mut versions = with_query(other);
    versions[1].lineage.as_mut().unwrap().items[0].breaks = true;
    let assessment = assessed(&versions);
    assert_eq!(moved(&assessment).len(), 1);
    assert_eq!(stopped(&assessment), [""; 0]);
    // A table that was not asked for is not there to be read.
    let mut versions = with_query(other);
    versions[1].lineage.as_mut().unwrap().tables = vec![TableLineage {
        was: "visit".to_owned(),
        now: None,
        note: None,
        provenance: provenance(),
    }];
    let assessment = assessed(&versions);
    assert_eq!(moved(&assessment), [""; 0]);
    assert_eq!(stopped(&assessment), ["visit.hours-moved"]);
}
