//! Many rounds at once: those that were ticked are confirmed, or the days on which they are due are moved.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Days, NaiveDate, Utc};
use cycle::{Certainty, DateKind, PlannedDate, clock, holidays};
use workflow::{Because, NewDates, PlannedRound, RoundName};

use super::year::certainty;
use super::{Wrong, day_off, mistake_of, text, ticked, weekday};
use crate::Site;
use crate::form::Form;
use crate::pages::explain::{Fields, field, see};
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};

/// So far ahead rounds are listed.
const AHEAD_DAYS: u64 = 550;
/// No day is moved further at once.
const MOST_DAYS: usize = 60;

#[derive(Template)]
#[template(path = "rounds/many.html")]
struct ManyPage {
    you: Option<You>,
    rows: Vec<Row>,
    does: String,
    by_days: String,
    source: String,
    reason: String,
    wrong: Wrong,
}

struct Row {
    /// `return/period/seen`: the last that was said of its days when this page was made.
    value: String,
    title: String,
    period: String,
    due: String,
    note: String,
    tag: &'static str,
    state: &'static str,
    is_ticked: bool,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &Fields::new(), Wrong::default()).await
}

/// Those that are still to come, and were not cancelled.
async fn to_come(site: &Site, visitor: &Visitor) -> Result<Vec<PlannedRound>, PageProblem> {
    workflow::decide_plan(&visitor.actor)?;
    let today = clock::day(Utc::now());
    let until = today
        .checked_add_days(Days::new(AHEAD_DAYS))
        .unwrap_or(today);
    let mut planned = workflow::planned_rounds(site.db()?, &visitor.actor, today, until).await?;
    planned.retain(|planned| !planned.round.is_cancelled);
    Ok(planned)
}

async fn page(
    site: &Site,
    visitor: Visitor,
    sent: &Fields,
    wrong: Wrong,
) -> Result<HttpResponse, PageProblem> {
    let ticked: Vec<RoundName> = ticked(sent).into_iter().map(|(name, _)| name).collect();
    let rows = to_come(site, &visitor)
        .await?
        .into_iter()
        .map(|planned| row(&planned, &ticked))
        .collect();
    let page = ManyPage {
        you: Some(visitor.you),
        rows,
        does: field(sent, "does").to_owned(),
        by_days: field(sent, "by_days").to_owned(),
        source: field(sent, "source").to_owned(),
        reason: field(sent, "reason").to_owned(),
        wrong,
    };
    Ok(crate::pages::render(page.wrong.status(), &page))
}

fn row(planned: &PlannedRound, ticked: &[RoundName]) -> Row {
    let round = &planned.round;
    let (tag, state) = certainty(round.is_cancelled, round.is_provisional);
    Row {
        value: format!(
            "{}/{}/{}",
            round.return_id,
            round.period.label,
            workflow::last_said(&planned.history)
        ),
        title: round.return_title.clone(),
        period: round.period.in_words(),
        due: weekday(round.due_on),
        note: day_off(round.due_on),
        tag,
        state,
        is_ticked: ticked
            .iter()
            .any(|name| name.return_id == round.return_id && name.period == round.period.label),
    }
}

pub(crate) async fn change(
    site: web::Data<Site>,
    visitor: Visitor,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let planned = to_come(&site, &visitor).await?;
    let new = match new_dates(&form, &planned) {
        Ok(new) => new,
        Err(wrong) => return page(&site, visitor, &form, wrong).await,
    };
    let because = Because {
        source: Some(text(&form, "source").to_owned()),
        reason: text(&form, "reason").to_owned(),
    };
    match workflow::set_dates(site.db()?, &visitor.actor, &new, &because).await {
        Ok(_) => Ok(see("/rounds")),
        Err(error) => {
            let mut wrong = mistake_of(error, |return_id, period| {
                called(&planned, return_id, period)
            })?;
            if wrong.field == "dates" {
                wrong.field = "by_days";
            }
            page(&site, visitor, &form, wrong).await
        }
    }
}

/// As the list calls it.
fn called(planned: &[PlannedRound], return_id: &str, period: &str) -> String {
    let mut rounds = planned.iter().map(|planned| &planned.round);
    let found = rounds.find(|round| round.return_id == return_id && round.period.label == period);
    found.map_or_else(
        || period.to_owned(),
        |round| format!("{}, {}", round.return_title, round.period.in_words()),
    )
}

/// What the form asks for, of the rounds that were ticked.
fn new_dates(form: &Fields, planned: &[PlannedRound]) -> Result<Vec<NewDates>, Wrong> {
    let ticked = ticked(form);
    let chosen: Vec<(&PlannedRound, i64)> = planned
        .iter()
        .filter_map(|planned| {
            let (_, seen) = ticked.iter().find(|(name, _)| {
                name.return_id == planned.round.return_id
                    && name.period == planned.round.period.label
            })?;
            Some((planned, seen.and_then(|seen| seen.parse().ok())?))
        })
        .collect();
    if chosen.len() < ticked.len() {
        let told = "A round that you ticked is not to come any more, or was cancelled. Look at what is ticked now, and send it again.";
        return Err(Wrong::at("rounds", told));
    }
    if chosen.is_empty() {
        return Err(Wrong::at("rounds", "Tick one round or more."));
    }
    let by_days = match field(form, "does") {
        "confirm" => None,
        "move" => {
            let n_days = text(form, "by_days").parse().ok();
            let n_days = n_days.filter(|n| (1..=MOST_DAYS).contains(n));
            let told = format!("Enter how many working days later, from 1 to {MOST_DAYS}.");
            Some(n_days.ok_or_else(|| Wrong::at("by_days", told))?)
        }
        _ => {
            let told = "Choose whether to confirm the rounds or to move them.";
            return Err(Wrong::at("does-confirm", told));
        }
    };
    let new = chosen.into_iter().map(|(planned, seen)| NewDates {
        round: RoundName {
            return_id: planned.round.return_id.clone(),
            period: planned.round.period.label.clone(),
        },
        dates: match by_days {
            None => confirmed(planned),
            Some(n_days) => moved(planned, n_days),
        },
        seen: Some(seen),
    });
    Ok(new.collect())
}

/// Every day of a round as it is, and sure.
fn confirmed(planned: &PlannedRound) -> Vec<PlannedDate> {
    cycle::counting(&planned.history)
        .into_iter()
        .map(|fact| PlannedDate {
            certainty: Certainty::Confirmed,
            ..fact.date
        })
        .collect()
}

/// The day it is due and what comes after it, as many working days later.
fn moved(planned: &PlannedRound, n_days: usize) -> Vec<PlannedDate> {
    let later = |day: NaiveDate| holidays::working_days_after(day, n_days);
    cycle::counting(&planned.history)
        .into_iter()
        .filter(|fact| fact.date.kind >= DateKind::Due)
        .map(|fact| PlannedDate {
            on: later(fact.date.on),
            instead_of: None,
            ..fact.date
        })
        .collect()
}
