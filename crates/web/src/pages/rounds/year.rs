//! The year: every round by the day it is due, as a list, as a month, or as a strip with a line for each return.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Why this year or month is shown and not the one that was asked for.
    instead: Option<String>,
    before: Option<(String, String)>,
    after: Option<(String, String)>,
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
    before: Option<(String, String)>,
    after: Option<(String, String)>,
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
    let (db, actor) = (site.db()?, &visitor.actor);
    let today = clock::day(Utc::now());
    let span = Span::of(workflow::span_of_rounds(db, actor).await?, today);
    let place = Place::of(&asked, &span, today);
    let (from, month) = (place.year, place.month);
    let until = later(from, 12).pred_opt().unwrap_or(from);
    let planned = workflow::planned_rounds(db, actor, from, until).await?;
    let (view, shown) = match asked.view.as_str() {
        "month" => {
            let last = later(month, 1).pred_opt().unwrap_or(month);
            let there = workflow::rounds_with_day(db, actor, month, last).await?;
            ("month", Shown::Month(month_of(month, &span, &there)))
        }
        "strip" => ("strip", Shown::Strip(strips(from, &planned))),
        _ => ("list", Shown::List(list(from, &planned))),
    };
    let link = |view: &str, from: NaiveDate| format!("/rounds?view={view}&year={}", from.year());
    let beside = |years: i32| {
        let year = from.with_year(from.year() + years)?;
        let words = format!(
            "{} to {}",
            year.format("%B %Y"),
            later(year, 11).format("%B %Y")
        );
        (span.first_year()..=span.last_year())
            .contains(&year)
            .then(|| (link(view, year), words))
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
        instead: place.instead(&span, view),
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

/// The first and the last day of all rounds: the calendar begins and ends with them.
struct Span {
    first: NaiveDate,
    last: NaiveDate,
    /// There is no round at all, and today is both.
    is_empty: bool,
}

impl Span {
    fn of(days: Option<(NaiveDate, NaiveDate)>, today: NaiveDate) -> Self {
        let (first, last) = days.unwrap_or((today, today));
        Self {
            first,
            last,
            is_empty: days.is_none(),
        }
    }

    fn first_year(&self) -> NaiveDate {
        financial_year(self.first)
    }

    fn last_year(&self) -> NaiveDate {
        financial_year(self.last)
    }

    fn first_month(&self) -> NaiveDate {
        first_of_month(self.first)
    }

    fn last_month(&self) -> NaiveDate {
        first_of_month(self.last)
    }
}

/// The year and the month that are shown: those that were asked for, or the nearest that the calendar has.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    year: NaiveDate,
    month: NaiveDate,
    /// First days of what was asked for.
    asked_year: NaiveDate,
    asked_month: NaiveDate,
}

impl Place {
    fn of(asked: &Asked, span: &Span, today: NaiveDate) -> Self {
        let month = NaiveDate::parse_from_str(&format!("{}-01", asked.month), "%Y-%m-%d").ok();
        let of_year = |year: i32| NaiveDate::from_ymd_opt(year, 4, 1);
        let this_year = financial_year(today);
        let asked_year = month.map(financial_year).or(asked.year.and_then(of_year));
        let asked_year = asked_year.unwrap_or(this_year);
        let year = asked_year.clamp(span.first_year(), span.last_year());
        let within = |month: NaiveDate| month.clamp(span.first_month(), span.last_month());
        let asked_month = match month {
            Some(month) => month,
            None if asked_year != year => asked_year,
            // Today's, where it is in the year that is asked for.
            None if year == this_year => within(first_of_month(today)),
            None => within(year),
        };
        Self {
            year,
            month: within(asked_month),
            asked_year,
            asked_month,
        }
    }

    /// In words; `None` where what was asked for is shown.
    fn instead(&self, span: &Span, view: &str) -> Option<String> {
        let (asked, shown, what) = match view {
            "month" => (self.asked_month, self.month, "month"),
            _ => (self.asked_year, self.year, "year"),
        };
        if asked == shown || span.is_empty {
            return None;
        }
        let (side, end, name) = if asked < shown {
            ("before", "first", span.first_month())
        } else {
            ("after", "last", span.last_month())
        };
        Some(format!(
            "Nothing is planned {side} {}. This is the {end} {what} that has a day of a round.",
            name.format("%B %Y")
        ))
    }
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
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

fn month_of(month: NaiveDate, span: &Span, planned: &[PlannedRound]) -> Month {
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
        let is_there = (span.first_month()..=span.last_month()).contains(&month);
        is_there.then(|| {
            (
                format!("/rounds?view=month&month={}", month.format("%Y-%m")),
                month.format("%B %Y").to_string(),
            )
        })
    };
    Month {
        name: month.format("%B %Y").to_string(),
        before: month.checked_sub_months(Months::new(1)).and_then(beside),
        after: month.checked_add_months(Months::new(1)).and_then(beside),
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
    let mut by_week: BTreeMap<(NaiveDate, String), BTreeSet<String>> = BTreeMap::new();
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
                .insert(round.return_title.clone());
        }
    }
    by_week
        .into_iter()
        .filter(|(_, returns)| returns.len() > 1)
        .map(|((monday, team), returns)| {
            let titles: Vec<&str> = returns.iter().map(String::as_str).collect();
            format!(
                "Week of {}: {team} has {} due ({})",
                words::day(monday),
                returns.len(),
                titles.join("; ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The year and the month that are shown, and what is said of it in either view.
    fn place(year: Option<i32>, month: &str, today: &str) -> (String, [bool; 2]) {
        let days = Some((day("2025-09-10"), day("2027-06-30")));
        let span = Span::of(days, day(today));
        let asked = Asked {
            view: String::new(),
            year,
            month: month.to_owned(),
        };
        let place = Place::of(&asked, &span, day(today));
        let told = ["list", "month"].map(|view| place.instead(&span, view).is_some());
        let shown = format!(
            "{} {}",
            place.year.format("%Y"),
            place.month.format("%Y-%m")
        );
        (shown, told)
    }

    #[test]
    fn the_calendar_begins_and_ends_with_the_rounds() {
        let today = "2026-11-26";
        for (year, month, shown, told) in [
            (None, "", "2026 2026-11", [false, false]),
            (Some(2025), "", "2025 2025-09", [false, false]),
            (Some(2027), "", "2027 2027-04", [false, false]),
            (Some(2024), "", "2025 2025-09", [true, true]),
            (Some(99_999), "", "2027 2027-06", [true, true]),
            (None, "2025-09", "2025 2025-09", [false, false]),
            (None, "2025-08", "2025 2025-09", [false, true]),
            (None, "2027-07", "2027 2027-06", [false, true]),
            (None, "1999-01", "2025 2025-09", [true, true]),
            (None, "2026-13", "2026 2026-11", [false, false]),
        ] {
            assert_eq!(
                place(year, month, today),
                (shown.to_owned(), told),
                "{year:?} {month}"
            );
        }
        // Long after the last round.
        assert_eq!(
            place(None, "", "2030-01-15"),
            ("2027 2027-06".to_owned(), [true, true])
        );
        let span = Span::of(None, day(today));
        let place = Place::of(&Asked::default(), &span, day(today));
        assert_eq!(place.month, day("2026-11-01"));
        assert_eq!(place.instead(&span, "month"), None);
    }
}
