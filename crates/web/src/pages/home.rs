//! The front page: what the visitor's organisations owe and when, and how the returns come in that the visitor looks
//! after. What is settled and past is a page of its own.

mod asked;
mod owed;
mod rounds;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock;

use super::problem::PageProblem;
use crate::Site;
use crate::session::{Visitor, You};
use asked::{Asked, Choice};
use owed::Owed;
use rounds::Rounds;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    you: Option<You>,
    /// Of the visitor's own organisations; `None` for who works for none.
    owed: Option<Owed>,
    /// Of the returns that the visitor looks after; `None` for who looks after none.
    rounds: Option<Rounds>,
    shows_past: bool,
    returns: Vec<Choice>,
    states: Vec<Choice>,
    /// Of what is settled where this is of what is not, and the other way round.
    other: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let (asked, today) = (asked.into_inner(), clock::day(Utc::now()));
    let asked = asked.known(&site);
    let page = HomePage {
        owed: owed::of(&site, &visitor.actor, &asked, today).await?,
        rounds: rounds::of(&site, &visitor.actor, &asked, today).await?,
        you: Some(visitor.you),
        shows_past: asked.past,
        returns: asked.returns(&site),
        states: asked.states(),
        other: asked.other(),
    };
    Ok(super::render(StatusCode::OK, &page))
}
