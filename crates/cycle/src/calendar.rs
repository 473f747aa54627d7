//! Rounds' days as an iCalendar feed (RFC 5545), for calendars that subscribe to it.
//!
//! A day keeps its UID for ever and counts its changes in SEQUENCE, so that a calendar that reads the feed again moves what
//! it has and makes no second one; what was cancelled is said so and does not vanish. Days are whole days, whose DTEND is
//! the next one. There are no attendees: some calendars write to them.

use chrono::{DateTime, Days, NaiveDate, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};

use crate::{Certainty, DateKind};

/// One day of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    /// Of the round; with the kind and the organisation it is what makes the day known again.
    pub cycle_id: i64,
    pub kind: DateKind,
    pub on: NaiveDate,
    pub certainty: Certainty,
    /// The organisation whose own day it is, by its GSS code: more time may have been given to it.
    pub organisation: Option<String>,
    /// The round was, or this organisation need not answer.
    pub is_cancelled: bool,
    /// How often it was changed.
    pub sequence: u32,
    /// When it was last.
    pub changed_at: DateTime<Utc>,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    /// Where the round is shown.
    pub link: String,
}

/// A feed of a name. The host is the site's: it makes the UIDs ours.
pub fn feed(name: &str, host: &str, days: &[CalendarDay]) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//lgdp//rounds of returns//EN"));
    calendar.append_property(Property::new("CALSCALE", "GREGORIAN"));
    calendar.name(&cleaned(name));
    // How often to look: a hint of RFC 7986, and of those who came before it.
    let interval = Property::new("REFRESH-INTERVAL", "PT6H")
        .add_parameter("VALUE", "DURATION")
        .done();
    calendar.append_property(interval);
    calendar.append_property(Property::new("X-PUBLISHED-TTL", "PT6H"));
    for day in days {
        calendar.push(event(day, host));
    }
    folded(&calendar.to_string())
}

fn event(day: &CalendarDay, host: &str) -> Event {
    let what = day.kind.in_words();
    let mut told = Vec::new();
    if day.is_cancelled {
        told.push("cancelled");
    } else if day.certainty == Certainty::Provisional {
        told.push("provisional");
    }
    if let Some(off) = crate::holidays::day_off(day.on) {
        told.push(off);
    }
    let told = if told.is_empty() {
        String::new()
    } else {
        format!(" ({})", told.join(", "))
    };
    let summary = format!(
        "{}, {}: {what}{told}",
        cleaned(&day.return_title),
        cleaned(&day.period)
    );
    let next = day.on.checked_add_days(Days::new(1)).unwrap_or(day.on);
    let whose = day.organisation.as_ref();
    let whose = whose.map_or(String::new(), |code| format!("-{code}"));
    Event::new()
        .uid(&format!(
            "cycle-{}-{}{whose}@{host}",
            day.cycle_id, day.kind
        ))
        .sequence(day.sequence)
        .timestamp(day.changed_at)
        .last_modified(day.changed_at)
        .summary(&summary)
        .description(&format!("{summary}\n{}", day.link))
        .url(&day.link)
        .starts(day.on)
        .ends(next)
        .status(if day.is_cancelled {
            EventStatus::Cancelled
        } else if day.certainty == Certainty::Provisional {
            EventStatus::Tentative
        } else {
            EventStatus::Confirmed
        })
        // Nobody is busy on it.
        .add_property("TRANSP", "TRANSPARENT")
        .done()
}

