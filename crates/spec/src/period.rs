//! Reference periods: which dates a label means.
//!
//! "Q1" is not one thing in Scotland, so a period always carries its dates.

mod recognise;

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::code_list::iso_date;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodKind {
    /// January to March is Q1: `2026-Q1`.
    CalendarQuarter,
    /// April to June is Q1: `2026-27-Q1`.
    FinancialQuarter,
    /// 1 April to 31 March: `2026-27`.
    FinancialYear,
    /// 1 August to 31 July: `2026-27`.
    SocialWorkYear,
    /// 1 August to 31 July, as schools count: `2026-27`.
    SchoolYear,
    /// One day: `2026-09-07`.
    SnapshotDate,
}

/// A reference period with its first and last day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period {
    pub kind: PeriodKind,
    /// As written: `2026-27-Q1`.
    pub label: String,
    pub start: NaiveDate,
    /// Inclusive.
    pub end: NaiveDate,
}

/// Why a text is not a period's label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{label}\" is not a {}; write it as {}", kind.in_words(), kind.sample())]
pub struct ParsePeriodError {
    pub kind: PeriodKind,
    pub label: String,
}

impl PeriodKind {
    /// The word in specs, JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            PeriodKind::CalendarQuarter => "calendar-quarter",
            PeriodKind::FinancialQuarter => "financial-quarter",
            PeriodKind::FinancialYear => "financial-year",
            PeriodKind::SocialWorkYear => "social-work-year",
            PeriodKind::SchoolYear => "school-year",
            PeriodKind::SnapshotDate => "snapshot-date",
        }
    }

    /// The words on a page.
    pub fn in_words(self) -> &'static str {
        match self {
            PeriodKind::CalendarQuarter => "calendar quarter",
            PeriodKind::FinancialQuarter => "financial quarter",
            PeriodKind::FinancialYear => "financial year",
            PeriodKind::SocialWorkYear => "social-work year",
            PeriodKind::SchoolYear => "school year",
            PeriodKind::SnapshotDate => "snapshot date",
        }
    }

    fn sample(self) -> &'static str {
        match self {
            PeriodKind::CalendarQuarter => "YYYY-Q3",
            PeriodKind::FinancialQuarter => "YYYY-YY-Q1",
            PeriodKind::FinancialYear | PeriodKind::SocialWorkYear | PeriodKind::SchoolYear => {
                "YYYY-YY"
            }
            PeriodKind::SnapshotDate => "YYYY-MM-DD",
        }
    }

    /// The month in which the first quarter or the year starts, and how many months a period has.
    fn shape(self) -> (u32, u32) {
        match self {
            PeriodKind::CalendarQuarter => (1, 3),
            PeriodKind::FinancialQuarter => (4, 3),
            PeriodKind::FinancialYear => (4, 12),
            PeriodKind::SocialWorkYear | PeriodKind::SchoolYear => (8, 12),
            PeriodKind::SnapshotDate => (1, 0),
        }
    }
}

impl Period {
    /// Reads a label exactly as this module writes it.
    pub fn parse(kind: PeriodKind, label: &str) -> Result<Self, ParsePeriodError> {
        read_label(kind, label).ok_or_else(|| ParsePeriodError {
            kind,
            label: label.to_owned(),
        })
    }

    /// What a form's period cell may say: other ways to write a label, where only one period can be meant.
    pub fn recognise(kind: PeriodKind, text: &str) -> Option<Self> {
        recognise::recognise(kind, text)
    }

    /// The period that contains a day; for a snapshot, that day.
    pub fn of_kind_on(kind: PeriodKind, day: NaiveDate) -> Option<Self> {
        let (first_month, n_months) = kind.shape();
        if n_months == 0 {
            return Some(Self::snapshot(day));
        }
        let months_in = (day.month() + 12 - first_month) % 12;
        let first_of_month = day.with_day(1)?;
        Self::starting(
            kind,
            first_of_month.checked_sub_months(Months::new(months_in % n_months))?,
        )
    }

    /// The period before; `None` for a snapshot, where only the cycles know.
    pub fn previous(&self) -> Option<Self> {
        self.earlier(self.kind.shape().1)
    }

    /// The period after; `None` for a snapshot, where only the cycles know.
    pub fn next(&self) -> Option<Self> {
        if self.kind == PeriodKind::SnapshotDate {
            return None;
        }
        let n_months = Months::new(self.kind.shape().1);
        Self::starting(self.kind, self.start.checked_add_months(n_months)?)
    }

