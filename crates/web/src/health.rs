//! Whether the process runs, and whether it can serve.

use actix_web::{HttpResponse, web};

use crate::Site;
use crate::problem::Problem;

/// The process runs.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("live\n")
}

/// The database answers and has the tables this version needs.
pub(crate) async fn ready(site: web::Data<Site>) -> HttpResponse {
    match workflow::organisations(&site.db, &crate::actor::reader()).await {
        Ok(_) => HttpResponse::Ok()
            .content_type("text/plain")
            .body("ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Problem::unavailable().response()
        }
    }
}
