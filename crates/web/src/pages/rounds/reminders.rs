//! The log of reminders: what was sent to whom, and what was not and why, of one organisation's return or of a whole round.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock::{self, moment_in_words};
use serde::Deserialize;
use workflow::{Logged, RoundName};

use super::address;
use crate::Site;
use crate::pages::explain::see;
use crate::pages::problem::PageProblem;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

/// Lines on one page.
const PAGE: u32 = 100;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "rounds/reminders.html")]
struct RemindersPage {
    you: Option<You>,
    /// `Homelessness, April to June 2026 (2026-27 Q1)`, with the organisation where it is of one.
    heading: String,
    back: String,
    /// Of a round: whose each line is.
    names_organisations: bool,
    rows: Vec<Row>,
    pages: Vec<(u32, bool)>,
}

struct Row {
    organisation: String,
    at: String,
    step: String,
    whom: String,
    came_to: String,
}

fn row(line: &Logged) -> Row {
    let (step, came_to) = workflow::reminder_in_words(line);
    Row {
        organisation: line.organisation_name.clone(),
        at: moment_in_words(line.at),
        step: words::capitalised(&step),
        whom: line
            .person_name
            .clone()
            .unwrap_or_else(|| "no one".to_owned()),
        came_to,
    }
}

pub(crate) async fn of_duty(
    site: web::Data<Site>,
    visitor: Visitor,
    duty: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageProblem> {
    let (return_id, period, organisation) = duty.into_inner();
    let (db, actor) = (site.db()?, &visitor.actor);
    let today = clock::day(Utc::now());
    let owed = workflow::owed_in(db, actor, &return_id, &period, today).await?;
    let owed = owed
        .into_iter()
        .find(|owed| owed.organisation == organisation)
        .ok_or_else(Problem::not_found)?;
    let log = workflow::reminders_of(db, actor, &owed).await?;
    let round = &owed.round;
    let page = RemindersPage {
        heading: format!(
            "{}, {}, {}",
            round.return_title,
            round.period.in_words(),
            owed.organisation_name
        ),
        back: format!("/returns/{return_id}/{period}/{organisation}"),
        names_organisations: false,
        rows: log.iter().rev().map(row).collect(),
        pages: Vec::new(),
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

pub(crate) async fn of_round(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<(String, String)>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let (return_id, period) = round.into_inner();
    let name = RoundName { return_id, period };
    let page_number = asked.page.unwrap_or(1).max(1);
    let n_before = (page_number - 1).saturating_mul(PAGE);
    let (db, actor) = (site.db()?, &visitor.actor);
    let (round, log) = workflow::reminders_in(db, actor, &name, (n_before, PAGE)).await?;
    if log.is_empty() && n_before > 0 {
        let first = format!("{}/reminders", address(&name.return_id, &name.period));
        return Ok(see(&first));
    }
    let n_all = log.as_slice().first().map_or(0, |line| line.n_all);
    let n_pages = u32::try_from(n_all).unwrap_or(u32::MAX).div_ceil(PAGE);
    let page = RemindersPage {
        heading: format!("{}, {}", round.return_title, round.period.in_words()),
        back: address(&name.return_id, &name.period),
        names_organisations: true,
        rows: log.iter().map(row).collect(),
        pages: (1..=n_pages).map(|n| (n, n == page_number)).collect(),
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}
