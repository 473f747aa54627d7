//! Somebody at a browser: signs in with the link that comes by mail and the code that an app shows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{Response, StatusCode};

use crate::council::client;
use crate::lgdp::Platform;
use crate::wait::until;

/// Signed in.
pub(crate) struct Person {
    address: String,
    /// As it goes over the wire: `name=value`.
    pub(crate) cookie: String,
}

impl Person {
    /// Needs a worker, which sends the link.
    pub(crate) async fn sign_in(platform: &Platform, email: &str) -> Person {
        let mut person = Person {
            address: platform.address.clone(),
            cookie: String::new(),
        };
        person.post("/sign-in", &[("email", email)]).await;
        let link = link_for(platform, email).await;
        let opened = person.post(&link, &[]).await;
        person.keep(&opened);
        let page = person.text("/sign-in/code").await;
        let form = [
            ("digits", digits(&page)),
            (
                "form_token",
                between(&page, "name=\"form_token\" value=\"", "\""),
            ),
        ];
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let entered = person.post("/sign-in/code", &form).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        person.keep(&entered);
        person
    }

    fn keep(&mut self, answer: &Response) {
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut self.cookie);
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let form: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        client()
            .post(format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.join("&"))
            .send()
            .await
            .unwrap()
    }

    /// Does something with a version, as its page's form does.
    pub(crate) async fn hand_over(&self, submission: &str, verb: &str, reason: &str) {
        let token = form_token(&self.text("/").await);
        let path = format!("/submissions/{submission}/hand-over/{verb}");
        let form = [("form_token", token.as_str()), ("reason", reason)];
        let done = self.post(&path, &form).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER, "{verb}");
    }

    /// As from another window of the same browser.
    pub(crate) async fn sign_out(&self) {
        let page = self.text("/").await;
        let token = form_token(&page);
        let left = self.post("/sign-out", &[("form_token", &token)]).await;
        assert_eq!(left.status(), StatusCode::SEE_OTHER);
    }

    async fn get(&self, path: &str) -> Response {
        client()
            .get(format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn status(&self, path: &str) -> StatusCode {
        self.get(path).await.status()
    }

    /// At another site of the platform.
    pub(crate) async fn status_at(&self, address: &str, path: &str) -> StatusCode {
        let asked = client()
            .get(format!("{address}{path}"))
            .header("cookie", &self.cookie);
        asked.send().await.unwrap().status()
    }

    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path).await).unwrap()
    }
}

/// The path of the newest link that came to an address.
pub(crate) async fn link_for(platform: &Platform, email: &str) -> String {
    until("the link is there", Duration::from_mins(1), || async {
        let mails = platform.mailbox.received();
        let to_them = mails.iter().filter(|mail| mail.to == email);
        to_them.filter_map(|mail| link_in(&mail.text)).next_back()
    })
    .await
}

/// The path of the link to sign in with.
fn link_in(text: &str) -> Option<String> {
    let start = text.find("/sign-in/link/")?;
    Some(text[start..].split_whitespace().next()?.to_owned())
}

/// As a form sends it.
fn encoded(value: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(one).collect()
}

/// What every form of a page has to give back.
pub(crate) fn form_token(page: &str) -> String {
    between(page, "name=\"form_token\" value=\"", "\"")
}

pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split(before).nth(1).expect("what comes before");
    rest.split(after).next().unwrap().to_owned()
}

/// What an app shows that was given the page's key.
fn digits(page: &str) -> String {
    digits_of(&between(page, "<span class=\"code\">", "<"))
}

/// The key is in groups of letters.
pub(crate) fn digits_of(key: &str) -> String {
    let letters = key.replace(' ', "");
    let secret = totp_rs::Secret::try_from_base32(letters).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    totp.generate(now.as_secs()).to_string()
}
