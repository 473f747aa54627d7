//! Somebody may sign in from now on.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::{Written, sign_in_link};

/// Who is invited by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub name: String,
    pub invited_by: String,
}

#[derive(Template)]
#[template(path = "invitation/text.txt", escape = "none")]
struct Text<'a> {
    invitation: &'a Invitation,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "invitation/page.html")]
struct Page<'a> {
    subject: &'a str,
    invitation: &'a Invitation,
    link: &'a str,
}

pub(super) fn write(invitation: &Invitation, base_url: &str) -> Result<Written, askama::Error> {
    let subject = "You can sign in to send data returns".to_owned();
    let link = sign_in_link(base_url);
    Ok(Written {
        text: Text {
            invitation,
            link: &link,
        }
        .render()?,
        html: Page {
            subject: &subject,
            invitation,
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
    fn it_says_who_invites_and_where_to_go() {
        let invitation = Invitation {
            name: "Ann <Ardbeg>".to_owned(),
            invited_by: "Bo Brora".to_owned(),
        };
        let written = write(&invitation, "https://returns.example").unwrap();
        insta::assert_snapshot!("invitation_text", written.text);
        insta::assert_snapshot!("invitation_page", written.html);
    }
}
