//! More time for a return: the page of what was asked for with the form to ask, and the page where it is decided.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{NaiveDate, Utc};
use cycle::clock;
use serde::Deserialize;
use uuid::Uuid;
use workflow::{
    AskingForTime, DecidingOnTime, ExplainError, Extension, ExtensionError, LONGEST_MONTHS,
    Obligation,
};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use super::waivers::parse_day;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

#[derive(Deserialize)]
pub(crate) struct Duty {
    return_id: String,
    period: String,
    organisation: String,
}

impl Duty {
    fn page(&self) -> String {
        format!(
            "/returns/{}/{}/{}/more-time",
            self.return_id, self.period, self.organisation
        )
    }
}

/// A request in words.
struct Asked {
    id: Uuid,
    until: String,
    reason: String,
    /// "Ann, 20 July 2026".
    source: String,
    tag: &'static str,
    state: String,
    /// What was decided, the oldest first.
    decisions: Vec<Decided>,
}

/// A decision in words.
struct Decided {
    state: String,
    reason: String,
    /// "Tess, 21 July 2026".
    source: String,
}

#[derive(Template)]
#[template(path = "more_time.html")]
struct TimePage {
    you: Option<You>,
    title: String,
    period: String,
    organisation: String,
    due: String,
    /// Of the round, where that is another day.
    due_for_others: Option<String>,
    duty: String,
    action: String,
    asked: Vec<Asked>,
    may_ask: bool,
    may_decide: bool,
    /// Whether there is still something to have more time for.
    is_owed: bool,
    form_id: Uuid,
    filled: Filled,
}

#[derive(Template)]
#[template(path = "decide_time.html")]
struct DecidePage {
    you: Option<You>,
    title: String,
    period: String,
    organisation: String,
    due: String,
    /// With all that is decided but this.
    due_without: String,
    back: String,
    action: String,
    asked: Asked,
    filled: Filled,
}

/// What was filled in, and what is wrong with it.
#[derive(Default)]
struct Filled {
    until: String,
    reason: String,
    problem: Option<String>,
    field: &'static str,
}

impl Filled {
    fn status(&self) -> StatusCode {
        match self.problem {
            Some(_) => StatusCode::BAD_REQUEST,
            None => StatusCode::OK,
        }
    }
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    duty: web::Path<Duty>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &duty, Filled::default()).await
}

async fn found(
    site: &Site,
    visitor: &Visitor,
    duty: &Duty,
) -> Result<(Obligation, Vec<Extension>), Problem> {
    let today = clock::day(Utc::now());
    let round = (duty.return_id.as_str(), duty.period.as_str());
    let (db, actor) = (site.db()?, &visitor.actor);
    Ok(workflow::time_of(db, actor, round, &duty.organisation, today).await?)
}

async fn page(
    site: &Site,
    visitor: Visitor,
    duty: &Duty,
    filled: Filled,
) -> Result<HttpResponse, PageProblem> {
    let (owed, extensions) = found(site, &visitor, duty).await?;
    let (asks, decides) =
        workflow::may_on_time(&visitor.actor, &duty.organisation, &duty.return_id);
    let round = &owed.round;
    let page = TimePage {
        you: Some(visitor.you),
        title: round.return_title.clone(),
        period: round.period.in_words(),
        due: words::day(owed.due_on),
        due_for_others: (owed.due_on != round.due_on).then(|| words::day(round.due_on)),
        duty: format!(
            "/returns/{}/{}/{}",
            duty.return_id, duty.period, duty.organisation
        ),
        action: duty.page(),
        asked: extensions.into_iter().map(asked).collect(),
        may_ask: asks && workflow::may_be_extended(&owed),
        may_decide: decides,
        is_owed: workflow::may_be_extended(&owed),
        form_id: Uuid::now_v7(),
        organisation: owed.organisation_name,
        filled,
    };
    Ok(super::render(page.filled.status(), &page))
}

fn asked(extension: Extension) -> Asked {
    let source = |name: &str, at| format!("{name}, {}", words::day(clock::day(at)));
    let mut decisions: Vec<Decided> = Vec::new();
    let mut was_given = false;
    for decision in extension.decisions {
        let state = match decision.due_on {
            Some(day) => format!("Given until {}", words::day(day)),
            None if was_given => "Taken back".to_owned(),
            None => "Refused".to_owned(),
        };
        was_given = decision.due_on.is_some();
        decisions.push(Decided {
            state,
            reason: decision.reason,
            source: source(&decision.by_name, decision.at),
        });
    }
    let (tag, state) = match decisions.last() {
        None => ("ds_tag--yellow", "Waits for a decision".to_owned()),
        Some(last) if was_given => ("ds_tag--green", last.state.clone()),
        Some(last) => ("ds_tag--red", last.state.clone()),
    };
    Asked {
        id: extension.id,
        until: words::day(extension.asked_until),
        source: source(&extension.by_name, extension.at),
        reason: extension.reason,
        tag,
        state,
        decisions,
    }
}

/// Asks for it.
pub(crate) async fn ask(
    site: web::Data<Site>,
    visitor: Visitor,
    duty: web::Path<Duty>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (until, reason) = (field(&form, "until"), field(&form, "reason"));
    let (asks, _) = workflow::may_on_time(&visitor.actor, &duty.organisation, &duty.return_id);
    let day = parse_day(until);
    let asking = AskingForTime {
        id: Uuid::try_parse(field(&form, "id"))
            .map_err(|_| Problem::bad_request("The form can't be read: open the page again."))?,
        organisation: duty.organisation.clone(),
        return_id: duty.return_id.clone(),
        period: duty.period.clone(),
        // Whoever may not ask is told that, whatever day it is.
        until: day.unwrap_or(NaiveDate::MIN),
        reason: reason.to_owned(),
    };
    let wrong = if asks && day.is_none() {
        (NO_DAY.to_owned(), "until")
    } else {
        let today = clock::day(Utc::now());
        match workflow::ask_for_time(site.db()?, &visitor.actor, &asking, today).await {
            Ok(()) => return Ok(see(&duty.page())),
            Err(error) => mistake(error)?,
        }
    };
    page(&site, visitor, &duty, filled(wrong, until, reason)).await
}

