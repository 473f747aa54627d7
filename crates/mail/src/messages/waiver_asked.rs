//! A standing exception is asked for: told to the return's team. Why is read at the link.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::Written;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverAsked {
    pub waiver_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// The check's name.
    pub rule: String,
}

impl WaiverAsked {
    fn sentence(&self) -> String {
        format!(
            "{} asks for a standing exception from a check of a return that you ask for.",
            self.organisation_name
        )
    }
}

#[derive(Template)]
#[template(path = "waiver_asked/text.txt", escape = "none")]
struct Text<'a> {
    sentence: &'a str,
    told: &'a WaiverAsked,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "waiver_asked/page.html")]
struct Page<'a> {
    subject: &'a str,
    sentence: &'a str,
    told: &'a WaiverAsked,
    link: &'a str,
}

pub(super) fn write(told: &WaiverAsked, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Exception asked for: {}", told.return_title);
    let link = format!("{base_url}/exceptions/{}", told.waiver_id);
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
    fn it_says_what_is_asked_for_and_where_to_read_why() {
        let told = WaiverAsked {
            waiver_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            rule: "hl1.many-lost-contact".to_owned(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "waiver_asked_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("waiver_asked_page", written.html);
    }
}
