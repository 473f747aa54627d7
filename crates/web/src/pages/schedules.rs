//! What is done again and again: every schedule with when it is due next and when it was last, and the form that adds one.

pub(crate) mod one;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use cycle::{Schedule as Rule, ScheduleError, SchedulePart};
use workflow::{AddingSchedule, ExplainError, Schedule, ScheduleChangeError, ScheduleKind};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use super::rounds::Wrong;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words::capitalised;

/// The clock that is offered first.
const ZONE: &str = "Europe/London";

#[derive(Template)]
#[template(path = "schedules/list.html")]
struct SchedulesPage {
    you: Option<You>,
    rows: Vec<Row>,
    kinds: Vec<Choice>,
    returns: Vec<Choice>,
    rule: String,
    zone: String,
    purpose: String,
    reason: String,
    wrong: Wrong,
}

struct Row {
    purpose: String,
    link: String,
    does: String,
    rule: String,
    next: String,
    last: String,
    n_late: i64,
    tag: &'static str,
    state: &'static str,
}

struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

pub(crate) async fn list(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &Fields::new(), Wrong::default()).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    sent: &Fields,
    wrong: Wrong,
) -> Result<HttpResponse, PageProblem> {
    let all = workflow::all_schedules(site.db()?, &visitor.actor).await?;
    let now = Utc::now();
    let text = |name: &str| field(sent, name).to_owned();
    let choice = |value: &str, label: String, name: &str| Choice {
        is_chosen: field(sent, name) == value,
        value: value.to_owned(),
        label,
    };
    let returns = site.returns_by_title();
    let page = SchedulesPage {
        rows: all.iter().map(|one| row(site, one, now)).collect(),
        kinds: ScheduleKind::ALL
            .into_iter()
            .map(|kind| choice(kind.as_str(), capitalised(kind.in_words()), "kind"))
            .collect(),
        returns: returns
            .into_iter()
            .map(|(title, id)| choice(id, title.to_owned(), "return"))
            .collect(),
        rule: text("rule"),
        zone: match text("zone") {
            zone if zone.is_empty() => ZONE.to_owned(),
            zone => zone,
        },
        purpose: text("purpose"),
        reason: text("reason"),
        wrong,
        you: Some(visitor.you),
    };
    Ok(super::render(page.wrong.status(), &page))
}

fn row(site: &Site, schedule: &Schedule, now: DateTime<Utc>) -> Row {
    let (tag, state) = state(schedule);
    let in_words = |at| in_words(schedule, at);
    Row {
        purpose: schedule.purpose.clone(),
        link: address(&schedule.name),
        does: does(site, schedule),
        rule: schedule.rule.clone(),
        next: next(schedule, now, 1)
            .into_iter()
            .next()
            .unwrap_or_else(|| "not again".to_owned()),
        last: schedule
            .last_at
            .map_or_else(|| "never yet".to_owned(), in_words),
        n_late: schedule.n_late,
        tag,
        state,
    }
}

fn address(name: &str) -> String {
    format!("/schedules/{name}")
}

/// What it does, with the return that it is about.
fn does(site: &Site, schedule: &Schedule) -> String {
    let kind = ScheduleKind::parse(&schedule.job_kind);
    let words = kind.map_or("something that this page has no words for", |kind| {
        kind.in_words()
    });
    let words = capitalised(words);
    let Some(id) = &schedule.return_id else {
        return words;
    };
    let title = site.specs.iter().find(|spec| spec.id == *id);
    let title = title.map_or(id.as_str(), |spec| spec.title.as_str());
    format!("{words}: {title}")
}

fn state(schedule: &Schedule) -> (&'static str, &'static str) {
    if schedule.is_ended {
        ("ds_tag--grey", "ended")
    } else if schedule.is_on {
        ("ds_tag--green", "on")
    } else {
        ("ds_tag--yellow", "paused")
    }
}

/// The next moments by the schedule's own clock; none where it is paused or ended.
fn next(schedule: &Schedule, now: DateTime<Utc>, n: usize) -> Vec<String> {
    if !schedule.is_on {
        return Vec::new();
    }
    let Ok(rule) = Rule::parse(&schedule.rule, &schedule.zone) else {
        return Vec::new();
    };
    rule.after(now)
        .take(n)
        .map(|at| rule.in_words(at))
        .collect()
}

