//! More was explained about a version that is handed over: told to the return's team. What was said is read at the link.

use serde::{Deserialize, Serialize};

use super::notice::Notice;
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

pub(super) fn write(explained: &Explained, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!(
        "Explained: {}, {}",
        explained.return_title, explained.period
    );
    Notice {
        subject,
        sentence: format!(
            "{} has explained more figures of a return that you ask for.",
            explained.organisation_name
        ),
        facts: &[
            ("Return", &explained.return_title),
            ("Period", &explained.period),
            ("Version", &explained.version_number.to_string()),
        ],
        ask: "Read what they say",
        link: submission_link(base_url, &explained.submission_id),
    }
    .write()
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
