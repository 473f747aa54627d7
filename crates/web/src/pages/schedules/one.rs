//! A schedule: when it is due next, when it was last and what of that was late, who changed it and why, and the forms that
//! change, pause or end it.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::clock::moment_in_words;
use workflow::{ChangingSchedule, Firing, Schedule, ScheduleChange, ScheduleChangeError};

use super::{address, does, in_words, mistake, next, state};
use crate::Site;
use crate::form::Form;
use crate::pages::explain::{Fields, field, see};
use crate::pages::problem::PageProblem;
use crate::pages::rounds::Wrong;
use crate::problem::Problem;
use crate::session::{Visitor, You};

/// Moments to come that are shown.
const N_NEXT: usize = 5;

#[derive(Template)]
#[template(path = "schedules/one.html")]
struct SchedulePage {
    you: Option<You>,
    action: String,
    purpose: String,
    does: String,
    is_on: bool,
    is_ended: bool,
    tag: &'static str,
    state: &'static str,
    shown_rule: String,
    shown_zone: String,
    next: Vec<String>,
    firings: Vec<Fired>,
    n_late: i64,
    late: Vec<Fired>,
    history: Vec<Happened>,
    /// What is in the form.
    rule: String,
    zone: String,
    reason: String,
    wrong: Wrong,
}

struct Fired {
    nominal: String,
    done: String,
    is_late: bool,
}

struct Happened {
    what: String,
    why: String,
    by: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    name: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &name, None, Wrong::default()).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    name: &str,
    sent: Option<&Fields>,
    wrong: Wrong,
) -> Result<HttpResponse, PageProblem> {
    let found = workflow::schedule(site.db()?, &visitor.actor, name).await?;
    let schedule = &found.schedule;
    let (tag, state) = state(schedule);
    let filled = |name: &str, otherwise: &str| match sent {
        Some(sent) => field(sent, name).to_owned(),
        None => otherwise.to_owned(),
    };
    let fired = |firings: &[Firing]| {
        firings
            .iter()
            .map(|firing| fired(schedule, firing))
            .collect()
    };
    let page = SchedulePage {
        action: address(&schedule.name),
        purpose: schedule.purpose.clone(),
        does: does(site, schedule),
        is_on: schedule.is_on,
        is_ended: schedule.is_ended,
        tag,
        state,
        shown_rule: schedule.rule.clone(),
        shown_zone: schedule.zone.clone(),
        next: next(schedule, Utc::now(), N_NEXT),
        firings: fired(&found.firings),
        n_late: schedule.n_late,
        late: fired(&found.late),
        history: history(&found.changes),
        rule: filled("rule", &schedule.rule),
        zone: filled("zone", &schedule.zone),
        reason: filled("reason", ""),
        wrong,
        you: Some(visitor.you),
    };
    Ok(crate::pages::render(page.wrong.status(), &page))
}

fn fired(schedule: &Schedule, firing: &Firing) -> Fired {
    Fired {
        nominal: in_words(schedule, firing.nominal_at),
        done: in_words(schedule, firing.fired_at),
        is_late: firing.is_late,
    }
}

/// The newest first; what was changed is told with what it was before.
fn history(changes: &[ScheduleChange]) -> Vec<Happened> {
    changes
        .iter()
        .enumerate()
        .map(|(idx, change)| {
            let when = format!("{} ({})", change.rule, change.zone);
            let what = match (change.what.as_str(), changes.get(idx + 1)) {
                ("add", _) => format!("Added: {when}"),
                ("change", Some(before)) => {
                    format!("Changed from {} ({}) to {when}", before.rule, before.zone)
                }
                ("pause", _) => "Paused".to_owned(),
                ("resume", _) => "Taken up again".to_owned(),
                ("end", _) => "Ended".to_owned(),
                _ => format!("Changed to {when}"),
            };
            Happened {
                what,
                why: change.reason.clone(),
                by: format!("{}, {}", change.by_name, moment_in_words(change.at)),
            }
        })
        .collect()
}

/// Changes, pauses, takes up again or ends it.
pub(crate) async fn change(
    site: web::Data<Site>,
    visitor: Visitor,
    name: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    workflow::decide_plan(&visitor.actor)?;
    // Each form has its reason in a field of its own, so that a problem leads to the right one.
    let (changing, why) = match field(&form, "do") {
        "change" => {
            let changing = ChangingSchedule::Change {
                rule: field(&form, "rule"),
                zone: field(&form, "zone"),
            };
            (changing, "reason")
        }
        "pause" => (ChangingSchedule::Pause, "why"),
        "resume" => (ChangingSchedule::Resume, "why"),
        "end" => (ChangingSchedule::End, "because"),
        _ => {
            return Err(
                Problem::bad_request("The form can't be read: open the page again.").into(),
            );
        }
    };
    let (db, actor) = (site.db()?, &visitor.actor);
    let reason = field(&form, why);
    match workflow::change_schedule(db, actor, &name, changing, reason, Utc::now()).await {
        Ok(()) => Ok(see(&address(&name))),
        Err(error) => {
            let is_about_why = matches!(error, ScheduleChangeError::Text(_));
            let mut wrong = mistake(error)?;
            if is_about_why {
                wrong.field = why;
            }
            let sent = matches!(changing, ChangingSchedule::Change { .. }).then_some(&*form);
            page(&site, visitor, &name, sent, wrong).await
        }
    }
}