    /// The same period a year before; `None` for a snapshot, where only the cycles know.
    pub fn year_ago(&self) -> Option<Self> {
        self.earlier(12)
    }

    fn earlier(&self, n_months: u32) -> Option<Self> {
        if self.kind == PeriodKind::SnapshotDate {
            return None;
        }
        Self::starting(
            self.kind,
            self.start.checked_sub_months(Months::new(n_months))?,
        )
    }

    /// With the dates beside the label: `April to June 2026 (2026-27 Q1)`.
    pub fn in_words(&self) -> String {
        let (start, end) = (self.start, self.end);
        match self.kind {
            PeriodKind::SnapshotDate => start.format("%-d %B %Y").to_string(),
            PeriodKind::CalendarQuarter | PeriodKind::FinancialQuarter => format!(
                "{} to {} ({})",
                start.format("%B"),
                end.format("%B %Y"),
                self.label.replace("-Q", " Q")
            ),
            PeriodKind::FinancialYear | PeriodKind::SocialWorkYear | PeriodKind::SchoolYear => {
                format!(
                    "{} to {} ({})",
                    start.format("%B %Y"),
                    end.format("%B %Y"),
                    self.label
                )
            }
        }
    }

    fn snapshot(day: NaiveDate) -> Self {
        Self {
            kind: PeriodKind::SnapshotDate,
            label: day.format("%Y-%m-%d").to_string(),
            start: day,
            end: day,
        }
    }

    /// The period whose first day this is.
    fn starting(kind: PeriodKind, start: NaiveDate) -> Option<Self> {
        let (first_month, n_months) = kind.shape();
        if n_months == 0 {
            return Some(Self::snapshot(start));
        }
        let months_in = (start.month() + 12 - first_month) % 12;
        let year_start = start.checked_sub_months(Months::new(months_in))?;
        let quarter = months_in / n_months + 1;
        let year = year_start.year();
        let years = format!("{year}-{:02}", (year + 1) % 100);
        let label = match kind {
            PeriodKind::CalendarQuarter => format!("{year}-Q{quarter}"),
            PeriodKind::FinancialQuarter => format!("{years}-Q{quarter}"),
            PeriodKind::FinancialYear | PeriodKind::SocialWorkYear | PeriodKind::SchoolYear => {
                years
            }
            PeriodKind::SnapshotDate => return None,
        };
        let next = start.checked_add_months(Months::new(n_months))?;
        Some(Self {
            kind,
            label,
            start,
            end: next.checked_sub_days(Days::new(1))?,
        })
    }

    /// The period of a year's quarter, or of the year where there are none.
    fn in_year(kind: PeriodKind, year: i32, quarter: u32) -> Option<Self> {
        let (first_month, n_months) = kind.shape();
        let year_start = NaiveDate::from_ymd_opt(year, first_month, 1)?;
        let months_in = Months::new(quarter.checked_sub(1)? * n_months);
        Self::starting(kind, year_start.checked_add_months(months_in)?)
    }
}

