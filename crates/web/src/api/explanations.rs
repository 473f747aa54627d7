//! `POST /api/submissions/{id}/explanations`: a program says why figures that were asked about are right.

use access::Action;
use actix_web::HttpResponse;
use actix_web::web::{self, Bytes};
use finding::FindingKey;
use serde::Deserialize;
use serde_json::json;
use workflow::{ExplainError, Explaining, Words};

use super::submission::find;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explanation {
    /// The check's name.
    rule: String,
    /// Of the findings that are meant, as `findings.json` has them; all of the check where there is none.
    keys: Option<Vec<FindingKey>>,
    text: String,
}

/// Repeating it changes nothing.
pub(crate) async fn explain(
    site: web::Data<Site>,
    Caller(sender): Caller,
    id: web::Path<String>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let submission = find(&site, &sender, Action::Explain, &id).await?;
    let said: Explanation = serde_json::from_slice(&body).map_err(|error| {
        tracing::debug!(%error, "an explanation that can't be read");
        Problem::bad_request("Send JSON: {\"rule\": …, \"keys\": […], \"text\": …}. Without \"keys\" all that the check asks about is explained.")
    })?;
    let explaining = Explaining {
        rule: said.rule,
        keys: said.keys,
        words: Words::New(said.text),
    };
    let explained = workflow::explain(site.db()?, &sender, submission.id, &explaining).await;
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
    Ok(HttpResponse::Ok().json(json!({
        "submission_id": submission.id,
        "n_explained": n_explained,
    })))
}
