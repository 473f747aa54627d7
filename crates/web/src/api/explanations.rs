//! `POST /api/submissions/{id}/explanations`: a program says why figures that were asked about are right.

use access::Action;
use actix_web::HttpResponse;
use actix_web::web;
use finding::FindingKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use workflow::{Actor, ExplainError, Explaining, Words};

use super::schemas;
use super::submission::find;
use crate::Site;
use crate::body::{self, Body};
use crate::problem::Problem;
use crate::session::Caller;

/// Why figures are right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewExplanation)]
pub(crate) struct Explanation {
    /// The check's name.
    rule: String,
    /// Of the findings that are meant, as `findings.json` has them; all of the check where there is none.
    #[schema(value_type = Option<Vec<String>>)]
    keys: Option<Vec<FindingKey>>,
    #[schema(min_length = 1, max_length = 4000, pattern = r"\S")]
    text: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Explained {
    submission_id: Uuid,
    /// Of how many findings it is the explanation now.
    n_explained: u64,
}

/// More than the longest text and very many keys.
const MOST_BYTES: u64 = 1024 * 1024;

/// Explain findings
///
/// Says why figures that a check asks about are right. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/api/submissions/{id}/explanations",
    operation_id = "explain",
    tag = "Submissions",
    params(("id" = Uuid, Path, description = "The submission's id")),
    request_body(content = Explanation, content_type = "application/json"),
    responses(
        (status = 200, description = "It is kept", body = Explained),
        (status = 409, description = "The version is signed off", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = schemas::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn explain(
    site: web::Data<Site>,
    Caller(sender): Caller,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    keep(&site, &sender, &id, Body::new(payload.into_inner())).await
}

async fn keep(site: &Site, sender: &Actor, id: &str, body: Body) -> Result<HttpResponse, Problem> {
    let submission = find(site, sender, Action::Explain, id).await?;
    let body = body::whole(body, site.config.body, MOST_BYTES).await?;
    let said: Explanation = serde_json::from_slice(&body).map_err(|error| {
        tracing::debug!(%error, "an explanation that can't be read");
        Problem::bad_request("Send JSON: {\"rule\": …, \"keys\": […], \"text\": …}. Without \"keys\" all that the check asks about is explained.")
    })?;
    let explaining = Explaining {
        rule: said.rule,
        keys: said.keys,
        words: Words::New(said.text),
    };
    let explained = workflow::explain(site.db()?, sender, submission.id, &explaining).await;
    let n_explained = explained.map_err(|error| match error {
        ExplainError::Denied(denied) => denied.into(),
        ExplainError::Db(error) => error.into(),
        ExplainError::SignedOff => Problem::signed_off(),
        ExplainError::NoText => {
            Problem::bad_request("Say why the figures are right: \"text\" is blank.")
        }
        ExplainError::LongText => {
            Problem::bad_request("The text can have 4,000 characters at most.")
        }
        ExplainError::NothingToExplain => {
            Problem::bad_request("This check asks for no explanation of these findings.")
        }
    })?;
    Ok(HttpResponse::Ok().json(Explained {
        submission_id: submission.id,
        n_explained,
    }))
}
