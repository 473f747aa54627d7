//! One request to a provider, with an answer of a size that a provider's answers have.

use openidconnect::{HttpRequest, HttpResponse, http};

/// A provider's keys and tokens are a few kilobytes.
const MOST_BYTES: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("its answer is larger than a megabyte")]
    TooLarge,
    #[error("its answer has no sense: {0}")]
    Answer(#[from] http::Error),
}

pub(crate) async fn fetch(
    client: &reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, FetchError> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    Ok(response.body(body)?)
}
