//! Other ways in which a form's period cell may say a period, where only one can be meant.

use chrono::NaiveDate;

use super::{Period, PeriodKind};
use crate::code_list::iso_date;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

pub(super) fn recognise(kind: PeriodKind, text: &str) -> Option<Period> {
    let text = text.trim();
    if let Ok(period) = Period::parse(kind, text) {
        return Some(period);
    }
    if let Some(day) = date(text) {
        // A quarter or year is sometimes named by its last day; any other day could mean anything.
        return Period::of_kind_on(kind, day).filter(|period| period.end == day);
    }
    let words = words(text);
    match kind {
        PeriodKind::SnapshotDate => None,
        PeriodKind::CalendarQuarter | PeriodKind::FinancialQuarter => {
            quarter(kind, &words).or_else(|| months(kind, &words))
        }
        PeriodKind::FinancialYear | PeriodKind::SocialWorkYear | PeriodKind::SchoolYear => {
            let (first, last) = years(&words)?;
            (last? == first + 1).then(|| Period::in_year(kind, first, 1))?
        }
    }
}

/// `2026-09-07`, with or without a midnight; `7/9/2026`, `07.09.2026`, `7 September 2026`: day first, years in four digits.
fn date(text: &str) -> Option<NaiveDate> {
    let text = text
        .strip_suffix("00:00:00")
        .map_or(text, |date| date.trim_end_matches(['T', ' ']));
    if let Some(date) = iso_date(text) {
        return Some(date);
    }
    let words = words(text);
    let [day, month, year] = words.as_slice() else {
        return None;
    };
    let day = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| day.strip_suffix(ending))
        .unwrap_or(day);
    let month = month_number(month).or_else(|| short_number(month))?;
    NaiveDate::from_ymd_opt(year_number(year)?, month, short_number(day)?)
}

/// Letters and digits in lower case, apart wherever anything else stands or a letter meets a digit before a quarter.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .flat_map(|word| match word.split_once('q') {
            Some((year, quarter)) if year_number(year).is_some() => {
                vec![year.to_owned(), format!("q{quarter}")]
            }
            _ => vec![word.to_owned()],
        })
        .collect()
}

/// `Q1 2026-27`, `2026/27 quarter 1`, `Quarter 3, 2026`.
fn quarter(kind: PeriodKind, words: &[String]) -> Option<Period> {
    let mut quarter = None;
    let mut rest = Vec::new();
    let mut after_word = false;
    for word in words {
        let digit = match word.strip_prefix('q') {
            Some(digit) => Some(digit),
            None if after_word => Some(word.as_str()),
            None => None,
        };
        match digit {
            _ if word == "quarter" || word == "qtr" => {
                after_word = true;
                continue;
            }
            Some("1" | "2" | "3" | "4") if quarter.is_none() => {
                quarter = digit.and_then(|digit| digit.parse().ok());
            }
            _ => rest.push(word.clone()),
        }
        after_word = false;
    }
    let (first, last) = years(&rest)?;
    let is_right = match kind {
        PeriodKind::FinancialQuarter => last == Some(first + 1),
        _ => last.is_none(),
    };
    is_right.then(|| Period::in_year(kind, first, quarter?))?
}

/// `April to June 2026`, `Apr-Jun 2026`: the months say which quarter, whatever it is called.
fn months(kind: PeriodKind, words: &[String]) -> Option<Period> {
    let words: Vec<&String> = words.iter().filter(|word| *word != "to").collect();
    let [first, last, year] = words.as_slice() else {
        return None;
    };
    let (first, last) = (month_number(first)?, month_number(last)?);
    let start = NaiveDate::from_ymd_opt(year_number(year)?, first, 1)?;
    let period = Period::of_kind_on(kind, start)?;
    (period.start == start && last == first + 2).then_some(period)
}

/// The first year and, where it is there, the second: `2026-27`, `2026/2027`, `2026`.
fn years(words: &[String]) -> Option<(i32, Option<i32>)> {
    let said = words.iter().filter(|word| {
        !matches!(
            word.as_str(),
            "to" | "fy" | "financial" | "year" | "reporting"
        )
    });
    let said: Vec<&String> = said.collect();
    match said.as_slice() {
        [year] => Some((year_number(year)?, None)),
        [first, last] => {
            let first = year_number(first)?;
            let last = year_number(last).or_else(|| {
                let short = short_number(last).filter(|_| last.len() == 2)?;
                let century = (first + 1) / 100 * 100;
                Some(century + i32::try_from(short).ok()?)
            })?;
            Some((first, Some(last)))
        }
        _ => None,
    }
}

