//! The link that somebody asked for to sign in with.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::{Written, sign_in_link};

/// Whom the link is for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    pub name: String,
    /// What makes the link good, once.
    pub secret: String,
    /// How long it is good.
    pub minutes: i64,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

#[derive(Template)]
#[template(path = "sign_in/text.txt", escape = "none")]
struct Text<'a> {
    sign_in: &'a SignIn,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "sign_in/page.html")]
struct Page<'a> {
    subject: &'a str,
    sign_in: &'a SignIn,
    link: &'a str,
}

pub(super) fn write(sign_in: &SignIn, base_url: &str) -> Result<Written, askama::Error> {
    let subject = "Your link to sign in".to_owned();
    let link = format!("{}/link/{}", sign_in_link(base_url), sign_in.secret);
    Ok(Written {
        text: Text {
            sign_in,
            link: &link,
        }
        .render()?,
        html: Page {
            subject: &subject,
            sign_in,
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
    fn it_has_the_link_and_says_how_long_it_is_good() {
        let sign_in = SignIn {
            name: "Ann <Ardbeg>".to_owned(),
            secret: "5ec3e7".to_owned(),
            minutes: 15,
        };
        let written = write(&sign_in, "https://returns.example").unwrap();
        insta::assert_snapshot!("sign_in_text", written.text);
        insta::assert_snapshot!("sign_in_page", written.html);
        assert!(!format!("{sign_in:?}").contains("5ec3e7"));
    }
}
