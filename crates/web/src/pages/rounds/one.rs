//! A round: its days with where they are from and how they changed, and, for whoever plans it, the forms that set them,
//! cancel it, and say who has to answer.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{NaiveDate, Utc};
use cycle::clock::{self, moment_in_words};
use cycle::{Certainty, DateKind, PlannedDate};
use serde::Deserialize;
use workflow::{
    Because, NewDates, PlannedRound, Required, RoundError, RoundName, Said, TakesPlace,
};

use super::year::certainty;
use super::{Wrong, address, day_off, mistake, text, weekday};
use crate::Site;
use crate::form::Form;
use crate::pages::explain::{Fields, field, see};
use crate::pages::problem::PageProblem;
use crate::pages::waivers::parse_day;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

#[derive(Deserialize)]
pub(crate) struct Address {
    return_id: String,
    period: String,
}

impl Address {
    fn name(&self) -> RoundName {
        RoundName {
            return_id: self.return_id.clone(),
            period: self.period.clone(),
        }
    }

    fn page(&self) -> String {
        address(&self.return_id, &self.period)
    }
}

#[derive(Template)]
#[template(path = "rounds/one.html")]
struct RoundPage {
    you: Option<You>,
    title: String,
    period: String,
    days: String,
    is_cancelled: bool,
    tag: &'static str,
    state: &'static str,
    dates: Vec<Day>,
    history: Vec<Happened>,
    /// Where the organisations' answers are; blank where the visitor sees none.
    organisations: String,
    action: String,
    plans: Option<Plans>,
    wrong: Wrong,
}

/// A day that counts.
struct Day {
    what: String,
    on: String,
    note: String,
    tag: &'static str,
    state: &'static str,
    notice: String,
    source: String,
}

/// Something that was said of the round.
struct Happened {
    what: String,
    why: String,
    source: String,
    by: String,
}

/// What whoever plans the round fills in.
struct Plans {
    fields: Vec<DateField>,
    /// The last that was said of the days when the form was made.
    seen: i64,
    source: String,
    reason: String,
    /// Those who owe something in it, and the others: code, name.
    owing: Vec<(String, String)>,
    others: Vec<(String, String)>,
    may_be_left_out: Vec<(String, String)>,
}

struct DateField {
    name: &'static str,
    label: String,
    value: String,
    is_confirmed: bool,
    is_wrong: bool,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Address>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &round, None, Wrong::default()).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    round: &Address,
    sent: Option<&Fields>,
    wrong: Wrong,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let (planned, cancellations) = workflow::planned_round(db, actor, &round.name()).await?;
    let told = &planned.round;
    let (tag, state) = certainty(told.is_cancelled, told.is_provisional);
    let today = clock::day(Utc::now());
    let owed = workflow::owed_in(db, actor, &round.return_id, &round.period, today).await?;
    let plans = if workflow::may_plan(actor) {
        Some(plans(site, actor, &planned, &owed, (sent, &wrong)).await?)
    } else {
        None
    };
    let page = RoundPage {
        title: told.return_title.clone(),
        period: told.period.in_words(),
        days: format!(
            "{} to {}",
            words::day(told.period.start),
            words::day(told.period.end)
        ),
        is_cancelled: told.is_cancelled,
        tag,
        state,
        dates: dates(&planned),
        history: history(&planned, &cancellations),
        organisations: if owed.is_empty() {
            String::new()
        } else {
            format!("/returns/{}/{}", round.return_id, round.period)
        },
        action: round.page(),
        plans,
        wrong,
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(page.wrong.status(), &page))
}

fn dates(planned: &PlannedRound) -> Vec<Day> {
    cycle::counting(&planned.history)
        .into_iter()
        .map(|fact| {
            let kind = fact.date.kind;
            Day {
                what: words::capitalised(kind.in_words()),
                on: weekday(fact.date.on),
                note: day_off(fact.date.on),
                tag: match fact.date.certainty {
                    Certainty::Provisional => "ds_tag--yellow",
                    Certainty::Confirmed => "ds_tag--green",
                },
                state: fact.date.certainty.as_str(),
                notice: notice(planned, kind),
                source: fact.source.clone().unwrap_or_default(),
            }
        })
        .collect()
}

