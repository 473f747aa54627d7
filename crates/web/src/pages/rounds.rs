//! The rounds of the year: when what is collected, who still has to answer, and what whoever plans them does about it.

pub(crate) mod asking;
pub(crate) mod burden;
pub(crate) mod late;
pub(crate) mod many;
pub(crate) mod one;
pub(crate) mod proposals;
pub(crate) mod reminders;
pub(crate) mod standing;
pub(crate) mod workload;
pub(crate) mod year;

use chrono::{Datelike, NaiveDate};
use cycle::holidays;
use workflow::{ExplainError, RoundError, RoundName};

use super::explain::{Fields, field};
use crate::problem::Problem;
use crate::words;

/// A round's own page.
fn address(return_id: &str, period: &str) -> String {
    format!("/rounds/{return_id}/{period}")
}

/// `Friday 31 July 2026`.
pub(super) fn weekday(day: NaiveDate) -> String {
    format!("{} {}", day.format("%A"), words::day(day))
}

/// Why a day is no good one: `It is a Saturday.`; blank where it is one.
fn day_off(day: NaiveDate) -> String {
    match holidays::day_off(day) {
        Some(off) => format!("This is {off}."),
        None if !holidays::year_is_known(day) => {
            "The bank holidays of this year are not known yet.".to_owned()
        }
        None => String::new(),
    }
}

/// The first day of the financial year that a day is in.
fn financial_year(day: NaiveDate) -> NaiveDate {
    let year = if day.month() < 4 {
        day.year() - 1
    } else {
        day.year()
    };
    NaiveDate::from_ymd_opt(year, 4, 1).unwrap_or(day)
}

/// Every round that was ticked in a form: `return/period`, and what else may follow.
fn ticked(form: &Fields) -> Vec<(RoundName, Option<&str>)> {
    form.iter()
        .filter(|(name, _)| name == "round")
        .filter_map(|(_, value)| {
            let mut parts = value.splitn(3, '/');
            let name = RoundName {
                return_id: parts.next()?.to_owned(),
                period: parts.next()?.to_owned(),
            };
            Some((name, parts.next()))
        })
        .collect()
}

/// What is wrong with a form, and the field where it is put right.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub(super) problem: Option<String>,
    pub(super) field: &'static str,
}

impl Wrong {
    pub(super) fn at(field: &'static str, problem: impl Into<String>) -> Self {
        Self {
            problem: Some(problem.into()),
            field,
        }
    }

    pub(super) fn status(&self) -> actix_web::http::StatusCode {
        match self.problem {
            Some(_) => actix_web::http::StatusCode::BAD_REQUEST,
            None => actix_web::http::StatusCode::OK,
        }
    }
}

/// What a refusal of a plan says on a page of one round.
fn mistake(error: RoundError) -> Result<Wrong, Problem> {
    mistake_of(error, |_, period| period.to_owned())
}

/// The same, of a round that is called by its return and its period's label.
fn mistake_of(error: RoundError, called: impl Fn(&str, &str) -> String) -> Result<Wrong, Problem> {
    Ok(match error {
        RoundError::Denied(denied) => return Err(denied.into()),
        RoundError::Db(error) => return Err(error.into()),
        RoundError::Text(ExplainError::LongText) => Wrong::at(
            "reason",
            "The reason is too long: 4,000 characters are the most.",
        ),
        RoundError::Text(_) => Wrong::at("reason", "Write why."),
        RoundError::LongSource => Wrong::at(
            "source",
            "The source is too long: 1,000 characters are the most.",
        ),
        RoundError::Order {
            return_id,
            period,
            order,
        } => Wrong::at(
            "dates",
            format!(
                "For {} the day \u{201c}{}\u{201d} would be before the day \u{201c}{}\u{201d}. Change one of them.",
                called(&return_id, &period),
                order.second.in_words(),
                order.first.in_words()
            ),
        ),
        RoundError::Overtaken { return_id, period } => Wrong::at(
            "dates",
            format!(
                "Days of the round for {} were set after you opened this page, and nothing was changed now. Look at the days as they are, and set yours again where they are still right.",
                called(&return_id, &period)
            ),
        ),
        RoundError::Cancelled { return_id, period } => Wrong::at(
            "dates",
            format!(
                "The round for {} was cancelled. Take it up again first.",
                called(&return_id, &period)
            ),
        ),
        RoundError::UnknownOrganisation(_) => Wrong::at("organisation", "Choose an organisation."),
        RoundError::Answered => Wrong::at(
            "organisation",
            "This organisation has handed over its return already, and what was handed over stands.",
        ),
    })
}

/// What was written into a form's field, without blanks around it.
fn text<'a>(form: &'a Fields, name: &str) -> &'a str {
    field(form, name).trim()
}
