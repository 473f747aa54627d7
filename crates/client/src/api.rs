//! Requests: sent again while that may help, as long as it may take and as late as the server says.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::trust::fault_of_certificate;

/// Where the platform is, and who asks.
#[derive(Clone)]
pub struct Access {
    /// Without a trailing slash: `https://returns.example`.
    pub address: String,
    pub token: String,
    /// How long a request is sent again for, before the platform counts as out of reach.
    pub patience: Duration,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({}, {:?})", self.address, self.patience)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The platform says that what was asked for is not right: asking again does not help.
    #[error("{title}: {detail}")]
    Refused {
        status: u16,
        title: String,
        detail: String,
    },
    /// It may be there later.
    #[error("{address} can't be reached just now: {reason}")]
    OutOfReach { address: String, reason: String },
    /// Whoever answered is not the platform, and has refused nothing in its name.
    #[error(
        "{address} answers {answered}, and not as the platform does: a proxy or a page to sign in on may stand before it, or the address is not the platform's"
    )]
    Stranger {
        address: String,
        status: u16,
        answered: String,
    },
    /// Waiting does not make it trusted.
    #[error("nothing is sent to {address}: {fault}")]
    NotTrusted { address: String, fault: String },
    /// It never left this machine.
    #[error("the request can't be made: {0}")]
    Request(String),
    /// Another one writes the same file.
    #[error("another lgdp writes {0} just now: run it again when that is done")]
    Held(String),
    #[error("the answer can't be read: {0}")]
    Answer(String),
    #[error("{path} is {what} and no file: nothing is written over it")]
    NoFile { path: String, what: &'static str },
    #[error("{act} {path}")]
    File {
        act: &'static str,
        path: String,
        source: std::io::Error,
    },
}

impl ApiError {
    pub(crate) fn file(
        act: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> ApiError {
        let path = path.display().to_string();
        move |source| ApiError::File { act, path, source }
    }

    /// Whether the same may work later.
    pub fn is_for_now(&self) -> bool {
        matches!(
            self,
            ApiError::OutOfReach { .. } | ApiError::Stranger { .. } | ApiError::Held(_)
        )
    }

    /// Whether whoever read what was printed has read enough.
    pub fn is_closed_pipe(&self) -> bool {
        let closed = std::io::ErrorKind::BrokenPipe;
        matches!(self, ApiError::File { source, .. } if source.kind() == closed)
    }

    /// Of an answer that was no good.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            ApiError::Refused { status, .. } | ApiError::Stranger { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// An RFC 9457 problem.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
}

/// A platform that is asked.
#[derive(Debug, Clone)]
pub struct Api {
    access: Access,
    http: reqwest::Client,
}

/// Without a byte for so long, a connection is taken for cut.
const SILENCE: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Ten years.
const FOR_EVER: Duration = Duration::from_hours(10 * 365 * 24);

impl Api {
    pub fn new(access: Access) -> Result<Self, ApiError> {
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("lgdp/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(SILENCE)
            // The token goes nowhere but to the address that was given.
            .redirect(reqwest::redirect::Policy::none());
        let url = Url::parse(&access.address);
        // Through a proxy it would go in clear, and leave this machine.
        if !url.is_ok_and(|url| url.scheme() == "https") {
            http = http.no_proxy();
        }
        let http = http.build();
        Ok(Self {
            http: http.map_err(|error| ApiError::Request(words(&error)))?,
            access,
        })
    }

    pub fn address(&self) -> &str {
        &self.access.address
    }

    pub(crate) fn patience(&self) -> Duration {
        self.access.patience
    }

    /// An answer that is JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let response = self.ask(Method::GET, path, |request| request).await?;
        read(response).await
    }

    /// An answer to be read as it comes.
    pub(crate) async fn stream(&self, path: &str) -> Result<Response, ApiError> {
        self.ask(Method::GET, path, |request| request).await
    }

