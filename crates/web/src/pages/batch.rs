//! The files that came in together: what lgdp took each for, what the sender wants done with it, and what became of it.

mod row;

use std::collections::{BTreeMap, HashMap};

use access::Action;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock::moment_in_words;
use serde::Deserialize;
use uuid::Uuid;
use workflow::{Denied, ParcelError, ParcelState, Waiting};

use super::problem::PageProblem;
use super::upload::{RoundChoice, choices, open_rounds};
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::spool;
use row::{LEAVE, Row, rows};

#[derive(Template)]
#[template(path = "batch.html")]
struct BatchPage {
    you: Option<You>,
    /// In the summary, with the field where each is put right.
    problems: Vec<(String, String)>,
    batch: Uuid,
    organisation: String,
    rows: Vec<Row>,
    rounds: Vec<RoundChoice>,
    /// Whether something is being done with a file.
    under_way: bool,
    /// Whether there is something to decide.
    decides: bool,
    /// Whether that may be to send them.
    may_send: bool,
    /// When what is not sent is removed.
    goes: String,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    only: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    batch: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let waiting = find(&site, &visitor, &batch).await?;
    let only_check = asked.only == "check";
    page(&site, visitor, waiting, Decided::default(), only_check).await
}

async fn find(site: &Site, visitor: &Visitor, batch: &str) -> Result<Vec<Waiting>, PageProblem> {
    let id = Uuid::try_parse(batch).map_err(|_| Problem::gone())?;
    match workflow::batch(site.db()?, &visitor.actor, id).await {
        Err(Denied::NotThere) => Err(Problem::gone().into()),
        found => Ok(found?),
    }
}

/// What was chosen, by file, and what was wrong with it.
#[derive(Default)]
struct Decided {
    chosen: BTreeMap<u32, String>,
    problems: BTreeMap<u32, Problem>,
}

async fn page(
    site: &Site,
    visitor: Visitor,
    waiting: Vec<Waiting>,
    decided: Decided,
    only_check: bool,
) -> Result<HttpResponse, PageProblem> {
    let Some(first) = waiting.first().map(|one| one.parcel.clone()) else {
        return Err(Problem::gone().into());
    };
    let owed = open_rounds(
        site,
        &visitor.actor,
        std::slice::from_ref(&first.organisation),
    )
    .await?;
    let rounds = choices(&owed);
    let goes_at = waiting.iter().map(|one| one.parcel.goes_at).min();
    let mut rows = rows(site, &visitor.actor, &waiting, &rounds).await?;
    for row in &mut rows {
        if let Some(chosen) = decided.chosen.get(&row.ordinal) {
            row.chosen.clone_from(chosen);
        }
        let problem = decided.problems.get(&row.ordinal);
        row.problem = problem.map(|problem| problem.detail.clone());
    }
    let is_looked_at = !rows.iter().any(|row| row.is_awaited);
    let page = BatchPage {
        may_send: !only_check
            && workflow::may_for(&visitor.actor, Action::Send, &first.organisation),
        you: Some(visitor.you),
        problems: rows
            .iter()
            .filter_map(|row| Some((row.field.clone(), row.problem.clone()?)))
            .collect(),
        batch: first.batch,
        organisation: first.organisation_name,
        decides: is_looked_at && rows.iter().any(|row| row.decides),
        under_way: rows.iter().any(|row| row.under_way),
        rows,
        rounds,
        goes: goes_at.map(moment_in_words).unwrap_or_default(),
    };
    let worst = decided
        .problems
        .values()
        .map(|problem| problem.status)
        .max();
    Ok(super::render(worst.unwrap_or(StatusCode::OK), &page))
}

