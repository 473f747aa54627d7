//! We could not check your file yet: our fault, and nothing for the sender to do.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::{Written, submission_link};

/// Which file it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    pub submission_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
}

#[derive(Template)]
#[template(path = "delay/text.txt", escape = "none")]
struct Text<'a> {
    delay: &'a Delay,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "delay/page.html")]
struct Page<'a> {
    subject: &'a str,
    delay: &'a Delay,
    link: &'a str,
}

pub(super) fn write(delay: &Delay, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Delayed: {}, {}", delay.return_title, delay.period);
    let link = submission_link(base_url, &delay.submission_id);
    Ok(Written {
        text: Text { delay, link: &link }.render()?,
        html: Page {
            subject: &subject,
            delay,
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
    fn it_says_whose_fault_it_is_and_what_to_do() {
        let delay = Delay {
            submission_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            version_number: 2,
            file_name: "Q1 <final>.xlsx".to_owned(),
        };
        let written = write(&delay, "https://returns.example").unwrap();
        assert_eq!(
            written.subject,
            "Delayed: Homelessness applications, April to June 2026 (2026-27 Q1)"
        );
        insta::assert_snapshot!("delay_text", written.text);
        insta::assert_snapshot!("delay_page", written.html);
    }
}
