//! The front page: every round of every return, and where each organisation stands.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use chrono_tz::Europe::London;
use finding::Outcome;
use uuid::Uuid;
use workflow::Obligation;

use super::problem::PageProblem;
use crate::{Site, actor, words};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    rounds: Vec<Round>,
}

/// A return and period.
struct Round {
    id: String,
    title: String,
    period: String,
    due: String,
    datasets: Vec<Dataset>,
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
    outcome: &'static str,
    link: Option<String>,
    upload: String,
}

pub(crate) async fn show(site: web::Data<Site>) -> Result<HttpResponse, PageProblem> {
    let reader = actor::reader();
    let today = Utc::now().with_timezone(&London).date_naive();
    let obligations = workflow::obligations(site.db()?, &reader, None, today).await?;
    let outcomes: BTreeMap<Uuid, &'static str> =
        workflow::submissions_of(site.db()?, &reader, None)
            .await?
            .into_iter()
            .map(|submission| {
                let words = submission
                    .outcome
                    .map_or(submission.state.in_words(), Outcome::in_words);
                (submission.id, words)
            })
            .collect();
    let page = HomePage {
        rounds: rounds(&site, obligations, &outcomes),
    };
    Ok(super::render(StatusCode::OK, &page))
}

/// By return, then the newest period first.
fn rounds(
    site: &Site,
    obligations: Vec<Obligation>,
    outcomes: &BTreeMap<Uuid, &'static str>,
) -> Vec<Round> {
    let mut rounds: BTreeMap<_, Round> = BTreeMap::new();
    for obligation in obligations {
        let order = (
            obligation.return_title.clone(),
            std::cmp::Reverse(obligation.period_end),
            obligation.period_label.clone(),
        );
        let round = rounds.entry(order).or_insert_with(|| Round {
            id: format!("{}-{}", obligation.return_id, obligation.period_label),
            title: obligation.return_title.clone(),
            period: obligation.period_label.clone(),
            due: words::day(obligation.due_on),
            datasets: datasets(site, &obligation.return_id, &obligation.period_label),
            n_received: 0,
            rows: Vec::new(),
        });
        round.n_received += usize::from(obligation.latest.is_some());
        round.rows.push(row(obligation, outcomes));
    }
    rounds.into_values().collect()
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

fn row(obligation: Obligation, outcomes: &BTreeMap<Uuid, &'static str>) -> Row {
    let outcome = match obligation.latest {
        None => "nothing received",
        // One that came in between the two reads.
        Some(id) => outcomes.get(&id).copied().unwrap_or("being checked"),
    };
    Row {
        state: obligation.state.in_words(),
        outcome,
        link: obligation.latest.map(|id| format!("/submissions/{id}")),
        upload: format!(
            "/upload?organisation={}&round={}/{}",
            obligation.organisation, obligation.return_id, obligation.period_label
        ),
        organisation: obligation.organisation_name,
    }
}
