//! Standing exceptions: those that somebody asked for or is to decide, and the page of one.

use std::ops::RangeInclusive;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Datelike, NaiveDate, Utc};
use cycle::clock;
use serde::Deserialize;
use uuid::Uuid;
use workflow::{Deciding, Denied, ExplainError, LONGEST_YEARS, Waiver, WaiverError};

use super::explain::{Fields, field, see};
use super::home::asked::Pages;
use super::problem::PageProblem;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::words;

/// A waiver in words.
pub(super) struct Asked {
    pub(super) id: Uuid,
    pub(super) organisation: String,
    pub(super) return_title: String,
    pub(super) rule: String,
    /// One finding of the check, or all of them.
    pub(super) of: &'static str,
    pub(super) reason: String,
    /// "Ann, 20 July 2026".
    pub(super) source: String,
    pub(super) submission_id: Uuid,
    pub(super) tag: &'static str,
    pub(super) state: String,
    pub(super) decision: Option<Decided>,
    /// Why it was ended early, and by whom.
    pub(super) revoked: Option<Decided>,
}

pub(super) struct Decided {
    pub(super) reason: String,
    pub(super) by: String,
}

pub(super) fn asked(waiver: &Waiver, today: NaiveDate) -> Asked {
    let (tag, state) = state(waiver, today);
    Asked {
        id: waiver.id,
        organisation: waiver.organisation_name.clone(),
        return_title: waiver.return_title.clone(),
        rule: waiver.rule.clone(),
        of: if waiver.key.is_some() {
            "one place"
        } else {
            "every place"
        },
        reason: waiver.reason.clone(),
        source: format!("{}, {}", waiver.by_name, words::day(clock::day(waiver.at))),
        submission_id: waiver.submission_id,
        tag,
        state,
        decision: waiver.decision.as_ref().map(|decision| Decided {
            reason: decision.reason.clone(),
            by: format!(
                "{}, {}",
                decision.by_name,
                words::day(clock::day(decision.at))
            ),
        }),
        revoked: waiver.revoked.as_ref().map(|revoked| Decided {
            reason: revoked.reason.clone(),
            by: format!(
                "{}, {}",
                revoked.by_name,
                words::day(clock::day(revoked.at))
            ),
        }),
    }
}

fn state(waiver: &Waiver, today: NaiveDate) -> (&'static str, String) {
    if let Some(revoked) = &waiver.revoked {
        let day = words::day(clock::day(revoked.at));
        return ("ds_tag--grey", format!("Ended early on {day}"));
    }
    let ends_on = waiver.decision.as_ref().map(|decision| decision.ends_on);
    match ends_on {
        None => ("ds_tag--yellow", "Waits for a decision".to_owned()),
        Some(None) => ("ds_tag--red", "Refused".to_owned()),
        Some(Some(day)) if waiver.holds_on(today) => (
            "ds_tag--green",
            format!("Granted up to {}", words::day(day)),
        ),
        Some(Some(day)) => ("ds_tag--grey", format!("Ended on {}", words::day(day))),
    }
}

#[derive(Template)]
#[template(path = "waivers.html")]
struct ListPage {
    you: Option<You>,
    waivers: Vec<Asked>,
    pages: Pages,
}

/// On one page of the list.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct Listing {
    page: Option<usize>,
}

