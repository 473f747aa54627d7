//! `POST …/checks`: a file that is only checked. Nothing is sent, and nothing of it is kept but the answer, for an hour.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use finding::{Finding, Outcome};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use workflow::{Answer, NewBatch, NewFile, ParcelError, ParcelState, ReceiveError, Waiting};

use super::receive::{Facts, Round, Taken, take};
use super::schemas::{self, CheckState};
use super::submission::{Count, ProgressFacts, parse_id};
use crate::Site;
use crate::body::Body;
use crate::pages::checked::{answer, blocking};
use crate::problem::Problem;
use crate::session::{Caller, caller};

/// How far checking a file has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Check)]
pub(crate) struct Status {
    check_id: Uuid,
    organisation: String,
    file_name: String,
    #[schema(value_type = CheckState)]
    state: &'static str,
    /// How far the work on it is; null where nothing is being done.
    progress: Option<ProgressFacts>,
    /// Null until it is checked.
    #[schema(value_type = Option<schemas::Outcome>)]
    outcome: Option<Outcome>,
    /// When everything of it is removed.
    goes_at: DateTime<Utc>,
    links: Links,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CheckLinks)]
pub(crate) struct Links {
    status: String,
    /// Null until it is checked.
    findings_json: Option<String>,
}

impl From<Waiting> for Status {
    fn from(waiting: Waiting) -> Self {
        let parcel = waiting.parcel;
        let status = format!("/api/checks/{}", parcel.id);
        Self {
            check_id: parcel.id,
            organisation: parcel.organisation,
            file_name: parcel.file_name,
            state: parcel.state.as_str(),
            progress: waiting.progress.map(ProgressFacts::from),
            outcome: parcel.outcome,
            goes_at: parcel.goes_at,
            links: Links {
                findings_json: (parcel.state == ParcelState::Checked)
                    .then(|| format!("{status}/findings.json")),
                status,
            },
        }
    }
}

/// Check a file without sending it
///
/// The body is the file itself. Nothing is sent, and nothing of it is kept but the answer, for an hour.
#[utoipa::path(
    post,
    path = "/api/returns/{return_id}/periods/{period}/organisations/{code}/checks",
    operation_id = "check_file",
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
        (status = 202, description = "It will be checked", body = Status,
            headers(("location" = String, description = "Where to ask how far it is"))),
        (status = 409, description = "The round is not open yet", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is too large", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is a form or compressed, and not the file itself", body = schemas::Problem, content_type = "application/problem+json"),
        (status = 422, description = "The key was used for another file or another return, or the organisation is not asked for this", body = schemas::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ask(
    site: web::Data<Site>,
    request: HttpRequest,
    round: web::Path<Round>,
    facts: web::Query<Facts>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = Body::new(payload.into_inner());
    put_in(&site, &request, &round, &facts, body).await
}

async fn put_in(
    site: &Site,
    request: &HttpRequest,
    round: &Round,
    facts: &Facts,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let sender = caller(request).await?;
    let Taken {
        file,
        file_name,
        idempotency_key,
    } = take(site, request, facts, body).await?;
    let db = site.db()?;
    let batch = NewBatch {
        organisation: round.code.clone(),
        contact_email: None,
        idempotency_key,
        files: vec![NewFile {
            file_name,
            path: file.path(),
            sha256: file.sha256.clone(),
            n_bytes: file.bytes,
        }],
        check_for: Some((round.return_id.clone(), round.period.clone())),
        came_at: Utc::now(),
    };
    let batch = match workflow::put_in(db, &site.files, &sender, &batch).await {
        Err(ParcelError::FormUsedBefore) => return Err(ReceiveError::IdempotencyKeyReused.into()),
        batch => batch?,
    };
    let first = workflow::batch(db, &sender, batch)
        .await?
        .into_iter()
        .next();
    let id = first.ok_or_else(Problem::gone)?.parcel.id;
    let status = Status::from(workflow::parcel(db, &sender, id).await?);
    Ok(HttpResponse::Accepted()
        .insert_header((header::LOCATION, status.links.status.clone()))
        .json(status))
}

/// How far a check is
///
/// There for an hour.
#[utoipa::path(
    get,
    path = "/api/checks/{parcel}",
    operation_id = "show_check",
    tag = "Sending",
    params(("parcel" = Uuid, Path, description = "The check's id")),
    responses((status = 200, description = "How far it is", body = Status))
)]
pub(crate) async fn show(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let waiting = workflow::parcel(site.db()?, &reader, parse_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(Status::from(waiting)))
}

/// What checking a file found.
#[derive(Serialize, ToSchema)]
#[schema(as = FindingsOfCheck)]
pub(crate) struct Found {
    check_id: Uuid,
    #[schema(value_type = schemas::Outcome)]
    outcome: Outcome,
    counts: Vec<Count>,
    /// The first 10,000.
    #[schema(value_type = Vec<schemas::Finding>)]
    findings: Vec<Finding>,
}

/// Most findings in one answer; how many there are is in the counts.
const MOST_FINDINGS: usize = 10_000;

/// What a check found
///
/// Not there until the file is checked, nor after an hour.
#[utoipa::path(
    get,
    path = "/api/checks/{parcel}/findings.json",
    operation_id = "check_findings",
    tag = "Sending",
    params(("parcel" = Uuid, Path, description = "The check's id")),
    responses((status = 200, description = "What was found", body = Found))
)]
pub(crate) async fn findings(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let path = answer(&site, &reader, id).await?;
    let failed = |error: std::io::Error| Problem::failed("read an answer", &error);
    let read = blocking(move || -> std::io::Result<Found> {
        let mut answer = Answer::open(&path)?;
        let mut findings = Vec::new();
        for block in answer.by_ref() {
            findings.extend(block?);
            findings.truncate(MOST_FINDINGS);
            if findings.len() == MOST_FINDINGS {
                break;
            }
        }
        let counts = answer.head.counts.iter().map(|count| Count {
            severity: count.severity,
            rule: count.rule.clone(),
            n_findings: count.n,
        });
        Ok(Found {
            check_id: id,
            outcome: answer.head.outcome,
            counts: counts.collect(),
            findings,
        })
    });
    Ok(HttpResponse::Ok().json(read.await?.map_err(failed)?))
}