fn year_number(word: &str) -> Option<i32> {
    let is_year = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then(|| word.parse().ok())?
}

fn short_number(word: &str) -> Option<u32> {
    let is_short = (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| word.parse().ok())?
}

/// By its name or the name's first three letters or more.
fn month_number(word: &str) -> Option<u32> {
    let idx = MONTHS
        .iter()
        .position(|month| word.len() >= 3 && month.starts_with(word))?;
    u32::try_from(idx + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ways_to_write_a_period_are_recognised() {
        for (kind, text, label) in [
            (PeriodKind::FinancialQuarter, "2026-27-Q1", "2026-27-Q1"),
            (PeriodKind::FinancialQuarter, " 2026-27 Q1 ", "2026-27-Q1"),
            (PeriodKind::FinancialQuarter, "Q1 2026-27", "2026-27-Q1"),
            (
                PeriodKind::FinancialQuarter,
                "Quarter 4, 2026/27",
                "2026-27-Q4",
            ),
            (PeriodKind::FinancialQuarter, "2026/2027 q2", "2026-27-Q2"),
            (
                PeriodKind::FinancialQuarter,
                "April to June 2026",
                "2026-27-Q1",
            ),
            (PeriodKind::FinancialQuarter, "Jan-Mar 2027", "2026-27-Q4"),
            (PeriodKind::FinancialQuarter, "30/06/2026", "2026-27-Q1"),
            (PeriodKind::CalendarQuarter, "Q3 2026", "2026-Q3"),
            (PeriodKind::CalendarQuarter, "2026Q3", "2026-Q3"),
            (PeriodKind::CalendarQuarter, "April to June 2026", "2026-Q2"),
            (PeriodKind::FinancialYear, "2026/27", "2026-27"),
            (PeriodKind::FinancialYear, "FY 2026-2027", "2026-27"),
            (
                PeriodKind::FinancialYear,
                "Financial year 1999 to 2000",
                "1999-00",
            ),
            (PeriodKind::FinancialYear, "1999/00", "1999-00"),
            (PeriodKind::SocialWorkYear, "2026/27", "2026-27"),
            (PeriodKind::SnapshotDate, "01/09/2026", "2026-09-01"),
            (PeriodKind::SnapshotDate, "7 September 2026", "2026-09-07"),
            (PeriodKind::SnapshotDate, "7th Sep 2026", "2026-09-07"),
            (PeriodKind::SnapshotDate, "07.09.2026", "2026-09-07"),
            (
                PeriodKind::SnapshotDate,
                "2026-09-07 00:00:00",
                "2026-09-07",
            ),
        ] {
            let period = Period::recognise(kind, text).map(|period| period.label);
            assert_eq!(period.as_deref(), Some(label), "{text}");
        }
    }

    #[test]
    fn what_could_mean_more_than_one_period_is_not() {
        for (kind, text) in [
            (PeriodKind::FinancialQuarter, "Q1 2026"),
            (PeriodKind::FinancialQuarter, "Q1"),
            (PeriodKind::FinancialQuarter, "2026-27"),
            (PeriodKind::FinancialQuarter, "Q1 Q2 2026-27"),
            (PeriodKind::FinancialQuarter, "2026-28 Q1"),
            (PeriodKind::FinancialQuarter, "May to July 2026"),
            (PeriodKind::FinancialQuarter, "April to September 2026"),
            (PeriodKind::FinancialQuarter, "15/05/2026"),
            (PeriodKind::CalendarQuarter, "Q1 2026-27"),
            (PeriodKind::FinancialYear, "2026"),
            (PeriodKind::FinancialYear, "26/27"),
            (PeriodKind::FinancialYear, "2026-28"),
            (PeriodKind::FinancialYear, "2026-27 Q1"),
            (PeriodKind::SnapshotDate, "01/09/26"),
            (PeriodKind::SnapshotDate, "September 2026"),
            (PeriodKind::SnapshotDate, "31/09/2026"),
            (PeriodKind::SnapshotDate, ""),
        ] {
            assert_eq!(Period::recognise(kind, text), None, "{text}");
        }
    }
}
