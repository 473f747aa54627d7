//! Who is to be reminded of what today, and what is left out and why: decided from the facts of a duty and from what was
//! decided before, so that deciding twice reminds once.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::{Certainty, DateFact, DateKind, ObligationState};

/// A step of the ladder. Each is gone once for a day that the return is due on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    Before30,
    Before14,
    Before7,
    Before1,
    Due,
    After1,
    After7,
    /// To whoever signs off.
    Escalation,
}

impl Rung {
    pub const ALL: [Rung; 8] = [
        Rung::Before30,
        Rung::Before14,
        Rung::Before7,
        Rung::Before1,
        Rung::Due,
        Rung::After1,
        Rung::After7,
        Rung::Escalation,
    ];

    /// The word in the log of reminders.
    pub fn as_str(self) -> &'static str {
        match self {
            Rung::Before30 => "before_30",
            Rung::Before14 => "before_14",
            Rung::Before7 => "before_7",
            Rung::Before1 => "before_1",
            Rung::Due => "due",
            Rung::After1 => "after_1",
            Rung::After7 => "after_7",
            Rung::Escalation => "escalation",
        }
    }

    pub fn parse(word: &str) -> Option<Rung> {
        Rung::ALL.into_iter().find(|rung| rung.as_str() == word)
    }

    /// Days from the day the return is due.
    pub fn offset(self) -> i64 {
        match self {
            Rung::Before30 => -30,
            Rung::Before14 => -14,
            Rung::Before7 => -7,
            Rung::Before1 => -1,
            Rung::Due => 0,
            Rung::After1 => 1,
            Rung::After7 => 7,
            Rung::Escalation => 14,
        }
    }

    /// When it is gone for a return that is due on a day.
    pub fn day(self, due_on: NaiveDate) -> NaiveDate {
        due_on
            .checked_add_signed(chrono::TimeDelta::days(self.offset()))
            .unwrap_or(due_on)
    }

    /// Who is told.
    pub fn reader(self) -> Reader {
        match self {
            Rung::Escalation => Reader::Signer,
            _ => Reader::Owner,
        }
    }
}

/// Whom a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Who sends the organisation's returns.
    Owner,
    /// Who signs them off.
    Signer,
}

/// A duty as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    pub state: ObligationState,
    pub opens_on: NaiveDate,
    /// With the time that was given.
    pub due_on: NaiveDate,
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The return was handed over.
    Met,
    NotRequired,
    Cancelled,
    /// A later step has come too: one reminder is enough.
    Overtaken,
    /// Its day is past, and nobody was there to send it.
    TooLate,
    /// No file can be sent yet.
    NotOpen,
    /// The day had not been promised.
    Provisional,
    /// The day is the one that was told before.
    NotMoved,
    /// Nobody has the role.
    Nobody,
}

impl Why {
    pub const ALL: [Why; 9] = [
        Why::Met,
        Why::NotRequired,
        Why::Cancelled,
        Why::Overtaken,
        Why::TooLate,
        Why::NotOpen,
        Why::Provisional,
        Why::NotMoved,
        Why::Nobody,
    ];

    /// The word in the log of reminders.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Met => "met",
            Why::NotRequired => "not_required",
            Why::Cancelled => "cancelled",
            Why::Overtaken => "overtaken",
            Why::TooLate => "too_late",
            Why::NotOpen => "not_open",
            Why::Provisional => "provisional",
            Why::NotMoved => "not_moved",
            Why::Nobody => "nobody",
        }
    }

    pub fn parse(word: &str) -> Option<Why> {
        Why::ALL.into_iter().find(|why| why.as_str() == word)
    }

    /// The words on a page: `not sent: …`.
    pub fn in_words(self) -> &'static str {
        match self {
            Why::Met => "the return was handed over already",
            Why::NotRequired => "the organisation need not answer",
            Why::Cancelled => "the round was cancelled",
            Why::Overtaken => "a later reminder was due at the same time, and one is enough",
            Why::TooLate => "its day was past before it could be sent",
            Why::NotOpen => "no file could be sent yet",
            Why::Provisional => "the day was only provisional before",
            Why::NotMoved => "the day that counts was the same as before",
            Why::Nobody => "nobody at the organisation has this to do",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Send,
    Leave(Why),
}

