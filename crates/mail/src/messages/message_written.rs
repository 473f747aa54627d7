//! Somebody wrote about a version: told to the other side. What was written is read at the link.

use askama::Template;
use serde::{Deserialize, Serialize};

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

#[derive(Template)]
#[template(path = "message_written/text.txt", escape = "none")]
struct Text<'a> {
    sentence: &'a str,
    told: &'a MessageWritten,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "message_written/page.html")]
struct Page<'a> {
    subject: &'a str,
    sentence: &'a str,
    told: &'a MessageWritten,
    link: &'a str,
}

pub(super) fn write(told: &MessageWritten, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Message: {}, {}", told.return_title, told.period);
    let link = submission_link(base_url, &told.submission_id) + "#handing-over";
    let sentence = told.sentence();
    Ok(Written {
        text: Text {
            sentence: &sentence,
            told,
            link: &link,
        }
        .render()?,
        html: Page {
            subject: &subject,
            sentence: &sentence,
            told,
            link: &link,
        }
        .render()?,
        subject,
    })
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
