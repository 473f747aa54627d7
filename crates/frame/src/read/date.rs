//! Dates: real date cells, the item's own text form, and other unambiguous day-first forms.

use chrono::{Datelike, NaiveDate, NaiveTime};
use sheet::Raw;
use spec::{DateFormat, Item};

use super::text::trim;
use super::{Read, Unreadable, is_time_alone, show_day, show_raw};
use crate::columns::Value;

/// Before this year a spreadsheet's dates are artefacts of small numbers: what is shown as a day of 1900 is a number up to 366,
/// far more often a count in a cell of dates than a day on which something happened that anyone is asked for.
const FIRST_YEAR: i32 = 1901;
const LAST_YEAR: i32 = 2100;

pub(super) fn read<'r>(raw: Raw<'_>, item: &Item) -> Read<'r> {
    match raw {
        Raw::DateTime(at) if at.time() == NaiveTime::MIN && at.year() < FIRST_YEAR => {
            Read::Unreadable(small_number(at.date(), item))
        }
        Raw::DateTime(at) if at.time() == NaiveTime::MIN => in_range(at.date(), item, Read::Value),
        Raw::DateTime(at) if is_time_alone(at) => Read::Unreadable(Unreadable::new(
            "not-a-date",
            format!(
                "{} is {}: a time of day without a date.",
                item.title,
                show_raw(raw)
            ),
            "Enter the date.",
        )),
        Raw::DateTime(_) => Read::Unreadable(Unreadable::new(
            "not-a-date",
            format!(
                "{} is {}: a date with a time of day.",
                item.title,
                show_raw(raw)
            ),
            "Enter the date alone, without a time.",
        )),
        Raw::Number(number) => from_number(number, raw, item),
        Raw::Text(text) => from_text(trim(text), raw, item),
        Raw::Boolean(_) | Raw::Error(_) | Raw::NotCalculated | Raw::GivenTwice => {
            Read::Unreadable(not_a_date(raw, item))
        }
    }
}

/// A day in the form that is asked for first, or in a real date cell.
pub(super) fn plain(raw: Raw<'_>, item: &Item) -> Option<NaiveDate> {
    let date = match raw {
        Raw::DateTime(at) if at.time() == NaiveTime::MIN => Some(at.date()),
        Raw::Text(text) => match item.date_formats.first() {
            Some(DateFormat::Digits) => digits_date(text),
            Some(DateFormat::Iso) | None => iso_date(text),
            Some(DateFormat::Slashed) => slashed_date(text),
        },
        _ => None,
    };
    date.filter(|date| is_in_range(*date))
}

fn is_in_range(date: NaiveDate) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&date.year())
}

fn in_range<'r>(date: NaiveDate, item: &Item, said: fn(Value<'r>) -> Read<'r>) -> Read<'r> {
    if is_in_range(date) {
        return said(Value::Date(date));
    }
    Read::Unreadable(Unreadable::new(
        "not-a-date",
        format!(
            "{} is {}, which is not between {FIRST_YEAR} and {LAST_YEAR}.",
            item.title,
            show_day(date)
        ),
        "Check the year, and enter the real date.",
    ))
}

fn small_number(date: NaiveDate, item: &Item) -> Unreadable {
    Unreadable::new(
        "not-a-date",
        format!(
            "{} is {}, which a spreadsheet shows when a small number is formatted as a date.",
            item.title,
            show_day(date)
        ),
        "Enter the real date, or leave the cell blank if there is none.",
    )
}

/// `DDMMYYYY` typed as a number has lost its leading zero; any other number is no date.
fn from_number<'r>(number: f64, raw: Raw<'_>, item: &Item) -> Read<'r> {
    if item.date_formats.contains(&DateFormat::Digits) && number.fract() == 0.0 {
        let digits = format!("{number}");
        if let Some(date) = digits_date(&digits) {
            return in_range(date, item, Read::Value);
        }
        if let Some(date) = short_digits_date(&digits, item) {
            return in_range(date, item, Read::Normalised);
        }
    }
    Read::Unreadable(not_a_date(raw, item))
}

