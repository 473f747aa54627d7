//! What was decided on more time was decided anew: told to who asked for it, and to all who go by the day. Why is read at
//! the link.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::{Notice, of_return};

/// The day that counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionDecidedAnew {
    /// Its address without the site's.
    pub page: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    pub due_on: NaiveDate,
}

pub(super) fn write(told: &ExtensionDecidedAnew, base_url: &str) -> Result<Written, askama::Error> {
    Notice {
        subject: format!(
            "Decision on more time changed: {}, {}",
            told.return_title, told.period
        ),
        sentence: format!(
            "The decision on more time for a return was changed. The return is now due on {}.",
            told.due_on.format("%-d %B %Y")
        ),
        facts: &of_return(&told.organisation_name, &told.return_title, &told.period),
        ask: "Read why",
        link: format!("{base_url}{}", told.page),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_day_counts_now_and_where_to_read_why() {
        let told = ExtensionDecidedAnew {
            page: "/returns/hl1/2026-27-Q1/S12000001/more-time".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            due_on: NaiveDate::from_ymd_opt(2026, 7, 31).unwrap(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "extension_decided_anew_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("extension_decided_anew_page", written.html);
    }
}
