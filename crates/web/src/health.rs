//! Whether the process runs, and whether it can serve.

use actix_web::{HttpResponse, web};

use crate::Site;
use crate::problem::Problem;

/// The process runs.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("live\n")
}

/// The database answers and has the tables this version needs.
pub(crate) async fn ready(site: web::Data<Site>) -> Result<HttpResponse, Problem> {
    let not_ready = |reason: String| {
        tracing::warn!(reason, "not ready");
        Problem::unavailable()
    };
    match site.db()?.is_migrated().await {
        Ok(true) => {}
        Ok(false) => {
            return Err(not_ready(
                "the tables are older than this version".to_owned(),
            ));
        }
        Err(error) => return Err(not_ready(error.to_string())),
    }
    Ok(HttpResponse::Ok()
        .content_type("text/plain")
        .body("ready\n"))
}
