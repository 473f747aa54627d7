//! What an organisation owes for one period, and where that stands.

use std::fmt;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use spec::Period;

use crate::{SubmissionState, Verb};

/// The facts an obligation's state follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub opens_on: NaiveDate,
    pub due_on: NaiveDate,
    pub asked: Asked,
    /// The newest version that was not withdrawn.
    pub latest: Option<SubmissionState>,
    /// The version that stands.
    pub stands: Option<Stands>,
    /// The last day on which a file is taken at all; `None`: there is none.
    pub closes_on: Option<NaiveDate>,
    /// Some version was sent back.
    pub was_sent_back: bool,
}

/// Whether an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Required,
    /// This organisation need not answer.
    NotRequired,
    /// The round was cancelled: nobody need.
    Cancelled,
}

/// A version that stands, and on the strength of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands {
    /// What was done with it last: submitted, signed off or accepted. Until it is accepted it stands provisionally.
    pub by: Verb,
    /// It says that there is nothing to report.
    pub is_nil: bool,
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
    /// To be submitted.
    Ready,
    /// The only files received could not be used.
    Refused,
    /// To be signed off.
    Submitted,
    /// With the return's team.
    SignedOff,
    Accepted,
    /// Accepted that there is nothing to report.
    Nil,
    /// Another file is asked for.
    SentBack,
    /// Nothing is owed.
    NotRequired,
    /// Nothing is owed by anybody.
    Cancelled,
}

impl ObligationState {
    pub const ALL: [ObligationState; 15] = [
        ObligationState::NotOpen,
        ObligationState::NotStarted,
        ObligationState::Overdue,
        ObligationState::Checking,
        ObligationState::NeedsCorrection,
        ObligationState::NeedsExplanation,
        ObligationState::Ready,
        ObligationState::Refused,
        ObligationState::Submitted,
        ObligationState::SignedOff,
        ObligationState::Accepted,
        ObligationState::Nil,
        ObligationState::SentBack,
        ObligationState::NotRequired,
        ObligationState::Cancelled,
    ];

    /// Where an answer is wanted, what stands decides; only where nothing stands, the newest file or the calendar does.
    pub fn of(facts: &Standing, today: NaiveDate) -> Self {
        match facts.asked {
            Asked::Required => {}
            Asked::NotRequired => return ObligationState::NotRequired,
            Asked::Cancelled => return ObligationState::Cancelled,
        }
        if let Some(stands) = facts.stands {
            return match stands.by {
                Verb::Accept if stands.is_nil => ObligationState::Nil,
                Verb::Accept => ObligationState::Accepted,
                Verb::SignOff => ObligationState::SignedOff,
                Verb::Submit | Verb::SendBack | Verb::Withdraw => ObligationState::Submitted,
            };
        }
        match facts.latest {
            Some(SubmissionState::Received | SubmissionState::NeedsAttention) => {
                ObligationState::Checking
            }
            Some(SubmissionState::NeedsCorrection) => ObligationState::NeedsCorrection,
            Some(SubmissionState::NeedsExplanation) => ObligationState::NeedsExplanation,
            Some(SubmissionState::Refused) => ObligationState::Refused,
            Some(SubmissionState::SentBack) => ObligationState::SentBack,
            Some(
                SubmissionState::Ready
                | SubmissionState::Submitted
                | SubmissionState::SignedOff
                | SubmissionState::Accepted
                | SubmissionState::Superseded,
            ) => ObligationState::Ready,
            Some(SubmissionState::Withdrawn) | None => {
                if today < facts.opens_on {
                    ObligationState::NotOpen
                } else if facts.due_on < today {
                    ObligationState::Overdue
                } else {
                    ObligationState::NotStarted
                }
            }
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
            ObligationState::Submitted => "submitted",
            ObligationState::SignedOff => "signed_off",
            ObligationState::Accepted => "accepted",
            ObligationState::Nil => "nil",
            ObligationState::SentBack => "sent_back",
            ObligationState::NotRequired => "not_required",
            ObligationState::Cancelled => "cancelled",
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
            ObligationState::Ready => "ready to submit",
            ObligationState::Refused => "could not be used",
            ObligationState::Submitted => "waiting for sign-off",
            ObligationState::SignedOff => "signed off",
            ObligationState::Accepted => "accepted",
            ObligationState::Nil => "nothing to report",
            ObligationState::SentBack => "sent back",
            ObligationState::NotRequired => "not required",
            ObligationState::Cancelled => "round cancelled",
        }
    }
}