/// All that there are for whoever asks, a page at a time: those to decide come first.
pub(crate) async fn list(
    site: web::Data<Site>,
    visitor: Visitor,
    listing: web::Query<Listing>,
) -> Result<HttpResponse, PageProblem> {
    let today = clock::day(Utc::now());
    let all = workflow::all_waivers(site.db()?, &visitor.actor).await?;
    let page_idx = listing.page.unwrap_or(1).saturating_sub(1);
    let n_before = page_idx.saturating_mul(PAGE).min(all.len());
    let shown = all.iter().skip(n_before).take(PAGE);
    let waivers: Vec<Asked> = shown.map(|waiver| asked(waiver, today)).collect();
    let link = |page_idx: usize| format!("/exceptions?page={}", page_idx + 1);
    let page = ListPage {
        pages: Pages {
            range: (waivers.len() < all.len()).then(|| {
                let last = n_before + waivers.len();
                format!("{} to {last} of {}", n_before + 1, all.len())
            }),
            before: (page_idx > 0).then(|| link(page_idx - 1)),
            after: (n_before + waivers.len() < all.len()).then(|| link(page_idx + 1)),
        },
        waivers,
        you: Some(visitor.you),
    };
    Ok(super::render(StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "waiver.html")]
struct WaiverPage {
    you: Option<You>,
    waiver: Asked,
    may_decide: bool,
    /// Whether it can be ended early by whoever looks.
    may_end: bool,
    reason: String,
    ends_on: String,
    problem: Option<&'static str>,
    wrong_field: &'static str,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, &id, None).await
}

/// What was filled in, and what is wrong with it.
struct Wrong {
    problem: &'static str,
    field: &'static str,
    reason: String,
    ends_on: String,
}

async fn page(
    site: &Site,
    visitor: Visitor,
    id: &str,
    wrong: Option<Wrong>,
) -> Result<HttpResponse, PageProblem> {
    let found = workflow::waiver(site.db()?, &visitor.actor, parsed(id)?).await?;
    let status = match &wrong {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let problem = wrong.as_ref().map(|wrong| wrong.problem);
    let wrong_field = wrong.as_ref().map_or("", |wrong| wrong.field);
    let (reason, ends_on) =
        wrong.map_or_else(Default::default, |wrong| (wrong.reason, wrong.ends_on));
    let page = WaiverPage {
        may_end: found.holds_on(clock::day(Utc::now()))
            && workflow::may_decide(&visitor.actor, &found),
        may_decide: found.decision.is_none() && workflow::may_decide(&visitor.actor, &found),
        waiver: asked(&found, clock::day(Utc::now())),
        you: Some(visitor.you),
        reason,
        ends_on,
        problem,
        wrong_field,
    };
    Ok(super::render(status, &page))
}

fn parsed(id: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(id).map_err(|_| Problem::not_found())
}

/// Grants it or refuses it.
pub(crate) async fn decide(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (reason, ends_on) = (field(&form, "reason"), field(&form, "ends_on"));
    let day = match field(&form, "decision") {
        "grant" => parse_day(ends_on).map(Some).ok_or((
            "Enter the last day on which the exception holds, such as 2027-03-31.",
            "ends_on",
        )),
        "refuse" => Ok(None),
        _ => Err(("Choose whether you grant or refuse it.", "decision-grant")),
    };
    let decided = async |ends_on| {
        let deciding = Deciding {
            ends_on,
            reason: reason.to_owned(),
        };
        let today = clock::day(Utc::now());
        workflow::decide_waiver(site.db()?, &visitor.actor, parsed(&id)?, &deciding, today)
            .await
            .map_err(mistake_or_problem)
    };
    let decided: Result<(), Decision> = match day {
        // Whoever may not decide learns nothing from what is wrong with the form.
        Err(mistake) => match workflow::waiver(site.db()?, &visitor.actor, parsed(&id)?).await {
            Ok(waiver) if workflow::may_decide(&visitor.actor, &waiver) => {
                Err(Decision::Mistake(mistake))
            }
            Ok(_) => Err(Denied::Forbidden.into()),
            Err(denied) => Err(denied.into()),
        },
        Ok(ends_on) => decided(ends_on).await,
    };
    let (problem, wrong_field) = match decided {
        Ok(()) => return Ok(see(&format!("/exceptions/{}", parsed(&id)?))),
        Err(Decision::Mistake(mistake)) => mistake,
        Err(Decision::Problem(problem)) => return Err(problem.into()),
    };
    let wrong = Wrong {
        problem,
        field: wrong_field,
        reason: reason.to_owned(),
        ends_on: ends_on.to_owned(),
    };
    page(&site, visitor, &id, Some(wrong)).await
}

/// Ends it early.
pub(crate) async fn end(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (reason, today) = (field(&form, "reason"), clock::day(Utc::now()));
    let (db, actor) = (site.db()?, &visitor.actor);
    let ended = workflow::revoke_waiver(db, actor, parsed(&id)?, reason, today).await;
    let (problem, wrong_field) = match ended.map_err(mistake_or_problem) {
        Ok(()) => return Ok(see(&format!("/exceptions/{}", parsed(&id)?))),
        Err(Decision::Mistake(mistake)) => mistake,
        Err(Decision::Problem(problem)) => return Err(problem.into()),
    };
    let wrong = Wrong {
        problem,
        field: wrong_field,
        reason: reason.to_owned(),
        ends_on: String::new(),
    };
    page(&site, visitor, &id, Some(wrong)).await
}

/// Why it was not decided.
enum Decision {
    /// And the field where it is put right.
    Mistake((&'static str, &'static str)),
    Problem(Problem),
}

impl<T: Into<Problem>> From<T> for Decision {
    fn from(problem: T) -> Self {
        Decision::Problem(problem.into())
    }
}

fn mistake_or_problem(error: WaiverError) -> Decision {
    match error {
        WaiverError::Denied(denied) => denied.into(),
        WaiverError::Db(error) => error.into(),
        WaiverError::Text(ExplainError::LongText) => Decision::Mistake((
            "The reason is too long: 4,000 characters are the most.",
            "reason",
        )),
        WaiverError::Text(_) => Decision::Mistake(("Write why you decide so.", "reason")),
        WaiverError::Day => {
            const { assert!(LONGEST_YEARS == 3) };
            Decision::Mistake((
                "The last day has to be today or later, and no more than three years ahead.",
                "ends_on",
            ))
        }
        WaiverError::NotInForce => Problem::conflict(
            "Not in force",
            "This exception is not in force any more, or was never granted. Open its page again to see where it stands.",
        )
        .into(),
        WaiverError::Decided => Problem::conflict(
            "Decided already",
            "Somebody has decided on this exception already. Open its page again to see what they said.",
        )
        .into(),
    }
}

/// The years that a day may be in: 27 is the year 27, and nobody means it.
const YEARS: RangeInclusive<i32> = 2000..=2100;

/// As a browser's date field sends it, or as people here write it.
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%d/%m/%Y", "%d %B %Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text.trim(), format).ok())
        .filter(|day| YEARS.contains(&day.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_is_sent_or_written() {
        let day = NaiveDate::from_ymd_opt(2027, 3, 31);
        for text in ["2027-03-31", " 31/3/2027", "31 March 2027"] {
            assert_eq!(parse_day(text), day, "{text}");
        }
        for text in [
            "",
            "soon",
            "3/31/2027",
            "2027-02-30",
            "31/03/27",
            "31/03/9999",
        ] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
