//! Rules over all standing returns of a round: what one organisation says of another.
//!
//! A finding is addressed to the organisation whose record it is about, and its words hold values of that record alone:
//! whoever may see one organisation's return learns nothing of another's through it.

use chrono::NaiveDate;
use finding::Findings;
use frame::{Frame, Framed};
use polars::prelude::{
    BooleanChunked, Column, DataFrame, IntoColumn, IntoLazy, NewChunkedArray, PlSmallStr,
    PolarsResult, StringChunked,
};
use spec::rule::{ALL_ORGANISATIONS, ORGANISATION, Stage, all_name};
use spec::{Organisation, Organisations, Period, ReturnSpec, Rule, RuleKind, TableSpec};

use crate::message::values_of;
use crate::rules::Scene;
use crate::sql::{Tables, with_hidden_columns};
use crate::{CheckError, Reference};

/// One organisation's standing return.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    pub organisation: &'a Organisation,
    pub framed: &'a Framed,
}

/// A round of a return, as far as it has come in.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    pub spec: &'a ReturnSpec,
    /// Everyone there is, whether they owe this return or not.
    pub organisations: &'a Organisations,
    pub members: &'a [Member<'a>],
    pub period: Option<&'a Period>,
    /// What "not in the future" is measured against.
    pub received_on: NaiveDate,
}

/// Runs the collection rules that are in force; gives the findings of each member, in the members' order.
pub fn check_collection(round: &Round<'_>) -> Result<Vec<Findings>, CheckError> {
    let mut findings: Vec<Findings> = round.members.iter().map(|_| Findings::new()).collect();
    let mut tables = tables(round)?;
    let no_framed = Framed::default();
    let reference = Reference {
        previous: None,
        year_ago: None,
        others: &[],
        values: &[],
        organisation: None,
        period: round.period,
        received_on: round.received_on,
    };
    let rules = round.spec.rules.iter();
    for rule in
        rules.filter(|rule| rule.stage == Stage::Collection && rule.in_force.includes(round.period))
    {
        let (RuleKind::Query { select, .. }, Some(table)) =
            (&rule.kind, round.spec.table(&rule.table))
        else {
            continue;
        };
        for violation in tables.run(rule, select, &reference)? {
            let (member_idx, record_idx) = addressee(round, rule, &violation)?;
            let member = round.members[member_idx];
            let Some(frame) = member.framed.frame(&table.name) else {
                continue;
            };
            let scene = Scene {
                spec: round.spec,
                table,
                frame,
                framed: &no_framed,
                reference: &reference,
            };
            let values = values_of(table, frame, record_idx);
            findings[member_idx].push(scene.finding(rule, record_idx, &values));
        }
    }
    for findings in &mut findings {
        findings.sort();
    }
    Ok(findings)
}

/// Runs every collection rule, in force or not, on a round that nobody has returned; tells which could not be run.
pub(crate) fn try_out(
    spec: &ReturnSpec,
    reference: &Reference<'_>,
) -> Result<Vec<CheckError>, CheckError> {
    let mut tables = tables(&Round {
        spec,
        organisations: &Organisations::default(),
        members: &[],
        period: reference.period,
        received_on: reference.received_on,
    })?;
    let rules = spec.rules.iter();
    let of_a_round = rules.filter(|rule| rule.stage == Stage::Collection);
    Ok(of_a_round
        .filter_map(|rule| match &rule.kind {
            RuleKind::Query { select, .. } => tables.run(rule, select, reference).err(),
            _ => None,
        })
        .collect())
}

/// Whose record, and which. A row that says neither would be lost: that is the rule's mistake.
fn addressee(
    round: &Round<'_>,
    rule: &Rule,
    violation: &crate::sql::Violation,
) -> Result<(usize, usize), CheckError> {
    let member_idx = violation.values.get(ORGANISATION).and_then(|code| {
        let is_it = |member: &Member<'_>| member.organisation.code == *code;
        round.members.iter().position(is_it)
    });
    member_idx
        .zip(violation.record_idx)
        .ok_or_else(|| CheckError::Rule {
            rule: rule.id.clone(),
            why: "it returned a row that is no record of a member".to_owned(),
        })
}

