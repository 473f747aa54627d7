//! The page that sends a file.

use std::cmp::Reverse;

use actix_multipart::{Field, Multipart};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use askama::Template;
use chrono::Utc;
use cycle::clock;
use futures_util::StreamExt as _;
use serde::Deserialize;
use uuid::Uuid;
use workflow::{NewUpload, OrganisationName, OwedBy};

use super::problem::PageProblem;
use crate::Site;
use crate::body::{self, Body};
use crate::problem::Problem;
use crate::session::{Visitor, You, visitor};
use crate::spool::{SpoolError, Spooled, spool};

/// What the fields around the file may take, all together.
const FORM_BYTES: u64 = 64 * 1024;
/// What one of them may take.
const FIELD_BYTES: usize = 500;

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage {
    you: Option<You>,
    problem: Option<String>,
    /// Where it is put right; nowhere where there is none.
    wrong_field: &'static str,
    organisations: Vec<OrganisationName>,
    rounds: Vec<RoundChoice>,
    chosen: Chosen,
    idempotency_key: Uuid,
    megabytes: u64,
}

struct RoundChoice {
    value: String,
    label: String,
}

/// What the form starts with.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    organisation: String,
    /// `hl1/2026-27-Q1`: a return and a period that go together.
    #[serde(default)]
    round: String,
    #[serde(default)]
    email: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    chosen: web::Query<Chosen>,
) -> Result<HttpResponse, PageProblem> {
    let mut chosen = chosen.into_inner();
    if chosen.email.is_empty() {
        chosen.email.clone_from(&visitor.you.email);
    }
    page(&site, visitor, StatusCode::OK, chosen, None).await
}

pub(crate) async fn receive(
    site: web::Data<Site>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let body = Body::new(payload);
    match keep(&site, &request, body.clone()).await {
        Ok(answer) => body.held_by(answer),
        Err(problem) => body.held_by(problem.error_response()),
    }
}

async fn keep(site: &Site, request: &HttpRequest, body: Body) -> Result<HttpResponse, PageProblem> {
    let visitor = visitor(request).await?;
    let mut form = Form::default();
    let sent = match read(site, request, &visitor, body, &mut form).await {
        Ok(()) => send(site, &visitor, &mut form).await,
        Err(problem) => Err(problem.into()),
    };
    match sent {
        Ok(id) => Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, format!("/submissions/{id}")))
            .finish()),
        Err(mistake) if shows_on_the_form(&mistake.problem) => {
            let status = mistake.problem.status;
            page(site, visitor, status, form.chosen, Some(mistake)).await
        }
        Err(mistake) => Err(mistake.problem.into()),
    }
}

/// What the sender can put right there and then. A file that came in only in part is not: the connection closes.
fn shows_on_the_form(problem: &Problem) -> bool {
    problem.status.is_client_error()
        && ![
            StatusCode::FORBIDDEN,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::REQUEST_TIMEOUT,
        ]
        .contains(&problem.status)
}

/// What is wrong, and the field where it is put right.
struct Mistake {
    problem: Problem,
    field: &'static str,
}

/// Most of what can be wrong is so with the file.
impl<T: Into<Problem>> From<T> for Mistake {
    fn from(problem: T) -> Self {
        Self {
            problem: problem.into(),
            field: "file",
        }
    }
}

async fn send(site: &Site, visitor: &Visitor, form: &mut Form) -> Result<Uuid, Mistake> {
    let missing = |field, words: &str| Mistake {
        problem: Problem::bad_request(words),
        field,
    };
    let (return_id, period) = form
        .chosen
        .round
        .split_once('/')
        .ok_or_else(|| missing("round", "Choose the return and period."))?;
    if form.chosen.organisation.is_empty() {
        return Err(missing("organisation", "Choose your organisation."));
    }
    if form.chosen.email.is_empty() {
        return Err(missing(
            "email",
            "Enter an email address to which we can send the receipt.",
        ));
    }
    let file = form.file.take().filter(|_| !form.file_name.is_empty());
    let file = file.ok_or_else(|| missing("file", "Choose a file."))?;
    let upload = NewUpload {
        organisation: form.chosen.organisation.clone(),
        return_id: return_id.to_owned(),
        period: period.to_owned(),
        file_name: form.file_name.clone(),
        path: file.path(),
        sha256: file.sha256.clone(),
        bytes: file.bytes,
        idempotency_key: form.idempotency_key.clone(),
        contact_email: Some(form.chosen.email.clone()),
        received_at: Utc::now(),
    };
    let receipt = workflow::receive(site.db()?, &site.files, &visitor.actor, upload).await?;
    Ok(receipt.submission_id)
}

