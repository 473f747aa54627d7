//! `POST …/submissions`: a file in, a receipt out.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use workflow::NewUpload;

use super::schemas;
use crate::Site;
use crate::body::{self, Body};
use crate::pages::upload::clean_file_name;
use crate::problem::Problem;
use crate::session::caller;
use crate::spool::{SpoolError, Spooled, spool};

#[derive(Deserialize)]
pub(crate) struct Round {
    pub(super) return_id: String,
    pub(super) period: String,
    pub(super) code: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Facts {
    /// What the file is called.
    #[serde(default)]
    #[param(required, min_length = 1)]
    file_name: String,
    /// Where the receipt and the outcome are sent too; a program that asks for them needs no mail.
    #[param(format = Email)]
    contact_email: Option<String>,
}

/// Send a file
///
/// The body is the file itself. The same `Idempotency-Key` with the same bytes gives the same receipt again.
#[utoipa::path(
    post,
    path = "/api/returns/{return_id}/periods/{period}/organisations/{code}/submissions",
    operation_id = "send_file",
    tag = "Sending",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("period" = String, Path, description = "The period's label, as the list of rounds has it"),
        ("code" = String, Path, description = "The organisation's GSS code"),
        Facts,
        ("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 200, description = "Of your making, one for each file: a request that is repeated with it has its effect once. Without one, each request is another."),
    ),
    request_body(content = schemas::Binary, content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 201, description = "It was received: from now on it is kept", body = schemas::Receipt,
            headers(("location" = String, description = "Where to ask how far it is"))),
        (status = 200, description = "It was received before, with this key", body = schemas::Receipt,
            headers(("location" = String, description = "Where to ask how far it is"))),
        (status = 409, description = "The round is not open yet, or closed", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is too large", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is a form or compressed, and not the file itself", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 422, description = "The key was used for another file or another return, or the organisation is not asked for this", body = schemas::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn receive(
    site: web::Data<Site>,
    request: HttpRequest,
    round: web::Path<Round>,
    facts: web::Query<Facts>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = Body::new(payload.into_inner());
    keep(&site, &request, round.into_inner(), &facts, body).await
}

async fn keep(
    site: &Site,
    request: &HttpRequest,
    round: Round,
    facts: &Facts,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let sender = caller(request).await?;
    let taken = take(site, request, facts, body).await?;
    let upload = NewUpload {
        organisation: round.code,
        return_id: round.return_id,
        period: round.period,
        path: taken.file.path(),
        sha256: taken.file.sha256.clone(),
        bytes: taken.file.bytes,
        file_name: taken.file_name,
        idempotency_key: taken.idempotency_key,
        contact_email: facts.contact_email.clone(),
        received_at: Utc::now(),
    };
    let receipt = workflow::receive(site.db()?, &site.files, &sender, upload).await?;
    let mut response = if receipt.repeated {
        HttpResponse::Ok()
    } else {
        HttpResponse::Created()
    };
    let location = format!("/api/submissions/{}", receipt.submission_id);
    Ok(response
        .insert_header((header::LOCATION, location))
        .json(receipt))
}

/// A file that came in whole, with its name and key.
pub(super) struct Taken {
    pub(super) file: Spooled,
    pub(super) file_name: String,
    pub(super) idempotency_key: String,
}

pub(super) async fn take(
    site: &Site,
    request: &HttpRequest,
    facts: &Facts,
    body: Body,
) -> Result<Taken, Problem> {
    let file_name = clean_file_name(&facts.file_name);
    if file_name.is_empty() {
        return Err(Problem::bad_request("Add the file's name: ?file_name=…"));
    }
    let idempotency_key = idempotency_key(request)?;
    is_the_file_itself(request)?;
    let limits = site.config.body;
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > limits.bytes) {
        return Err(SpoolError::TooLarge {
            limit: limits.bytes,
        }
        .into());
    }
    let chunks = Box::pin(body::paced(body, limits, limits.bytes));
    let file = spool(
        chunks,
        &site.config.spool_dir,
        limits.bytes,
        SpoolError::of_payload,
    )
    .await?;
    Ok(Taken {
        file,
        file_name,
        idempotency_key,
    })
}

/// What is wrapped or packed would be kept as the file that was sent.
fn is_the_file_itself(request: &HttpRequest) -> Result<(), Problem> {
    let named = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let is = |text: &str, begins: &str| {
        text.get(..begins.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(begins))
    };
    if named(header::CONTENT_TYPE).is_some_and(|kind| is(kind, "multipart/")) {
        return Err(Problem::not_the_file(
            "Send the file itself as the body, not a form with the file in it: curl --data-binary @FILE, not curl -F.",
        ));
    }
    if named(header::CONTENT_ENCODING).is_some_and(|coding| !is(coding, "identity")) {
        return Err(Problem::not_the_file(
            "Send the file as it is: the body may not be compressed, so leave Content-Encoding out.",
        ));
    }
    Ok(())
}

/// The sender's key, or one of its own for a request without.
fn idempotency_key(request: &HttpRequest) -> Result<String, Problem> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(Uuid::now_v7().to_string());
    };
    key.to_str()
        .ok()
        .filter(|key| (1..=200).contains(&key.len()))
        .map(str::to_owned)
        .ok_or_else(|| {
            Problem::bad_request("The Idempotency-Key has to be 1 to 200 plain characters.")
        })
}
