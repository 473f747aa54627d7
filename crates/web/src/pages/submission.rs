//! The outcome of one submission: a sentence first, then what is asked, by check.

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use assess::TableAccount;
use chrono::Utc;
use cycle::SubmissionState;
use cycle::clock::{self, moment_in_words};
use finding::words::{counted, with_commas};
use finding::{Asks, Outcome};
use workflow::{Answers, Comparison, Denied, FindingCount, MarkedWorkbook, Submission};

use super::chart::Chart;
use super::findings::{Of, Said, Section, sections};
use super::handover::{HandingOver, handing_over};
use super::picture::picture;
use super::problem::PageProblem;
use super::steps::{self, Step};
use crate::Site;
use crate::api::submission::find;
use crate::session::{Visitor, You};
use crate::words;

/// Pictures of figures that moved, on the whole page.
const PICTURES: usize = 3;

/// Of each check; a page of its own has all of them.
const SHOWN: u32 = 20;

#[derive(Template)]
#[template(path = "submission.html")]
struct SubmissionPage {
    you: Option<You>,
    submission: Submission,
    waiting: bool,
    /// How far the work on it is, while it waits.
    steps: Vec<Step>,
    tag: &'static str,
    sentence: String,
    received: String,
    size: String,
    counts: Vec<String>,
    sections: Vec<Section>,
    /// Where not all are shown.
    cut: Option<String>,
    tables: Vec<Account>,
    /// How much of what was asked is explained.
    explained: Option<String>,
    /// What it could not be compared with.
    not_compared: Vec<String>,
    marked: Marked,
    handing: HandingOver,
    /// The version before: "What changed since version 2".
    changes: Option<String>,
    may_see_audit: bool,
}

/// The sender's own workbook with its findings marked in it.
enum Marked {
    /// Nothing is asked that would be marked.
    NotNeeded,
    Soon,
    Kept,
    /// Why there is none.
    Not(String),
}

pub(super) struct Account {
    pub(super) name: String,
    pub(super) n_rows: String,
    pub(super) loaded: String,
    pub(super) rejected: String,
    pub(super) ignored: String,
    /// Why: "2 rows: a total or notes row".
    pub(super) reasons: Vec<String>,
}

impl Account {
    pub(super) fn of(table: &TableAccount) -> Self {
        Account {
            name: table.sheet.clone(),
            n_rows: with_commas(table.n_rows),
            loaded: with_commas(table.loaded),
            rejected: with_commas(table.rejected),
            ignored: with_commas(table.ignored),
            reasons: table
                .ignored_rows
                .iter()
                .map(|rows| format!("{}: {}", counted(rows.n_rows, "row", "rows"), rows.reason))
                .collect(),
        }
    }
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let (db, reader) = (site.db()?, &visitor.actor);
    let submission = find(&site, reader, Action::SeeSubmission, &id).await?;
    let id = submission.id;
    let counts = workflow::finding_counts(db, reader, id)
        .await?
        .unwrap_or_default();
    let findings = workflow::first_findings(db, reader, id, SHOWN)
        .await?
        .unwrap_or_default();
    // Who sees no values sees no findings, and so nothing of what is said about them.
    let answers = match workflow::answers(db, reader, &submission, &findings).await {
        Ok(answers) => answers,
        Err(Denied::Db(error)) => return Err(error.into()),
        Err(_) => Answers::default(),
    };
    let today = clock::day(Utc::now());
    let n_unexplained: u64 = match workflow::unexplained(db, reader, &submission, today).await {
        Ok(checks) => checks.iter().map(|check| check.n).sum(),
        Err(Denied::Db(error)) => return Err(error.into()),
        Err(_) => 0,
    };
    let drawn =
        match workflow::series(db, reader, &submission, &site.specs, &findings, PICTURES).await {
            Ok(drawn) => drawn,
            Err(Denied::Db(error)) => return Err(error.into()),
            Err(_) => Vec::new(),
        };
    // By the check that each belongs to.
    let pictures: Vec<(String, Chart)> = drawn
        .iter()
        .filter_map(|series| {
            let rule = findings.get(series.finding_idx)?.finding.rule.to_string();
            Some((rule, picture(series)))
        })
        .collect();
    let accounts = workflow::accounts(db, reader, id)
        .await?
        .unwrap_or_default();
    let comparisons = workflow::comparisons(db, reader, id)
        .await?
        .unwrap_or_default();
    let marked = workflow::marked_workbook(db, reader, &submission).await?;
    let total: u64 = counts.iter().map(|count| count.n_findings).sum();
    let handing = handing_over(&site, &visitor, &submission).await?;
    let changes = changes(db, reader, &submission).await?;
    let progress = match submission.outcome {
        None => workflow::progress(db, reader, &submission).await?,
        Some(_) => None,
    };
    let page = SubmissionPage {
        handing,
        changes,
        steps: progress
            .map(|progress| steps::steps(progress, steps::STORED))
            .unwrap_or_default(),
        may_see_audit: workflow::may_for(reader, Action::SeeAudit, &submission.organisation),
        you: Some(visitor.you),
        tag: words::tag_of_submission(submission.state),
        waiting: submission.outcome.is_none() && !submission.needs_attention(),
        sentence: sentence(&submission, asked(&counts, Asks::ToFix), n_unexplained),
        received: moment_in_words(submission.received_at),
        size: counted(submission.bytes, "byte", "bytes"),
        counts: summary(&counts),
        cut: (total > findings.len() as u64).then(|| {
            format!(
                "This page shows {} of {}: the first {SHOWN} of each check.",
                with_commas(findings.len() as u64),
                with_commas(total)
            )
        }),
        explained: explained(asked(&counts, Asks::ToExplain), n_unexplained),
        sections: with_pictures(
            sections(
                Of::Submission(id),
                findings,
                &counts,
                Said {
                    answers: &answers,
                    today,
                },
            ),
            pictures,
        ),
        tables: accounts.iter().map(Account::of).collect(),
        not_compared: comparisons.iter().filter_map(not_compared).collect(),
        marked: match (marked, submission.outcome) {
            (Some(MarkedWorkbook::Kept { .. }), _) => Marked::Kept,
            (Some(MarkedWorkbook::Not { why }), _) => Marked::Not(why),
            (None, None | Some(Outcome::Ready)) => Marked::NotNeeded,
            (None, Some(_)) => Marked::Soon,
        },
        submission,
    };
    Ok(super::render(StatusCode::OK, &page))
}