#[derive(Default)]
struct Form {
    /// Whether it comes from a page that this session was shown.
    is_ours: bool,
    chosen: Chosen,
    idempotency_key: String,
    file_name: String,
    file: Option<Spooled>,
}

async fn read(
    site: &Site,
    request: &HttpRequest,
    visitor: &Visitor,
    body: Body,
    form: &mut Form,
) -> Result<(), Problem> {
    let limits = site.config.body;
    let body = body::paced(body, limits, limits.bytes + FORM_BYTES);
    let explain = |error: &_| Problem::from(SpoolError::of_multipart(error, limits.bytes));
    let mut fields = Multipart::new(request.headers(), body);
    while let Some(field) = fields.next().await {
        let field = field.map_err(|error| explain(&error))?;
        match field.name().unwrap_or_default() {
            // Before the file, which no other site's page can have sent.
            "form_token" => {
                visitor.check_form(&text(field).await?)?;
                form.is_ours = true;
            }
            "file" if !form.is_ours => return Err(Problem::cross_site()),
            "file" => {
                form.file_name = field
                    .content_disposition()
                    .and_then(|disposition| disposition.get_filename())
                    .map(clean_file_name)
                    .unwrap_or_default();
                let dir = &site.config.spool_dir;
                form.file = Some(spool(field, dir, limits.bytes, SpoolError::of_multipart).await?);
            }
            "organisation" => form.chosen.organisation = text(field).await?,
            "round" => form.chosen.round = text(field).await?,
            "email" => form.chosen.email = text(field).await?,
            "idempotency_key" => form.idempotency_key = text(field).await?,
            _ => {}
        }
    }
    if !form.is_ours {
        return Err(Problem::cross_site());
    }
    if form.idempotency_key.is_empty() {
        form.idempotency_key = Uuid::now_v7().to_string();
    }
    Ok(())
}

async fn text(mut field: Field) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(chunk) = field.next().await {
        text.extend_from_slice(&chunk.map_err(|_| Problem::from(SpoolError::Incomplete))?);
        if text.len() > FIELD_BYTES {
            return Err(Problem::bad_request("An answer is too long."));
        }
    }
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// A name to show: no folders, no control characters, not too long. It is never used as a path.
pub(crate) fn clean_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

async fn page(
    site: &Site,
    visitor: Visitor,
    status: StatusCode,
    chosen: Chosen,
    mistake: Option<Mistake>,
) -> Result<HttpResponse, PageProblem> {
    let reader = &visitor.actor;
    let today = clock::day(Utc::now());
    let organisations = workflow::organisations(site.db()?, reader).await?;
    let which = OwedBy {
        organisations: organisations.iter().map(|one| one.code.clone()).collect(),
        return_id: None,
    };
    let obligations = workflow::owed(site.db()?, reader, &which, today).await?;
    let mut rounds: Vec<_> = obligations.iter().map(|owed| &owed.round).collect();
    rounds.sort_by_key(|round| (&round.return_title, Reverse(round.period.end)));
    rounds.dedup();
    let rounds = rounds
        .into_iter()
        .map(|round| RoundChoice {
            value: format!("{}/{}", round.return_id, round.period.label),
            label: format!("{}, {}", round.return_title, round.period.label),
        })
        .collect();
    let page = UploadPage {
        you: Some(visitor.you),
        wrong_field: mistake.as_ref().map_or("", |mistake| mistake.field),
        problem: mistake.map(|mistake| mistake.problem.detail),
        organisations,
        rounds,
        chosen,
        idempotency_key: Uuid::now_v7(),
        megabytes: site.config.body.bytes / (1024 * 1024),
    };
    Ok(super::render(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lose_their_folders_and_control_characters() {
        for (sent, kept) in [
            ("HL1 Q2.xlsx", "HL1 Q2.xlsx"),
            ("C:\\Users\\me\\HL1.xlsx", "HL1.xlsx"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nb.csv", "ab.csv"),
            ("/", ""),
        ] {
            assert_eq!(clean_file_name(sent), kept);
        }
    }
}
