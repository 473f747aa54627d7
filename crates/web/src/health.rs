//! Whether the process runs, and whether it can serve.

use actix_web::{HttpResponse, web};

use crate::problem::Problem;
use workflow::Actor;

use crate::Site;

/// The process runs.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("live\n")
}

/// The database answers and has the tables this version needs.
pub(crate) async fn ready(site: web::Data<Site>) -> Result<HttpResponse, Problem> {
    let organisations = workflow::organisations(site.db()?, &Actor::nobody()).await;
    organisations.map_err(|error| {
        tracing::warn!(%error, "not ready");
        Problem::unavailable()
    })?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain")
        .body("ready\n"))
}
