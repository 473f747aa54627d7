//! The page of a request that can't be answered.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::problem::Problem;
use crate::session::{self, You};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    you: Option<You>,
    title: &'a str,
    detail: &'a str,
    next: Option<&'a (String, String)>,
}

/// A problem told as a page instead of as JSON, or the page where it is put right.
#[derive(Debug)]
pub(crate) enum PageProblem {
    Told(Problem),
    /// Nobody has signed in.
    SignIn,
    /// Whoever had is not any more.
    SignedOut,
    /// The same, while files were on the way.
    SignedOutWhileSending,
    /// The code is still to come.
    SecondProof,
}

impl<T: Into<Problem>> From<T> for PageProblem {
    fn from(problem: T) -> Self {
        Self::Told(problem.into())
    }
}

impl PageProblem {
    /// Where it is put right.
    fn page(&self) -> Option<&'static str> {
        match self {
            PageProblem::Told(_) => None,
            PageProblem::SignIn => Some("/sign-in"),
            PageProblem::SignedOut => Some("/sign-in?over=yes"),
            PageProblem::SignedOutWhileSending => Some("/sign-in?over=sending"),
            PageProblem::SecondProof => Some("/sign-in/code"),
        }
    }
}

impl fmt::Display for PageProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PageProblem::Told(problem) => problem.fmt(f),
            _ => f.write_str("nobody has signed in"),
        }
    }
}

impl ResponseError for PageProblem {
    fn status_code(&self) -> StatusCode {
        match self {
            PageProblem::Told(problem) => problem.status,
            _ => StatusCode::SEE_OTHER,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(page) = self.page() {
            let mut answer = HttpResponse::SeeOther();
            answer.insert_header((header::LOCATION, page));
            if matches!(self, PageProblem::SignedOutWhileSending) {
                answer.cookie(session::way_back_to_upload());
            }
            // A file that nobody is to have is not read to its end.
            return answer.force_close().finish();
        }
        let PageProblem::Told(problem) = self else {
            return HttpResponse::InternalServerError().finish();
        };
        told(problem, None)
    }
}

fn told(problem: &Problem, you: Option<You>) -> HttpResponse {
    let page = ProblemPage {
        you,
        title: problem.title,
        detail: &problem.detail,
        next: problem.next.as_ref(),
    };
    match page.render() {
        Ok(html) => problem
            .builder()
            .content_type("text/html; charset=utf-8")
            .body(html),
        Err(_) => problem.response(),
    }
}

/// Whoever has signed in is greeted on a problem's page too: an error by itself knows nobody.
pub(crate) async fn greet(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let error = response.response().error();
    let Some(PageProblem::Told(problem)) = error.and_then(Error::as_error) else {
        return Ok(response);
    };
    // A database that has just failed is not asked who that was.
    if problem.status.is_server_error() {
        return Ok(response);
    }
    let Ok(visitor) = session::visitor(response.request()).await else {
        return Ok(response);
    };
    let page = told(problem, Some(visitor.you));
    Ok(response.into_response(page))
}

/// Nothing is at this address: a page for people, JSON for programs.
pub(crate) async fn not_found(request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let problem = Problem::not_found();
    if request.path().starts_with("/api/") || !accepts_html(request.headers().get(header::ACCEPT)) {
        return Ok(problem.response());
    }
    Err(PageProblem::Told(problem))
}

fn accepts_html(accept: Option<&HeaderValue>) -> bool {
    accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
