//! Which organisations there are, and the page of one: by what codes and names it goes, and where each is from.

pub(crate) mod holidays;

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;
use workflow::Listed;

use super::problem::PageProblem;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::{Site, words};

#[derive(Template)]
#[template(path = "organisations.html")]
struct ListPage {
    you: Option<You>,
    kinds: Vec<Kind>,
    rows: Vec<Row>,
}

/// A choice of the filter.
struct Kind {
    word: String,
    label: String,
    is_chosen: bool,
}

struct Row {
    code: String,
    name: String,
    kind: String,
    sg_code: String,
    phs_code: String,
    days: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    kind: String,
}

pub(crate) async fn list(
    site: web::Data<Site>,
    visitor: Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let all = workflow::listed_organisations(site.db()?, &visitor.actor, None).await?;
    let mut kinds: Vec<&String> = all.iter().map(|one| &one.organisation.kind).collect();
    kinds.sort();
    kinds.dedup();
    let kinds = kinds.into_iter().map(|kind| Kind {
        word: kind.clone(),
        label: in_words(kind),
        is_chosen: *kind == asked.kind,
    });
    let page = ListPage {
        kinds: kinds.collect(),
        rows: all
            .iter()
            .filter(|one| asked.kind.is_empty() || one.organisation.kind == asked.kind)
            .map(row)
            .collect(),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn row(one: &Listed) -> Row {
    let own = |about: &str| {
        let mut facts = one.facts.iter();
        facts
            .find(|fact| fact.about == about)
            .map_or_else(String::new, |fact| fact.value.clone())
    };
    Row {
        code: one.organisation.code.clone(),
        name: one.organisation.name.clone(),
        kind: in_words(&one.organisation.kind),
        sg_code: own("sg_code"),
        phs_code: own("phs_code"),
        days: match (own("valid_from").as_str(), own("valid_to").as_str()) {
            ("", "") => String::new(),
            (from, "") => format!("since {}", day(from)),
            ("", to) => format!("until {}", day(to)),
            (from, to) => format!("{} to {}", day(from), day(to)),
        },
    }
}

/// `valuation-joint-board` → `Valuation joint board`.
fn in_words(kind: &str) -> String {
    words::capitalised(&kind.replace('-', " "))
}

fn day(iso: &str) -> String {
    let day: Option<NaiveDate> = iso.parse().ok();
    day.map_or_else(|| iso.to_owned(), words::day)
}

#[derive(Template)]
#[template(path = "organisation.html")]
struct OrganisationPage {
    you: Option<You>,
    code: String,
    name: String,
    kind: String,
    facts: Vec<Fact>,
    may_see_people: bool,
    may_see_audit: bool,
}

struct Fact {
    about: &'static str,
    value: String,
    source: String,
    url: Option<String>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let mut found =
        workflow::listed_organisations(site.db()?, &visitor.actor, Some(code.as_str())).await?;
    let one = found.pop().ok_or_else(Problem::not_found)?;
    let may = |action| workflow::may_for(&visitor.actor, action, &code);
    let page = OrganisationPage {
        may_see_people: may(Action::SeePeople),
        may_see_audit: may(Action::SeeAudit),
        kind: in_words(&one.organisation.kind),
        code: one.organisation.code,
        name: one.organisation.name,
        facts: one
            .facts
            .into_iter()
            .map(|fact| Fact {
                value: match fact.about.as_str() {
                    "valid_from" | "valid_to" => day(&fact.value),
                    _ => fact.value,
                },
                about: heading(&fact.about),
                source: match (fact.source, fact.confidence.as_deref()) {
                    (Some(source), Some("published")) => format!("As published: {source}"),
                    (Some(source), Some("partial")) => format!("Published in part: {source}"),
                    (Some(source), _) => format!("Not published: {source}"),
                    (None, _) => String::new(),
                },
                url: fact.url,
            })
            .collect(),
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn heading(about: &str) -> &'static str {
    match about {
        "code" => "Code here and in statistics",
        "name" => "Name",
        "sg_code" => "Code of the Scottish Government",
        "phs_code" => "Code of Public Health Scotland",
        "superseded_code" => "Earlier code",
        "alias" => "Also called",
        "valid_from" => "There since",
        "valid_to" => "There until",
        _ => "Also known",
    }
}
