//! We have your file: exactly what was received, and when.

use askama::Template;
use chrono::{DateTime, Utc};
use cycle::clock::moment_in_words;
use finding::words::with_commas;
use serde::{Deserialize, Serialize};

use super::{Written, submission_link};

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub submission_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
    pub bytes: u64,
    pub sha256: String,
    pub received_at: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "receipt/text.txt", escape = "none")]
struct Text<'a> {
    receipt: &'a Receipt,
    received: String,
    bytes: String,
    link: String,
}

#[derive(Template)]
#[template(path = "receipt/page.html")]
struct Page<'a> {
    subject: &'a str,
    receipt: &'a Receipt,
    received: String,
    bytes: String,
    link: String,
}

pub(super) fn write(receipt: &Receipt, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Received: {}, {}", receipt.return_title, receipt.period);
    let received = moment_in_words(receipt.received_at);
    let bytes = with_commas(receipt.bytes);
    let link = submission_link(base_url, &receipt.submission_id);
    let text = Text {
        receipt,
        received: received.clone(),
        bytes: bytes.clone(),
        link: link.clone(),
    }
    .render()?;
    let html = Page {
        subject: &subject,
        receipt,
        received,
        bytes,
        link,
    }
    .render()?;
    Ok(Written {
        subject,
        text,
        html,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_exactly_what_was_received() {
        let receipt = Receipt {
            submission_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            version_number: 2,
            file_name: "Q1 <final>.xlsx".to_owned(),
            bytes: 1_234_567,
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            received_at: "2026-07-20T09:05:00Z".parse().unwrap(),
        };
        let written = write(&receipt, "https://returns.example").unwrap();
        assert_eq!(
            written.subject,
            "Received: Homelessness applications, April to June 2026 (2026-27 Q1)"
        );
        insta::assert_snapshot!("receipt_text", written.text);
        insta::assert_snapshot!("receipt_page", written.html);
    }
}
