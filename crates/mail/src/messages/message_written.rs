//! Somebody wrote about a version: told to the other side. What was written is read at the link.

use serde::{Deserialize, Serialize};

use super::notice::Notice;
use super::{Written, submission_link};

/// Which version it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageWritten {
    pub submission_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub version_number: u32,
    /// Who wrote it.
    pub by: String,
}

impl MessageWritten {
    fn sentence(&self) -> String {
        format!(
            "{} has written a message about a return of {}.",
            self.by, self.organisation_name
        )
    }
}

pub(super) fn write(told: &MessageWritten, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Message: {}, {}", told.return_title, told.period);
    Notice {
        subject,
        sentence: told.sentence(),
        facts: &[
            ("Return", &told.return_title),
            ("Period", &told.period),
            ("Version", &told.version_number.to_string()),
        ],
        ask: "Read it and answer",
        link: submission_link(base_url, &told.submission_id) + "#handing-over",
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_who_wrote_and_nothing_of_what() {
        let told = MessageWritten {
            submission_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            version_number: 2,
            by: "Tess".to_owned(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "message_written_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("message_written_page", written.html);
    }
}
