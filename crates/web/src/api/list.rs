//! A list a page at a time, the same way everywhere: `?limit=` and `?after=`, the answer's `next` and its `Link` header.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

const USUAL: u16 = 50;
const MOST: u16 = 200;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    items: Vec<T>,
    /// The address of the next page; null on the last one.
    next: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// How many there are on a page: 50 where this is not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Where the page before ended. Take it from the address in `next`, and do not make it yourself.
    after: Option<String>,
}

impl Asked {
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::bad_request("The limit has to be from 1 to 200."));
        }
        Ok(limit.into())
    }

    /// Where the page before ended.
    pub(super) fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        let after = self.after.as_deref().map(str::parse);
        after.transpose().map_err(|_| Self::unknown_after())
    }

    fn unknown_after() -> Problem {
        Problem::bad_request("Take “after” from the address that the page before gives as “next”.")
    }
}

/// One page as an answer; `end` is where it ends, if there is more after it.
pub(super) fn page<T: Serialize>(
    request: &HttpRequest,
    items: Vec<T>,
    end: Option<String>,
) -> HttpResponse {
    let next = end.map(|end| address_after(request, &end));
    let mut answer = HttpResponse::Ok();
    if let Some(next) = &next {
        answer.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
    }
    answer.json(List { items, next })
}

/// A page of all there is, in an order that stays: those whose name comes after that of the one before.
pub(super) fn page_of_all<T: Serialize>(
    request: &HttpRequest,
    asked: &Asked,
    all: Vec<T>,
    name: impl Fn(&T) -> String,
) -> Result<HttpResponse, Problem> {
    let limit = asked.limit()?;
    let mut items: Vec<T> = match &asked.after {
        Some(after) => all.into_iter().filter(|one| name(one) > *after).collect(),
        None => all,
    };
    let is_more = items.len() > limit;
    items.truncate(limit);
    let end = items.last().filter(|_| is_more).map(&name);
    Ok(page(request, items, end))
}

/// The same address with where to go on; what else was asked for stays.
fn address_after(request: &HttpRequest, end: &str) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("after="));
    let query: Vec<String> = kept
        .map(str::to_owned)
        .chain([format!("after={end}")])
        .collect();
    format!("{}?{}", request.path(), query.join("&"))
}