/// A step that is older than this was missed: reminding of it now would confuse.
const FRESH_DAYS: u64 = 1;

/// The steps that have come by today and were not decided on before for the day that the return is due on now.
pub fn due_now(
    duty: &Duty,
    decided: &[(Rung, NaiveDate)],
    today: NaiveDate,
) -> Vec<(Rung, Decision)> {
    let come: Vec<Rung> = Rung::ALL
        .into_iter()
        .filter(|rung| rung.day(duty.due_on) <= today)
        .filter(|rung| !decided.contains(&(*rung, duty.due_on)))
        .collect();
    let last = come.last().copied();
    come.iter()
        .map(|rung| {
            let fresh_until = rung
                .day(duty.due_on)
                .checked_add_days(Days::new(FRESH_DAYS));
            let decision = match not_owed(duty.state) {
                Some(why) => Decision::Leave(why),
                None if last != Some(*rung) => Decision::Leave(Why::Overtaken),
                None if fresh_until.is_some_and(|until| until < today) => {
                    Decision::Leave(Why::TooLate)
                }
                None if today < duty.opens_on => Decision::Leave(Why::NotOpen),
                None => Decision::Send,
            };
            (*rung, decision)
        })
        .collect()
}

/// Whether there is something to remind of.
pub fn is_owed(state: ObligationState) -> bool {
    not_owed(state).is_none()
}

/// Why there is nothing to remind of; `None`: there is.
fn not_owed(state: ObligationState) -> Option<Why> {
    match state {
        ObligationState::NotRequired => Some(Why::NotRequired),
        ObligationState::Cancelled => Some(Why::Cancelled),
        state if state.is_met() => Some(Why::Met),
        _ => None,
    }
}

/// That the day an organisation owes a return by is another than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The fact that is told of, or passed over.
    pub fact: i64,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub decision: Decision,
}

/// What an organisation knows of the day it owes a return by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The fact about the round's day that was decided on last.
    pub fact: Option<i64>,
    /// Every day that somebody was reminded of, or told that the return is due on.
    pub told: &'a [NaiveDate],
    /// The day until which it was given more time.
    pub given_until: Option<NaiveDate>,
}

