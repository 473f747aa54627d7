//! Days of the stories: so far ahead of today that each is told the same on every day of the calendar.

use chrono::{Days, NaiveDate, Utc};

/// When the rounds are due.
pub(crate) fn due_day() -> NaiveDate {
    in_days(35)
}

pub(crate) fn in_days(n: u64) -> NaiveDate {
    Utc::now().date_naive() + Days::new(n)
}

/// As a form takes it.
pub(crate) fn slashed(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}

/// As a page has it.
pub(crate) fn in_words(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}
