//! Findings as pages show them: by what they ask, then by check; and the page of one check with all its places.

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{NaiveDate, Utc};
use cycle::clock;
use finding::words::{counted, with_commas};
use finding::{Asks, Finding};
use serde::Deserialize;
use uuid::Uuid;
use workflow::{Answers, FindingCount, NumberedFinding, Submission};

use super::chart::Chart;
use super::explain::{self, ExplainForm, Mistake, WaiverForm};
use super::picture::picture;
use super::problem::PageProblem;
use super::waivers::{self, Asked};
use crate::Site;
use crate::api::submission::find;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

/// Pictures on the page of a check.
const PICTURES: usize = 8;

/// Places on one page of a check.
const PAGE: u32 = 200;

/// To fix, to explain or for information.
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) checks: Vec<Check>,
}

impl Section {
    pub(super) fn asks_why(&self) -> bool {
        self.checks.iter().any(|check| check.asks_why)
    }
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
    /// Whether what it found is to be explained.
    pub(super) asks_why: bool,
    /// Whether places can be ticked to explain them.
    pub(super) can_tick: bool,
    /// Where each is explained or asked about.
    pub(super) page: String,
    /// Of figures that moved.
    pub(super) pictures: Vec<Chart>,
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
    /// Whether this one is to be explained: a check may also find what is to be fixed.
    pub(super) asks_why: bool,
    /// By which it is known again; empty where it is not.
    pub(super) key: String,
    pub(super) answer: Option<Answer>,
    /// What was said of the same record in an earlier period, where nothing was said in this one.
    pub(super) before: Option<Answer>,
}

/// What is said of a place, and who said it when.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) source: String,
}

/// What findings are of.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Submission(Uuid),
    /// A file that was only checked: nothing of it is explained.
    Checked(Uuid),
}

impl Of {
    fn is_sent(self) -> bool {
        matches!(self, Of::Submission(_))
    }

    /// Where all places of a check are.
    fn all(self, rule: &str) -> String {
        match self {
            Of::Submission(id) => link(id, rule, 1),
            Of::Checked(id) => format!("/checked/{id}/findings.xlsx"),
        }
    }
}

/// What there is about findings, on a day.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) answers: &'a Answers,
    pub(super) today: NaiveDate,
}

/// Keeps the report's order: what comes first in it opens its section and its check.
pub(super) fn sections(
    of: Of,
    findings: Vec<NumberedFinding>,
    counts: &[FindingCount],
    said: Said<'_>,
) -> Vec<Section> {
    type OfRules = Vec<(String, Vec<NumberedFinding>)>;
    let mut sections: Vec<(Asks, OfRules)> = Vec::new();
    for finding in findings {
        let asks = Asks::of(finding.finding.severity);
        let (_, checks) = find_or_push(
            &mut sections,
            |(own, _)| *own == asks,
            || (asks, Vec::new()),
        );
        let rule = finding.finding.rule.as_str();
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
                .map(|(rule, findings)| check(of, findings, n_of(counts, &rule), rule, said))
                .collect(),
        })
        .collect()
}

fn check(
    of: Of,
    numbered: Vec<NumberedFinding>,
    n_all: u64,
    rule: String,
    said: Said<'_>,
) -> Check {
    let answers: Vec<_> = numbered.iter().map(|one| answers_to(one, said)).collect();
    let findings: Vec<Finding> = numbered.into_iter().map(|one| one.finding).collect();
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
            link: of.all(&rule),
        }),
        asks_why: of.is_sent()
            && findings
                .iter()
                .any(|finding| Asks::of(finding.severity) == Asks::ToExplain),
        can_tick: false,
        pictures: Vec::new(),
        page: of.all(&rule),
        findings: findings
            .into_iter()
            .zip(answers)
            .map(|(finding, (answer, before))| shown(finding, answer, before))
            .collect(),
        rule,
    }
}

/// What is said of a finding, and what was said before.
fn answers_to(finding: &NumberedFinding, said: Said<'_>) -> (Option<Answer>, Option<Answer>) {
    let answer = |explanation: &workflow::Explanation, of: &str| Answer {
        text: explanation.text.clone(),
        source: format!(
            "{}, {}{of}",
            explanation.by_name,
            words::day(clock::day(explanation.at))
        ),
    };
    if let Some(explanation) = said.answers.explanation(finding) {
        return (Some(answer(explanation, "")), None);
    }
    let before = said.answers.before(finding);
    let before = before.map(|before| answer(before, &format!(", for {}", before.period)));
    if let Some(waiver) = said.answers.waiver(finding, said.today) {
        let ends_on = waiver
            .decision
            .as_ref()
            .and_then(|decision| decision.ends_on);
        let excepted = Answer {
            text: "Needs no explanation: a standing exception was granted.".to_owned(),
            source: ends_on.map_or_else(String::new, |day| format!("up to {}", words::day(day))),
        };
        return (Some(excepted), before);
    }
    (None, before)
}

