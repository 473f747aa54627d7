//! More was explained about a version that is handed over: told to the return's team. What was said is read at the link.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::{Written, submission_link};

/// Which version it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    pub submission_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub version_number: u32,
}

#[derive(Template)]
#[template(path = "explained/text.txt", escape = "none")]
struct Text<'a> {
    explained: &'a Explained,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "explained/page.html")]
struct Page<'a> {
    subject: &'a str,
    explained: &'a Explained,
    link: &'a str,
}

pub(super) fn write(explained: &Explained, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!(
        "Explained: {}, {}",
        explained.return_title, explained.period
    );
    let link = submission_link(base_url, &explained.submission_id);
    Ok(Written {
        text: Text {
            explained,
            link: &link,
        }
        .render()?,
        html: Page {
            subject: &subject,
            explained,
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
    fn it_says_where_to_read_and_nothing_of_what_was_said() {
        let explained = Explained {
            submission_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            version_number: 2,
        };
        let written = write(&explained, "https://returns.example").unwrap();
        assert_eq!(
            written.subject,
            "Explained: Homelessness applications, April to June 2026 (2026-27 Q1)"
        );
        insta::assert_snapshot!("explained_text", written.text);
        insta::assert_snapshot!("explained_page", written.html);
    }
}
