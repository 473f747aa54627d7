//! The year: every round by the day it is due, as a list, as a month, or as a strip with a line for each return.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Datelike, Days, Months, NaiveDate, Utc};
use cycle::{DateKind, clock, holidays};
use serde::Deserialize;
use workflow::PlannedRound;

use super::{address, day_off, financial_year, weekday};
use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::{Visitor, You};
use crate::words;

/// What of the year is asked for: the part of the address after the question mark.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// `list`, `month` or `strip`.
    #[serde(default)]
    view: String,
    /// The year in which the financial year begins.
    year: Option<i32>,
    /// `2026-07`.
    #[serde(default)]
    month: String,
}

#[derive(Template)]
#[template(path = "rounds/year.html")]
struct YearPage {
    you: Option<You>,
    /// `April 2026 to March 2027`.
    span: String,
    links: Vec<View>,
    before: (String, String),
    after: (String, String),
    n_rounds: usize,
    n_provisional: usize,
    /// Weeks in which one team wants more than one return.
    clashes: Vec<String>,
    shown: Shown,
    may_plan: bool,
}

struct View {
    words: &'static str,
    link: String,
    is_shown: bool,
}

enum Shown {
    List(Vec<MonthList>),
    Month(Month),
    Strip(Vec<Strip>),
}

struct MonthList {
    name: String,
    rows: Vec<Row>,
}

struct Row {
    title: String,
    period: String,
    link: String,
    due: String,
    opens: String,
    note: String,
    tag: &'static str,
    state: &'static str,
}

struct Month {
    name: String,
    before: (String, String),
    after: (String, String),
    weeks: Vec<[Cell; 7]>,
}

#[derive(Default)]
struct Cell {
    /// `Monday 6 July`; blank outside the month.
    heading: String,
    number: u32,
    off: Option<&'static str>,
    things: Vec<Thing>,
}

struct Thing {
    what: &'static str,
    title: String,
    link: String,
}

struct Strip {
    title: String,
    /// Of the year, in order.
    months: Vec<StripMonth>,
}

struct StripMonth {
    name: String,
    short: String,
    due: Vec<StripDay>,
}

