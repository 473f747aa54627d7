//! The next round's days from those of the round a year before: a forecast, and never more than provisional.

use chrono::{Datelike, Months, NaiveDate};
use spec::{Period, PeriodKind};

use crate::{Certainty, DateFact, PlannedDate, counting, holidays};

/// A period of the year after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    pub period: Period,
    /// Whether nothing else can be meant. The day of a snapshot may be a guess, which somebody has to look at.
    pub is_sure: bool,
}

/// The same period of the year after. For a snapshot it helps to know the day of the year before it.
pub fn a_year_later(period: &Period, before: Option<NaiveDate>) -> Option<Later> {
    if period.kind == PeriodKind::SnapshotDate {
        let (day, is_sure) = same_day(period.start, before)?;
        let period = Period::of_kind_on(period.kind, day)?;
        return Some(Later { period, is_sure });
    }
    let start = period.start.checked_add_months(Months::new(12))?;
    let mut later = period.next()?;
    while later.start < start {
        later = later.next()?;
    }
    (later.start == start).then_some(Later {
        period: later,
        is_sure: true,
    })
}

/// The day of the year after, and whether that is sure: a month's last day is one again; the others are a date or a day of
/// the week, such as the first Monday of a month, which the year before tells apart.
fn same_day(day: NaiveDate, before: Option<NaiveDate>) -> Option<(NaiveDate, bool)> {
    let year = day.year().checked_add(1)?;
    if day.succ_opt()?.month() != day.month() {
        let first = NaiveDate::from_ymd_opt(year, day.month(), 1)?;
        let next = first.checked_add_months(Months::new(1))?;
        return Some((next.pred_opt()?, true));
    }
    let date = day.with_year(year);
    let week = |day: NaiveDate| (day.month(), day.weekday(), (day.day() - 1) / 7);
    let (month, weekday, nth) = week(day);
    let of_week =
        NaiveDate::from_weekday_of_month_opt(year, month, weekday, u8::try_from(nth).ok()? + 1);
    match before {
        Some(before) if (before.month(), before.day()) == (day.month(), day.day()) => {
            date.map(|date| (date, true))
        }
        Some(before) if week(before) == week(day) => of_week.map(|day| (day, true)),
        // The first of a month is mostly meant as such.
        _ if day.day() == 1 => date.map(|date| (date, false)),
        _ => of_week.or(date).map(|day| (day, false)),
    }
}

/// Each day as long after the period's end as it was meant to be a year before, or on the first working day from there, and
/// not before the one that comes before it.
pub fn proposed(history: &[DateFact], period: &Period, later: &Period) -> Vec<PlannedDate> {
    let mut earliest = NaiveDate::MIN;
    // In the order of their kinds.
    counting(history)
        .into_iter()
        .filter_map(|fact| {
            let after_the_end = meant(history, &fact.date).signed_duration_since(period.end);
            let meant = later.end.checked_add_signed(after_the_end)?;
            let on = holidays::working_day_from(meant).max(earliest);
            earliest = on;
            Some(PlannedDate {
                instead_of: (on != meant).then_some(meant),
                ..PlannedDate::new(fact.date.kind, on, Certainty::Provisional)
            })
        })
        .collect()
}

