//! Servers that are called when something happens: asking for it, and what was told and how that went.

use access::Reach;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock::moment_in_words;
use uuid::Uuid;
use webhook::{PlaceError, Secret};
use workflow::{Denied, NewWebhook, Webhook, WebhookError, WebhookEvent, WebhookMessage};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use super::programs::Names;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words::capitalised;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    you: Option<You>,
    /// Of the one that was asked for just now.
    made: Option<Made>,
    webhooks: Vec<Shown>,
    choices: Vec<Choice>,
    filled: Filled,
    problem: Option<&'static str>,
    /// Where it is put right.
    wrong_field: &'static str,
}

struct Made {
    host: String,
    secret: String,
}

/// One of them. What follows the host in its address may be secret, and is not shown.
struct Shown {
    id: Uuid,
    host: String,
    what: String,
    made: String,
    state: &'static str,
    is_called: bool,
}

struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

struct Filled {
    /// So that a form that is sent twice asks once.
    id: Uuid,
    what: String,
    url: String,
}

impl Filled {
    fn nothing() -> Self {
        Self {
            id: Uuid::now_v7(),
            what: String::new(),
            url: String::new(),
        }
    }
}

pub(crate) async fn list(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, None, Filled::nothing(), None).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    made: Option<Made>,
    filled: Filled,
    mistake: Option<(&'static str, &'static str)>,
) -> Result<HttpResponse, PageProblem> {
    let names = Names::read(site, &visitor).await?;
    let reaches = workflow::may_make_webhooks(&visitor.actor);
    let choices: Vec<Choice> = reaches
        .unwrap_or_else(|| names.everything(site))
        .iter()
        .map(|reach| {
            let value = value_of(reach);
            Choice {
                label: capitalised(&what(&names, reach)),
                is_chosen: value == filled.what,
                value,
            }
        })
        .collect();
    if choices.is_empty() {
        return Err(Denied::Forbidden.into());
    }
    let all = workflow::webhooks(site.db()?, &visitor.actor).await?;
    let (problem, wrong_field) = mistake.map_or((None, ""), |(told, at)| (Some(told), at));
    let page = WebhooksPage {
        you: Some(visitor.you),
        made,
        webhooks: all.iter().map(|one| shown(&names, one)).collect(),
        choices,
        filled,
        problem,
        wrong_field,
    };
    let status = match page.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok(super::render(status, &page))
}

fn shown(names: &Names, webhook: &Webhook) -> Shown {
    Shown {
        id: webhook.id,
        host: workflow::host_of(&webhook.url).to_owned(),
        what: capitalised(&what(names, &webhook.reach)),
        made: moment_in_words(webhook.made_at),
        state: match (webhook.ended_at, webhook.is_ended_by_failing) {
            (Some(_), true) => "ended: it took nothing for five days",
            (Some(_), false) => "ended",
            (None, _) if webhook.failing_since.is_some() => "told, but takes nothing just now",
            (None, _) => "told",
        },
        is_called: webhook.ended_at.is_none(),
    }
}

/// `the returns of Angus`.
fn what(names: &Names, reach: &Reach) -> String {
    match reach {
        Reach::Organisation(code) => format!("the returns of {}", names.organisation(code)),
        Reach::Return(id) => format!(
            "{}: what is submitted, releases and rounds",
            names.title(id)
        ),
        Reach::Everything => String::new(),
    }
}

fn value_of(reach: &Reach) -> String {
    match reach {
        Reach::Organisation(code) => format!("organisation {code}"),
        Reach::Return(id) => format!("return {id}"),
        Reach::Everything => String::new(),
    }
}

fn reach_of(value: &str) -> Option<Reach> {
    match value.split_once(' ')? {
        ("organisation", code) => Some(Reach::Organisation(code.to_owned())),
        ("return", id) => Some(Reach::Return(id.to_owned())),
        _ => None,
    }
}