/// How long before a day it was known.
fn notice(planned: &PlannedRound, kind: DateKind) -> String {
    match cycle::notice(&planned.history, kind) {
        None => String::new(),
        Some(1) => "1 day before".to_owned(),
        Some(n) if n > 1 => format!("{n} days before"),
        Some(0) => "on the day".to_owned(),
        Some(_) => "after it".to_owned(),
    }
}

/// The newest first.
fn history(planned: &PlannedRound, cancellations: &[Said]) -> Vec<Happened> {
    let mut all: Vec<(chrono::DateTime<Utc>, i64, Happened)> = Vec::new();
    for (idx, fact) in planned.history.iter().enumerate() {
        let kind = fact.date.kind;
        let before = planned
            .history
            .iter()
            .take(idx)
            .rfind(|before| before.date.kind == kind);
        let day = words::day(fact.date.on);
        let what = words::capitalised(kind.in_words());
        let sure = fact.date.certainty.as_str();
        let what = match before {
            None => format!("{what}: {day}, {sure}"),
            Some(before) if before.date.on == fact.date.on => format!("{what}: {day} is {sure}"),
            Some(before) => format!(
                "{what}: moved from {} to {day}, {sure}",
                words::day(before.date.on)
            ),
        };
        let happened = Happened {
            what,
            why: fact.reason.clone(),
            source: fact.source.clone().unwrap_or_default(),
            by: format!("{}, {}", fact.by_name, moment_in_words(fact.at)),
        };
        all.push((fact.at, fact.id, happened));
    }
    for said in cancellations {
        let happened = Happened {
            what: if said.so {
                "The round was cancelled".to_owned()
            } else {
                "The round takes place after all".to_owned()
            },
            why: said.reason.clone(),
            source: String::new(),
            by: format!("{}, {}", said.by_name, moment_in_words(said.at)),
        };
        all.push((said.at, 0, happened));
    }
    all.sort_by_key(|(at, id, _)| std::cmp::Reverse((*at, *id)));
    all.into_iter().map(|(_, _, happened)| happened).collect()
}

async fn plans(
    site: &Site,
    actor: &workflow::Actor,
    planned: &PlannedRound,
    owed: &[workflow::Obligation],
    (sent, wrong): (Option<&Fields>, &Wrong),
) -> Result<Plans, Problem> {
    let counting = cycle::counting(&planned.history);
    let of =
        |owed: &workflow::Obligation| (owed.organisation.clone(), owed.organisation_name.clone());
    let is_left_out = |owed: &&workflow::Obligation| !owed.is_required;
    let listed = workflow::listed_organisations(site.db()?, actor, None).await?;
    let mut others: Vec<(String, String)> = listed
        .into_iter()
        .map(|listed| (listed.organisation.code, listed.organisation.name))
        .filter(|(code, _)| owed.iter().all(|owed| owed.organisation != *code))
        .collect();
    others.sort_by(|one, other| one.1.cmp(&other.1));
    Ok(Plans {
        fields: DateKind::ALL
            .into_iter()
            .map(|kind| {
                let counts = counting.iter().find(|fact| fact.date.kind == kind);
                let (value, is_confirmed) = match sent {
                    Some(sent) => {
                        let value = field(sent, kind.as_str()).to_owned();
                        (value, certainty_of(sent, kind) == Certainty::Confirmed)
                    }
                    None => counts.map_or_else(Default::default, |fact| {
                        let value = fact.date.on.format("%d/%m/%Y").to_string();
                        (value, fact.date.certainty == Certainty::Confirmed)
                    }),
                };
                DateField {
                    name: kind.as_str(),
                    label: words::capitalised(kind.in_words()),
                    value,
                    is_confirmed,
                    is_wrong: wrong.field == kind.as_str(),
                }
            })
            .collect(),
        seen: workflow::last_said(&planned.history),
        source: sent.map_or_else(String::new, |sent| field(sent, "source").to_owned()),
        reason: sent.map_or_else(String::new, |sent| field(sent, "reason").to_owned()),
        owing: owed
            .iter()
            .filter(|owed| !is_left_out(owed))
            .map(of)
            .collect(),
        may_be_left_out: owed.iter().filter(is_left_out).map(of).collect(),
        others,
    })
}