/// Without what no line of a calendar may hold.
fn cleaned(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// The longest line, in bytes and without its end (RFC 5545, 3.1).
const LONGEST_LINE: usize = 75;

/// Folded anew: the library's last part of a line may be a byte too long.
fn folded(calendar: &str) -> String {
    let unfolded = calendar.replace("\r\n ", "");
    let mut out = String::with_capacity(calendar.len());
    for line in unfolded.split_terminator("\r\n") {
        let mut n_bytes = 0;
        for letter in line.chars() {
            if n_bytes + letter.len_utf8() > LONGEST_LINE {
                out.push_str("\r\n ");
                // The blank counts.
                n_bytes = 1;
            }
            out.push(letter);
            n_bytes += letter.len_utf8();
        }
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(kind: DateKind, on: &str) -> CalendarDay {
        CalendarDay {
            cycle_id: 12,
            kind,
            on: on.parse().unwrap(),
            certainty: Certainty::Confirmed,
            organisation: None,
            is_cancelled: false,
            sequence: 2,
            changed_at: "2026-07-01T09:15:00Z".parse().unwrap(),
            return_title: "Cases; visits, and \\ more".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            link: "https://returns.example/rounds/cases/2026-27-Q1".to_owned(),
        }
    }

    #[test]
    fn a_day_is_a_whole_day_that_keeps_its_name() {
        let text = feed(
            "Everything",
            "returns.example",
            &[day(DateKind::Due, "2026-07-31")],
        );
        let unfolded = text.replace("\r\n ", "");
        for line in [
            "UID:cycle-12-due@returns.example",
            "SEQUENCE:2",
            "DTSTART;VALUE=DATE:20260731",
            "DTEND;VALUE=DATE:20260801",
            "LAST-MODIFIED:20260701T091500Z",
            "DTSTAMP:20260701T091500Z",
            "STATUS:CONFIRMED",
            r"SUMMARY:Cases\; visits\, and \\ more\, April to June 2026 (2026-27 Q1): due",
        ] {
            let line = format!("{line}\r\n");
            assert!(unfolded.contains(&line), "{line} in {unfolded}");
        }
        assert!(!text.contains("ATTENDEE") && !text.contains("mailto"));
        assert_eq!(
            text,
            feed(
                "Everything",
                "returns.example",
                &[day(DateKind::Due, "2026-07-31")]
            ),
            "the same facts are the same bytes"
        );
    }

    #[test]
    fn what_is_unsure_or_cancelled_is_said_and_stays() {
        let provisional = CalendarDay {
            certainty: Certainty::Provisional,
            ..day(DateKind::Publish, "2026-11-30")
        };
        let cancelled = CalendarDay {
            is_cancelled: true,
            ..day(DateKind::Due, "2026-07-31")
        };
        // An organisation's own day is another event than everybody's, in a calendar that has both.
        let own = CalendarDay {
            organisation: Some("S12000001".to_owned()),
            ..day(DateKind::Due, "2026-08-14")
        };
        let text = feed("Ardbeg", "returns.example", &[provisional, cancelled, own]);
        let text = text.replace("\r\n ", "");
        assert!(
            text.contains("published (provisional\\, St Andrew's Day)\r\n"),
            "{text}"
        );
        assert!(text.contains("STATUS:TENTATIVE\r\n"));
        assert!(text.contains("due (cancelled)\r\n"), "{text}");
        assert!(text.contains("STATUS:CANCELLED\r\n"));
        for uid in ["cycle-12-due@", "cycle-12-due-S12000001@"] {
            assert!(
                text.contains(&format!("UID:{uid}returns.example\r\n")),
                "{text}"
            );
        }
    }

    #[test]
    fn no_line_is_longer_than_a_line_may_be() {
        for n in 0..200 {
            for letter in ["x", "é", "€", "🏴"] {
                let long = CalendarDay {
                    return_title: format!(
                        "{}\r\nATTENDEE:x {}",
                        letter.repeat(n),
                        " ".repeat(n % 7)
                    ),
                    ..day(DateKind::Due, "2026-07-31")
                };
                let text = feed(
                    &long.return_title,
                    "returns.example",
                    std::slice::from_ref(&long),
                );
                for line in text.split_terminator("\r\n") {
                    assert!(line.len() <= LONGEST_LINE, "{} bytes: {line}", line.len());
                    assert!(!line.starts_with("ATTENDEE"), "{line}");
                }
            }
        }
    }
}
