//! Numbers and times as people write them.

use chrono::{DateTime, Utc};
use chrono_tz::Europe::London;

/// `20 July 2026 at 10:05`, as clocks in Scotland show it.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.with_timezone(&London)
        .format("%-d %B %Y at %H:%M")
        .to_string()
}

/// `1 row`, `2,000 rows`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", with_commas(n), if n == 1 { one } else { many })
}

/// `is 1 row`, `are 2,000 rows`.
pub(crate) fn there_counted(n: u64, one: &str, many: &str) -> String {
    let verb = if n == 1 { "is" } else { "are" };
    format!("{verb} {}", counted(n, one, many))
}

/// `1,234,567`.
pub(crate) fn with_commas(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_scottish() {
        for (at, shown) in [
            ("2026-07-20T09:05:00Z", "20 July 2026 at 10:05"),
            ("2026-11-23T10:05:00Z", "23 November 2026 at 10:05"),
        ] {
            assert_eq!(moment(at.parse().unwrap()), shown);
        }
    }

    #[test]
    fn numbers_have_commas() {
        for (n, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(with_commas(n), shown);
        }
    }
}
