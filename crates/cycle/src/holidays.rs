//! Working days in Scotland. The bank holidays are a file, each with where it is from; councils' own local holidays are kept
//! elsewhere, and given where they count.

use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use spec::Confidence;

const SCOTLAND: &str = include_str!("../holidays/scotland.csv");

/// A bank holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    pub day: NaiveDate,
    /// `St Andrew's Day (substitute day)`.
    pub name: &'static str,
    pub confidence: Confidence,
    pub source: &'static str,
}

static HOLIDAYS: LazyLock<Vec<Holiday>> =
    LazyLock::new(|| SCOTLAND.lines().skip(1).filter_map(read).collect());

/// What is not understood is left out; that all of it is understood is tested.
fn read(line: &'static str) -> Option<Holiday> {
    let (day, rest) = line.split_once(',')?;
    let (name, rest) = rest.split_once(',')?;
    let (confidence, source) = rest.split_once(',')?;
    Some(Holiday {
        day: day.parse().ok()?,
        name,
        confidence: Confidence::parse(confidence)?,
        source: source.strip_prefix('"')?.strip_suffix('"')?,
    })
}

/// All that are known, in order.
pub fn holidays() -> &'static [Holiday] {
    &HOLIDAYS
}

pub fn holiday(day: NaiveDate) -> Option<&'static Holiday> {
    let found = HOLIDAYS.binary_search_by_key(&day, |holiday| holiday.day);
    found.ok().and_then(|idx| HOLIDAYS.get(idx))
}

/// Whether the file says anything of a day's year; of later ones weekends alone are known.
pub fn year_is_known(day: NaiveDate) -> bool {
    HOLIDAYS
        .iter()
        .any(|holiday| holiday.day.year() == day.year())
}

/// Why nobody works on a day: `a Saturday`, `St Andrew's Day`; `None`: it is a working day.
pub fn day_off(day: NaiveDate) -> Option<&'static str> {
    match day.weekday() {
        Weekday::Sat => Some("a Saturday"),
        Weekday::Sun => Some("a Sunday"),
        _ => holiday(day).map(|holiday| holiday.name),
    }
}

pub fn is_working_day(day: NaiveDate) -> bool {
    day_off(day).is_none()
}

/// The day itself, or the first working day after it.
pub fn working_day_from(day: NaiveDate) -> NaiveDate {
    day.iter_days()
        .find(|day| is_working_day(*day))
        .unwrap_or(day)
}

/// So many working days later; none gives the day itself.
pub fn working_days_after(day: NaiveDate, n: usize) -> NaiveDate {
    let later = day.iter_days().skip(1).filter(|day| is_working_day(*day));
    match n.checked_sub(1) {
        Some(n_before) => later.clone().nth(n_before).unwrap_or(day),
        None => day,
    }
}

/// How many working days there are from one day up to, and without, another, for whom some more days are off.
pub fn working_days_between(from: NaiveDate, until: NaiveDate, also_off: &[NaiveDate]) -> usize {
    from.iter_days()
        .take_while(|day| *day < until)
        .filter(|day| is_working_day(*day) && !also_off.contains(day))
        .count()
}

/// The Monday of a day's week.
pub fn week_of(day: NaiveDate) -> NaiveDate {
    let n_days = u64::from(day.weekday().num_days_from_monday());
    day.checked_sub_days(Days::new(n_days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_line_of_the_file_is_understood_and_in_order() {
        assert_eq!(holidays().len(), SCOTLAND.lines().count() - 1);
        assert!(holidays().windows(2).all(|two| two[0].day < two[1].day));
        // A holiday on a weekend has a substitute day, which is what the file gives.
        for holiday in holidays() {
            assert!(
                !matches!(holiday.day.weekday(), Weekday::Sat | Weekday::Sun),
                "{holiday:?}"
            );
            assert!(!holiday.source.is_empty(), "{holiday:?}");
        }
    }

    #[test]
    fn scotland_is_off_when_england_is_not_and_the_other_way_round() {
        for (on, off) in [
            ("2026-01-02", Some("2 January")),
            ("2026-08-03", Some("Summer bank holiday")),
            // England's.
            ("2026-08-31", None),
            ("2026-04-06", None),
            ("2026-11-30", Some("St Andrew's Day")),
            ("2024-12-02", Some("St Andrew's Day (substitute day)")),
            ("2027-01-04", Some("2 January (substitute day)")),
            ("2026-11-28", Some("a Saturday")),
            ("2026-11-27", None),
        ] {
            assert_eq!(day_off(day(on)), off, "{on}");
        }
        assert!(year_is_known(day("2030-02-01")));
        assert!(!year_is_known(day("2031-02-01")));
    }

    #[test]
    fn working_days_are_counted_around_new_year() {
        // Thursday; Friday is Christmas Day, Monday Boxing Day's substitute.
        assert_eq!(working_day_from(day("2026-12-25")), day("2026-12-29"));
        assert_eq!(working_day_from(day("2026-12-24")), day("2026-12-24"));
        assert_eq!(working_days_after(day("2026-12-24"), 0), day("2026-12-24"));
        assert_eq!(working_days_after(day("2026-12-24"), 1), day("2026-12-29"));
        assert_eq!(working_days_after(day("2026-12-31"), 1), day("2027-01-05"));
        assert_eq!(
            working_days_between(day("2026-12-24"), day("2027-01-05"), &[]),
            4
        );
        // A council's own, of which one is a Sunday and one a bank holiday.
        let own = ["2026-12-24", "2026-12-27", "2026-12-28"].map(day);
        assert_eq!(
            working_days_between(day("2026-12-24"), day("2027-01-05"), &own),
            3
        );
        assert_eq!(
            working_days_between(day("2027-01-05"), day("2026-12-24"), &[]),
            0
        );
        assert_eq!(week_of(day("2026-11-29")), day("2026-11-23"));
    }
}