/// Every table of every member as one, and who there is.
fn tables(round: &Round<'_>) -> Result<Tables, CheckError> {
    let mut tables = Tables::empty();
    let failed = |table: &str| {
        let table = table.to_owned();
        move |error: polars::prelude::PolarsError| CheckError::Frame {
            table,
            why: error.to_string(),
        }
    };
    let nobodys = Framed::empty(round.spec);
    for (table, empty) in round.spec.tables.iter().zip(&nobodys.frames) {
        let name = all_name(&table.name);
        let data = all_of(round, table, empty).map_err(failed(&name))?;
        tables.register(&name, data.lazy());
    }
    let organisations = organisations(round).map_err(failed(ALL_ORGANISATIONS))?;
    tables.register(ALL_ORGANISATIONS, organisations.lazy());
    Ok(tables)
}

/// The records of every member, below none.
fn all_of(round: &Round<'_>, table: &TableSpec, empty: &Frame) -> PolarsResult<DataFrame> {
    let mut all = of_one(table, empty, "")?;
    for member in round.members {
        if let Some(frame) = member.framed.frame(&table.name) {
            all.vstack_mut(&of_one(table, frame, &member.organisation.code)?)?;
        }
    }
    Ok(all)
}

fn of_one(table: &TableSpec, frame: &Frame, code: &str) -> PolarsResult<DataFrame> {
    let mut data = with_hidden_columns(table, frame)?;
    let codes = std::iter::repeat_n(Some(code), frame.n_records());
    let codes = StringChunked::from_iter_options(PlSmallStr::from_static(ORGANISATION), codes);
    data.with_column(codes.into_column())?;
    Ok(data)
}

