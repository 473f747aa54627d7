//! The audit trail, for those the matrix lets read it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use cycle::clock::moment_in_words;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use workflow::Trail;

use super::problem::PageProblem;
use crate::Site;
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    you: Option<You>,
    /// Whose, by name; `None`: everybody's.
    organisation: Option<String>,
    events: Vec<Event>,
    /// In the place of the events, for whoever sees no more than how many there are.
    counts: Option<Vec<(String, i64)>>,
    older: Option<i64>,
}

struct Event {
    at: String,
    actor: String,
    what: String,
    organisation: String,
    submission: Option<Uuid>,
    details: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct From {
    before: Option<i64>,
}

pub(crate) async fn of_one(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
    from: web::Query<From>,
) -> Result<HttpResponse, PageProblem> {
    show(&site, visitor, Some(&code), from.before).await
}

pub(crate) async fn of_all(
    site: web::Data<Site>,
    visitor: Visitor,
    from: web::Query<From>,
) -> Result<HttpResponse, PageProblem> {
    show(&site, visitor, None, from.before).await
}

async fn show(
    site: &Site,
    visitor: Visitor,
    organisation: Option<&str>,
    before: Option<i64>,
) -> Result<HttpResponse, PageProblem> {
    let trail = workflow::trail(site.db()?, &visitor.actor, organisation, before).await?;
    let (events, older, counts) = match trail {
        Trail::Events {
            events,
            next_before,
        } => (events, next_before, None),
        Trail::Counts(counts) => {
            let counts = counts.into_iter();
            let counts = counts.map(|count| (in_words(&count.verb), count.n));
            (Vec::new(), None, Some(counts.collect()))
        }
    };
    let page = AuditPage {
        you: Some(visitor.you),
        organisation: organisation.map(str::to_owned),
        events: events
            .into_iter()
            .map(|event| Event {
                at: moment_in_words(event.at),
                actor: event.actor,
                what: in_words(&event.verb),
                organisation: event.organisation.unwrap_or_default(),
                submission: event.submission_id,
                details: details(&event.details),
            })
            .collect(),
        counts,
        older,
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn in_words(verb: &str) -> String {
    verb.replace('_', " ")
}

/// The facts of an event that has any.
fn details(details: &Value) -> Vec<(String, String)> {
    let fields = details.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let shown = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (in_words(name), shown)
        })
        .collect()
}