fn in_words(schedule: &Schedule, at: DateTime<Utc>) -> String {
    match Rule::parse(&schedule.rule, &schedule.zone) {
        Ok(rule) => rule.in_words(at),
        Err(_) => cycle::clock::moment_in_words(at),
    }
}

pub(crate) async fn add(
    site: web::Data<Site>,
    visitor: Visitor,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let kind = ScheduleKind::parse(field(&form, "kind"));
    // Whoever may not is told that, whatever was filled in.
    if kind.is_none() && workflow::may_plan(&visitor.actor) {
        let wrong = Wrong::at("kind", "Choose what is to be done.");
        return page(&site, visitor, &form, wrong).await;
    }
    let adding = AddingSchedule {
        kind: kind.unwrap_or(ScheduleKind::Remind),
        return_id: field(&form, "return"),
        rule: field(&form, "rule"),
        zone: field(&form, "zone"),
        purpose: field(&form, "purpose"),
        reason: field(&form, "reason"),
    };
    let (db, actor) = (site.db()?, &visitor.actor);
    match workflow::add_schedule(db, actor, &site.specs, &adding, Utc::now()).await {
        Ok(name) => Ok(see(&address(&name))),
        Err(error) => {
            let wrong = mistake(error)?;
            page(&site, visitor, &form, wrong).await
        }
    }
}

/// What a refusal says on a page.
fn mistake(error: ScheduleChangeError) -> Result<Wrong, Problem> {
    Ok(match error {
        ScheduleChangeError::Denied(denied) => return Err(denied.into()),
        ScheduleChangeError::Db(error) => return Err(error.into()),
        ScheduleChangeError::Text(ExplainError::LongText) => Wrong::at(
            "reason",
            "The reason is too long: 4,000 characters are the most.",
        ),
        ScheduleChangeError::Text(_) => Wrong::at("reason", "Write why."),
        ScheduleChangeError::Purpose => Wrong::at(
            "purpose",
            "Write what it is for, in one sentence of 200 characters at most.",
        ),
        ScheduleChangeError::UnknownReturn(_) => Wrong::at("return", "Choose a return."),
        ScheduleChangeError::TooOften { hours: 1 } => Wrong::at(
            "rule",
            "That is too often. Once in an hour is the most: write one minute, such as 0.",
        ),
        ScheduleChangeError::TooOften { .. } => Wrong::at(
            "rule",
            "That is too often: people have to look at each release. Once a day is the most: write one minute and one hour, such as 0 7.",
        ),
        ScheduleChangeError::Ended => {
            return Err(Problem::conflict(
                "This schedule was ended",
                "It can't be changed any more. Add a new one.",
            ));
        }
        ScheduleChangeError::Rule(error) => wrong_time(&error),
    })
}

/// In words for somebody who has never seen cron.
fn wrong_time(error: &ScheduleError) -> Wrong {
    match error {
        ScheduleError::Fields(_) => Wrong::at(
            "rule",
            "Write five parts with a space between them: minute, hour, day of the month, month, day of the week. Write * for every one. For example, 30 7 * * mon-fri is half past seven on working days.",
        ),
        ScheduleError::Part { part, text, .. } => Wrong::at(
            "rule",
            format!(
                "\u{201c}{text}\u{201d} is no {}. Write {}, or * for every one.{}",
                part.in_words(),
                part.may_be(),
                place(*part)
            ),
        ),
        ScheduleError::Zone(zone) => Wrong::at(
            "zone",
            format!(
                "No clock is called \u{201c}{zone}\u{201d}. Write Europe/London for the time in Scotland."
            ),
        ),
        ScheduleError::Never(_) => Wrong::at(
            "rule",
            "No year has such a day, so it would never happen. Look at the day of the month and the month.",
        ),
    }
}

/// Where the part stands, which is what is mixed up most.
fn place(part: SchedulePart) -> &'static str {
    match part {
        SchedulePart::Minute => " The minute comes first.",
        SchedulePart::Hour => " The hour comes second, after the minute.",
        SchedulePart::Day => " The day of the month comes third, after minute and hour.",
        SchedulePart::Month => " The month comes fourth.",
        SchedulePart::Weekday => " The day of the week comes last.",
    }
}