fn organisations(round: &Round<'_>) -> PolarsResult<DataFrame> {
    let all = &round.organisations.0;
    let text = |name: &'static str, of: fn(&Organisation) -> Option<&str>| -> Column {
        let values = all.iter().map(of);
        StringChunked::from_iter_options(PlSmallStr::from_static(name), values).into_column()
    };
    let flag = |name: &'static str, of: &dyn Fn(&Organisation) -> bool| -> Column {
        let values = all.iter().map(|organisation| Some(of(organisation)));
        BooleanChunked::from_iter_options(PlSmallStr::from_static(name), values).into_column()
    };
    let exists = |organisation: &Organisation| {
        round.period.is_none_or(|period| {
            organisation
                .valid_from
                .is_none_or(|first| first <= period.end)
                && organisation
                    .valid_to
                    .is_none_or(|last| last >= period.start)
        })
    };
    let returned = |organisation: &Organisation| {
        let is_it = |member: &Member<'_>| member.organisation.code == organisation.code;
        round.members.iter().any(is_it)
    };
    let columns = vec![
        text(ORGANISATION, |organisation| Some(&organisation.code)),
        text("kind", |organisation| Some(&organisation.kind)),
        text("sg_code", |organisation| organisation.sg_code.as_deref()),
        text("phs_code", |organisation| organisation.phs_code.as_deref()),
        flag("owes", &|organisation| {
            round.spec.respondents.include(organisation) && exists(organisation)
        }),
        flag("returned", &returned),
    ];
    DataFrame::new(all.len(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawn::{framed, lines, write_return};

    /// The site of every visit is on somebody's list.
    const RULE: &str = r#"
[[rule]]
id = "visit.not-known-there"
stage = "collection"
table = "visit"
kind = "query"
severity = "query"
items = ["SITE"]
message = "Nobody has the site {SITE}."
query = """
WITH sites AS (SELECT ID AS known, COUNT(*) AS n FROM all_site GROUP BY ID)
SELECT v._organisation AS _organisation, v._row AS _row
FROM all_visit AS v LEFT JOIN sites ON v.SITE = sites.known
WHERE sites.n IS NULL
"""
"#;

    const ONE: &str = "S12000001";
    const TWO: &str = "S12000002";
    const THREE: &str = "S12000003";

    fn organisations() -> Organisations {
        let csv = "code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to\n\
            S12000001,One,council,100,,,,,\n\
            S12000002,Two,council,200,,,,,\n\
            S12000003,Three,board,300,,,,,\n\
            S12000004,Four,council,400,,,,,2020-03-31\n";
        Organisations::read(csv).unwrap()
    }

    /// The findings of each of these organisations' drawings, a line each with its organisation.
    fn findings(rules: &str, drawings: &[(&str, &str)]) -> Result<Vec<String>, CheckError> {
        let dir = tempfile::tempdir().unwrap();
        let folder = write_return(dir.path(), "demo", "", rules);
        let spec = spec::load(&folder).unwrap_or_else(|error| panic!("{error}"));
        let organisations = organisations();
        let framed: Vec<(&str, Framed)> = drawings
            .iter()
            .map(|(code, drawing)| (*code, framed(&spec, drawing)))
            .collect();
        let members: Vec<Member<'_>> = framed
            .iter()
            .map(|(code, framed)| Member {
                organisation: organisations.get(code).unwrap(),
                framed,
            })
            .collect();
        let period = Period::parse(spec.period_kind, "2025-26").unwrap();
        let found = check_collection(&Round {
            spec: &spec,
            organisations: &organisations,
            members: &members,
            period: Some(&period),
            received_on: NaiveDate::from_ymd_opt(2026, 5, 1).unwrap(),
        })?;
        assert_eq!(found.len(), members.len());
        let told = found.iter().zip(&members).flat_map(|(findings, member)| {
            let code = &member.organisation.code;
            let line = |line| format!("{code} {line}");
            lines(findings).into_iter().map(line).collect::<Vec<_>>()
        });
        Ok(told.collect())
    }

    fn drawn(sites: &[&str], visits: &[&str]) -> String {
        let rows = |values: &[&str]| -> String {
            let rows = values.iter();
            rows.fold(String::new(), |rows, value| format!("{rows}| {value} |\n"))
        };
        format!(
            "[site]\n| ID | TOTAL | A | B | KIND |\n{}[visit]\n| SITE |\n{}",
            rows(sites),
            rows(visits)
        )
    }

    #[test]
    fn a_finding_is_about_the_record_of_one_organisation() {
        let one = drawn(&["a"], &["b", "c", "a"]);
        let two = drawn(&["b"], &["a"]);
        let told = findings(RULE, &[(ONE, &one), (TWO, &two)]).unwrap();
        assert_eq!(
            told,
            ["S12000001 query visit.not-known-there visit!A3: Nobody has the site c.",]
        );
    }

    #[test]
    fn a_rule_knows_who_owes_the_return_and_who_has_sent_it() {
        let rule = r#"
[[rule]]
id = "site.incomplete"
stage = "collection"
table = "site"
kind = "query"
severity = "note"
items = ["ID"]
message = "Somebody is missing."
query = """
WITH missing AS (SELECT COUNT(*) AS n FROM all_organisations WHERE owes AND NOT returned AND kind = 'council')
SELECT s._organisation AS _organisation, s._row AS _row FROM all_site AS s CROSS JOIN missing WHERE missing.n > 0
"""
"#;
        let (one, two) = (drawn(&["a"], &[]), drawn(&["b"], &[]));
        let alone = findings(rule, &[(ONE, &one)]).unwrap();
        assert_eq!(
            alone,
            ["S12000001 note site.incomplete site!A2: Somebody is missing."]
        );
        // A board owes nothing, and a council that is gone neither.
        assert!(
            findings(rule, &[(ONE, &one), (TWO, &two)])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn an_organisation_without_records_is_still_there() {
        let empty = drawn(&[], &[]);
        let two = drawn(&["b"], &["x"]);
        let told = findings(RULE, &[(THREE, &empty), (TWO, &two)]).unwrap();
        assert_eq!(
            told,
            ["S12000002 query visit.not-known-there visit!A2: Nobody has the site x."]
        );
        assert!(findings(RULE, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_row_that_is_nobodys_record_is_the_rules_mistake() {
        let rule = RULE.replace("v._row AS _row", "NULL AS _row");
        let one = drawn(&["a"], &["b"]);
        let error = findings(&rule, &[(ONE, &one)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "rule visit.not-known-there could not be run: it returned a row that is no record of a member"
        );
    }

    #[test]
    fn a_column_that_is_not_there_is_found_before_the_first_round() {
        let tried_out = |rules: &str| -> Vec<String> {
            let dir = tempfile::tempdir().unwrap();
            let folder = write_return(dir.path(), "demo", "", rules);
            let spec = spec::load(&folder).unwrap_or_else(|error| panic!("{error}"));
            let errors = crate::try_out(&spec, &[]).unwrap_or_else(|error| panic!("{error}"));
            errors.iter().map(ToString::to_string).collect()
        };
        assert!(tried_out(RULE).is_empty());
        let told = tried_out(&RULE.replace("v.SITE", "v.SIET"));
        assert!(told[0].starts_with("rule visit.not-known-there could not be run: "));
        assert!(told[0].contains("SIET"), "{told:?}");
    }

    #[test]
    fn a_return_by_itself_is_not_checked_against_others() {
        let told = crate::drawn::findings(RULE, &drawn(&["a"], &["b"]), None);
        assert!(told.is_empty(), "{told:?}");
    }
}
