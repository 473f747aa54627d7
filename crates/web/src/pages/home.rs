//! The front page: what the visitor's organisations owe and when, and how the returns come in that the visitor looks
//! after. What is settled and past is a page of its own.

pub(super) mod asked;
mod owed;
mod rounds;

use access::{Action, Actor};
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
    /// What else there is for the visitor: address and words.
    more: Vec<(String, String)>,
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
        more: more(&site, &visitor.actor).await?,
        you: Some(visitor.you),
        shows_past: asked.past,
        returns: asked.returns(&site),
        states: asked.states(),
        other: asked.other(),
    };
    Ok(super::render(StatusCode::OK, &page))
}

/// What else there is to do and to look at: requests, the rounds, and the people and trails that the visitor may see.
async fn more(site: &Site, actor: &Actor) -> Result<Vec<(String, String)>, PageProblem> {
    let mut more = Vec::new();
    let asking = workflow::extensions_to_decide(site.db()?, actor).await?;
    if !asking.is_empty() {
        let words = match asking.len() {
            1 => "1 request for more time waits for you".to_owned(),
            n => format!("{n} requests for more time wait for you"),
        };
        more.push(("/rounds/asking".to_owned(), words));
    }
    if workflow::may_plan(actor) {
        for (address, words) in [
            ("/rounds/late", "Who is late"),
            ("/rounds/standing", "Returns and organisations"),
            ("/rounds/workload", "Work to come for each organisation"),
            ("/rounds/burden", "How much work the returns make"),
            ("/rounds/proposals", "Plan the next rounds"),
            ("/rounds/many", "Confirm or move many rounds"),
            ("/schedules", "Schedules: what is done again and again"),
        ] {
            more.push((address.to_owned(), words.to_owned()));
        }
    }
    for code in actor.organisations() {
        let may = |action| workflow::may_for(actor, action, code);
        if !may(Action::SeePeople) && !may(Action::SeeAudit) {
            continue;
        }
        let found = workflow::listed_organisations(site.db()?, actor, Some(code)).await?;
        for one in found {
            let name = one.organisation.name;
            if may(Action::SeePeople) {
                let words = format!("People of {name}");
                more.push((format!("/organisations/{code}/people"), words));
            }
            if may(Action::SeeAudit) {
                let words = format!("Audit trail of {name}");
                more.push((format!("/organisations/{code}/audit"), words));
            }
        }
    }
    if workflow::may_make_clients(actor).is_none_or(|for_what| !for_what.is_empty()) {
        more.push((
            "/programs".to_owned(),
            "Programs that send returns or take figures".to_owned(),
        ));
    }
    if workflow::may_for(actor, Action::SeeAudit, "") {
        more.push(("/audit".to_owned(), "Audit trail of everything".to_owned()));
    }
    Ok(more)
}
