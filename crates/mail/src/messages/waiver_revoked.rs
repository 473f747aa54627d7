//! A standing exception was taken back before its last day: told to who asked for it. Why is read at the link.

use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverRevoked {
    pub waiver_id: String,
    pub organisation_name: String,
    pub return_title: String,
    /// The check's name.
    pub rule: String,
}

impl WaiverRevoked {
    fn sentence(&self) -> String {
        format!(
            "The standing exception that you asked for in {} has been ended early. From now on, please explain what this check asks about.",
            self.return_title
        )
    }
}

pub(super) fn write(told: &WaiverRevoked, base_url: &str) -> Result<Written, askama::Error> {
    let subject = format!("Exception ended: {}", told.return_title);
    Notice {
        subject,
        sentence: told.sentence(),
        facts: &[
            ("Organisation", &told.organisation_name),
            ("Return", &told.return_title),
            ("Check", &told.rule),
        ],
        ask: "Read why",
        link: format!("{base_url}/exceptions/{}", told.waiver_id),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_that_it_ended_and_where_to_read_why() {
        let told = WaiverRevoked {
            waiver_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            organisation_name: "Ardbeg & Brora".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            rule: "hl1.many-lost-contact".to_owned(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "waiver_revoked_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("waiver_revoked_page", written.html);
    }
}
