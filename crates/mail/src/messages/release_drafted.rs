//! A schedule has drafted a release: told to the return's team, of whom two people approve it.

use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

/// What was drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseDrafted {
    pub release_id: String,
    pub return_title: String,
    /// `April to June 2026 (2026-27 Q1)`.
    pub period: String,
}

pub(super) fn write(told: &ReleaseDrafted, base_url: &str) -> Result<Written, askama::Error> {
    Notice {
        subject: format!("Release drafted: {}, {}", told.return_title, told.period),
        sentence: "A provisional release of a return that you ask for was drafted on schedule. It is published once two people of your team have approved it.".to_owned(),
        facts: &[("Return", &told.return_title), ("Period", &told.period)],
        ask: "Look at it, and approve it if it is right",
        link: format!("{base_url}/releases/{}", told.release_id),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_drafted_and_where_it_is_approved() {
        let told = ReleaseDrafted {
            release_id: "01a20824-5a74-71c5-bcf5-000000000001".to_owned(),
            return_title: "Homelessness applications".to_owned(),
            period: "April to June 2026 (2026-27 Q1)".to_owned(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "release_drafted_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("release_drafted_page", written.html);
    }
}
