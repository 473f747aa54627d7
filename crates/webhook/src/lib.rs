//! Messages to other people's servers, signed as Standard Webhooks has it, and sent nowhere but to the public internet.
//!
//! It knows nothing of what is told, of whom, or of when to try again.

mod places;
mod sign;

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Url;

pub use places::{PlaceError, Places, is_public};
pub use sign::Secret;

/// What is sent: at each attempt the same body with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    /// JSON.
    pub body: String,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("it answers {0}")]
    Status(u16),
    #[error("{0}")]
    Connection(String),
}

impl PostError {
    /// The answer's, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            PostError::Status(status) => Some(*status),
            PostError::Place(_) | PostError::Connection(_) => None,
        }
    }
}

const CONNECT: Duration = Duration::from_secs(5);
/// From the host's name to the answer's last byte.
const LONGEST: Duration = Duration::from_secs(15);

/// Posts messages.
#[derive(Debug, Clone)]
pub struct Poster {
    places: Places,
    longest: Duration,
}

impl Poster {
    pub fn new(places: Places) -> Self {
        Self {
            places,
            longest: LONGEST,
        }
    }

    /// Gives the status of an answer that says it was taken: any of 200 to 299. Where else it leads is not followed.
    pub async fn post(
        &self,
        url: &str,
        secret: &Secret,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<u16, PostError> {
        let posting = self.post_patiently(url, secret, message, now);
        tokio::time::timeout(self.longest, posting)
            .await
            .unwrap_or_else(|_| Err(PostError::Connection("it took too long".to_owned())))
    }

    async fn post_patiently(
        &self,
        url: &str,
        secret: &Secret,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<u16, PostError> {
        let url = self.places.parse(url)?;
        let addresses = self.places.resolve(&url).await?;
        let client = client(&url, &addresses).map_err(|error| connection(&error))?;
        let timestamp = now.timestamp();
        let answer = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", secret.sign(message, timestamp))
            .body(message.body.clone())
            .send()
            .await
            .map_err(|error| connection(&error))?;
        let status = answer.status();
        if status.is_success() {
            Ok(status.as_u16())
        } else {
            Err(PostError::Status(status.as_u16()))
        }
    }
}

/// For one message: its name leads to the addresses that were looked at, whatever it leads to a moment later.
fn client(url: &Url, addresses: &[SocketAddr]) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!("lgdp/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .resolve_to_addrs(url.host_str().unwrap_or_default(), addresses)
        .build()
}

/// With what caused it; the address is the caller's, and a query of it may be secret.
fn connection(error: &reqwest::Error) -> PostError {
    let mut words = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    if error.is_timeout() {
        words.insert(0, "it took too long".to_owned());
    }
    PostError::Connection(words.join(": "))
}

#[cfg(test)]
mod tests;
