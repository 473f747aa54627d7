//! What an organisation owes for one period, and where that stands.

use std::fmt;

use chrono::{Days, NaiveDate};
use finding::Outcome;
use serde::{Deserialize, Serialize};
use spec::Period;

/// The facts an obligation's state follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub opens_on: NaiveDate,
    pub due_on: NaiveDate,
    /// Whether anything was received.
    pub any_version: bool,
    /// The newest version's outcome; `None` while it is being checked, or where there is none.
    pub latest: Option<Outcome>,
    /// The outcome of the version that stands.
    pub standing: Option<Outcome>,
}

/// Where an organisation's duty in one round stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObligationState {
    NotOpen,
    NotStarted,
    Overdue,
    /// The newest file is being checked and nothing stands yet.
    Checking,
    NeedsCorrection,
    NeedsExplanation,
    Ready,
    /// The only files received could not be used.
    Refused,
}

impl ObligationState {
    /// What stands decides; only where nothing stands, the newest file or the calendar does.
    pub fn of(facts: &Standing, today: NaiveDate) -> Self {
        match (facts.standing, facts.latest) {
            (Some(Outcome::NeedsExplanation), _) => ObligationState::NeedsExplanation,
            (Some(_), _) => ObligationState::Ready,
            (None, Some(Outcome::Refused)) => ObligationState::Refused,
            (None, Some(_)) => ObligationState::NeedsCorrection,
            (None, None) if facts.any_version => ObligationState::Checking,
            (None, None) if today < facts.opens_on => ObligationState::NotOpen,
            (None, None) if facts.due_on < today => ObligationState::Overdue,
            (None, None) => ObligationState::NotStarted,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            ObligationState::NotOpen => "not_open",
            ObligationState::NotStarted => "not_started",
            ObligationState::Overdue => "overdue",
            ObligationState::Checking => "checking",
            ObligationState::NeedsCorrection => "needs_correction",
            ObligationState::NeedsExplanation => "needs_explanation",
            ObligationState::Ready => "ready",
            ObligationState::Refused => "refused",
        }
    }

    /// The words on a page.
    pub fn in_words(self) -> &'static str {
        match self {
            ObligationState::NotOpen => "not open yet",
            ObligationState::NotStarted => "not started",
            ObligationState::Overdue => "overdue",
            ObligationState::Checking => "being checked",
            ObligationState::NeedsCorrection => "needs correction",
            ObligationState::NeedsExplanation => "needs explanation",
            ObligationState::Ready => "ready",
            ObligationState::Refused => "could not be used",
        }
    }
}

impl fmt::Display for ObligationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The day a return is due, this many days after its period's last one.
pub fn due_date(period: &Period, n_days: u16) -> NaiveDate {
    period
        .end
        .checked_add_days(Days::new(u64::from(n_days)))
        .unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn nothing_sent() -> Standing {
        Standing {
            opens_on: day("2026-07-01"),
            due_on: day("2026-07-31"),
            any_version: false,
            latest: None,
            standing: None,
        }
    }

    #[test]
    fn before_anything_is_sent_the_calendar_decides() {
        for (today, state) in [
            ("2026-06-30", ObligationState::NotOpen),
            ("2026-07-01", ObligationState::NotStarted),
            ("2026-07-31", ObligationState::NotStarted),
            ("2026-08-01", ObligationState::Overdue),
        ] {
            assert_eq!(ObligationState::of(&nothing_sent(), day(today)), state);
        }
    }

    #[test]
    fn what_stands_outlives_a_newer_file_with_errors() {
        let facts = Standing {
            any_version: true,
            latest: Some(Outcome::NeedsCorrection),
            standing: Some(Outcome::Ready),
            ..nothing_sent()
        };
        assert_eq!(
            ObligationState::of(&facts, day("2026-08-01")),
            ObligationState::Ready
        );
        let facts = Standing {
            standing: None,
            ..facts
        };
        assert_eq!(
            ObligationState::of(&facts, day("2026-08-01")),
            ObligationState::NeedsCorrection
        );
    }

    #[test]
    fn a_file_that_is_being_checked_is_not_overdue() {
        let facts = Standing {
            any_version: true,
            ..nothing_sent()
        };
        assert_eq!(
            ObligationState::of(&facts, day("2026-08-01")),
            ObligationState::Checking
        );
    }

    #[test]
    fn a_due_date_counts_from_the_last_day() {
        let quarter = Period {
            kind: spec::PeriodKind::FinancialQuarter,
            label: "2026-27-Q1".to_owned(),
            start: day("2026-04-01"),
            end: day("2026-06-30"),
        };
        assert_eq!(due_date(&quarter, 28), day("2026-07-28"));
    }
}
