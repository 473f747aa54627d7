//! A round's dates: facts with a history. The newest of a kind counts; none is ever taken away.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::clock;

/// What a day of a round is for, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateKind {
    /// Organisations are asked, and have the form.
    Issue,
    /// The first day on which a file may be sent.
    Open,
    /// The last day on which a file is in time.
    Due,
    /// By when whoever answers for an organisation has signed off.
    SignOff,
    /// The team's work on the round is over.
    Close,
    /// The figures come out.
    Publish,
}

impl DateKind {
    pub const ALL: [DateKind; 6] = [
        DateKind::Issue,
        DateKind::Open,
        DateKind::Due,
        DateKind::SignOff,
        DateKind::Close,
        DateKind::Publish,
    ];

    /// The word in the database, in forms and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            DateKind::Issue => "issue",
            DateKind::Open => "open",
            DateKind::Due => "due",
            DateKind::SignOff => "sign_off",
            DateKind::Close => "close",
            DateKind::Publish => "publish",
        }
    }

    pub fn parse(word: &str) -> Option<DateKind> {
        DateKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The words on a page.
    pub fn in_words(self) -> &'static str {
        match self {
            DateKind::Issue => "form issued",
            DateKind::Open => "opens",
            DateKind::Due => "due",
            DateKind::SignOff => "signed off by",
            DateKind::Close => "closes",
            DateKind::Publish => "published",
        }
    }
}

impl fmt::Display for DateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// A forecast or a plan: it may still change, and nobody is held to it.
    Provisional,
    Confirmed,
}

impl Certainty {
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Provisional => "provisional",
            Certainty::Confirmed => "confirmed",
        }
    }

    pub fn parse(word: &str) -> Option<Certainty> {
        [Certainty::Provisional, Certainty::Confirmed]
            .into_iter()
            .find(|certainty| certainty.as_str() == word)
    }
}

/// A day as it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedDate {
    pub kind: DateKind,
    pub on: NaiveDate,
    pub certainty: Certainty,
    /// The day off that was meant, where it was moved to the next working day.
    pub instead_of: Option<NaiveDate>,
}

impl PlannedDate {
    /// A day that is meant itself.
    pub fn new(kind: DateKind, on: NaiveDate, certainty: Certainty) -> Self {
        Self {
            kind,
            on,
            certainty,
            instead_of: None,
        }
    }

    /// Whether it tells organisations the same.
    pub fn is_as(&self, other: &PlannedDate) -> bool {
        (self.kind, self.on, self.certainty) == (other.kind, other.on, other.certainty)
    }
}

/// A day that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFact {
    /// Grows with each fact.
    pub id: i64,
    pub date: PlannedDate,
    /// Where it is from: a letter, a published timetable; `None`: it was not said.
    pub source: Option<String>,
    pub reason: String,
    pub at: DateTime<Utc>,
    pub by_name: String,
}

/// What counts of a history, in the order of the kinds.
pub fn counting(history: &[DateFact]) -> Vec<&DateFact> {
    DateKind::ALL
        .into_iter()
        .filter_map(|kind| newest(history, kind))
        .collect()
}

/// The fact of a kind that counts.
pub fn newest(history: &[DateFact], kind: DateKind) -> Option<&DateFact> {
    history
        .iter()
        .filter(|fact| fact.date.kind == kind)
        .max_by_key(|fact| fact.id)
}

/// How many days before it organisations could know of the day that counts: since it was first said and not changed.
/// `None` where there is no such day; less than nothing where it was past.
pub fn notice(history: &[DateFact], kind: DateKind) -> Option<i64> {
    let newest = newest(history, kind)?;
    let mut of_kind: Vec<&DateFact> = history
        .iter()
        .filter(|fact| fact.date.kind == kind)
        .collect();
    of_kind.sort_by_key(|fact| std::cmp::Reverse(fact.id));
    let since = of_kind
        .iter()
        .take_while(|fact| fact.date.on == newest.date.on)
        .last()?;
    let told_on = clock::day(since.at);
    Some(newest.date.on.signed_duration_since(told_on).num_days())
}

/// Two days in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{second} can't be before {first}")]
pub struct OutOfOrder {
    pub first: DateKind,
    pub second: DateKind,
}

/// Whether dates that are to count together come one after the other.
pub fn check_order(dates: &[PlannedDate]) -> Result<(), OutOfOrder> {
    let mut sorted = dates.to_vec();
    sorted.sort_by_key(|date| date.kind);
    for two in sorted.windows(2) {
        if let [first, second] = two
            && second.on < first.on
        {
            return Err(OutOfOrder {
                first: first.kind,
                second: second.kind,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(id: i64, kind: DateKind, on: &str, at: &str) -> DateFact {
        DateFact {
            id,
            date: PlannedDate::new(kind, on.parse().unwrap(), Certainty::Confirmed),
            source: None,
            reason: "As agreed".to_owned(),
            at: at.parse().unwrap(),
            by_name: "Someone".to_owned(),
        }
    }

    #[test]
    fn the_newest_of_a_kind_counts() {
        let history = [
            fact(1, DateKind::Due, "2026-07-31", "2026-05-01T09:00:00Z"),
            fact(3, DateKind::Due, "2026-08-14", "2026-07-01T09:00:00Z"),
            fact(2, DateKind::Open, "2026-07-01", "2026-05-01T09:00:00Z"),
        ];
        let ids: Vec<i64> = counting(&history).iter().map(|fact| fact.id).collect();
        assert_eq!(ids, [2, 3]);
    }

    #[test]
    fn notice_counts_from_when_the_day_was_first_said() {
        let mut history = vec![
            fact(1, DateKind::Due, "2026-07-31", "2026-05-01T09:00:00Z"),
            fact(2, DateKind::Due, "2026-08-14", "2026-07-01T09:00:00Z"),
        ];
        assert_eq!(notice(&history, DateKind::Due), Some(44));
        // Confirmed, and not moved: the notice stays.
        history.push(fact(3, DateKind::Due, "2026-08-14", "2026-08-01T09:00:00Z"));
        assert_eq!(notice(&history, DateKind::Due), Some(44));
        // Moved away and back is a new notice.
        history.push(fact(4, DateKind::Due, "2026-07-31", "2026-08-01T09:00:00Z"));
        assert_eq!(notice(&history, DateKind::Due), Some(-1));
        assert_eq!(notice(&history, DateKind::Close), None);
    }

    #[test]
    fn dates_come_one_after_the_other() {
        let plan = |days: [(DateKind, &str); 3]| {
            days.map(|(kind, on)| {
                PlannedDate::new(kind, on.parse().unwrap(), Certainty::Provisional)
            })
        };
        let right = plan([
            (DateKind::Due, "2026-07-31"),
            (DateKind::Open, "2026-07-01"),
            (DateKind::Close, "2026-07-31"),
        ]);
        assert_eq!(check_order(&right), Ok(()));
        let wrong = plan([
            (DateKind::Due, "2026-07-31"),
            (DateKind::Open, "2026-07-01"),
            (DateKind::Close, "2026-07-30"),
        ]);
        let error = check_order(&wrong).unwrap_err();
        assert_eq!(error.to_string(), "close can't be before due");
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for kind in DateKind::ALL {
            assert_eq!(DateKind::parse(kind.as_str()), Some(kind));
        }
        for certainty in [Certainty::Provisional, Certainty::Confirmed] {
            assert_eq!(Certainty::parse(certainty.as_str()), Some(certainty));
        }
    }
}
