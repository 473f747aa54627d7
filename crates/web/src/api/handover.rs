//! `POST /api/submissions/{id}/submit`: a program hands what it sent to whoever signs off.

use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::schemas;
use super::submission::parse_id;
use super::submissions::Links;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

/// A version that was handed on.
#[derive(Serialize, ToSchema)]
pub(crate) struct HandedOn {
    submission_id: Uuid,
    #[schema(value_type = schemas::SubmissionState)]
    state: &'static str,
    links: Links,
}

/// Submit a version for sign-off
///
/// Somebody of the organisation signs it off on the site: no program does. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/api/submissions/{id}/submit",
    operation_id = "submit",
    tag = "Submissions",
    params(("id" = Uuid, Path, description = "The submission's id")),
    responses(
        (status = 200, description = "It waits for sign-off", body = HandedOn),
        (status = 409, description = "It can't be submitted: see why in the answer", body = schemas::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn submit(
    site: web::Data<Site>,
    Caller(sender): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    workflow::submit(site.db()?, &sender, id, Utc::now()).await?;
    Ok(HttpResponse::Ok().json(HandedOn {
        submission_id: id,
        state: cycle::Verb::Submit.state().as_str(),
        links: Links::of(id),
    }))
}
