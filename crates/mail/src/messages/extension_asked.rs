//! More time is asked for: told to the return's team. Why is read at the link.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionAsked {
    /// Its address without the site's.
    pub page: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub asked_until: NaiveDate,
}

impl ExtensionAsked {
    fn sentence(&self) -> String {
        format!(
            "{} asks for more time for a return that you ask for, until {}.",
            self.organisation_name,
            self.asked_until.format("%-d %B %Y")
        )
    }
}

pub(super) fn write(told: &ExtensionAsked, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!(
        "More time asked for: {}, {}",
        told.return_title, told.period
    );
    Notice {
        subject,
        sentence: told.sentence(),
        facts: &[("Return", &told.return_title), ("Period", &told.period)],
        ask: "Read why, and decide",
        link: format!("{base_url}{}", told.page),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_until_when_and_where_to_read_why() {
        let told = ExtensionAsked {
            page: "/returns/hl1/2026-27-Q1/S12000001/more-time".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            asked_until: NaiveDate::from_ymd_opt(2026, 8, 14).unwrap(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "extension_asked_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("extension_asked_page", written.html);
    }
}