/// Each picture at its check.
fn with_pictures(mut sections: Vec<Section>, pictures: Vec<(String, Chart)>) -> Vec<Section> {
    for (rule, picture) in pictures {
        let checks = sections.iter_mut().flat_map(|section| &mut section.checks);
        let mut of_rule = checks.filter(|check| check.rule == rule);
        if let Some(check) = of_rule.next() {
            check.pictures.push(picture);
        }
    }
    sections
}

/// What is true of a version now: once something was done with it, that; until then, what its file asks for.
fn sentence(submission: &Submission, n_to_fix: u64, n_unexplained: u64) -> String {
    let says = match (submission.state, submission.outcome) {
        (SubmissionState::NeedsAttention, _) => words::OUR_FAULT,
        (SubmissionState::Submitted, _) => "This version is submitted and waits for sign-off.",
        (SubmissionState::SignedOff, _) => {
            "This version is signed off. The team that asks for this return has it."
        }
        (SubmissionState::Accepted, _) => "This version is accepted. There is nothing more to do.",
        (SubmissionState::SentBack, _) => {
            "The team that asks for this return has sent this version back. What has to change is written below, under \u{201c}Handing it over\u{201d}."
        }
        (SubmissionState::Withdrawn, _) => "This version was withdrawn. It does not count.",
        (SubmissionState::Superseded, _) => "A newer version has taken the place of this one.",
        (_, None) => words::WAITING,
        (_, Some(_)) if submission.is_nil => {
            "This version says that there is nothing to report. It can be submitted."
        }
        (_, Some(Outcome::NeedsExplanation)) if n_unexplained == 0 => {
            "Every figure that was asked about is explained. This version can be submitted."
        }
        (_, Some(outcome)) => return outcome.sentence(n_to_fix, n_unexplained),
    };
    says.to_owned()
}

/// What it can be compared with, for whoever may.
async fn changes(
    db: &db::Db,
    reader: &workflow::Actor,
    submission: &Submission,
) -> Result<Option<String>, PageProblem> {
    let with = match workflow::to_compare(db, reader, submission.id, None).await {
        Ok(found) => found.with,
        Err(Denied::Db(error)) => return Err(error.into()),
        Err(_) => None,
    };
    Ok(with.map(|with| {
        if with.obligation_id == submission.obligation_id {
            format!("What changed since version {}", with.version_number)
        } else {
            format!("What changed since {}", with.round.period.in_words())
        }
    }))
}

/// An earlier period that nobody has is no news; one that was asked for something else is.
fn not_compared(comparison: &Comparison) -> Option<String> {
    let n = comparison.rules_not_run.len() as u64;
    let (title, n_told) = (&comparison.title, counted(n, "comparison", "comparisons"));
    match (comparison.kind.as_str(), &comparison.sha256) {
        _ if n == 0 => None,
        ("earlier", None) => None,
        ("earlier", Some(_)) => Some(format!(
            "The form asks for some figures otherwise than {title}, so {n_told} could not be made in full."
        )),
        _ => Some(format!(
            "{title} was not here yet, so {n_told} could not be made."
        )),
    }
}

/// Nothing where nothing is to be explained.
fn explained(n_asked: u64, n_unexplained: u64) -> Option<String> {
    let n_explained = n_asked.saturating_sub(n_unexplained);
    match (n_asked, n_unexplained) {
        (0, _) => None,
        (_, 0) => Some("Everything that was to be explained is explained.".to_owned()),
        _ => Some(format!(
            "{} of {} explained.",
            with_commas(n_explained),
            with_commas(n_asked)
        )),
    }
}

pub(super) fn asked(counts: &[FindingCount], asks: Asks) -> u64 {
    counts
        .iter()
        .filter(|count| Asks::of(count.severity) == asks)
        .map(|count| count.n_findings)
        .sum()
}

/// `2 to fix`, `1 to explain` …
pub(super) fn summary(counts: &[FindingCount]) -> Vec<String> {
    Asks::ALL
        .into_iter()
        .map(|asks| (asks, asked(counts, asks)))
        .filter(|(_, n)| *n > 0)
        .map(|(asks, n)| format!("{} {}", with_commas(n), asks.lower()))
        .collect()
}
