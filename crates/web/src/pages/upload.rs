//! The page that takes files. One whose return and period are said is sent at once; of others lgdp says what they are,
//! and the sender decides on the page of their batch.

mod form;

use std::cmp::Reverse;

use access::Action;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use askama::Template;
use chrono::Utc;
use cycle::clock;
use db::Db;
use serde::Deserialize;
use uuid::Uuid;
use workflow::{
    Actor, NewBatch, NewFile, NewUpload, Obligation, OrganisationName, OwedBy, ReceiveError,
};

use super::problem::PageProblem;
use crate::Site;
use crate::body::{self, Body};
use crate::problem::Problem;
use crate::session::{self, Visitor, You, visitor};
use crate::spool;
use form::{Form, Sent, read};

pub(crate) use form::clean_file_name;

/// Files that can be sent together.
pub(super) const MOST_FILES: usize = 20;
/// How many times the largest file they may be together.
const ALL_TOGETHER: u64 = 4;

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
    /// Whether anything may be sent, or only checked.
    may_send: bool,
    idempotency_key: Uuid,
    megabytes: u64,
    bytes: u64,
    most_files: usize,
}

/// A return and a period that go together.
pub(super) struct RoundChoice {
    /// `hl1/2026-27-Q1`.
    pub(super) value: String,
    pub(super) label: String,
}

/// What the form starts with.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    organisation: String,
    /// Of one file; empty: the files say what they are.
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
    if !visitor.you.may_check {
        return Err(Problem::forbidden().into());
    }
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
    let answer = keep(&site, &request, Body::new(payload.into_inner())).await;
    answer.unwrap_or_else(|problem| problem.error_response())
}

async fn keep(site: &Site, request: &HttpRequest, body: Body) -> Result<HttpResponse, PageProblem> {
    let whole = site.config.body.bytes * ALL_TOGETHER;
    let visitor = match visitor(request).await {
        Err(PageProblem::SignedOut) => {
            // A browser that is still sending shows no answer but an error of its own.
            body::drain(body, site.config.body, whole).await;
            return Err(PageProblem::SignedOutWhileSending);
        }
        visitor => visitor?,
    };
    spool::sweep_or_warn(&site.config.spool_dir).await;
    let mut form = Form::default();
    let sent = match read(site, request, &visitor, body, whole, &mut form).await {
        Ok(()) => {
            // Files take a while: somebody may have signed out meanwhile.
            if let Err(PageProblem::SignedOut) = session::visitor(request).await {
                return Err(PageProblem::SignedOutWhileSending);
            }
            take(site, &visitor, &form).await
        }
        Err(mistake) => Err(mistake),
    };
    match sent {
        Ok(place) => Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, place))
            .finish()),
        Err(mistake) if mistake.shows_on_the_form => {
            let status = mistake.problem.status;
            page(site, visitor, status, form.chosen, Some(mistake)).await
        }
        Err(mistake) => Err(mistake.problem.into()),
    }
}

/// What is wrong, and the field where it is put right.
struct Mistake {
    problem: Problem,
    field: &'static str,
    /// What the sender can put right there and then. A body that was not read to its end is not: the connection closes.
    shows_on_the_form: bool,
}

/// Most of what can be wrong is so with the file.
impl<T: Into<Problem>> From<T> for Mistake {
    fn from(problem: T) -> Self {
        let problem = problem.into();
        let unread = [
            StatusCode::FORBIDDEN,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::REQUEST_TIMEOUT,
        ];
        Self {
            shows_on_the_form: problem.status.is_client_error()
                && !unread.contains(&problem.status),
            problem,
            field: "file",
        }
    }
}

impl Mistake {
    /// The body was read to its end all the same.
    fn of_a_large_file(mut self) -> Self {
        self.problem.status = StatusCode::PAYLOAD_TOO_LARGE;
        self
    }
}

fn missing(field: &'static str, words: impl Into<String>) -> Mistake {
    Mistake {
        field,
        ..Mistake::from(Problem::bad_request(words))
    }
}

/// Sends what can be sent at once, and has everything else looked at; gives the page to go on at.
async fn take(site: &Site, visitor: &Visitor, form: &Form) -> Result<String, Mistake> {
    let (db, chosen) = (site.db()?, &form.chosen);
    if chosen.organisation.is_empty() {
        return Err(missing("organisation", "Choose your organisation."));
    }
    if chosen.email.is_empty() {
        return Err(missing(
            "email",
            "Enter an email address to which we can send the receipt.",
        ));
    }
    if form.files.is_empty() {
        return Err(missing("file", "Choose a file."));
    }
    let round = chosen.round.split_once('/');
    let batch = match (round, form.files.as_slice(), form.only_check) {
        (Some(round), [file], false) => match send((site, db), visitor, form, file, round).await {
            Ok(id) => return Ok(format!("/submissions/{id}")),
            // The sender says whether that is meant.
            Err(ReceiveError::SentBefore { .. }) => put_in(site, visitor, form, None).await?,
            Err(error) => return Err(error.into()),
        },
        (Some(round), [_], true) => return check(site, visitor, form, round).await,
        _ => put_in(site, visitor, form, None).await?,
    };
    Ok(format!(
        "/upload/{batch}{}",
        if form.only_check { "?only=check" } else { "" }
    ))
}