/// The day that a day of a round stands for, also where it was only confirmed since it was proposed: measured from the day
/// it was moved to, the years would creep later.
fn meant(history: &[DateFact], date: &PlannedDate) -> NaiveDate {
    let same = history
        .iter()
        .map(|fact| &fact.date)
        .filter(|other| (other.kind, other.on) == (date.kind, date.on));
    let mut meant = same.filter_map(|other| other.instead_of);
    meant.next().unwrap_or(date.on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DateKind;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(kind: PeriodKind, label: &str) -> Period {
        Period::parse(kind, label).unwrap()
    }

    #[test]
    fn the_year_after_has_the_same_periods() {
        for (kind, label, later) in [
            (PeriodKind::FinancialQuarter, "2026-27-Q4", "2027-28-Q4"),
            (PeriodKind::CalendarQuarter, "2026-Q1", "2027-Q1"),
            (PeriodKind::FinancialYear, "2026-27", "2027-28"),
            (PeriodKind::SocialWorkYear, "2026-27", "2027-28"),
            (PeriodKind::SchoolYear, "2026-27", "2027-28"),
        ] {
            let found = a_year_later(&period(kind, label), None).unwrap();
            assert_eq!((found.period.label.as_str(), found.is_sure), (later, true));
        }
    }

    #[test]
    fn the_day_of_a_snapshot_is_a_date_or_a_day_of_the_week() {
        for (label, before, later, is_sure) in [
            // The first Monday of September, and its date in the year before another one.
            ("2026-09-07", Some("2025-09-01"), "2027-09-06", true),
            ("2026-09-07", None, "2027-09-06", false),
            ("2026-04-05", Some("2025-04-05"), "2027-04-05", true),
            ("2026-03-31", None, "2027-03-31", true),
            ("2027-02-28", None, "2028-02-29", true),
            ("2028-02-29", None, "2029-02-28", true),
            ("2026-10-01", None, "2027-10-01", false),
            // The fifth Thursday, which not every year has.
            ("2026-01-29", None, "2027-01-29", false),
            ("2026-09-07", Some("2025-08-20"), "2027-09-06", false),
        ] {
            let snapshot = period(PeriodKind::SnapshotDate, label);
            let found = a_year_later(&snapshot, before.map(day)).unwrap();
            assert_eq!(
                (found.period.label.as_str(), found.is_sure),
                (later, is_sure),
                "{label} {before:?}"
            );
        }
    }

    #[test]
    fn days_are_as_long_after_the_end_and_on_working_days() {
        let before = period(PeriodKind::FinancialQuarter, "2025-26-Q3");
        let later = a_year_later(&before, None).unwrap().period;
        let fact = |id, kind, on| DateFact {
            id,
            date: PlannedDate::new(kind, day(on), Certainty::Confirmed),
            source: Some("Letter".to_owned()),
            reason: "As agreed".to_owned(),
            at: "2025-10-01T09:00:00Z".parse().unwrap(),
            by_name: "Someone".to_owned(),
        };
        let history = [
            fact(1, DateKind::Open, "2026-01-01"),
            fact(2, DateKind::Due, "2026-01-28"),
            fact(3, DateKind::Due, "2026-01-30"),
        ];
        let days: Vec<String> = proposed(&history, &before, &later)
            .iter()
            .map(|date| format!("{} {} {}", date.kind, date.on, date.certainty.as_str()))
            .collect();
        // New Year's Day is a Friday, and Monday the substitute of 2 January; 30 January is a Saturday.
        assert_eq!(
            days,
            ["open 2027-01-05 provisional", "due 2027-02-01 provisional"]
        );
    }

    #[test]
    fn the_years_do_not_creep() {
        let mut period = period(PeriodKind::FinancialQuarter, "2025-26-Q3");
        let fact = |id, date| DateFact {
            id,
            date,
            source: None,
            reason: "x".to_owned(),
            at: "2025-10-01T09:00:00Z".parse().unwrap(),
            by_name: "Someone".to_owned(),
        };
        let first = PlannedDate::new(DateKind::Due, day("2026-01-28"), Certainty::Confirmed);
        let mut history = vec![fact(1, first)];
        let mut n_moved = 0;
        for _ in 0..20 {
            let later = a_year_later(&period, None).unwrap().period;
            let dates = proposed(&history, &period, &later);
            let [date] = dates[..] else {
                panic!("{dates:?}")
            };
            let nominal = later.end + chrono::Days::new(28);
            assert_eq!(date.on, holidays::working_day_from(nominal));
            n_moved += usize::from(date.on != nominal);
            // Somebody confirms the day as they read it.
            let confirmed = PlannedDate::new(DateKind::Due, date.on, Certainty::Confirmed);
            history = vec![fact(1, date), fact(2, confirmed)];
            period = later;
        }
        assert!(n_moved >= 5, "{n_moved}");
        // What was moved by hand past a day that stands for an earlier one comes before it still.
        let close = PlannedDate {
            instead_of: Some(day("2026-01-10")),
            ..PlannedDate::new(DateKind::Close, day("2026-01-12"), Certainty::Confirmed)
        };
        let due = PlannedDate::new(DateKind::Due, day("2026-01-12"), Certainty::Confirmed);
        let first = Period::parse(PeriodKind::FinancialQuarter, "2025-26-Q3").unwrap();
        let later = a_year_later(&first, None).unwrap().period;
        let dates = proposed(&[fact(1, close), fact(2, due)], &first, &later);
        let days: Vec<NaiveDate> = dates.iter().map(|date| date.on).collect();
        assert_eq!(days, [day("2027-01-12"), day("2027-01-12")]);
        assert!(crate::dates::check_order(&dates).is_ok());
        // One that was moved by hand is meant.
        let by_hand = PlannedDate::new(DateKind::Due, period.end, Certainty::Confirmed);
        history.push(fact(3, by_hand));
        let later = a_year_later(&period, None).unwrap().period;
        let again = proposed(&history, &period, &later);
        assert_eq!(again[0].on, holidays::working_day_from(later.end));
    }
}
