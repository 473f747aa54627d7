//! A standing exception is asked for: told to the return's team. Why is read at the link.

use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

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

pub(super) fn write(told: &WaiverAsked, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Exception asked for: {}", told.return_title);
    Notice {
        subject,
        sentence: told.sentence(),
        facts: &[("Return", &told.return_title), ("Check", &told.rule)],
        ask: "Read why, and decide",
        link: format!("{base_url}/exceptions/{}", told.waiver_id),
    }
    .write()
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
