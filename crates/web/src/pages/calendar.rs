//! Feeds of rounds' days for people's own calendars: the page where one is had or ended, and the feeds themselves.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock;
use uuid::Uuid;
use workflow::{Actor, Denied, Feed, OfWhat, Secret};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    you: Option<You>,
    /// A new one's address, which is shown this once.
    address: Option<String>,
    feeds: Vec<Made>,
    choices: Vec<(String, String)>,
    form_id: Uuid,
}

/// A feed that the visitor made.
struct Made {
    id: Uuid,
    of: String,
    since: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, None).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    address: Option<String>,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let feeds = workflow::own_feeds(db, actor).await?;
    let choices = choices(site, actor).await?;
    let page = CalendarPage {
        feeds: feeds.iter().map(|feed| made(feed, &choices)).collect(),
        address,
        choices,
        form_id: Uuid::now_v7(),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

/// What a feed can be of, as the form sends it and in words.
async fn choices(site: &Site, actor: &Actor) -> Result<Vec<(String, String)>, Problem> {
    let mut choices = Vec::new();
    let own = actor.organisations();
    let listed = workflow::listed_organisations(site.db()?, actor, None).await?;
    let mut organisations: Vec<(String, String)> = listed
        .into_iter()
        .map(|listed| (listed.organisation.code, listed.organisation.name))
        .filter(|(code, _)| own.contains(&code.as_str()) || workflow::may_plan(actor))
        .collect();
    organisations.sort_by(|one, other| one.1.cmp(&other.1));
    let of_own = |(code, name): (String, String)| {
        (
            format!("organisation:{code}"),
            format!("What {name} has to send"),
        )
    };
    if !own.is_empty() {
        choices.extend(organisations.drain(..).map(of_own));
    }
    choices.push((
        "everything:".to_owned(),
        "Every round of every return".to_owned(),
    ));
    let returns = site.returns_by_title().into_iter();
    choices.extend(returns.map(|(title, id)| (format!("return:{id}"), title.to_owned())));
    choices.extend(organisations.into_iter().map(of_own));
    Ok(choices)
}

fn value(of: &OfWhat) -> String {
    match of {
        OfWhat::Everything => "everything:".to_owned(),
        OfWhat::Return(id) => format!("return:{id}"),
        OfWhat::Organisation(code) => format!("organisation:{code}"),
    }
}

fn made(feed: &Feed, choices: &[(String, String)]) -> Made {
    let value = value(&feed.of);
    let known = choices.iter().find(|(known, _)| *known == value);
    Made {
        id: feed.id,
        of: known.map_or(value.clone(), |(_, words)| words.clone()),
        since: words::day(clock::day(feed.made_at)),
    }
}

/// Makes one. Its address is on the page that answers, and never again.
pub(crate) async fn make(
    site: web::Data<Site>,
    visitor: Visitor,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let unreadable = || Problem::bad_request("The form can't be read: open the page again.");
    let id = Uuid::try_parse(field(&form, "id")).map_err(|_| unreadable())?;
    let of = match field(&form, "of").split_once(':') {
        Some(("everything", _)) => OfWhat::Everything,
        Some(("return", id)) if site.specs.iter().any(|spec| spec.id == id) => {
            OfWhat::Return(id.to_owned())
        }
        Some(("organisation", code)) => OfWhat::Organisation(code.to_owned()),
        _ => return Err(unreadable().into()),
    };
    match workflow::make_feed(site.db()?, &visitor.actor, id, &of).await? {
        Some(secret) => {
            let address = format!("{}/calendar/{}.ics", site.config.base_url, secret.reveal());
            page(&site, visitor, Some(address)).await
        }
        None => Ok(see("/calendar")),
    }
}

/// Ends one of the visitor's own.
pub(crate) async fn revoke(
    site: web::Data<Site>,
    visitor: Visitor,
    feed: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let id = Uuid::try_parse(&feed).map_err(|_| Problem::not_found())?;
    workflow::revoke_feed(site.db()?, &visitor.actor, id).await?;
    Ok(see("/calendar"))
}

/// A feed, for whoever has its address.
pub(crate) async fn feed(
    site: web::Data<Site>,
    secret: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let secret = Secret::of(secret.into_inner());
    let (db, base_url) = (site.db()?, &site.config.base_url);
    let entered = workflow::enter_by_feed(db, &secret).await?;
    let (maker, of) = entered.ok_or_else(Problem::not_found)?;
    let today = clock::day(Utc::now());
    let days = match workflow::read_feed(db, &maker, &of, base_url, today).await {
        Ok(days) => days,
        Err(Denied::Db(error)) => return Err(error.into()),
        // Its maker may not see this any more: for whoever asks there is no such feed.
        Err(_) => return Err(Problem::not_found()),
    };
    let name = match &of {
        OfWhat::Everything => "Returns".to_owned(),
        OfWhat::Return(id) => {
            let spec = site.specs.iter().rfind(|spec| spec.id == *id);
            spec.map_or_else(|| id.clone(), |spec| spec.title.clone())
        }
        OfWhat::Organisation(code) => {
            let listed = workflow::listed_organisations(db, &maker, Some(code)).await?;
            let name = listed
                .into_iter()
                .next()
                .map(|listed| listed.organisation.name);
            format!("Returns to send: {}", name.as_deref().unwrap_or(code))
        }
    };
    let host = host(base_url);
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            "inline; filename=\"returns.ics\"",
        ))
        .body(cycle::calendar::feed(&name, host, &days)))
}

/// Of `https://returns.example:8443/x`: `returns.example`.
fn host(base_url: &str) -> &str {
    let rest = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    let end = rest.find(['/', ':']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_what_names_the_site() {
        for (url, expected) in [
            ("https://returns.example", "returns.example"),
            ("http://127.0.0.1:8080/x", "127.0.0.1"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