const NO_DAY: &str = "Enter a day, such as 14/08/2026.";

fn filled((problem, field): (String, &'static str), until: &str, reason: &str) -> Filled {
    Filled {
        until: until.to_owned(),
        reason: reason.to_owned(),
        problem: Some(problem),
        field,
    }
}

/// What is wrong, and the field where it is put right.
fn mistake(error: ExtensionError) -> Result<(String, &'static str), Problem> {
    match error {
        ExtensionError::Denied(denied) => Err(denied.into()),
        ExtensionError::Db(error) => Err(error.into()),
        ExtensionError::Text(ExplainError::LongText) => Ok((
            "The reason is too long: 4,000 characters are the most.".to_owned(),
            "reason",
        )),
        ExtensionError::Text(_) => Ok(("Write why.".to_owned(), "reason")),
        ExtensionError::Day { due_on } => {
            const { assert!(LONGEST_MONTHS == 12) };
            Ok((
                format!(
                    "The day has to be later than {}, when the return is due without it; not past, and no more than a year ahead.",
                    words::day(due_on)
                ),
                "until",
            ))
        }
        ExtensionError::NothingOwed => Err(Problem::conflict(
            "No more time is needed",
            "Nothing is owed for this return any more: it is signed off or accepted, or it is not asked for.",
        )),
        ExtensionError::Decided => Err(Problem::conflict(
            "Decided already",
            "Somebody has decided on this request meanwhile. Open the return's page again to see what they said.",
        )),
        ExtensionError::NothingNew => Ok((
            "That is what was decided before. Choose another answer or another day.".to_owned(),
            "decision-give",
        )),
    }
}

/// The request of an address, for whoever decides it.
async fn request(
    site: &Site,
    visitor: &Visitor,
    (duty, id): (&Duty, &str),
) -> Result<Extension, Problem> {
    let id = Uuid::try_parse(id).map_err(|_| Problem::not_found())?;
    let found = workflow::extension_to_decide(site.db()?, &visitor.actor, id).await?;
    let is_of = found.organisation == duty.organisation
        && found.round.return_id == duty.return_id
        && found.round.period.label == duty.period;
    if is_of {
        Ok(found)
    } else {
        Err(Problem::not_found())
    }
}

#[derive(Deserialize)]
pub(crate) struct Request {
    #[serde(flatten)]
    duty: Duty,
    request: String,
}

pub(crate) async fn to_decide(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<Request>,
) -> Result<HttpResponse, PageProblem> {
    decide_page(&site, visitor, &address, Filled::default()).await
}

async fn decide_page(
    site: &Site,
    visitor: Visitor,
    address: &Request,
    mut filled: Filled,
) -> Result<HttpResponse, PageProblem> {
    let found_one = request(site, &visitor, (&address.duty, &address.request)).await?;
    let (owed, all) = found(site, &visitor, &address.duty).await?;
    let last = found_one.decisions.last();
    if last.is_some() && !workflow::may_be_extended(&owed) {
        return Ok(see(&address.duty.page()));
    }
    if filled.problem.is_none() {
        let until = last.and_then(|last| last.due_on);
        let until = until.unwrap_or(found_one.asked_until);
        filled.until = until.format("%d/%m/%Y").to_string();
    }
    let page = DecidePage {
        you: Some(visitor.you),
        title: found_one.round.return_title.clone(),
        period: found_one.round.period.in_words(),
        organisation: found_one.organisation_name.clone(),
        due: words::day(owed.due_on),
        due_without: words::day(workflow::due_without(&owed, &all, found_one.id)),
        back: address.duty.page(),
        action: format!("{}/{}", address.duty.page(), found_one.id),
        asked: asked(found_one),
        filled,
    };
    Ok(super::render(page.filled.status(), &page))
}

/// Gives it or refuses it, or decides anew.
pub(crate) async fn decide(
    site: web::Data<Site>,
    visitor: Visitor,
    address: web::Path<Request>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let found = request(&site, &visitor, (&address.duty, &address.request)).await?;
    let (until, reason) = (field(&form, "until"), field(&form, "reason"));
    let due_on = match field(&form, "decision") {
        "give" => parse_day(until)
            .map(Some)
            .ok_or((NO_DAY.to_owned(), "until")),
        "refuse" => Ok(None),
        _ => Err((
            "Choose whether you give more time or refuse it.".to_owned(),
            "decision-give",
        )),
    };
    let wrong = match due_on {
        Err(wrong) => wrong,
        Ok(due_on) => {
            let deciding = DecidingOnTime {
                due_on,
                reason: reason.to_owned(),
                n_known: field(&form, "n_known").parse().map_err(|_| {
                    Problem::bad_request("The form can't be read: open the page again.")
                })?,
            };
            let (db, today) = (site.db()?, clock::day(Utc::now()));
            match workflow::decide_on_time(db, &visitor.actor, found.id, &deciding, today).await {
                Ok(()) => return Ok(see(&address.duty.page())),
                Err(error) => mistake(error)?,
            }
        }
    };
    decide_page(&site, visitor, &address, filled(wrong, until, reason)).await
}
