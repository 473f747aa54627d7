//! The next round's days from those of the round a year before: a forecast, and never more than provisional.

use chrono::Months;
use spec::Period;

use crate::{Certainty, DateFact, PlannedDate, counting, holidays};

/// The same period of the year after; `None` for a snapshot, whose day somebody has to say.
pub fn a_year_later(period: &Period) -> Option<Period> {
    let start = period.start.checked_add_months(Months::new(12))?;
    let mut later = period.next()?;
    while later.start < start {
        later = later.next()?;
    }
    (later.start == start).then_some(later)
}

/// Each day as long after the period's end as it was a year before, or on the first working day from there.
pub fn proposed(history: &[DateFact], period: &Period, later: &Period) -> Vec<PlannedDate> {
    counting(history)
        .into_iter()
        .filter_map(|fact| {
            let after_the_end = fact.date.on.signed_duration_since(period.end);
            let on = later.end.checked_add_signed(after_the_end)?;
            Some(PlannedDate {
                kind: fact.date.kind,
                on: holidays::working_day_from(on),
                certainty: Certainty::Provisional,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use spec::PeriodKind;

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
        ] {
            let found = a_year_later(&period(kind, label)).unwrap();
            assert_eq!(found.label, later);
        }
        let snapshot = period(PeriodKind::SnapshotDate, "2026-09-07");
        assert_eq!(a_year_later(&snapshot), None);
    }

    #[test]
    fn days_are_as_long_after_the_end_and_on_working_days() {
        let before = period(PeriodKind::FinancialQuarter, "2025-26-Q3");
        let later = a_year_later(&before).unwrap();
        let fact = |id, kind, on| DateFact {
            id,
            date: PlannedDate {
                kind,
                on: day(on),
                certainty: Certainty::Confirmed,
            },
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
}
