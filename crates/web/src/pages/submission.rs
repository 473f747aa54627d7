//! The outcome of one submission: a sentence first, then what is asked, by sheet and check.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use finding::Finding;
use workflow::{FindingCount, NumberedFinding, Submission};

use super::problem::PageProblem;
use crate::api::submission::parse_id;
use crate::problem::Problem;
use crate::words::{self, Asks};
use crate::{Site, actor};

/// More than anyone mends from a page; the CSV has them all.
const SHOWN: u32 = 500;

#[derive(Template)]
#[template(path = "submission.html")]
struct SubmissionPage {
    submission: Submission,
    waiting: bool,
    sentence: String,
    received: String,
    size: String,
    counts: Vec<String>,
    sections: Vec<Section>,
    /// "the first 500 of 2,000", where not all are shown.
    cut: Option<String>,
    tables: Vec<Account>,
}

/// To fix, to explain or for information.
struct Section {
    heading: &'static str,
    sheets: Vec<Sheet>,
}

struct Sheet {
    /// "Sheet HL1", or "The file as a whole".
    heading: String,
    groups: Vec<Group>,
}

/// The findings of one check on one sheet.
struct Group {
    rule: String,
    heading: String,
    /// Where it is the same for all of them.
    fix: Option<String>,
    findings: Vec<Shown>,
}

struct Shown {
    place: String,
    value: String,
    message: String,
    fix: String,
}

struct Account {
    name: String,
    n_rows: String,
    loaded: String,
    rejected: String,
    ignored: String,
    /// Why: "2 rows: a total or notes row".
    reasons: Vec<String>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let (db, reader) = (site.db()?, actor::reader());
    let id = parse_id(&id)?;
    let submission = workflow::submission(db, &reader, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let counts = workflow::finding_counts(db, &reader, id)
        .await?
        .unwrap_or_default();
    let findings = workflow::findings(db, &reader, id, 0, SHOWN)
        .await?
        .unwrap_or_default();
    let accounts = workflow::accounts(db, &reader, id)
        .await?
        .unwrap_or_default();
    let total: u64 = counts.iter().map(|count| count.n_findings).sum();
    let page = SubmissionPage {
        waiting: submission.outcome.is_none() && !submission.needs_attention(),
        sentence: if submission.needs_attention() {
            words::OUR_FAULT.to_owned()
        } else {
            words::outcome_sentence(
                submission.outcome,
                asked(&counts, Asks::ToFix),
                asked(&counts, Asks::ToExplain),
            )
        },
        received: words::moment(submission.received_at),
        size: words::counted(submission.bytes, "byte", "bytes"),
        counts: summary(&counts),
        cut: (total > findings.len() as u64).then(|| {
            format!(
                "the first {} of {}",
                words::with_commas(findings.len() as u64),
                words::with_commas(total)
            )
        }),
        sections: sections(findings),
        tables: accounts
            .iter()
            .map(|table| Account {
                name: table.sheet.clone(),
                n_rows: words::with_commas(table.n_rows),
                loaded: words::with_commas(table.loaded),
                rejected: words::with_commas(table.rejected),
                ignored: words::with_commas(table.ignored),
                reasons: table
                    .ignored_rows
                    .iter()
                    .map(|rows| {
                        format!(
                            "{}: {}",
                            words::counted(rows.n_rows, "row", "rows"),
                            rows.reason
                        )
                    })
                    .collect(),
            })
            .collect(),
        submission,
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn asked(counts: &[FindingCount], asks: Asks) -> u64 {
    counts
        .iter()
        .filter(|count| Asks::of(count.severity) == asks)
        .map(|count| count.n_findings)
        .sum()
}

/// `2 to fix`, `1 to explain` …
fn summary(counts: &[FindingCount]) -> Vec<String> {
    Asks::ALL
        .into_iter()
        .map(|asks| (asks, asked(counts, asks)))
        .filter(|(_, n)| *n > 0)
        .map(|(asks, n)| format!("{} {}", words::with_commas(n), asks.lower()))
        .collect()
}

/// Keeps the report's order: what comes first in it opens its section, its sheet and its group.
fn sections(findings: Vec<NumberedFinding>) -> Vec<Section> {
    let mut sections: Vec<(Asks, Section)> = Vec::new();
    for NumberedFinding { finding, .. } in findings {
        let asks = Asks::of(finding.severity);
        let section = entry(&mut sections, asks, || Section {
            heading: asks.heading(),
            sheets: Vec::new(),
        });
        let heading = match &finding.cell {
            Some(cell) => format!("Sheet {}", cell.sheet),
            None => match &finding.table {
                Some(table) => format!("Table {table}"),
                None => "The file as a whole".to_owned(),
            },
        };
        let sheet = find_or_push(
            &mut section.sheets,
            |sheet| sheet.heading == heading,
            || Sheet {
                heading: heading.clone(),
                groups: Vec::new(),
            },
        );
        let rule = finding.rule.as_str().to_owned();
        let group = find_or_push(
            &mut sheet.groups,
            |group| group.rule == rule,
            || Group {
                rule: rule.clone(),
                heading: String::new(),
                fix: None,
                findings: Vec::new(),
            },
        );
        group.findings.push(shown(finding));
    }
    for (_, section) in &mut sections {
        for group in section
            .sheets
            .iter_mut()
            .flat_map(|sheet| &mut sheet.groups)
        {
            finish(group);
        }
    }
    sections.sort_by_key(|(asks, _)| *asks);
    sections.into_iter().map(|(_, section)| section).collect()
}

fn finish(group: &mut Group) {
    let n_places = group.findings.len() as u64;
    if let Some(first) = group.findings.first() {
        group.heading = if n_places == 1 {
            first.message.clone()
        } else {
            format!(
                "{} In {}.",
                first.message,
                words::counted(n_places, "place", "places")
            )
        };
        let same = group
            .findings
            .iter()
            .all(|finding| finding.fix == first.fix);
        group.fix = same.then(|| first.fix.clone());
        let same = group
            .findings
            .iter()
            .all(|finding| finding.message == first.message);
        if !same {
            group.heading = format!(
                "{} of one kind",
                words::counted(n_places, "place", "places")
            );
        }
    }
}

fn shown(finding: Finding) -> Shown {
    let place = match (&finding.cell, finding.row_number) {
        (Some(cell), _) => cell.address(),
        (None, Some(row)) => format!("row {row}"),
        (None, None) => "whole file".to_owned(),
    };
    Shown {
        place,
        value: finding.value.unwrap_or_else(|| "(blank)".to_owned()),
        message: finding.message,
        fix: finding.fix,
    }
}

fn entry<T>(sections: &mut Vec<(Asks, T)>, asks: Asks, make: impl FnOnce() -> T) -> &mut T {
    &mut find_or_push(sections, |(own, _)| *own == asks, || (asks, make())).1
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
