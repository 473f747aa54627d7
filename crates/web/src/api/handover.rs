//! `POST /api/submissions/{id}/submit`: a program hands what it sent to whoever signs off.

use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde_json::json;

use super::submission::parse_id;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

/// Repeating it changes nothing.
pub(crate) async fn submit(
    site: web::Data<Site>,
    Caller(sender): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    workflow::submit(site.db()?, &sender, id, Utc::now()).await?;
    Ok(HttpResponse::Ok().json(json!({
        "submission_id": id,
        "state": cycle::Verb::Submit.state(),
        "links": { "status": format!("/api/submissions/{id}"), "page": format!("/submissions/{id}") },
    })))
}
