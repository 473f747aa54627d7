//! The page of a request that can't be answered.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::problem::Problem;
use crate::session::You;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    you: Option<You>,
    title: &'a str,
    detail: &'a str,
}

/// A problem told as a page instead of as JSON, or the page where it is put right.
#[derive(Debug)]
pub(crate) enum PageProblem {
    Told(Problem),
    /// Nobody has signed in.
    SignIn,
    /// Whoever had is not any more.
    SignedOut,
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
            return HttpResponse::SeeOther()
                .insert_header((header::LOCATION, page))
                // A file that nobody is to have is not read to its end.
                .force_close()
                .finish();
        }
        let PageProblem::Told(problem) = self else {
            return HttpResponse::InternalServerError().finish();
        };
        let page = ProblemPage {
            you: None,
            title: problem.title,
            detail: &problem.detail,
        };
        match page.render() {
            Ok(html) => problem
                .builder()
                .content_type("text/html; charset=utf-8")
                .body(html),
            Err(_) => problem.response(),
        }
    }
}

/// Nothing is at this address: a page for people, JSON for programs.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    let problem = Problem::not_found();
    if request.path().starts_with("/api/") || !accepts_html(request.headers().get(header::ACCEPT)) {
        return problem.response();
    }
    PageProblem::Told(problem).error_response()
}

fn accepts_html(accept: Option<&HeaderValue>) -> bool {
    accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
