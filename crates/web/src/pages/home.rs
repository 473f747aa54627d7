//! The front page: every round of every return, and where each organisation stands.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock;
use workflow::Obligation;

use super::problem::PageProblem;
use crate::session::{Visitor, You};
use crate::{Site, words};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    you: Option<You>,
    rounds: Vec<Round>,
}

/// A return and period.
struct Round {
    id: String,
    title: String,
    period: String,
    due: String,
    datasets: Vec<Dataset>,
    /// The form to fill in; `None` where no version serves the period.
    template: Option<String>,
    n_received: usize,
    rows: Vec<Row>,
}

/// The figures of one table.
struct Dataset {
    title: String,
    link: String,
}

struct Row {
    organisation: String,
    state: &'static str,
    tag: &'static str,
    outcome: &'static str,
    link: Option<String>,
    upload: String,
    template: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    let today = clock::day(Utc::now());
    let obligations = workflow::obligations(site.db()?, &visitor.actor, None, today).await?;
    let page = HomePage {
        you: Some(visitor.you),
        rounds: rounds(&site, obligations),
    };
    Ok(super::render(StatusCode::OK, &page))
}

/// By return, then the newest period first.
fn rounds(site: &Site, obligations: Vec<Obligation>) -> Vec<Round> {
    let mut rounds: BTreeMap<_, Round> = BTreeMap::new();
    for obligation in obligations {
        let round = &obligation.round;
        let order = (
            round.return_title.clone(),
            Reverse(round.period.end),
            round.period.label.clone(),
        );
        let shown = rounds.entry(order).or_insert_with(|| Round {
            id: format!("{}-{}", round.return_id, round.period.label),
            title: round.return_title.clone(),
            period: round.period.label.clone(),
            due: words::day(round.due_on),
            datasets: datasets(site, &round.return_id, &round.period.label),
            template: site
                .spec(&round.return_id, &round.period.label)
                .map(|_| format!("{}/template.xlsx", address(&obligation))),
            n_received: 0,
            rows: Vec::new(),
        });
        shown.n_received += usize::from(obligation.latest.is_some());
        shown.rows.push(row(obligation));
    }
    rounds.into_values().collect()
}

fn address(obligation: &Obligation) -> String {
    format!(
        "/api/returns/{}/periods/{}",
        obligation.round.return_id, obligation.round.period.label
    )
}

/// A link for each table of the version that serves the period.
fn datasets(site: &Site, return_id: &str, period: &str) -> Vec<Dataset> {
    let Some((spec, _)) = site.spec(return_id, period) else {
        return Vec::new();
    };
    spec.tables
        .iter()
        .map(|table| Dataset {
            title: table.title.clone(),
            link: format!(
                "/api/returns/{return_id}/periods/{period}/dataset.csv?table={}",
                table.name
            ),
        })
        .collect()
}

fn row(obligation: Obligation) -> Row {
    let round = &obligation.round;
    Row {
        state: obligation.state.in_words(),
        tag: words::tag_of_obligation(obligation.state),
        outcome: obligation
            .latest
            .map_or("nothing received", |(_, state)| state.in_words()),
        link: obligation
            .latest
            .map(|(id, _)| format!("/submissions/{id}")),
        template: format!(
            "{}/organisations/{}/template.xlsx",
            address(&obligation),
            obligation.organisation
        ),
        upload: format!(
            "/upload?organisation={}&round={}/{}",
            obligation.organisation, round.return_id, round.period.label
        ),
        organisation: obligation.organisation_name,
    }
}
