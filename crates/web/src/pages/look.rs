//! A first look at a return: pictures of what its figures come to, and the same figures as tables and as a file.
//!
//! Whoever may have the figures of all organisations compares them; an organisation's own people see its own alone.

mod asked;
mod drawn;
mod words;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use dataset::look::{Look, unusual};
use spec::{Period, ReturnSpec, TableSpec};
use workflow::{WantedError, WantedLook};

use super::chart::Chart;
use super::home::asked::Choice;
use super::problem::PageProblem;
use crate::Site;
use crate::api::dataset::Round;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use asked::{Asked, Chosen};
use drawn::Drawn;
use words::Told;

#[derive(Template)]
#[template(path = "look.html")]
struct LookPage {
    you: Option<You>,
    title: String,
    period: String,
    here: String,
    datasets: String,
    table: String,
    table_title: String,
    /// Address and title of the other tables.
    others: Vec<(String, String)>,
    /// What is looked at.
    what: String,
    lines: Vec<Choice>,
    items: Vec<Choice>,
    sums: Vec<Choice>,
    /// Whose line is drawn beside that of the middle.
    organisations: Vec<Choice>,
    /// The address of the same look.
    again: String,
    /// `None`: it is still to be added up.
    found: Option<Found>,
}

/// What there is to see.
struct Found {
    sentence: String,
    /// All figures as a file.
    csv: String,
    by_code: Option<Chart>,
    /// The code that is looked at, and the address of all of them.
    code: Option<(String, String)>,
    compared: Option<Chart>,
    unusual: Option<Vec<Told>>,
    totals: Option<Chart>,
    over_time: Option<Chart>,
    there: Option<Chart>,
    /// Name and address of who is missing, and of whose figures are provisional.
    missing: Vec<(String, String)>,
    provisional: Vec<(String, String)>,
}

/// What is asked for, found.
struct Wanted<'a> {
    spec: &'a ReturnSpec,
    period: Period,
    table: &'a TableSpec,
    chosen: Chosen,
    is_everybodys: bool,
    look: Option<Look>,
}

async fn find<'a>(
    site: &'a Site,
    visitor: &Visitor,
    round: &Round,
    asked: &Asked,
) -> Result<Wanted<'a>, Problem> {
    let (spec, period) = site
        .spec(&visitor.actor, &round.return_id, &round.period)
        .await?;
    let figures = workflow::figures(&visitor.actor, &spec.id)?;
    let table = asked.table_of(spec).ok_or_else(Problem::not_found)?;
    let chosen = asked.chosen(table);
    let wanted = WantedLook {
        versions: &site.specs,
        spec,
        table: &table.name,
        period: &period,
        what: &chosen.what,
    };
    let look = workflow::look(site.db()?, &figures, &wanted).await?;
    Ok(Wanted {
        spec,
        period,
        table,
        chosen,
        is_everybodys: figures.are_everybodys(),
        look,
    })
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Round>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let wanted = find(&site, &visitor, &round, &asked).await?;
    let (spec, table, period) = (wanted.spec, wanted.table, &wanted.period);
    let here = format!("/returns/{}/{}/look", spec.id, period.label);
    let page = LookPage {
        title: spec.title.clone(),
        period: period.in_words(),
        datasets: format!("/returns/{}/{}/datasets", spec.id, period.label),
        again: wanted.chosen.link(&here, table, wanted.chosen.code()),
        others: spec
            .tables
            .iter()
            .filter(|other| other.name != table.name)
            .map(|other| (format!("{here}?table={}", other.name), other.title.clone()))
            .collect(),
        what: wanted.chosen.words.clone(),
        lines: wanted.chosen.lines(table),
        items: wanted.chosen.items(table),
        sums: wanted.chosen.sums(table),
        organisations: match (&wanted.look, wanted.is_everybodys) {
            (Some(look), true) => asked.organisations(look),
            _ => Vec::new(),
        },
        found: wanted
            .look
            .as_ref()
            .map(|look| found(&wanted, look, &asked, &here)),
        table: table.name.clone(),
        table_title: table.title.clone(),
        here,
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

fn found(wanted: &Wanted<'_>, look: &Look, asked: &Asked, here: &str) -> Found {
    let drawn = Drawn {
        look,
        what: &wanted.chosen,
        unusual: unusual(look),
        is_everybodys: wanted.is_everybodys,
        // One of theirs, however it was asked for.
        organisation: asked.organisation.as_deref(),
    };
    let in_round =
        |code: &str| format!("/returns/{}/{}/{code}", wanted.spec.id, wanted.period.label);
    let (missing, provisional) = words::who(look, in_round);
    let link = |code: Option<&str>| wanted.chosen.link(here, wanted.table, code);
    Found {
        sentence: words::sentence(look, wanted.is_everybodys),
        csv: wanted
            .chosen
            .link(&format!("{here}.csv"), wanted.table, wanted.chosen.code()),
        by_code: drawn.by_code(&|code| link(Some(code))),
        code: wanted
            .chosen
            .code()
            .map(|code| (wanted.chosen.label_of(code), link(None))),
        compared: drawn.compared(),
        unusual: drawn.what_is_unusual(),
        totals: drawn.totals(),
        over_time: drawn.over_time(),
        there: drawn.there(),
        missing,
        provisional,
    }
}

/// The figures behind the pictures, a row for each organisation and period.
pub(crate) async fn csv(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Round>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let wanted = find(&site, &visitor, &round, &asked).await?;
    let look = wanted.look.ok_or_else(|| {
        Problem::conflict("These rows are still to be added up", words::not_yet())
    })?;
    let csv = look
        .csv()
        .map_err(|error| Problem::from(WantedError::from(error)))?;
    let name = format!("look-{}-{}.csv", wanted.spec.id, wanted.period.label);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .body(csv))
}
