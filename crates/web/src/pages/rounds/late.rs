//! Who is late, the longest first, with what they were reminded of.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Days, Utc};
use cycle::clock;
use workflow::Obligation;

use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};
use crate::words;

/// What was due longer ago is not chased any more.
const PAST_DAYS: u64 = 400;
/// Lines on the page: more are said to be there.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "rounds/late.html")]
struct LatePage {
    you: Option<You>,
    n_late: usize,
    n_organisations: usize,
    rows: Vec<Row>,
}

struct Row {
    organisation: String,
    title: String,
    period: String,
    link: String,
    due: String,
    n_days: i64,
    tag: &'static str,
    state: &'static str,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    workflow::decide_plan(&visitor.actor)?;
    let today = clock::day(Utc::now());
    let from = today
        .checked_sub_days(Days::new(PAST_DAYS))
        .unwrap_or(today);
    let mut late = workflow::late_since(site.db()?, &visitor.actor, from, today).await?;
    late.sort_by(|one, other| {
        (one.due_on, &one.organisation_name).cmp(&(other.due_on, &other.organisation_name))
    });
    let mut organisations: Vec<&str> = late.iter().map(|owed| owed.organisation.as_str()).collect();
    organisations.sort_unstable();
    organisations.dedup();
    let page = LatePage {
        you: Some(visitor.you),
        n_late: late.len(),
        n_organisations: organisations.len(),
        rows: late
            .iter()
            .take(MOST)
            .map(|owed| row(owed, today))
            .collect(),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

fn row(owed: &Obligation, today: chrono::NaiveDate) -> Row {
    let round = &owed.round;
    Row {
        organisation: owed.organisation_name.clone(),
        title: round.return_title.clone(),
        period: round.period.in_words(),
        link: format!(
            "/returns/{}/{}/{}",
            round.return_id, round.period.label, owed.organisation
        ),
        due: words::day(owed.due_on),
        n_days: today.signed_duration_since(owed.due_on).num_days(),
        tag: words::tag_of_obligation(owed.state),
        state: owed.state.in_words(),
    }
}
