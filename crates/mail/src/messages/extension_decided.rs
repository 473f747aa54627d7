//! More time was given or refused: told to who asked for it. Why is read at the link.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::{Notice, of_return};

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionDecided {
    /// Its address without the site's.
    pub page: String,
    pub organisation_name: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
    /// The last day in time; `None`: it was refused.
    pub due_on: Option<NaiveDate>,
}

impl ExtensionDecided {
    fn sentence(&self) -> String {
        match self.due_on {
            Some(day) => format!(
                "You asked for more time for a return. It is now due on {}.",
                day.format("%-d %B %Y")
            ),
            None => "You asked for more time for a return. It was refused: the return is due on the day it was.".to_owned(),
        }
    }
}

pub(super) fn write(told: &ExtensionDecided, base_url: &str) -> Result<Written, askama::Error> {
    let subject = {
        let begins = match told.due_on {
            Some(_) => "More time given",
            None => "More time refused",
        };
        format!("{begins}: {}, {}", told.return_title, told.period)
    };
    Notice {
        subject,
        sentence: told.sentence(),
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
    fn it_says_what_was_decided_and_where_to_read_why() {
        let told = ExtensionDecided {
            page: "/returns/hl1/2026-27-Q1/S12000001/more-time".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
            due_on: NaiveDate::from_ymd_opt(2026, 8, 14),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "extension_given_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("extension_given_page", written.html);
        let refused = ExtensionDecided {
            due_on: None,
            ..told
        };
        let written = write(&refused, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "extension_refused_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
    }
}