/// Has the one file checked; gives the page where what was found is to be seen.
async fn check(
    site: &Site,
    visitor: &Visitor,
    form: &Form,
    round: (&str, &str),
) -> Result<String, Mistake> {
    let batch = put_in(site, visitor, form, Some(round)).await?;
    let waiting = workflow::batch(site.db()?, &visitor.actor, batch).await?;
    let first = waiting.first().ok_or_else(Problem::gone)?;
    Ok(format!("/checked/{}", first.parcel.id))
}

async fn send(
    (site, db): (&Site, &Db),
    visitor: &Visitor,
    form: &Form,
    file: &Sent,
    (return_id, period): (&str, &str),
) -> Result<Uuid, ReceiveError> {
    let upload = NewUpload {
        organisation: form.chosen.organisation.clone(),
        return_id: return_id.to_owned(),
        period: period.to_owned(),
        file_name: file.name.clone(),
        path: file.spooled.path(),
        sha256: file.spooled.sha256.clone(),
        bytes: file.spooled.bytes,
        idempotency_key: form.idempotency_key.clone(),
        contact_email: Some(form.chosen.email.clone()),
        received_at: Utc::now(),
    };
    let receipt = workflow::receive_unless_sent(db, &site.files, &visitor.actor, upload).await?;
    Ok(receipt.submission_id)
}

/// With a round: only to be checked for it.
async fn put_in(
    site: &Site,
    visitor: &Visitor,
    form: &Form,
    round: Option<(&str, &str)>,
) -> Result<Uuid, Problem> {
    let files = form.files.iter().map(|file| NewFile {
        file_name: file.name.clone(),
        path: file.spooled.path(),
        sha256: file.spooled.sha256.clone(),
        n_bytes: file.spooled.bytes,
    });
    let batch = NewBatch {
        organisation: form.chosen.organisation.clone(),
        contact_email: Some(form.chosen.email.clone()),
        idempotency_key: form.idempotency_key.clone(),
        files: files.collect(),
        check_for: round.map(|(return_id, period)| (return_id.to_owned(), period.to_owned())),
        came_at: Utc::now(),
    };
    Ok(workflow::put_in(site.db()?, &site.files, &visitor.actor, &batch).await?)
}

/// What may be sent today, by title and the newest period first.
pub(super) async fn open_rounds(
    site: &Site,
    actor: &Actor,
    organisations: &[String],
) -> Result<Vec<Obligation>, Problem> {
    let which = OwedBy {
        organisations: organisations.to_vec(),
        return_id: None,
    };
    let today = clock::day(Utc::now());
    let mut owed = workflow::owed(site.db()?, actor, &which, today).await?;
    owed.retain(|owed| owed.round.opens_on <= today && owed.closed_on.is_none());
    owed.sort_by(|a, b| {
        let key = |owed: &Obligation| Reverse(owed.round.period.end);
        let by_title = a.round.return_title.cmp(&b.round.return_title);
        by_title.then_with(|| key(a).cmp(&key(b)))
    });
    Ok(owed)
}

/// Each of them once.
pub(super) fn choices(owed: &[Obligation]) -> Vec<RoundChoice> {
    let mut rounds: Vec<_> = owed.iter().map(|owed| &owed.round).collect();
    rounds.dedup();
    rounds
        .into_iter()
        .map(|round| RoundChoice {
            value: format!("{}/{}", round.return_id, round.period.label),
            label: format!("{}, {}", round.return_title, round.period.in_words()),
        })
        .collect()
}

async fn page(
    site: &Site,
    visitor: Visitor,
    status: StatusCode,
    mut chosen: Chosen,
    mistake: Option<Mistake>,
) -> Result<HttpResponse, PageProblem> {
    let reader = &visitor.actor;
    let mut organisations = workflow::organisations(site.db()?, reader).await?;
    organisations.retain(|one| workflow::may_for(reader, Action::Check, &one.code));
    if let [one] = organisations.as_slice() {
        chosen.organisation.clone_from(&one.code);
    }
    let codes: Vec<String> = organisations.iter().map(|one| one.code.clone()).collect();
    let owed = open_rounds(site, reader, &codes).await?;
    let page = UploadPage {
        may_send: visitor.you.may_send,
        you: Some(visitor.you),
        wrong_field: mistake.as_ref().map_or("", |mistake| mistake.field),
        problem: mistake.map(|mistake| mistake.problem.detail),
        organisations,
        rounds: choices(&owed),
        chosen,
        idempotency_key: Uuid::now_v7(),
        megabytes: site.config.body.bytes / (1024 * 1024),
        bytes: site.config.body.bytes,
        most_files: MOST_FILES,
    };
    Ok(super::render(status, &page))
}
