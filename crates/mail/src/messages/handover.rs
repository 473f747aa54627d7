//! A version went on: submitted, signed off, accepted or sent back. Told to whom it is handed, and to who sent it.

use askama::Template;
use chrono::{DateTime, Utc};
use cycle::Verb;
use cycle::clock::moment_in_words;
use serde::{Deserialize, Serialize};

use super::{Written, submission_link};

/// What was done with which version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    pub submission_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
    pub sha256: String,
    pub verb: Verb,
    /// Who did it.
    pub by: String,
    pub at: DateTime<Utc>,
    /// Why, where what is written about this return may go by mail; otherwise it is read at the link.
    pub reason: Option<String>,
    pub reader: Reader,
}

/// Whom it is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// Who has something to do with it now.
    Next,
    /// Its organisation, which is told what became of it.
    Sender,
}

#[derive(Template)]
#[template(path = "handover/text.txt", escape = "none")]
struct Text<'a> {
    sentence: &'a str,
    handover: &'a Handover,
    /// As wide as the labels above it.
    done: &'a str,
    at: &'a str,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "handover/page.html")]
struct Page<'a> {
    subject: &'a str,
    sentence: &'a str,
    handover: &'a Handover,
    done: &'a str,
    at: &'a str,
    link: &'a str,
}

/// The outbox's word.
pub(super) fn kind(handover: &Handover) -> &'static str {
    match (handover.verb, handover.reader) {
        (Verb::Submit, _) => "submitted",
        (Verb::SignOff, Reader::Next) => "signed-off",
        (Verb::SignOff, Reader::Sender) => "signed-off-receipt",
        (Verb::Accept, _) => "accepted",
        (Verb::SendBack, _) => "sent-back",
        (Verb::Withdraw, _) => "withdrawn",
    }
}

/// What the subject begins with, and the sentence that says what to do.
fn words(verb: Verb, reader: Reader) -> (&'static str, &'static str) {
    match (verb, reader) {
        (Verb::Submit, _) => (
            "Please sign off",
            "A return of your organisation waits for your sign-off.",
        ),
        (Verb::SignOff, Reader::Next) => (
            "Signed off",
            "A return that you ask for was signed off. You can accept it, or send it back.",
        ),
        (Verb::SignOff, Reader::Sender) => (
            "Signed off",
            "Your return was signed off, and the team that asks for it has it now. Keep this message as your receipt.",
        ),
        (Verb::Accept, _) => (
            "Accepted",
            "Your return was accepted. There is nothing more to do.",
        ),
        (Verb::SendBack, _) => (
            "Sent back",
            "Your return was sent back. Please mend the file and send it again.",
        ),
        (Verb::Withdraw, _) => ("Withdrawn", "A version of your return was withdrawn."),
    }
}

pub(super) fn write(handover: &Handover, base_url: &str) -> Result<Written, askama::Error> {
    let (begins, sentence) = words(handover.verb, handover.reader);
    let subject = format!("{begins}: {}, {}", handover.return_title, handover.period);
    let link = submission_link(base_url, &handover.submission_id);
    let at = moment_in_words(handover.at);
    let done = capitalised(handover.verb.in_words());
    Ok(Written {
        text: Text {
            sentence,
            handover,
            done: &format!("{:<15}", format!("{done}:")),
            at: &at,
            link: &link,
        }
        .render()?,
        html: Page {
            subject: &subject,
            sentence,
            handover,
            done: &done,
            at: &at,
            link: &link,
        }
        .render()?,
        subject,
    })
}

fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handover(verb: Verb, reader: Reader, reason: Option<&str>) -> Handover {
        Handover {
            submission_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            version_number: 2,
            file_name: "Q1 <final>.xlsx".to_owned(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            verb,
            by: "Bo <Brora>".to_owned(),
            at: "2026-07-20T09:05:00Z".parse().unwrap(),
            reason: reason.map(str::to_owned),
            reader,
        }
    }

    #[test]
    fn each_step_is_told_in_words() {
        let told: Vec<String> = [
            handover(Verb::Submit, Reader::Next, None),
            handover(Verb::SignOff, Reader::Next, None),
            handover(Verb::SignOff, Reader::Sender, None),
            handover(Verb::Accept, Reader::Sender, None),
            handover(Verb::SendBack, Reader::Sender, Some("The total is <odd>.")),
            handover(Verb::SendBack, Reader::Sender, None),
        ]
        .iter()
        .map(|handover| {
            let written = write(handover, "https://returns.example").unwrap();
            format!("{}\n\n{}", written.subject, written.text)
        })
        .collect();
        insta::assert_snapshot!("handover_texts", told.join("\n\n----\n\n"));
        let back = handover(Verb::SendBack, Reader::Sender, Some("The total is <odd>."));
        let written = write(&back, "https://returns.example").unwrap();
        insta::assert_snapshot!("handover_page", written.html);
    }
}
