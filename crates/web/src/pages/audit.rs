//! The audit trail, for those the matrix lets read it.

pub(crate) mod export;
mod words;

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use cycle::clock::moment_in_words;
use db::events::TrailEvent;
use serde::Deserialize;
use uuid::Uuid;
use workflow::Trail;

use super::problem::PageProblem;
use crate::Site;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words::capitalised;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    you: Option<You>,
    /// Whose; blank: everybody's.
    code: String,
    organisation: String,
    /// Where all of it can be taken from, without the ending.
    export: String,
    is_first: bool,
    events: Vec<Event>,
    /// In the place of the events, for whoever sees no more than how many there are.
    counts: Option<Vec<(String, i64)>>,
    older: Option<i64>,
}

struct Event {
    at: String,
    actor: String,
    what: String,
    about: String,
    /// Where there are several.
    organisation: String,
    submission: Option<Uuid>,
    facts: Vec<(String, String)>,
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
    code: Option<&str>,
    before: Option<i64>,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let trail = workflow::trail(db, actor, code, before).await?;
    let organisation = match code {
        Some(code) => {
            let found = workflow::listed_organisations(db, actor, Some(code)).await?;
            let mut found = found.into_iter().map(|one| one.organisation.name);
            Some(found.next().ok_or_else(Problem::not_found)?)
        }
        None => None,
    };
    let (events, older, counts) = match trail {
        Trail::Events {
            events,
            names,
            next_before,
        } => {
            let events = events.into_iter();
            let events = events.map(|event| shown(event, &names, code.is_none()));
            (events.collect(), next_before, None)
        }
        Trail::Counts(counts) => {
            let counts = counts.into_iter();
            let counts = counts.map(|count| (capitalised(&words::deed(&count.verb)), count.n));
            (Vec::new(), None, Some(counts.collect()))
        }
    };
    let page = AuditPage {
        you: Some(visitor.you),
        code: code.unwrap_or_default().to_owned(),
        export: match code {
            Some(code) => format!("/organisations/{code}/audit"),
            None => "/audit".to_owned(),
        },
        organisation: organisation.unwrap_or_default(),
        is_first: before.is_none(),
        events,
        counts,
        older,
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn shown(event: TrailEvent, names: &HashMap<Uuid, String>, names_organisations: bool) -> Event {
    Event {
        at: moment_in_words(event.at),
        what: words::deed(&event.verb),
        about: words::about(&event),
        facts: words::facts(&event.details, names),
        actor: event.actor,
        organisation: event
            .organisation_name
            .or(event.organisation)
            .filter(|_| names_organisations)
            .unwrap_or_default(),
        submission: event.submission_id,
    }
}