    /// All items of a list, page after page.
    pub(crate) async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        #[derive(Deserialize)]
        struct Page<T> {
            items: Vec<T>,
            next: Option<String>,
        }
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page: Page<T> = self.get(&path).await?;
            items.extend(page.items);
            next = page.next;
        }
        Ok(items)
    }

    /// `fill` gives the request its body and headers, anew at each attempt.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, ApiError> {
        let give_up_at = after(self.access.patience);
        let mut pause = FIRST_PAUSE;
        loop {
            let url = format!("{}{path}", self.access.address);
            let request = self.http.request(method.clone(), url);
            let sent = fill(request.bearer_auth(&self.access.token)).send().await;
            let (reason, wait) = match sent {
                // The API has no pages: one that is sent instead is no answer, however well it went.
                Ok(response) if response.status().is_success() && !is_of(&response, PAGE) => {
                    return Ok(response);
                }
                Ok(response) if is_for_now(response.status()) => {
                    let asked = retry_after(&response);
                    (format!("it answers {}", response.status()), asked)
                }
                Ok(response) => return Err(self.refused(response).await),
                Err(error) if error.is_builder() => return Err(ApiError::Request(words(&error))),
                Err(error) => match fault_of_certificate(&error) {
                    Some(fault) => {
                        return Err(ApiError::NotTrusted {
                            address: self.access.address.clone(),
                            fault,
                        });
                    }
                    None => (words(&error), None),
                },
            };
            let wait = wait.unwrap_or(pause);
            if after(wait) > give_up_at {
                return Err(ApiError::OutOfReach {
                    address: self.access.address.clone(),
                    reason,
                });
            }
            tracing::debug!(reason, ?wait, "asking again");
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What the platform refuses it says as a problem: anything else is said by somebody in between.
    async fn refused(&self, response: Response) -> ApiError {
        let status = response.status();
        let problem = if is_of(&response, PROBLEM) {
            response.json::<Problem>().await.ok()
        } else {
            None
        };
        match problem {
            Some(Problem { title, detail }) => ApiError::Refused {
                status: status.as_u16(),
                title,
                detail,
            },
            None => ApiError::Stranger {
                address: self.access.address.clone(),
                status: status.as_u16(),
                answered: status.to_string(),
            },
        }
    }
}

const PROBLEM: &str = "application/problem+json";
const PAGE: &str = "text/html";

/// Whether an answer is of a type, whatever else is said of that.
fn is_of(response: &Response, content_type: &str) -> bool {
    let said = response.headers().get(CONTENT_TYPE);
    let said = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(content_type)
}

/// When a wait is over. As long as nobody waits is as good as for ever, and no clock goes further.
pub(crate) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(FOR_EVER)
}

/// Busy, away, too slow or at fault itself: the same request may be answered later, and whatever makes something is sent
/// with a key.
fn is_for_now(status: StatusCode) -> bool {
    let asked_to_wait = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || asked_to_wait.contains(&status)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    response
        .json()
        .await
        .map_err(|error| ApiError::Answer(words(&error)))
}

/// With what caused it, and without the address, which the caller names.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut all = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push(error.to_string());
        cause = error.source();
    }
    all.join(": ")
}

