//! The page of a request that can't be answered.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    detail: &'a str,
}

/// A problem told as a page instead of as JSON.
#[derive(Debug)]
pub(crate) struct PageProblem(pub(crate) Problem);

impl<T: Into<Problem>> From<T> for PageProblem {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl fmt::Display for PageProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for PageProblem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let page = ProblemPage {
            title: self.0.title,
            detail: &self.0.detail,
        };
        match page.render() {
            Ok(html) => self
                .0
                .builder()
                .content_type("text/html; charset=utf-8")
                .body(html),
            Err(_) => self.0.response(),
        }
    }
}

/// Nothing is at this address: a page for people, JSON for programs.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    let problem = Problem::not_found();
    if request.path().starts_with("/api/") || !accepts_html(request.headers().get(header::ACCEPT)) {
        return problem.response();
    }
    PageProblem(problem).error_response()
}

fn accepts_html(accept: Option<&HeaderValue>) -> bool {
    accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