struct StripDay {
    number: u32,
    link: String,
    round: String,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageProblem> {
    let today = clock::day(Utc::now());
    let month = NaiveDate::parse_from_str(&format!("{}-01", asked.month), "%Y-%m-%d").ok();
    let of_year = |year: i32| {
        (1990..2200)
            .contains(&year)
            .then(|| NaiveDate::from_ymd_opt(year, 4, 1))?
    };
    let year = asked.year.and_then(of_year).or(month.map(financial_year));
    let from = year.unwrap_or_else(|| financial_year(today));
    let until = later(from, 12).pred_opt().unwrap_or(from);
    let planned = workflow::planned_rounds(site.db()?, &visitor.actor, from, until).await?;
    let month = month.unwrap_or_else(|| {
        let day = if (from..=until).contains(&today) {
            today
        } else {
            from
        };
        day.with_day(1).unwrap_or(day)
    });
    let (view, shown) = match asked.view.as_str() {
        "month" => {
            // A round may open in a month and be due long after it.
            let until = later(month, 13);
            let since = month.checked_sub_months(Months::new(1)).unwrap_or(month);
            let near = workflow::planned_rounds(site.db()?, &visitor.actor, since, until).await?;
            ("month", Shown::Month(month_of(month, &near)))
        }
        "strip" => ("strip", Shown::Strip(strips(from, &planned))),
        _ => ("list", Shown::List(list(from, &planned))),
    };
    let link = |view: &str, from: NaiveDate| format!("/rounds?view={view}&year={}", from.year());
    let beside = |months: i32| {
        let year = from.with_year(from.year() + months).unwrap_or(from);
        let words = format!(
            "{} to {}",
            year.format("%B %Y"),
            later(year, 11).format("%B %Y")
        );
        (link(view, year), words)
    };
    let page = YearPage {
        you: Some(visitor.you),
        span: format!("{} to {}", from.format("%B %Y"), until.format("%B %Y")),
        links: [
            ("list", "List"),
            ("month", "Month"),
            ("strip", "The year at a glance"),
        ]
        .into_iter()
        .map(|(word, words)| View {
            words,
            link: link(word, from),
            is_shown: word == view,
        })
        .collect(),
        before: beside(-1),
        after: beside(1),
        n_rounds: planned.len(),
        n_provisional: planned
            .iter()
            .filter(|planned| planned.round.is_provisional && !planned.round.is_cancelled)
            .count(),
        clashes: clashes(&site, &planned, today),
        shown,
        may_plan: workflow::may_plan(&visitor.actor),
    };
    Ok(crate::pages::render(StatusCode::OK, &page))
}

fn later(day: NaiveDate, n_months: u32) -> NaiveDate {
    day.checked_add_months(Months::new(n_months)).unwrap_or(day)
}

fn list(from: NaiveDate, planned: &[PlannedRound]) -> Vec<MonthList> {
    (0..12)
        .map(|n| later(from, n))
        .map(|month| MonthList {
            name: month.format("%B %Y").to_string(),
            rows: planned
                .iter()
                .filter(|planned| is_in(planned.round.due_on, month))
                .map(row)
                .collect(),
        })
        .filter(|month| !month.rows.is_empty())
        .collect()
}

fn is_in(day: NaiveDate, month: NaiveDate) -> bool {
    (day.year(), day.month()) == (month.year(), month.month())
}

fn row(planned: &PlannedRound) -> Row {
    let round = &planned.round;
    let (tag, state) = certainty(round.is_cancelled, round.is_provisional);
    Row {
        title: round.return_title.clone(),
        period: round.period.in_words(),
        link: address(&round.return_id, &round.period.label),
        due: weekday(round.due_on),
        opens: words::day(round.opens_on),
        note: if round.is_cancelled {
            String::new()
        } else {
            day_off(round.due_on)
        },
        tag,
        state,
    }
}

/// How sure a round is, as a tag.
pub(super) fn certainty(is_cancelled: bool, is_provisional: bool) -> (&'static str, &'static str) {
    if is_cancelled {
        ("ds_tag--grey", "cancelled")
    } else if is_provisional {
        ("ds_tag--yellow", "provisional")
    } else {
        ("ds_tag--green", "confirmed")
    }
}

fn month_of(month: NaiveDate, planned: &[PlannedRound]) -> Month {
    let mut by_day: BTreeMap<NaiveDate, Vec<Thing>> = BTreeMap::new();
    for planned in planned.iter().filter(|planned| !planned.round.is_cancelled) {
        for fact in cycle::counting(&planned.history) {
            if is_in(fact.date.on, month) {
                by_day.entry(fact.date.on).or_default().push(Thing {
                    what: match fact.date.kind {
                        DateKind::Due => "Due",
                        DateKind::Open => "Opens",
                        DateKind::Issue => "Form issued",
                        DateKind::SignOff => "Signed off by",
                        DateKind::Close => "Closes",
                        DateKind::Publish => "Published",
                    },
                    title: format!(
                        "{}, {}",
                        planned.round.return_title,
                        planned.round.period.in_words()
                    ),
                    link: address(&planned.round.return_id, &planned.round.period.label),
                });
            }
        }
    }
    let mut weeks = Vec::new();
    let mut monday = holidays::week_of(month);
    while monday < later(month, 1) {
        weeks.push(std::array::from_fn(|n| {
            let day = monday
                .checked_add_days(Days::new(n as u64))
                .unwrap_or(monday);
            if !is_in(day, month) {
                return Cell::default();
            }
            Cell {
                heading: day.format("%A %-d %B").to_string(),
                number: day.day(),
                off: holidays::holiday(day).map(|holiday| holiday.name),
                things: by_day.remove(&day).unwrap_or_default(),
            }
        }));
        monday = monday
            .checked_add_days(Days::new(7))
            .unwrap_or(NaiveDate::MAX);
    }
    let beside = |month: NaiveDate| {
        (
            format!("/rounds?view=month&month={}", month.format("%Y-%m")),
            month.format("%B %Y").to_string(),
        )
    };
    Month {
        name: month.format("%B %Y").to_string(),
        before: beside(month.checked_sub_months(Months::new(1)).unwrap_or(month)),
        after: beside(later(month, 1)),
        weeks,
    }
}

fn strips(from: NaiveDate, planned: &[PlannedRound]) -> Vec<Strip> {
    let mut by_return: BTreeMap<(&str, &str), Vec<&PlannedRound>> = BTreeMap::new();
    for planned in planned.iter().filter(|planned| !planned.round.is_cancelled) {
        let round = &planned.round;
        let key = (round.return_title.as_str(), round.return_id.as_str());
        by_return.entry(key).or_default().push(planned);
    }
    by_return
        .into_iter()
        .map(|((title, _), rounds)| Strip {
            title: title.to_owned(),
            months: (0..12)
                .map(|n| later(from, n))
                .map(|month| {
                    let due = rounds
                        .iter()
                        .filter(|planned| is_in(planned.round.due_on, month))
                        .map(|planned| {
                            let round = &planned.round;
                            StripDay {
                                number: round.due_on.day(),
                                link: address(&round.return_id, &round.period.label),
                                round: format!("{title}, {}", round.period.in_words()),
                            }
                        })
                        .collect();
                    let name = |format: &str| month.format(format).to_string();
                    StripMonth {
                        name: name("%B"),
                        short: name("%b"),
                        due,
                    }
                })
                .collect(),
        })
        .collect()
}

/// Weeks to come in which one team wants more than one return, which the same people then fill in together.
fn clashes(site: &Site, planned: &[PlannedRound], today: NaiveDate) -> Vec<String> {
    let mut by_week: BTreeMap<(NaiveDate, String), Vec<String>> = BTreeMap::new();
    for planned in planned {
        let round = &planned.round;
        if round.is_cancelled || round.due_on < today {
            continue;
        }
        let spec = site
            .specs
            .iter()
            .find(|spec| spec.id == round.return_id && spec.version == round.return_version);
        if let Some(spec) = spec {
            let key = (holidays::week_of(round.due_on), spec.owner.team.clone());
            by_week
                .entry(key)
                .or_default()
                .push(round.return_title.clone());
        }
    }
    by_week
        .into_iter()
        .filter(|(_, returns)| returns.len() > 1)
        .map(|((monday, team), mut returns)| {
            returns.dedup();
            format!(
                "Week of {}: {team} has {} due ({})",
                words::day(monday),
                returns.len(),
                returns.join("; ")
            )
        })
        .collect()
}
