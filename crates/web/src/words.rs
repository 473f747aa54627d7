//! The words a council officer sees for what the code calls otherwise.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::London;
use finding::{Outcome, Severity};

/// What a finding asks of its reader. Blockers and errors are one thing to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asks {
    ToFix,
    ToExplain,
    ForInformation,
}

impl Asks {
    pub(crate) const ALL: [Asks; 3] = [Asks::ToFix, Asks::ToExplain, Asks::ForInformation];

    pub(crate) fn of(severity: Severity) -> Self {
        match severity {
            Severity::Blocker | Severity::Error => Asks::ToFix,
            Severity::Query => Asks::ToExplain,
            Severity::Note => Asks::ForInformation,
        }
    }

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Asks::ToFix => "To fix",
            Asks::ToExplain => "To explain",
            Asks::ForInformation => "For information",
        }
    }

    pub(crate) fn lower(self) -> &'static str {
        match self {
            Asks::ToFix => "to fix",
            Asks::ToExplain => "to explain",
            Asks::ForInformation => "for information",
        }
    }
}

/// Where checking a file was given up.
pub(crate) const OUR_FAULT: &str = "We could not check your file. This is our fault, not yours: the file is kept, and we have been told to look into it. You need not do anything, but you may send the file again.";

/// The sentence an outcome page begins with.
pub(crate) fn outcome_sentence(
    outcome: Option<Outcome>,
    n_to_fix: u64,
    n_to_explain: u64,
) -> String {
    match outcome {
        None => "We have received your file and are checking it. This page shows the result as soon as it is there.".to_owned(),
        Some(Outcome::Ready) => "Your return is ready: there is nothing to fix and nothing to explain.".to_owned(),
        Some(Outcome::NeedsExplanation) => format!(
            "Nothing has to be fixed. {} an explanation.",
            counted(n_to_explain, "figure needs", "figures need")
        ),
        Some(Outcome::NeedsCorrection) => format!(
            "Your return can't be used yet: there {} to fix. Mend the file and send it again.",
            counted_is(n_to_fix, "thing", "things")
        ),
        Some(Outcome::Refused) => format!(
            "We could not use this file: there {} to fix before it can be checked in full.",
            counted_is(n_to_fix, "thing", "things")
        ),
    }
}

/// `1 row`, `2,000 rows`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", with_commas(n), if n == 1 { one } else { many })
}

fn counted_is(n: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        if n == 1 { "is" } else { "are" },
        counted(n, one, many)
    )
}

/// `1,234,567`.
pub(crate) fn with_commas(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `23 November 2026`.
pub(crate) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// `23 November 2026 at 10:05`, in Scotland.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.with_timezone(&London)
        .format("%-d %B %Y at %H:%M")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        for (n, shown) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(with_commas(n), shown);
        }
    }

    #[test]
    fn sentences_count_in_plain_english() {
        let sentence = |outcome, fix, explain| outcome_sentence(Some(outcome), fix, explain);
        assert_eq!(
            sentence(Outcome::NeedsCorrection, 1, 0),
            "Your return can't be used yet: there is 1 thing to fix. Mend the file and send it again."
        );
        assert_eq!(
            sentence(Outcome::NeedsExplanation, 0, 2),
            "Nothing has to be fixed. 2 figures need an explanation."
        );
    }

    #[test]
    fn summer_time_is_told_as_clocks_show_it() {
        let at = "2026-07-01T11:30:00Z".parse().unwrap();
        assert_eq!(moment(at), "1 July 2026 at 12:30");
    }
}
