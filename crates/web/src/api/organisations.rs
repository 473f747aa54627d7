//! `GET /api/organisations`: every organisation with its codes and names, and where each of these is from.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{Asked, List, page_of_all};
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Serialize, ToSchema)]
pub(crate) struct Organisation {
    code: String,
    name: String,
    kind: String,
    facts: Vec<Fact>,
}

/// Something that is known of it: a code, a name or another fact.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganisationFact)]
pub(crate) struct Fact {
    about: String,
    value: String,
    source: Option<String>,
    url: Option<String>,
    confidence: Option<String>,
}

/// Organisations
///
/// Every organisation by its code, with its codes and names, and where each of these is from.
#[utoipa::path(
    get,
    path = "/api/organisations",
    operation_id = "list_organisations",
    tag = "Organisations",
    params(Asked),
    responses((status = 200, description = "A page of organisations", body = List<Organisation>,
        headers(("link" = Option<String>, description = "The address of the next page, as `rel=\"next\"`"))))
)]
pub(crate) async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    Caller(actor): Caller,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let all = workflow::listed_organisations(site.db()?, &actor, None).await?;
    let mut all: Vec<Organisation> = all
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
    all.sort_by(|a, b| a.code.cmp(&b.code));
    page_of_all(&request, &asked, all, |one: &Organisation| one.code.clone())
}