fn from_text<'r>(text: &str, raw: Raw<'_>, item: &Item) -> Read<'r> {
    let right = if item.date_formats.is_empty() {
        iso_date(text).or_else(|| slashed_date(text))
    } else {
        item.date_formats.iter().find_map(|format| match format {
            DateFormat::Digits => digits_date(text),
            DateFormat::Iso => iso_date(text),
            DateFormat::Slashed => slashed_date(text),
        })
    };
    if let Some(date) = right {
        return in_range(date, item, Read::Value);
    }
    let other = short_digits_date(text, item)
        .or_else(|| iso_date(text))
        .or_else(|| iso_date(text.strip_suffix("T00:00:00").unwrap_or("")))
        .or_else(|| day_first(text))
        .or_else(|| day_month_name(text));
    match other {
        Some(date) => in_range(date, item, Read::Normalised),
        None => Read::Unreadable(not_a_date(raw, item)),
    }
}

fn not_a_date(raw: Raw<'_>, item: &Item) -> Unreadable {
    Unreadable::new(
        "not-a-date",
        format!(
            "{} is \"{}\", which is not a date.",
            item.title,
            show_raw(raw)
        ),
        format!(
            "Enter the date as {}, or as a real date cell.",
            wanted(item)
        ),
    )
}

fn wanted(item: &Item) -> &'static str {
    match item.date_formats.first() {
        Some(DateFormat::Digits) => "DDMMYYYY, for example 01042026",
        Some(DateFormat::Iso) => "YYYY-MM-DD, for example 2026-04-01",
        Some(DateFormat::Slashed) | None => "DD/MM/YYYY, for example 01/04/2026",
    }
}

fn digits_date(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    ymd(&text[4..], &text[2..4], &text[..2])
}

/// `DDMMYYYY` without the leading zero that a spreadsheet took for a number's.
fn short_digits_date(text: &str, item: &Item) -> Option<NaiveDate> {
    let lost = text.len() == 7 && item.date_formats.contains(&DateFormat::Digits);
    lost.then(|| digits_date(&format!("0{text}")))?
}

fn iso_date(text: &str) -> Option<NaiveDate> {
    // As nearly every one is written.
    if let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes()
        && let (Some(first), Some(second)) = (pair(*y1, *y2), pair(*y3, *y4))
        && let (Some(month), Some(day)) = (pair(*m1, *m2), pair(*d1, *d2))
    {
        return NaiveDate::from_ymd_opt((first * 100 + second).cast_signed(), month, day);
    }
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    (parts.next().is_none() && year.len() == 4).then(|| ymd(year, month, day))?
}

/// The number that two digits write.
fn pair(tens: u8, ones: u8) -> Option<u32> {
    let digit = |b: u8| b.is_ascii_digit().then(|| u32::from(b - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn slashed_date(text: &str) -> Option<NaiveDate> {
    let (day, rest) = text.split_once('/')?;
    let (month, year) = rest.split_once('/')?;
    ymd(year, month, day)
}

/// `3/4/2026`, `3.4.2026`, `3-4-2026`: always day first, always four digits of the year.
fn day_first(text: &str) -> Option<NaiveDate> {
    ['/', '.', '-'].iter().find_map(|separator| {
        let (day, rest) = text.split_once(*separator)?;
        let (month, year) = rest.split_once(*separator)?;
        ymd(year, month, day)
    })
}

/// `15 Sep 2026`, `15 September 2026`.
fn day_month_name(text: &str) -> Option<NaiveDate> {
    let mut words = text.split([' ', '-']).filter(|word| !word.is_empty());
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || year.len() != 4 {
        return None;
    }
    ["%d %b %Y", "%d %B %Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(&format!("{day} {month} {year}"), format).ok())
}

fn ymd(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let digits = |part: &str, most: usize| {
        !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit())
    };
    if year.len() != 4 || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_day_first_or_not_at_all() {
        let expected = NaiveDate::from_ymd_opt(2026, 4, 3);
        for text in ["03/04/2026", "3/4/2026", "3.4.2026", "03-04-2026"] {
            assert_eq!(day_first(text), expected, "{text}");
        }
        for text in ["3 Apr 2026", "03 April 2026", "3-Apr-2026"] {
            assert_eq!(day_month_name(text), expected, "{text}");
        }
        assert_eq!(digits_date("03042026"), expected);
        assert_eq!(iso_date("2026-04-03"), expected);
        for text in [
            "3/4/26",
            "4/13/2026",
            "Apr-26",
            "2026",
            "31/02/2026",
            "3/4/2026 10:00",
        ] {
            assert_eq!(
                day_first(text)
                    .or_else(|| day_month_name(text))
                    .or_else(|| iso_date(text)),
                None,
                "{text}"
            );
        }
    }
}
