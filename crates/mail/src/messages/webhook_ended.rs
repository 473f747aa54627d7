//! An address took no message for days and is not called any more: told to who asked for it.

use serde::{Deserialize, Serialize};

use super::Written;
use super::notice::Notice;

/// Which address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEnded {
    pub webhook_id: String,
    pub host: String,
    /// `21 November 2026 at 14:05`.
    pub since: String,
}

pub(super) fn write(told: &WebhookEnded, base_url: &str) -> Result<Written, askama::Error> {
    Notice {
        subject: format!("Messages to {} have stopped", told.host),
        sentence: format!(
            "The server {} has taken no message from us since {}, so we have stopped sending any. When it works again, ask for them anew: you get a new secret then.",
            told.host, told.since
        ),
        facts: &[("Server", &told.host), ("Since", &told.since)],
        ask: "See what was not taken, and why",
        link: format!("{base_url}/webhooks/{}", told.webhook_id),
    }
    .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_server_since_when_and_what_to_do() {
        let told = WebhookEnded {
            webhook_id: "01935c6e-0000-7000-8000-000000000001".to_owned(),
            host: "hooks.council.example".to_owned(),
            since: "21 November 2026 at 14:05".to_owned(),
        };
        let written = write(&told, "https://returns.example").unwrap();
        insta::assert_snapshot!(
            "webhook_ended_text",
            format!("{}\n\n{}", written.subject, written.text)
        );
        insta::assert_snapshot!("webhook_ended_page", written.html);
    }
}