pub(crate) async fn ask(
    site: web::Data<Site>,
    visitor: Visitor,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let filled = Filled {
        id: Uuid::try_parse(field(&form, "id")).unwrap_or_else(|_| Uuid::now_v7()),
        what: field(&form, "what").trim().to_owned(),
        url: field(&form, "url").trim().to_owned(),
    };
    let mistake = match (reach_of(&filled.what), wrong_with(&site, &filled.url)) {
        (None, _) => ("Choose what it is told of.", "what"),
        (_, Some(wrong)) => (wrong, "url"),
        (Some(reach), None) => {
            let secret = Secret::new();
            let new = NewWebhook {
                id: filled.id,
                reach,
                url: filled.url.clone(),
                secret: secret.bytes().to_vec(),
            };
            match workflow::add_webhook(site.db()?, &visitor.actor, &new).await {
                Ok(()) => {
                    let made = Made {
                        host: workflow::host_of(&new.url).to_owned(),
                        secret: secret.reveal(),
                    };
                    return page(&site, visitor, Some(made), Filled::nothing(), None).await;
                }
                Err(WebhookError::Denied(denied)) => return Err(denied.into()),
                Err(WebhookError::Db(error)) => return Err(error.into()),
                Err(WebhookError::TooMany) => (
                    "Ten servers are told of this already. End one that you do not need.",
                    "what",
                ),
                Err(WebhookError::MadeBefore) => {
                    return Err(Problem::conflict(
                        "Asked for already",
                        "This was asked for already, and its secret is shown only once. If you did not keep it, end it and ask anew.",
                    )
                    .into());
                }
            }
        }
    };
    page(&site, visitor, None, filled, Some(mistake)).await
}

/// With an address that is to be called.
fn wrong_with(site: &Site, url: &str) -> Option<&'static str> {
    if url.len() > 2000 {
        return Some("Enter an address of up to 2,000 letters.");
    }
    let error = site.config.webhook_places.parse(url).err()?;
    Some(match error {
        PlaceError::NoAddress | PlaceError::Unknown => {
            "Enter the address of a server, such as https://hooks.council.gov.uk/returns."
        }
        PlaceError::NotHttps => "Enter an address that starts with https://.",
        PlaceError::Credentials => "Enter the address without a name and password in it.",
        PlaceError::NotPublic => "Enter the address of a server that is on the public internet.",
    })
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    you: Option<You>,
    webhook: Shown,
    messages: Vec<Told>,
}

struct Told {
    id: Uuid,
    what: String,
    /// The page of what it is about.
    link: String,
    at: String,
    state: String,
    n_attempts: i64,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let db = site.db()?;
    let (webhook, messages) = workflow::webhook(db, &visitor.actor, parsed(&id)).await?;
    let names = Names::read(&site, &visitor).await?;
    let page = WebhookPage {
        webhook: shown(&names, &webhook),
        messages: messages.iter().map(told).collect(),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn told(message: &WebhookMessage) -> Told {
    Told {
        id: message.id,
        what: WebhookEvent::parse(&message.event).map_or_else(
            || message.event.clone(),
            |event| event.in_words().to_owned(),
        ),
        link: page_of(message),
        at: moment_in_words(message.made_at),
        state: match (message.taken_at, message.given_up_at, &message.failure) {
            (Some(at), _, None) => format!("taken on {}", moment_in_words(at)),
            (_, Some(_), Some(why)) => format!("given up: {why}"),
            (_, None, Some(why)) => format!("tried again later: {why}"),
            (_, _, None) => "on its way".to_owned(),
        },
        n_attempts: message.n_attempts,
    }
}

fn page_of(message: &WebhookMessage) -> String {
    let about = message.about;
    match (about.submission_id, about.release_id) {
        (Some(id), _) => format!("/submissions/{id}"),
        (None, Some(id)) => format!("/releases/{id}"),
        (None, None) => {
            let text = |name: &str| message.data[name].as_str().unwrap_or_default();
            format!("/rounds/{}/{}", text("return"), text("period"))
        }
    }
}

/// What is no id is nobody's.
fn parsed(id: &str) -> Uuid {
    Uuid::try_parse(id).unwrap_or_default()
}

pub(crate) async fn change(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (db, actor, id) = (site.db()?, &visitor.actor, parsed(&id));
    match field(&form, "do") {
        "again" => workflow::send_again(db, actor, id, parsed(field(&form, "message"))).await?,
        "end" => workflow::end_webhook(db, actor, id, Utc::now()).await?,
        _ => {
            // Whoever may not is told that first.
            workflow::webhook(db, actor, id).await?;
            return Err(
                Problem::bad_request("The form can't be read: open the page again.").into(),
            );
        }
    }
    Ok(see(&format!("/webhooks/{id}")))
}
