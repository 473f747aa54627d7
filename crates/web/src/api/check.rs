//! `POST …/checks`: a file that is only checked. Nothing is sent, and nothing of it is kept but the answer, for an hour.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use finding::{Finding, Outcome, RuleId, Severity};
use serde::Serialize;
use uuid::Uuid;
use workflow::{Answer, NewBatch, NewFile, ParcelError, ParcelState, ReceiveError, Waiting};

use super::receive::{Facts, Round, Taken, take};
use super::submission::{ProgressFacts, parse_id};
use crate::Site;
use crate::body::Body;
use crate::pages::checked::{answer, blocking};
use crate::problem::Problem;
use crate::session::{Caller, caller};

#[derive(Serialize)]
struct Status {
    check_id: Uuid,
    organisation: String,
    file_name: String,
    state: &'static str,
    /// How far the work on it is; null where nothing is being done.
    progress: Option<ProgressFacts>,
    /// Null until it is checked.
    outcome: Option<Outcome>,
    /// When everything of it is removed.
    goes_at: DateTime<Utc>,
    links: Links,
}

#[derive(Serialize)]
struct Links {
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

/// The body is the file itself. The same `Idempotency-Key` with the same bytes is the same check.
pub(crate) async fn ask(
    site: web::Data<Site>,
    request: HttpRequest,
    round: web::Path<Round>,
    facts: web::Query<Facts>,
    payload: web::Payload,
) -> HttpResponse {
    let body = Body::new(payload);
    match put_in(&site, &request, &round, &facts, body.clone()).await {
        Ok(status) => status,
        Err(problem) => body.held_by(problem.response()),
    }
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

pub(crate) async fn show(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let waiting = workflow::parcel(site.db()?, &reader, parse_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(Status::from(waiting)))
}

#[derive(Serialize)]
struct Found {
    check_id: Uuid,
    outcome: Outcome,
    counts: Vec<Count>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Count {
    severity: Severity,
    rule: RuleId,
    n_findings: u64,
}

/// Most findings in one answer; how many there are is in the counts.
const MOST_FINDINGS: usize = 10_000;

/// What was found: not there until it is checked, nor after an hour.
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
