//! `GET /api/organisations`: every organisation with its codes and names, and where each of these is from.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Serialize)]
struct Organisation {
    code: String,
    name: String,
    kind: String,
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Fact {
    about: String,
    value: String,
    source: Option<String>,
    url: Option<String>,
    confidence: Option<String>,
}

pub(crate) async fn list(
    site: web::Data<Site>,
    Caller(actor): Caller,
) -> Result<HttpResponse, Problem> {
    let all = workflow::listed_organisations(site.db()?, &actor, None).await?;
    let all: Vec<Organisation> = all
        .into_iter()
        .map(|one| Organisation {
            code: one.organisation.code,
            name: one.organisation.name,
            kind: one.organisation.kind,
            facts: one
                .facts
                .into_iter()
                .map(|fact| Fact {
                    about: fact.about,
                    value: fact.value,
                    source: fact.source,
                    url: fact.url,
                    confidence: fact.confidence,
                })
                .collect(),
        })
        .collect();
    Ok(HttpResponse::Ok().json(all))
}