pub(super) fn link(id: Uuid, rule: &str, page: u32) -> String {
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
fn same(findings: &[Finding], what: impl Fn(&Finding) -> &str) -> Option<String> {
    let first = what(findings.first()?);
    findings
        .iter()
        .all(|finding| what(finding) == first)
        .then(|| first.to_owned())
}

fn shown(finding: Finding, answer: Option<Answer>, before: Option<Answer>) -> Shown {
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
        asks_why: Asks::of(finding.severity) == Asks::ToExplain,
        key: finding
            .key
            .map_or_else(String::new, |key| key.as_str().to_owned()),
        message: finding.message,
        fix: finding.fix.into(),
        answer,
        before,
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
    explain: Option<ExplainForm>,
    /// Whether it is too late to explain.
    is_frozen: bool,
    /// What was asked for on this check.
    asked: Vec<Asked>,
    ask: Option<WaiverForm>,
}

impl CheckPage {
    fn has_mistake(&self) -> bool {
        self.explain
            .as_ref()
            .is_some_and(|form| form.problem.is_some())
            || self.ask.as_ref().is_some_and(|form| form.problem.is_some())
    }
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
    check_page(&site, visitor, &id, rule, which.page.unwrap_or(1), None).await
}

/// The page of a check, with what was wrong in a form of it.
pub(super) async fn check_page(
    site: &Site,
    visitor: Visitor,
    id: &str,
    rule: String,
    page: u32,
    mistake: Option<Mistake>,
) -> Result<HttpResponse, PageProblem> {
    let (db, reader) = (site.db()?, &visitor.actor);
    let submission = find(site, reader, Action::SeeFindings, id).await?;
    let id = submission.id;
    let page = page.max(1);
    let n_before = (page - 1).saturating_mul(PAGE);
    let counts = workflow::finding_counts(db, reader, id)
        .await?
        .unwrap_or_default();
    let findings = workflow::findings_of_rule(db, reader, id, &rule, (n_before, PAGE))
        .await?
        .unwrap_or_default();
    if findings.is_empty() {
        return Err(Problem::not_found().into());
    }
    let answers = workflow::answers(db, reader, &submission, &findings).await?;
    let drawn = workflow::series(db, reader, &submission, &site.specs, &findings, PICTURES).await?;
    let may = async |action| workflow::submission(db, reader, action, id).await.is_ok();
    let may_ask = may(Action::AskForWaiver).await;
    let may_explain = workflow::may_explain(db, reader, &submission).await?;
    let is_frozen = !may_explain && may(Action::Explain).await;
    let n_all = n_of(&counts, &rule);
    let n_last = u64::from(n_before) + findings.len() as u64;
    let said = Said {
        answers: &answers,
        today: clock::day(Utc::now()),
    };
    let mut check = Check {
        more: None,
        ..check(Of::Submission(id), findings, n_all, rule, said)
    };
    check.can_tick = check.asks_why && may_explain;
    check.pictures = drawn.iter().map(picture).collect();
    let status = match &mistake {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let is_frozen = is_frozen && check.asks_why;
    let (wrong_words, wrong_reason) = Mistake::split(mistake);
    let page = CheckPage {
        explain: check
            .can_tick
            .then(|| explain::form(&check, id, page, n_all, wrong_words)),
        ask: (check.asks_why && may_ask)
            .then(|| explain::waiver_form(&check, id, page, wrong_reason)),
        is_frozen,
        asked: answers
            .waivers_of(&check.rule)
            .map(|waiver| waivers::asked(waiver, said.today))
            .collect(),
        you: Some(visitor.you),
        submission,
        range: format!(
            "Places {} to {} of {}",
            with_commas(u64::from(n_before) + 1),
            with_commas(n_last),
            with_commas(n_all)
        ),
        before: (page > 1).then(|| link(id, &check.rule, page - 1)),
        after: (n_last < n_all).then(|| link(id, &check.rule, page + 1)),
        check,
    };
    Ok(super::render(status, &page))
}
