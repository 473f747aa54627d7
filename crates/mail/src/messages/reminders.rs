//! What somebody has to send, or to see to, told once a day: late first, then what is due, then days that moved.

use askama::Template;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Written;

/// A person's reminders of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminders {
    pub on: NaiveDate,
    pub lines: Vec<Reminder>,
}

/// One return of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Its address without the site's.
    pub page: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub due_on: NaiveDate,
    /// The day may still change.
    pub is_provisional: bool,
    pub what: Reminded,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminded {
    /// It is due, or late, and is still to be sent.
    ToSend,
    /// It is late, and whoever signs off is told.
    Escalated,
    Moved {
        from: NaiveDate,
    },
    /// The round was, after people had been reminded of it.
    Cancelled,
    /// The round takes place after all.
    Reinstated,
}

/// A heading, and what stands under it.
struct Part<'a> {
    heading: &'static str,
    lines: Vec<Line<'a>>,
}

struct Line<'a> {
    reminder: &'a Reminder,
    says: String,
    link: String,
}

#[derive(Template)]
#[template(path = "reminders/page.html")]
struct Page<'a> {
    subject: &'a str,
    sentence: &'a str,
    parts: &'a [Part<'a>],
}

#[derive(Template)]
#[template(path = "reminders/text.txt", escape = "none")]
struct Text<'a> {
    sentence: &'a str,
    parts: &'a [Part<'a>],
}

fn in_words(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

/// Where a line stands: late ones first.
fn place(reminder: &Reminder, on: NaiveDate) -> usize {
    match reminder.what {
        Reminded::Moved { .. } => 3,
        Reminded::Cancelled => 4,
        Reminded::Reinstated => 5,
        Reminded::Escalated => 0,
        Reminded::ToSend if reminder.due_on < on => 1,
        Reminded::ToSend => 2,
    }
}

const HEADINGS: [&str; 6] = [
    "Late, and not signed off",
    "Late",
    "Due",
    "The day has moved",
    "Cancelled",
    "Asked for after all",
];

fn says(reminder: &Reminder, on: NaiveDate) -> String {
    let provisional = if reminder.is_provisional {
        " (provisional)"
    } else {
        ""
    };
    let due = in_words(reminder.due_on);
    match reminder.what {
        Reminded::Moved { from } => {
            format!("moved from {} to {due}{provisional}", in_words(from))
        }
        Reminded::Cancelled => "cancelled: nothing has to be sent".to_owned(),
        Reminded::Reinstated => {
            format!("no longer cancelled: it is due on {due}{provisional}")
        }
        Reminded::ToSend | Reminded::Escalated => {
            match reminder.due_on.signed_duration_since(on).num_days() {
                0 => format!("due today, {due}{provisional}"),
                1 => format!("due tomorrow, {due}{provisional}"),
                -1 => format!("was due yesterday, {due}{provisional}"),
                n if n > 0 => format!("due in {n} days, on {due}{provisional}"),
                n => format!("was due {} days ago, on {due}{provisional}", n.abs()),
            }
        }
    }
}

fn returns(n: usize) -> String {
    match n {
        1 => "1 return".to_owned(),
        n => format!("{n} returns"),
    }
}

/// `2 returns are late, 1 return is due`.
fn subject(parts: &[Part<'_>]) -> String {
    let n_of = |places: &[usize]| -> usize {
        let parts = places.iter().filter_map(|place| {
            let heading = HEADINGS.get(*place)?;
            parts.iter().find(|part| part.heading == *heading)
        });
        parts.map(|part| part.lines.len()).sum()
    };
    let is = |n: usize| if n == 1 { "is" } else { "are" };
    let has = |n: usize| if n == 1 { "has" } else { "have" };
    let (late, due, moved) = (n_of(&[0, 1]), n_of(&[2]), n_of(&[3]));
    let (cancelled, reinstated) = (n_of(&[4]), n_of(&[5]));
    let mut told = Vec::new();
    if late > 0 {
        told.push(format!("{} {} late", returns(late), is(late)));
    }
    if due > 0 {
        told.push(format!("{} {} due", returns(due), is(due)));
    }
    if moved > 0 {
        told.push(format!("{} {} another day", returns(moved), has(moved)));
    }
    if cancelled > 0 {
        told.push(format!(
            "{} {} cancelled",
            returns(cancelled),
            is(cancelled)
        ));
    }
    if reinstated > 0 {
        let (n, are) = (returns(reinstated), is(reinstated));
        told.push(format!("{n} {are} asked for after all"));
    }
    told.join(", ")
}

pub(super) fn write(told: &Reminders, base_url: &str) -> Result<Written, askama::Error> {
    let mut sorted: Vec<&Reminder> = told.lines.iter().collect();
    sorted.sort_by_key(|reminder| {
        (
            reminder.due_on,
            reminder.return_title.as_str(),
            reminder.organisation_name.as_str(),
        )
    });
    let parts: Vec<Part<'_>> = HEADINGS
        .into_iter()
        .enumerate()
        .map(|(at, heading)| Part {
            heading,
            lines: sorted
                .iter()
                .filter(|reminder| place(reminder, told.on) == at)
                .map(|reminder| Line {
                    reminder,
                    says: says(reminder, told.on),
                    link: format!("{base_url}{}", reminder.page),
                })
                .collect(),
        })
        .filter(|part| !part.lines.is_empty())
        .collect();
    let subject = subject(&parts);
    let sentence = format!("{subject}.");
    Ok(Written {
        text: Text {
            sentence: &sentence,
            parts: &parts,
        }
        .render()?,
        html: Page {
            subject: &subject,
            sentence: &sentence,
            parts: &parts,
        }
        .render()?,
        subject,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn reminder(title: &str, due_on: &str, what: Reminded) -> Reminder {
        Reminder {
            page: format!("/returns/{}/2026-27-Q1/S12000001", title.to_lowercase()),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: title.to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            due_on: day(due_on),
            is_provisional: title == "Stock",
            what,
        }
    }

    #[test]
    fn a_day_s_reminders_are_one_message_with_the_late_ones_first() {
        let told = Reminders {
            on: day("2026-08-01"),
            lines: vec![
                reminder("Stock", "2026-08-31", Reminded::ToSend),
                reminder("Visits", "2026-08-01", Reminded::ToSend),
                reminder("Cases", "2026-07-31", Reminded::ToSend),
                reminder(
                    "Forms",
                    "2026-09-14",
                    Reminded::Moved {
                        from: day("2026-08-31"),
                    },
                ),
                reminder("Posts", "2026-07-18", Reminded::Escalated),
                reminder("Baths", "2026-08-14", Reminded::Cancelled),
                reminder("Parks", "2026-08-21", Reminded::Reinstated),
                reminder("Plans", "2026-08-02", Reminded::ToSend),
            ],
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "reminders_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("reminders_page", written.html);
    }

    #[test]
    fn one_alone_is_said_as_one() {
        let told = Reminders {
            on: day("2026-08-01"),
            lines: vec![reminder("Cases", "2026-08-08", Reminded::ToSend)],
        };
        let written = write(&told, "https://returns.example").unwrap();
        assert_eq!(written.subject, "1 return is due");
        assert!(written.text.contains("due in 7 days, on 8 August 2026"));
    }
}
