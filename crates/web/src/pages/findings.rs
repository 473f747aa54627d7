//! Findings as pages show them: by what they ask, then by check; and the page of one check with all its places.

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use finding::words::{counted, with_commas};
use finding::{Asks, Finding};
use serde::Deserialize;
use uuid::Uuid;
use workflow::{FindingCount, NumberedFinding, Submission};

use super::problem::PageProblem;
use crate::Site;
use crate::api::submission::find;
use crate::problem::Problem;
use crate::session::{Visitor, You};

/// Places on one page of a check.
const PAGE: u32 = 200;

/// To fix, to explain or for information.
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) checks: Vec<Check>,
}

/// Findings of one check.
pub(super) struct Check {
    pub(super) rule: String,
    pub(super) heading: String,
    /// Where it is the same for all of them.
    pub(super) fix: Option<String>,
    pub(super) findings: Vec<Shown>,
    /// Where they are not all of them.
    pub(super) more: Option<More>,
}

pub(super) struct More {
    /// "These are the first 20 of 1,234."
    pub(super) words: String,
    pub(super) link: String,
}

pub(super) struct Shown {
    pub(super) place: String,
    pub(super) value: String,
    pub(super) message: String,
    pub(super) fix: String,
}

/// Keeps the report's order: what comes first in it opens its section and its check.
pub(super) fn sections(
    id: Uuid,
    findings: Vec<NumberedFinding>,
    counts: &[FindingCount],
) -> Vec<Section> {
    type OfRules = Vec<(String, Vec<Finding>)>;
    let mut sections: Vec<(Asks, OfRules)> = Vec::new();
    for NumberedFinding { finding, .. } in findings {
        let asks = Asks::of(finding.severity);
        let (_, checks) = find_or_push(
            &mut sections,
            |(own, _)| *own == asks,
            || (asks, Vec::new()),
        );
        let rule = finding.rule.as_str();
        let (_, of_check) = find_or_push(
            checks,
            |(own, _)| own == rule,
            || (rule.to_owned(), Vec::new()),
        );
        of_check.push(finding);
    }
    sections.sort_by_key(|(asks, _)| *asks);
    sections
        .into_iter()
        .map(|(asks, checks)| Section {
            heading: asks.heading(),
            checks: checks
                .into_iter()
                .map(|(rule, findings)| check(id, findings, n_of(counts, &rule), rule))
                .collect(),
        })
        .collect()
}

fn check(id: Uuid, findings: Vec<Finding>, n_all: u64, rule: String) -> Check {
    let n_shown = findings.len() as u64;
    Check {
        heading: heading(&findings, n_all),
        fix: same(&findings, |finding| &finding.fix),
        more: (n_shown < n_all).then(|| More {
            words: format!(
                "These are the first {} of {}.",
                with_commas(n_shown),
                with_commas(n_all)
            ),
            link: link(id, &rule, 1),
        }),
        findings: findings.into_iter().map(shown).collect(),
        rule,
    }
}

fn link(id: Uuid, rule: &str, page: u32) -> String {
    format!("/submissions/{id}/checks/{rule}?page={page}")
}

fn n_of(counts: &[FindingCount], rule: &str) -> u64 {
    counts
        .iter()
        .filter(|count| count.rule.as_str() == rule)
        .map(|count| count.n_findings)
        .sum()
}

/// What is wrong, and how often.
fn heading(findings: &[Finding], n_all: u64) -> String {
    let places = counted(n_all, "place", "places");
    match same(findings, |finding| &finding.message) {
        Some(message) if n_all == 1 => message,
        Some(message) => format!("{message} In {places}."),
        None => format!("{places} of one kind"),
    }
}

/// What all of them say, if it is one thing.
fn same(findings: &[Finding], what: impl Fn(&Finding) -> &String) -> Option<String> {
    let first = what(findings.first()?);
    findings
        .iter()
        .all(|finding| what(finding) == first)
        .then(|| first.clone())
}

fn shown(finding: Finding) -> Shown {
    let place = match (&finding.cell, finding.row_number, &finding.table) {
        (Some(cell), _, _) => cell.to_string(),
        (None, Some(row), Some(table)) => format!("{table}, row {row}"),
        (None, Some(row), None) => format!("row {row}"),
        (None, None, Some(table)) => format!("table {table}"),
        (None, None, None) => "whole file".to_owned(),
    };
    Shown {
        place,
        value: finding.value.unwrap_or_else(|| "(blank)".to_owned()),
        message: finding.message,
        fix: finding.fix,
    }
}

fn find_or_push<T>(
    list: &mut Vec<T>,
    is_it: impl Fn(&T) -> bool,
    make: impl FnOnce() -> T,
) -> &mut T {
    let idx = list.iter().position(is_it).unwrap_or_else(|| {
        list.push(make());
        list.len() - 1
    });
    &mut list[idx]
}

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage {
    you: Option<You>,
    submission: Submission,
    check: Check,
    /// "Places 201 to 400 of 1,234".
    range: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    page: Option<u32>,
}

/// All places of one check, a page at a time.
pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<(String, String)>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageProblem> {
    let (id, rule) = address.into_inner();
    let (db, reader) = (site.db()?, &visitor.actor);
    let submission = find(&site, reader, Action::SeeFindings, &id).await?;
    let id = submission.id;
    let page = which.page.unwrap_or(1).max(1);
    let n_before = (page - 1).saturating_mul(PAGE);
    let counts = workflow::finding_counts(db, reader, id)
        .await?
        .unwrap_or_default();
    let findings: Vec<Finding> =
        workflow::findings_of_rule(db, reader, id, &rule, (n_before, PAGE))
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(|numbered| numbered.finding)
            .collect();
    if findings.is_empty() {
        return Err(Problem::not_found().into());
    }
    let n_all = n_of(&counts, &rule);
    let n_last = u64::from(n_before) + findings.len() as u64;
    let page = CheckPage {
        you: Some(visitor.you),
        submission,
        range: format!(
            "Places {} to {} of {}",
            with_commas(u64::from(n_before) + 1),
            with_commas(n_last),
            with_commas(n_all)
        ),
        before: (page > 1).then(|| link(id, &rule, page - 1)),
        after: (n_last < n_all).then(|| link(id, &rule, page + 1)),
        check: Check {
            more: None,
            ..check(id, findings, n_all, rule)
        },
    };
    Ok(super::render(StatusCode::OK, &page))
}
