//! Dates, times and durations as the formats write them.

use calamine::ExcelDateTime;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use crate::Raw;
use crate::gate::Given;

/// A date or time in ISO 8601, with or without its time, fraction and zone (which is dropped: a cell has none).
pub(crate) fn parse_iso(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN));
    }
    let Some((date, time)) = text.split_once('T') else {
        let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
        // A time alone lies on the day before the first day.
        return Some(NaiveDate::from_ymd_opt(1899, 12, 31)?.and_time(time));
    };
    let time = time.split(['Z', '+', '-']).next()?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(time, format).ok())
        .map(|time| date.and_time(time))
}

/// A duration as the sender sees it, `37:30:00`; a number that is no date, shown as one, stays a number.
///
/// A time alone lies on the day before the first day, 31 December 1899.
pub(crate) fn to_given(moment: &ExcelDateTime) -> Given<'static> {
    let serial = moment.as_f64();
    if moment.is_duration() && serial.is_finite() && serial.abs() < 1e9 {
        #[expect(clippy::cast_possible_truncation, reason = "below 1e14")]
        let seconds = (serial * 86_400.0).round() as i64;
        let sign = if seconds < 0 { "-" } else { "" };
        let seconds = seconds.abs();
        return Given::Text(format!(
            "{sign}{}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        ));
    }
    // Whatever day the workbook counts from.
    if moment.is_datetime()
        && 0.0 < serial
        && serial < 1.0
        && let Some(time) = time_alone(serial)
    {
        return Given::Raw(Raw::DateTime(time));
    }
    // 2958466 would be the year 10000, where the reader's arithmetic ends.
    if moment.is_datetime()
        && (0.0..2_958_466.0).contains(&serial)
        && let Some(moment) = moment.as_datetime()
    {
        return Given::Raw(Raw::DateTime(moment));
    }
    Given::Raw(Raw::Number(serial))
}

/// The part of a day that a number below 1 is.
fn time_alone(serial: f64) -> Option<NaiveDateTime> {
    #[expect(clippy::cast_possible_truncation, reason = "below 86,400,000")]
    let milliseconds = (serial * 86_400_000.0).round() as i64;
    let midnight = NaiveDate::from_ymd_opt(1899, 12, 31)?.and_time(NaiveTime::MIN);
    midnight.checked_add_signed(TimeDelta::milliseconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_from_iso_text() {
        let at = |hour, minute, second| {
            NaiveDate::from_ymd_opt(2026, 4, 15)
                .unwrap()
                .and_hms_opt(hour, minute, second)
        };
        for (text, moment) in [
            ("2026-04-15", at(0, 0, 0)),
            ("2026-04-15T10:30:05", at(10, 30, 5)),
            ("2026-04-15T10:30:05.000Z", at(10, 30, 5)),
            ("2026-04-15T10:30:05+01:00", at(10, 30, 5)),
            ("2026-04-15T10:30", at(10, 30, 0)),
            ("2026-02-30", None),
            ("15/04/2026", None),
            ("2026-04-15T25:00:00", None),
            ("25:00:00", None),
        ] {
            assert_eq!(parse_iso(text), moment, "{text}");
        }
        let time = NaiveDate::from_ymd_opt(1899, 12, 31)
            .unwrap()
            .and_hms_opt(10, 30, 0);
        assert_eq!(parse_iso("10:30:00"), time);
    }
}