/// What is to be told of the day on which an organisation owes a return: it moved by the facts that came after the one that
/// was decided on last (at first: after the first one). However often it was moved since, it is told once. A day that was
/// only provisional is no news when it moves, unless people were told that it was the day.
pub fn moved(history: &[DateFact], known: Known<'_>, state: ObligationState) -> Option<Moved> {
    let of_kind = || {
        history
            .iter()
            .filter(|fact| fact.date.kind == DateKind::Due)
    };
    let newest = of_kind().max_by_key(|fact| fact.id)?;
    let before = match known.fact {
        Some(fact) => of_kind().find(|known| known.id == fact)?,
        None => of_kind().min_by_key(|fact| fact.id)?,
    };
    if before.id >= newest.id {
        return None;
    }
    let own = |on: NaiveDate| known.given_until.map_or(on, |until| until.max(on));
    let (from, to) = (own(before.date.on), own(newest.date.on));
    let was_promised = before.date.certainty == Certainty::Confirmed
        || known.given_until == Some(from)
        || known.told.contains(&from);
    let decision = if from == to {
        Decision::Leave(Why::NotMoved)
    } else if let Some(why) = not_owed(state) {
        Decision::Leave(why)
    } else if was_promised {
        Decision::Send
    } else {
        Decision::Leave(Why::Provisional)
    };
    Some(Moved {
        fact: newest.id,
        from,
        to,
        decision,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PlannedDate;

    #[test]
    fn every_reason_has_a_word_that_is_read_back() {
        for why in Why::ALL {
            assert_eq!(Why::parse(why.as_str()), Some(why));
            assert!(!why.in_words().is_empty());
        }
        assert_eq!(Why::parse("because"), None);
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn owed() -> Duty {
        Duty {
            state: ObligationState::NotStarted,
            opens_on: day("2026-07-01"),
            due_on: day("2026-07-31"),
        }
    }

    /// What is sent on which day when somebody looks on these days, with each decision kept.
    fn sent(
        duty_on: impl Fn(NaiveDate) -> Duty,
        days: impl Iterator<Item = NaiveDate>,
    ) -> Vec<String> {
        let mut decided = Vec::new();
        let mut sent = Vec::new();
        for today in days {
            let duty = duty_on(today);
            // Asked twice, as by two processes: what is decided is decided.
            for _ in 0..2 {
                for (rung, decision) in due_now(&duty, &decided, today) {
                    decided.push((rung, duty.due_on));
                    if decision == Decision::Send {
                        sent.push(format!("{today} {}", rung.as_str()));
                    }
                }
            }
        }
        sent
    }

    fn days(from: &str, until: &str) -> impl Iterator<Item = NaiveDate> {
        let until = day(until);
        day(from).iter_days().take_while(move |day| *day <= until)
    }

    #[test]
    fn the_whole_ladder_is_gone_once() {
        assert_eq!(
            sent(|_| owed(), days("2026-06-01", "2027-06-01")),
            [
                "2026-07-01 before_30",
                "2026-07-17 before_14",
                "2026-07-24 before_7",
                "2026-07-30 before_1",
                "2026-07-31 due",
                "2026-08-01 after_1",
                "2026-08-07 after_7",
                "2026-08-14 escalation",
            ]
        );
    }

    #[test]
    fn it_stops_when_the_return_is_handed_over() {
        let duty = |today| Duty {
            state: if today < day("2026-07-25") {
                ObligationState::NeedsCorrection
            } else {
                ObligationState::Submitted
            },
            ..owed()
        };
        assert_eq!(
            sent(duty, days("2026-07-10", "2027-06-01")),
            ["2026-07-17 before_14", "2026-07-24 before_7"]
        );
        for (state, why) in [
            (ObligationState::Submitted, Why::Met),
            (ObligationState::Nil, Why::Met),
            (ObligationState::NotRequired, Why::NotRequired),
            (ObligationState::Cancelled, Why::Cancelled),
        ] {
            let duty = Duty { state, ..owed() };
            let decided = due_now(&duty, &[], day("2026-07-01"));
            assert_eq!(decided, [(Rung::Before30, Decision::Leave(why))]);
        }
        // Sent back: it is owed again, and what comes is said.
        let duty = Duty {
            state: ObligationState::SentBack,
            ..owed()
        };
        let decided = due_now(&duty, &[(Rung::Before30, duty.due_on)], day("2026-07-17"));
        assert_eq!(decided, [(Rung::Before14, Decision::Send)]);
    }

    #[test]
    fn more_time_moves_the_ladder() {
        let duty = |today| Duty {
            due_on: if today < day("2026-07-30") {
                day("2026-07-31")
            } else {
                day("2026-08-14")
            },
            ..owed()
        };
        assert_eq!(
            sent(duty, days("2026-07-24", "2026-08-22")),
            [
                "2026-07-24 before_7",
                // Two weeks before the new day.
                "2026-07-31 before_14",
                "2026-08-07 before_7",
                "2026-08-13 before_1",
                "2026-08-14 due",
                "2026-08-15 after_1",
                "2026-08-21 after_7",
            ]
        );
    }

    #[test]
    fn what_was_missed_is_left_out_and_said() {
        let left = |today| -> Vec<String> {
            due_now(&owed(), &[], day(today))
                .into_iter()
                .map(|(rung, decision)| format!("{} {decision:?}", rung.as_str()))
                .collect()
        };
        assert_eq!(
            left("2026-07-18"),
            ["before_30 Leave(Overtaken)", "before_14 Send"],
            "a day late is still of use"
        );
        assert_eq!(
            left("2026-07-19"),
            ["before_30 Leave(Overtaken)", "before_14 Leave(TooLate)"]
        );
        let early = Duty {
            opens_on: day("2026-07-10"),
            ..owed()
        };
        assert_eq!(
            due_now(&early, &[], day("2026-07-01")),
            [(Rung::Before30, Decision::Leave(Why::NotOpen))]
        );
    }

    fn fact(id: i64, on: &str, certainty: Certainty) -> DateFact {
        DateFact {
            id,
            date: PlannedDate::new(DateKind::Due, day(on), certainty),
            source: None,
            reason: "So".to_owned(),
            at: "2026-05-01T09:00:00Z".parse().unwrap(),
            by_name: "Someone".to_owned(),
        }
    }

    #[test]
    fn a_day_that_moved_is_told_once_however_often_it_did() {
        let confirmed = Certainty::Confirmed;
        let history = [
            fact(1, "2026-07-31", confirmed),
            fact(4, "2026-08-07", confirmed),
            fact(9, "2026-08-14", confirmed),
        ];
        let owed = ObligationState::NotStarted;
        let known = Known::default();
        let told = moved(&history, known, owed).unwrap();
        assert_eq!(
            told,
            Moved {
                fact: 9,
                from: day("2026-07-31"),
                to: day("2026-08-14"),
                decision: Decision::Send
            }
        );
        let passed = |fact| Known {
            fact: Some(fact),
            ..known
        };
        assert_eq!(moved(&history, passed(told.fact), owed), None);
        assert_eq!(moved(&history[..1], known, owed), None);
        assert_eq!(moved(&[], known, owed), None);
        let left =
            |history: &[DateFact], known, state| moved(history, known, state).unwrap().decision;
        let back = [history[0].clone(), fact(5, "2026-07-31", confirmed)];
        assert_eq!(left(&back, known, owed), Decision::Leave(Why::NotMoved));
        let forecast = [
            fact(1, "2026-07-28", Certainty::Provisional),
            history[1].clone(),
        ];
        assert_eq!(
            left(&forecast, known, owed),
            Decision::Leave(Why::Provisional)
        );
        assert_eq!(
            left(&history, known, ObligationState::Accepted),
            Decision::Leave(Why::Met)
        );
        // From what was told last, not from the start.
        let told = moved(&history, passed(4), owed).unwrap();
        assert_eq!(told.from, day("2026-08-07"));
    }

    #[test]
    fn a_provisional_day_that_people_were_told_of_is_moved_from_too() {
        let owed = ObligationState::NotStarted;
        let history = [
            fact(1, "2026-07-31", Certainty::Confirmed),
            fact(2, "2026-08-14", Certainty::Provisional),
            fact(3, "2026-08-21", Certainty::Confirmed),
        ];
        let known = Known::default();
        let first = moved(&history[..2], known, owed).unwrap();
        assert_eq!(first.decision, Decision::Send);
        // By an email about the move, or by a reminder.
        let (told, other) = ([day("2026-08-14")], [day("2026-07-31")]);
        for (told, decision) in [
            (told.as_slice(), Decision::Send),
            (other.as_slice(), Decision::Leave(Why::Provisional)),
        ] {
            let fact = Some(2);
            let known = Known {
                fact,
                told,
                ..known
            };
            let next = moved(&history, known, owed).unwrap();
            assert_eq!((next.from, next.decision), (day("2026-08-14"), decision));
        }
    }

    #[test]
    fn whoever_was_given_more_time_is_told_of_their_own_day() {
        let owed = ObligationState::NotStarted;
        let history = [
            fact(1, "2026-12-11", Certainty::Provisional),
            fact(2, "2026-12-15", Certainty::Confirmed),
            fact(3, "2027-01-08", Certainty::Confirmed),
            fact(4, "2026-12-11", Certainty::Confirmed),
        ];
        let step = |n: usize, fact| {
            let known = Known {
                fact,
                given_until: Some(day("2026-12-18")),
                ..Known::default()
            };
            let moved = moved(&history[..n], known, owed).unwrap();
            let days = [moved.from, moved.to].map(|day| day.to_string());
            (days.join(" to "), moved.decision)
        };
        assert_eq!(
            [step(2, None), step(3, Some(2)), step(4, Some(3))],
            [
                (
                    "2026-12-18 to 2026-12-18".to_owned(),
                    Decision::Leave(Why::NotMoved)
                ),
                ("2026-12-18 to 2027-01-08".to_owned(), Decision::Send),
                ("2027-01-08 to 2026-12-18".to_owned(), Decision::Send),
            ]
        );
        // The day that was given was promised, whatever the round's was.
        assert_eq!(step(3, None).1, Decision::Send);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for rung in Rung::ALL {
            assert_eq!(Rung::parse(rung.as_str()), Some(rung));
        }
    }
}
