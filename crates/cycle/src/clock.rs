//! What the clocks in Scotland show.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::London;

/// The day it is there at a moment.
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&London).date_naive()
}

/// `20 July 2026 at 10:05`.
pub fn moment_in_words(at: DateTime<Utc>) -> String {
    at.with_timezone(&London)
        .format("%-d %B %Y at %H:%M")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_is_told_as_clocks_show_it() {
        for (at, on, shown) in [
            (
                "2026-07-20T23:05:00Z",
                "2026-07-21",
                "21 July 2026 at 00:05",
            ),
            (
                "2026-11-23T10:05:00Z",
                "2026-11-23",
                "23 November 2026 at 10:05",
            ),
        ] {
            let at: DateTime<Utc> = at.parse().expect("a moment");
            assert_eq!(day(at).to_string(), on);
            assert_eq!(moment_in_words(at), shown);
        }
    }
}