/// Sets the days that were filled in.
pub(crate) async fn set_dates(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Address>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let dates = match read_dates(&form) {
        Ok(dates) => dates,
        // Whoever may not is told that, whatever was filled in.
        Err(_) if !workflow::may_plan(&visitor.actor) => Vec::new(),
        Err(wrong) => return page(&site, visitor, &round, Some(&form), wrong).await,
    };
    let because = Because {
        source: Some(text(&form, "source").to_owned()),
        reason: text(&form, "reason").to_owned(),
    };
    let new = [NewDates {
        round: round.name(),
        dates,
        seen: field(&form, "seen").parse().ok(),
    }];
    match workflow::set_dates(site.db()?, &visitor.actor, &new, &because).await {
        Ok(_) => Ok(see(&round.page())),
        // The days as they are now are what has to be looked at.
        Err(error @ RoundError::Overtaken { .. }) => {
            page(&site, visitor, &round, None, mistake(error)?).await
        }
        Err(error) => {
            let wrong = mistake(error)?;
            page(&site, visitor, &round, Some(&form), wrong).await
        }
    }
}

/// A box for each day says that it is sure.
fn certainty_of(form: &Fields, kind: DateKind) -> Certainty {
    match field(form, &format!("{}_confirmed", kind.as_str())) {
        "yes" => Certainty::Confirmed,
        _ => Certainty::Provisional,
    }
}

/// Days that are blank stay as they are.
fn read_dates(form: &Fields) -> Result<Vec<PlannedDate>, Wrong> {
    DateKind::ALL
        .into_iter()
        .filter(|kind| !text(form, kind.as_str()).is_empty())
        .map(|kind| {
            let on: Option<NaiveDate> = parse_day(text(form, kind.as_str()));
            match on {
                Some(on) => Ok(PlannedDate::new(kind, on, certainty_of(form, kind))),
                None => Err(Wrong::at(
                    kind.as_str(),
                    format!(
                        "Enter a day, such as 14/08/2026, for \u{201c}{}\u{201d}.",
                        kind.in_words()
                    ),
                )),
            }
        })
        .collect()
}

/// Cancels the round, or has it take place after all.
pub(crate) async fn cancel(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Address>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let takes_place = match field(&form, "takes_place") {
        "cancelled" => TakesPlace::Cancelled,
        "yes" => TakesPlace::Yes,
        _ if workflow::may_plan(&visitor.actor) => {
            return Err(
                Problem::bad_request("The form can't be read: open the page again.").into(),
            );
        }
        // Is refused.
        _ => TakesPlace::Yes,
    };
    let reason = text(&form, "why");
    let (db, actor) = (site.db()?, &visitor.actor);
    match workflow::cancel_round(db, actor, &round.name(), takes_place, reason).await {
        Ok(()) => Ok(see(&round.page())),
        Err(error) => {
            let mut wrong = mistake(error)?;
            if wrong.field == "reason" {
                wrong.field = "why";
            }
            page(&site, visitor, &round, None, wrong).await
        }
    }
}

/// Says that an organisation has to answer, or need not.
pub(crate) async fn require(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Address>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (organisation, required) = match field(&form, "organisation").split_once(':') {
        Some(("no", code)) => (code, Required::No),
        Some((_, code)) => (code, Required::Yes),
        None if workflow::may_plan(&visitor.actor) => {
            let wrong = Wrong::at("organisation", "Choose an organisation.");
            return page(&site, visitor, &round, None, wrong).await;
        }
        None => ("", Required::Yes),
    };
    let today = clock::day(Utc::now());
    let (db, actor, name) = (site.db()?, &visitor.actor, round.name());
    let reason = text(&form, "because");
    match workflow::require(db, actor, &name, organisation, required, reason, today).await {
        Ok(()) => Ok(see(&round.page())),
        Err(error) => {
            let mut wrong = mistake(error)?;
            if wrong.field == "reason" {
                wrong.field = "because";
            }
            page(&site, visitor, &round, None, wrong).await
        }
    }
}