impl Standing {
    /// Past the day it is due, and nothing was handed over that stands.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.asked == Asked::Required && self.due_on < today && self.stands.is_none()
    }

    /// The day on which the round closed, where no file is taken any more: more time was not given, or is over, and no
    /// other file is asked for.
    pub fn closed_on(&self, today: NaiveDate) -> Option<NaiveDate> {
        let is_awaited = today <= self.due_on || (self.was_sent_back && self.stands.is_none());
        self.closes_on
            .filter(|closes_on| *closes_on < today && !is_awaited)
    }
}

impl ObligationState {
    /// Nothing is left for the organisation to hand over, for now at least.
    pub fn is_met(self) -> bool {
        match self {
            ObligationState::Submitted
            | ObligationState::SignedOff
            | ObligationState::Accepted
            | ObligationState::Nil
            | ObligationState::NotRequired
            | ObligationState::Cancelled => true,
            ObligationState::NotOpen
            | ObligationState::NotStarted
            | ObligationState::Overdue
            | ObligationState::Checking
            | ObligationState::NeedsCorrection
            | ObligationState::NeedsExplanation
            | ObligationState::Ready
            | ObligationState::Refused
            | ObligationState::SentBack => false,
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
            asked: Asked::Required,
            latest: None,
            stands: None,
            closes_on: None,
            was_sent_back: false,
        }
    }

    #[test]
    fn a_round_is_closed_unless_more_time_was_given_or_another_file_is_asked_for() {
        let closing = Standing {
            closes_on: Some(day("2026-08-31")),
            ..nothing_sent()
        };
        assert_eq!(nothing_sent().closed_on(day("2030-01-01")), None);
        assert_eq!(closing.closed_on(day("2026-08-31")), None);
        let closed = Some(day("2026-08-31"));
        assert_eq!(closing.closed_on(day("2026-09-01")), closed);
        let extended = Standing {
            due_on: day("2026-09-10"),
            ..closing
        };
        assert_eq!(extended.closed_on(day("2026-09-10")), None);
        assert_eq!(extended.closed_on(day("2026-09-11")), closed);
        // Until something stands again.
        let sent_back = Standing {
            was_sent_back: true,
            latest: Some(SubmissionState::NeedsCorrection),
            ..closing
        };
        assert_eq!(sent_back.closed_on(day("2026-12-01")), None);
        let answered = Standing {
            stands: Some(Stands {
                by: Verb::Submit,
                is_nil: false,
            }),
            ..sent_back
        };
        assert_eq!(answered.closed_on(day("2026-12-01")), closed);
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
    fn what_stands_decides_whatever_was_sent_since() {
        for (by, is_nil, state) in [
            (Verb::Submit, false, ObligationState::Submitted),
            (Verb::Submit, true, ObligationState::Submitted),
            (Verb::SignOff, false, ObligationState::SignedOff),
            (Verb::Accept, false, ObligationState::Accepted),
            (Verb::Accept, true, ObligationState::Nil),
        ] {
            let facts = Standing {
                latest: Some(SubmissionState::NeedsCorrection),
                stands: Some(Stands { by, is_nil }),
                ..nothing_sent()
            };
            assert_eq!(ObligationState::of(&facts, day("2026-08-01")), state);
            assert!(!facts.is_overdue(day("2026-08-01")));
        }
    }

    #[test]
    fn where_nothing_stands_the_newest_version_decides() {
        for (latest, state) in [
            (
                SubmissionState::NeedsCorrection,
                ObligationState::NeedsCorrection,
            ),
            (SubmissionState::Ready, ObligationState::Ready),
            (SubmissionState::SentBack, ObligationState::SentBack),
            (SubmissionState::Received, ObligationState::Checking),
            // As if nothing had been sent.
            (SubmissionState::Withdrawn, ObligationState::Overdue),
        ] {
            let facts = Standing {
                latest: Some(latest),
                ..nothing_sent()
            };
            assert_eq!(ObligationState::of(&facts, day("2026-08-01")), state);
            assert!(facts.is_overdue(day("2026-08-01")), "{latest}");
            assert!(!facts.is_overdue(day("2026-07-31")), "{latest}");
        }
    }

    #[test]
    fn nothing_is_owed_where_none_is_asked_for() {
        for (asked, state) in [
            (Asked::NotRequired, ObligationState::NotRequired),
            (Asked::Cancelled, ObligationState::Cancelled),
        ] {
            for latest in [None, Some(SubmissionState::NeedsCorrection)] {
                let facts = Standing {
                    asked,
                    latest,
                    ..nothing_sent()
                };
                assert_eq!(ObligationState::of(&facts, day("2026-08-01")), state);
                assert!(!facts.is_overdue(day("2026-08-01")));
                assert!(state.is_met());
            }
        }
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