/// A text as a part of an address.
pub(crate) fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut quoted = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            let _ = write!(quoted, "%{byte:02X}");
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::{api, json, of_type, page, refused, server};

    #[tokio::test]
    async fn a_platform_s_own_failure_is_for_now_and_a_refusal_is_not() {
        let ok = || json("200 OK", "{}");
        for failing in [
            "500 Internal Server Error",
            "507 Insufficient Storage",
            "503 Busy",
        ] {
            let (address, asked) = server(vec![json(failing, "{}"), ok()]).await;
            let api = api(&address, Duration::from_secs(20));
            api.get::<serde_json::Value>("/x").await.unwrap();
            assert_eq!(asked.lock().unwrap().len(), 2, "{failing}");
        }
        let (address, _) = server(vec![json("500 Internal Server Error", "{}")]).await;
        let error = api(&address, Duration::ZERO)
            .get::<serde_json::Value>("/x")
            .await;
        assert!(error.unwrap_err().is_for_now());
        let (address, asked) = server(vec![refused("409 Conflict", "Not open yet"), ok()]).await;
        let error = api(&address, Duration::from_secs(20))
            .get::<serde_json::Value>("/x")
            .await;
        assert!(!error.unwrap_err().is_for_now());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn waits_that_no_clock_can_show_are_as_long_as_it_takes() {
        let later = |seconds: u64| {
            let (head, body) = json("503 Busy", "{}");
            let head = head.replacen("\r\n", &format!("\r\nretry-after: {seconds}\r\n"), 1);
            (head, body)
        };
        let (address, asked) = server(vec![later(0), json("200 OK", "{}")]).await;
        let api_for_ever = api(&address, Duration::from_secs(u64::MAX));
        api_for_ever.get::<serde_json::Value>("/x").await.unwrap();
        assert_eq!(asked.lock().unwrap().len(), 2);
        let (address, _) = server(vec![later(u64::MAX)]).await;
        let error = api(&address, Duration::from_secs(20))
            .get::<serde_json::Value>("/x")
            .await;
        assert!(error.unwrap_err().is_for_now());
    }

    #[tokio::test]
    async fn what_somebody_in_between_answers_is_no_refusal() {
        for answer in [
            page("302 Found"),
            page("407 Proxy Authentication Required"),
            page("403 Forbidden"),
            page("404 Not Found"),
            page("200 OK"),
            json("403 Forbidden", "{\"title\": \"No\", \"detail\": \"No.\"}"),
            of_type("application/problem+json", "403 Forbidden", "<p>"),
        ] {
            let (address, asked) = server(vec![answer.clone()]).await;
            let error = api(&address, Duration::from_secs(20))
                .ask(Method::POST, "/x", |request| request)
                .await
                .unwrap_err();
            assert!(error.is_for_now(), "{answer:?}: {error}");
            assert!(error.to_string().contains("not as the platform"), "{error}");
            assert_eq!(asked.lock().unwrap().len(), 1, "at once: {answer:?}");
        }
        let problem = of_type(
            "application/problem+json; charset=utf-8",
            "403 Forbidden",
            "{\"title\": \"No\", \"detail\": \"Not yours.\"}",
        );
        let (address, _) = server(vec![problem]).await;
        let error = api(&address, Duration::ZERO)
            .stream("/x")
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "No: Not yours.");
        assert!(!error.is_for_now());
    }

    #[tokio::test]
    async fn what_can_not_be_asked_is_not_asked_for_as_long_as_one_would_wait() {
        let for_ever = api("http://127.0.0.1:9", Duration::from_secs(u64::MAX));
        let fill = |request: RequestBuilder| request.header("idempotency-key", "one\ntwo");
        let error = for_ever.ask(Method::POST, "/x", fill).await.unwrap_err();
        assert!(matches!(error, ApiError::Request(_)), "{error}");
        assert!(!error.is_for_now());
    }

    /// Proxies stand in the environment, which is another one in a process of its own: this test runs itself there.
    #[tokio::test]
    async fn a_token_in_clear_goes_through_no_proxy() {
        const WITHIN: &str = "LGDP_TEST_WITH_A_PROXY";
        if std::env::var_os(WITHIN).is_some() {
            let ok = || json("200 OK", "{}");
            let (address, asked) = server(vec![ok(), ok()]).await;
            for address in [address.clone(), address.replace("127.0.0.1", "localhost")] {
                let api = api(&address, Duration::ZERO);
                api.get::<serde_json::Value>("/x").await.unwrap();
            }
            assert_eq!(asked.lock().unwrap().len(), 2);
            return;
        }
        let (proxy, seen) = server(vec![json("200 OK", "{}"), json("200 OK", "{}")]).await;
        let own = std::env::current_exe().unwrap();
        let run = move || {
            std::process::Command::new(own)
                .args([
                    "--exact",
                    "api::tests::a_token_in_clear_goes_through_no_proxy",
                ])
                .env(WITHIN, "yes")
                .envs(
                    ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
                        .map(|name| (name, &proxy)),
                )
                .envs(["NO_PROXY", "no_proxy"].map(|name| (name, "")))
                .output()
                .unwrap()
        };
        let done = tokio::task::spawn_blocking(run).await.unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said.contains("1 passed"), "{said}");
        assert_eq!(*seen.lock().unwrap(), Vec::<String>::new());
    }
}
