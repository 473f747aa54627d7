//! Returns and organisations: where each organisation stands in the rounds that are open or were due not long ago.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Days, NaiveDate, Utc};
use cycle::{ObligationState, clock};
use serde::Deserialize;
use workflow::Obligation;

use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};
use crate::words;

/// Rounds on one page: columns that can be read.
const PAGE: usize = 8;
/// Rounds that were due longer ago are not listed.
const PAST_DAYS: u64 = 100;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "rounds/standing.html")]
struct StandingPage {
    you: Option<You>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pages: Vec<(usize, bool)>,
}

struct Column {
    title: String,
    period: String,
    due: String,
    link: String,
}

struct Row {
    organisation: String,
    /// One for each column; `None` where it owes nothing in it.
    cells: Vec<Option<(&'static str, &'static str)>>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    workflow::decide_plan(&visitor.actor)?;
    let today = clock::day(Utc::now());
    let from = today
        .checked_sub_days(Days::new(PAST_DAYS))
        .unwrap_or(today);
    let mut owed = workflow::owed_since(site.db()?, &visitor.actor, from, today).await?;
    owed.retain(|owed| owed.round.opens_on <= today && !owed.round.is_cancelled);
    let mut rounds: Vec<(NaiveDate, &str, &str)> = owed.iter().map(key).collect();
    rounds.sort_unstable();
    rounds.dedup();
    let n_pages = rounds.len().div_ceil(PAGE).max(1);
    let page_number = asked.page.unwrap_or(1).clamp(1, n_pages);
    let shown: Vec<_> = rounds
        .iter()
        .skip((page_number - 1) * PAGE)
        .take(PAGE)
        .copied()
        .collect();
    let page = StandingPage {
        columns: shown
            .iter()
            .filter_map(|round| column(*round, &owed))
            .collect(),
        rows: rows(&shown, &owed),
        pages: (1..=n_pages).map(|n| (n, n == page_number)).collect(),
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

/// What a round is known by, in the order of the columns.
fn key(owed: &Obligation) -> (NaiveDate, &str, &str) {
    let round = &owed.round;
    (round.due_on, &round.return_id, &round.period.label)
}

fn column(round: (NaiveDate, &str, &str), owed: &[Obligation]) -> Option<Column> {
    let found = owed.iter().find(|owed| key(owed) == round)?;
    let (due_on, return_id, period) = round;
    Some(Column {
        title: found.round.return_title.clone(),
        period: found.round.period.in_words(),
        due: words::day(due_on),
        link: format!("/returns/{return_id}/{period}"),
    })
}

fn rows(shown: &[(NaiveDate, &str, &str)], owed: &[Obligation]) -> Vec<Row> {
    let mut by_organisation: BTreeMap<(&str, &str), Vec<&Obligation>> = BTreeMap::new();
    for one in owed.iter().filter(|owed| shown.contains(&key(owed))) {
        let name = (one.organisation_name.as_str(), one.organisation.as_str());
        by_organisation.entry(name).or_default().push(one);
    }
    by_organisation
        .into_iter()
        .map(|((name, _), of_it)| Row {
            organisation: name.to_owned(),
            cells: shown
                .iter()
                .map(|round| {
                    let found = of_it.iter().find(|owed| key(owed) == *round)?;
                    Some((words::tag_of_obligation(found.state), state(found)))
                })
                .collect(),
        })
        .collect()
}

/// A word that fits into a column.
fn state(owed: &Obligation) -> &'static str {
    if owed.is_overdue && owed.state != ObligationState::Overdue {
        return "late, begun";
    }
    match owed.state {
        ObligationState::Overdue => "late",
        state => state.in_words(),
    }
}
