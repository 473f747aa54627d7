//! A standing exception was granted or refused: told to who asked for it. Why is read at the link.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverDecided {
    pub waiver_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// The check's name.
    pub rule: String,
    /// The last day on which it holds; `None`: it was refused.
    pub ends_on: Option<NaiveDate>,
}

impl WaiverDecided {
    fn sentence(&self) -> String {
        match self.ends_on {
            Some(day) => format!(
                "The standing exception that you asked for was granted, up to {}. Until then you need not explain what this check asks about.",
                day.format("%-d %B %Y")
            ),
            None => "The standing exception that you asked for was refused. Please go on explaining what this check asks about.".to_owned(),
        }
    }
}

pub(super) fn write(decided: &WaiverDecided, base_url: &str) -> Result<Written, askama::Error> {
    let begins = match decided.ends_on {
        Some(_) => "Exception granted",
        None => "Exception refused",
    };
    let subject = format!("{begins}: {}", decided.return_title);
    Notice {
        subject,
        sentence: decided.sentence(),
        facts: &[
            ("Organisation", &decided.organisation_name),
            ("Return", &decided.return_title),
            ("Name of the check", &decided.rule),
        ],
        ask: "Read why",
        link: format!("{base_url}/exceptions/{}", decided.waiver_id),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_decided_and_where_to_read_why() {
        let granted = WaiverDecided {
            waiver_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            rule: "hl1.many-lost-contact".to_owned(),
            ends_on: NaiveDate::from_ymd_opt(2027, 3, 31),
        };
        let written = write(&granted, "https://returns.example").unwrap();
        assert_eq!(
            written.subject,
            "Exception granted: Homelessness applications"
        );
        insta::assert_snapshot!("waiver_granted_text", written.text);
        insta::assert_snapshot!("waiver_granted_page", written.html);
        let refused = WaiverDecided {
            ends_on: None,
            ..granted
        };
        let written = write(&refused, "https://returns.example").unwrap();
        assert_eq!(
            written.subject,
            "Exception refused: Homelessness applications"
        );
        insta::assert_snapshot!("waiver_refused_text", written.text);
    }
}