fn read_label(kind: PeriodKind, label: &str) -> Option<Period> {
    if kind == PeriodKind::SnapshotDate {
        return iso_date(label).map(Period::snapshot);
    }
    let (year, quarter) = match label.split_once("-Q") {
        Some((year, quarter)) => (year, quarter),
        None => (label, "1"),
    };
    let year: i32 = year.get(..4)?.parse().ok()?;
    let period = Period::in_year(kind, year, quarter.parse().ok()?)?;
    // Written back it has to be the same: that refuses 2026-28, Q5 and every other spelling.
    (period.label == label).then_some(period)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        iso_date(text).unwrap()
    }

    const LABELS: [(PeriodKind, &str, &str, &str); 9] = [
        (
            PeriodKind::CalendarQuarter,
            "2026-Q1",
            "2026-01-01",
            "2026-03-31",
        ),
        (
            PeriodKind::CalendarQuarter,
            "2026-Q3",
            "2026-07-01",
            "2026-09-30",
        ),
        (
            PeriodKind::FinancialQuarter,
            "2026-27-Q1",
            "2026-04-01",
            "2026-06-30",
        ),
        (
            PeriodKind::FinancialQuarter,
            "2026-27-Q4",
            "2027-01-01",
            "2027-03-31",
        ),
        (
            PeriodKind::FinancialYear,
            "2026-27",
            "2026-04-01",
            "2027-03-31",
        ),
        (
            PeriodKind::FinancialYear,
            "1999-00",
            "1999-04-01",
            "2000-03-31",
        ),
        (
            PeriodKind::SocialWorkYear,
            "2026-27",
            "2026-08-01",
            "2027-07-31",
        ),
        (
            PeriodKind::SchoolYear,
            "2026-27",
            "2026-08-01",
            "2027-07-31",
        ),
        (
            PeriodKind::SnapshotDate,
            "2026-09-07",
            "2026-09-07",
            "2026-09-07",
        ),
    ];

    #[test]
    fn a_label_has_its_dates_and_every_day_its_label() {
        for (kind, label, start, end) in LABELS {
            let period = Period::parse(kind, label).unwrap();
            assert_eq!(
                (period.start, period.end),
                (day(start), day(end)),
                "{label}"
            );
            assert_eq!(period.to_string(), label);
            for inside in [period.start, period.end] {
                assert_eq!(Period::of_kind_on(kind, inside).as_ref(), Some(&period));
            }
        }
    }

    #[test]
    fn what_is_not_a_label_of_the_kind_is_refused_with_a_sample() {
        for (kind, label) in [
            (PeriodKind::CalendarQuarter, "2026-Q5"),
            (PeriodKind::CalendarQuarter, "2026-Q0"),
            (PeriodKind::CalendarQuarter, "2026-27-Q1"),
            (PeriodKind::CalendarQuarter, "2026"),
            (PeriodKind::FinancialQuarter, "2026-28-Q1"),
            (PeriodKind::FinancialQuarter, "2026-27"),
            (PeriodKind::FinancialYear, "2026-27-Q1"),
            (PeriodKind::FinancialYear, "2026/27"),
            (PeriodKind::FinancialYear, "2026-27-Q2"),
            (PeriodKind::SnapshotDate, "2026-9-7"),
            (PeriodKind::SnapshotDate, "2026-02-30"),
            (PeriodKind::SocialWorkYear, ""),
            (PeriodKind::SocialWorkYear, "\u{e9}\u{e9}\u{e9}"),
        ] {
            assert!(Period::parse(kind, label).is_err(), "{label}");
        }
        let error = Period::parse(PeriodKind::FinancialQuarter, "2026-27").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"2026-27\" is not a financial quarter; write it as YYYY-YY-Q1"
        );
    }

    #[test]
    fn the_periods_before_are_of_the_same_kind() {
        for (kind, label, previous, year_ago) in [
            (PeriodKind::CalendarQuarter, "2026-Q1", "2025-Q4", "2025-Q1"),
            (
                PeriodKind::FinancialQuarter,
                "2026-27-Q1",
                "2025-26-Q4",
                "2025-26-Q1",
            ),
            (
                PeriodKind::FinancialQuarter,
                "2026-27-Q4",
                "2026-27-Q3",
                "2025-26-Q4",
            ),
            (PeriodKind::FinancialYear, "2000-01", "1999-00", "1999-00"),
            (PeriodKind::SocialWorkYear, "2026-27", "2025-26", "2025-26"),
            (PeriodKind::SchoolYear, "2000-01", "1999-00", "1999-00"),
        ] {
            let period = Period::parse(kind, label).unwrap();
            assert_eq!(period.previous(), Period::parse(kind, previous).ok());
            let next = period.previous().and_then(|previous| previous.next());
            assert_eq!(next.as_ref(), Some(&period));
            assert_eq!(period.year_ago(), Period::parse(kind, year_ago).ok());
        }
        let snapshot = Period::parse(PeriodKind::SnapshotDate, "2026-09-07").unwrap();
        assert_eq!((snapshot.previous(), snapshot.year_ago()), (None, None));
        assert_eq!(snapshot.next(), None);
    }

    #[test]
    fn words_have_the_dates_beside_the_label() {
        let words = |kind, label| Period::parse(kind, label).unwrap().in_words();
        assert_eq!(
            words(PeriodKind::FinancialQuarter, "2026-27-Q1"),
            "April to June 2026 (2026-27 Q1)"
        );
        assert_eq!(
            words(PeriodKind::CalendarQuarter, "2026-Q3"),
            "July to September 2026 (2026 Q3)"
        );
        assert_eq!(
            words(PeriodKind::SocialWorkYear, "2026-27"),
            "August 2026 to July 2027 (2026-27)"
        );
        assert_eq!(
            words(PeriodKind::SnapshotDate, "2026-09-07"),
            "7 September 2026"
        );
    }
}