/// What to do with each file, or with all of them; pressed twice it is done once.
pub(crate) async fn decide(
    site: web::Data<Site>,
    visitor: Visitor,
    batch: web::Path<String>,
    form: Form<HashMap<String, String>>,
) -> Result<HttpResponse, PageProblem> {
    let said = |name: &str| form.get(name).map_or("", String::as_str);
    visitor.check_form(said("form_token"))?;
    let waiting = find(&site, &visitor, &batch).await?;
    let wanted = match said("purpose") {
        "send" => Wanted::Send,
        "check" => Wanted::Check,
        "forget" => {
            let id = waiting.first().map(|one| one.parcel.batch);
            let id = id.ok_or_else(Problem::gone)?;
            workflow::forget(site.db()?, &site.files, &visitor.actor, id).await?;
            return Ok(to("/upload"));
        }
        _ => return Err(Problem::bad_request("Choose what to do with the files.").into()),
    };
    let undecided: Vec<&Waiting> = waiting.iter().filter(|one| is_undecided(one)).collect();
    let chosen: BTreeMap<u32, String> = undecided
        .iter()
        .map(|one| {
            let ordinal = one.parcel.ordinal;
            (ordinal, said(&row::field(ordinal)).to_owned())
        })
        .collect();
    let mut decided = Decided {
        problems: missing(&chosen, wanted),
        chosen,
    };
    let mut last = None;
    if decided.problems.is_empty() {
        for one in undecided {
            let ordinal = one.parcel.ordinal;
            let choice = decided.chosen.get(&ordinal).map_or("", String::as_str);
            match carry_out(&site, &visitor, one, choice, wanted).await {
                Ok(place) => last = place.or(last),
                Err(ParcelError::Denied(denied)) => return Err(denied.into()),
                Err(error) => {
                    decided.problems.insert(ordinal, error.into());
                }
            }
        }
    }
    if decided.problems.is_empty() {
        let own = format!("/upload/{}", *batch);
        let only_one = waiting.len() == 1;
        return Ok(to(&last.filter(|_| only_one).unwrap_or(own)));
    }
    // As it is now: some of it may be done.
    let waiting = find(&site, &visitor, &batch).await?;
    page(&site, visitor, waiting, decided, wanted == Wanted::Check).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Send,
    Check,
}

fn is_undecided(one: &Waiting) -> bool {
    matches!(
        one.parcel.state,
        ParcelState::Waiting | ParcelState::Recognised | ParcelState::GivenUp
    )
}

/// What can't be done as it was chosen. Nothing is done before everything can be.
fn missing(chosen: &BTreeMap<u32, String>, wanted: Wanted) -> BTreeMap<u32, Problem> {
    let mut problems = BTreeMap::new();
    let mut taken: HashMap<&str, u32> = HashMap::new();
    for (ordinal, choice) in chosen {
        let told = if choice == LEAVE {
            continue;
        } else if !choice.contains('/') {
            "Choose the return and period of this file, or leave it out.".to_owned()
        } else if let Some(first) = taken
            .insert(choice, *ordinal)
            .filter(|_| wanted == Wanted::Send)
        {
            format!(
                "File {first} is for the same return and period. Choose one of them, and leave the other out."
            )
        } else {
            continue;
        };
        problems.insert(*ordinal, Problem::bad_request(told));
    }
    problems
}

/// Does what was chosen, and gives the page where that is to be seen.
async fn carry_out(
    site: &Site,
    visitor: &Visitor,
    one: &Waiting,
    choice: &str,
    wanted: Wanted,
) -> Result<Option<String>, ParcelError> {
    let (actor, id) = (&visitor.actor, one.parcel.id);
    let db = site.db.get().ok_or(db::DbError::Busy)?;
    let Some(round) = choice.split_once('/') else {
        workflow::leave(db, &site.files, actor, id).await?;
        return Ok(None);
    };
    let now = Utc::now();
    match wanted {
        Wanted::Check => {
            workflow::check(db, actor, id, round, now).await?;
            Ok(Some(format!("/checked/{id}")))
        }
        Wanted::Send => {
            let scratch = spool::place(&site.config.spool_dir).map_err(|source| {
                files::FilesError::Local {
                    act: "write",
                    source,
                }
            })?;
            let sent = workflow::send(db, &site.files, actor, id, round, &scratch, now).await?;
            Ok(Some(format!("/submissions/{sent}")))
        }
    }
}

fn to(place: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, place))
        .finish()
}
