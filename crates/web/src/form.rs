//! What a form of a page sends, read in one place.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::body::{self, Body};
use crate::pages::problem::PageProblem;
use crate::problem::Problem;
use crate::{BodyLimits, Site};

/// A form has a text of 4,000 characters, nine bytes each where it is far from ASCII, and some hundred ticked places.
const MOST_BYTES: u64 = 64 * 1024;

/// The fields of a form. None of them has a zero byte in it, which the database can't keep in a text.
#[derive(Debug)]
pub(crate) struct Form<T>(T);

impl<T> Form<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Form<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = PageProblem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageProblem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = is_form(request);
        let limits = limits(request);
        let body = Body::new(payload.take());
        Box::pin(async move {
            let body = body::whole(body, limits?, MOST_BYTES).await;
            let body = body.map_err(of_a_form)?;
            if !is_form {
                return Err(unreadable().into());
            }
            let fields = read(&body)?;
            Ok(Self(fields))
        })
    }
}

fn limits(request: &HttpRequest) -> Result<BodyLimits, Problem> {
    let site = request.app_data::<web::Data<Site>>();
    let site = site.ok_or_else(Problem::unavailable)?;
    Ok(site.config.body)
}

/// No file came in too slowly.
fn of_a_form(problem: Problem) -> Problem {
    if problem.status != StatusCode::REQUEST_TIMEOUT {
        return problem;
    }
    Problem {
        detail: "The form came in too slowly or stopped coming. Nothing was kept: go back and send it again.".to_owned(),
        ..problem
    }
}

fn is_form(request: &HttpRequest) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn unreadable() -> Problem {
    Problem::bad_request("The form can't be read: open the page again.")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = str::from_utf8(body).map_err(|_| unreadable())?;
    if text.contains('\0') || text.contains("%00") {
        return Err(Problem::bad_request(
            "What was filled in has a character in it that can't be kept (a zero byte). Go back, type the text anew instead of pasting it, and send the form again.",
        ));
    }
    let fields = web::Query::<T>::from_query(text).map_err(|error| {
        tracing::debug!(%error, "a form that can't be read");
        unreadable()
    })?;
    Ok(fields.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Vec<(String, String)>;

    #[test]
    fn fields_are_read_in_order_and_as_often_as_they_come() {
        let fields: Fields = read(b"a=1&b=x+y&a=%C3%A9%26").unwrap();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(fields, [("a", "1"), ("b", "x y"), ("a", "\u{e9}&")]);
    }

    #[test]
    fn a_zero_byte_is_refused_however_it_is_written() {
        for body in [&b"a=x%00y"[..], b"a=x\0y", b"%00=x", b"a=1&b=%00"] {
            let refused = read::<Fields>(body).unwrap_err();
            assert_eq!(refused.status, 400);
            assert!(refused.detail.contains("zero byte"), "{}", refused.detail);
        }
        let fields: Fields = read(b"a=100%25&b=%2500").unwrap();
        assert_eq!(fields[1].1, "%00", "a per cent sign and two noughts");
        assert!(read::<Fields>(b"a=\xff").is_err());
    }
}
