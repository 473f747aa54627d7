//! Sending a file, and waiting for what comes of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::api::{quoted, read};
use crate::{Api, ApiError, Chosen, Screen, Submission, is_decided, status};

const CHUNK: usize = 64 * 1024;

/// A file in memory: the platform takes none that is large.
#[derive(Clone)]
pub struct NewFile {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Lower-case hex.
    pub sha256: String,
}

impl NewFile {
    pub fn read(path: &Path) -> Result<Self, ApiError> {
        let bytes = std::fs::read(path).map_err(ApiError::file("can't read", path))?;
        Ok(Self {
            path: path.to_owned(),
            sha256: hex::encode(Sha256::digest(&bytes)),
            bytes,
        })
    }

    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub submission_id: Uuid,
    pub organisation: String,
    pub return_id: String,
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
    pub sha256: String,
    pub bytes: u64,
    /// The key was used before: this is the receipt of then.
    pub repeated: bool,
}

/// Sends a file, again with the same key where the connection is cut: it is received once.
pub async fn send(
    api: &Api,
    to: &Chosen,
    file: &NewFile,
    key: &str,
    screen: Screen,
) -> Result<Receipt, ApiError> {
    let name = file.name();
    let path = format!(
        "/api/returns/{}/periods/{}/organisations/{}/submissions?file_name={}",
        quoted(&to.return_id),
        quoted(&to.period),
        quoted(&to.organisation),
        quoted(&name)
    );
    let length = file.bytes.len() as u64;
    let bar = screen.bytes(&format!("sending {name}"), Some(length));
    let response = api
        .ask(Method::POST, &path, |request| {
            bar.set_position(0);
            let shown = bar.clone();
            let chunks: Vec<Result<Vec<u8>, std::io::Error>> = file
                .bytes
                .chunks(CHUNK)
                .map(|chunk| Ok(chunk.to_vec()))
                .collect();
            let chunks = stream::iter(chunks.into_iter().inspect(move |chunk| {
                shown.inc(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
            }));
            request
                .header("idempotency-key", key)
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, length)
                .body(Body::wrap_stream(chunks))
        })
        .await;
    bar.finish_and_clear();
    let receipt: Receipt = read(response?).await?;
    if receipt.sha256 != file.sha256 {
        return Err(ApiError::Answer(format!(
            "{name} did not arrive as it was sent: its fingerprint is {} there and {} here",
            receipt.sha256, file.sha256
        )));
    }
    Ok(receipt)
}

const FIRST_LOOK: Duration = Duration::from_millis(300);
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// Waits until a submission is checked, for so long at most: then it is given as it is.
pub async fn wait(
    api: &Api,
    id: Uuid,
    longest: Duration,
    screen: Screen,
) -> Result<Submission, ApiError> {
    let until = Instant::now() + longest;
    let bar = screen.waiting("being checked");
    let mut pause = FIRST_LOOK;
    loop {
        let now = status(api, id).await?;
        if is_decided(&now) || Instant::now() + pause > until {
            bar.finish_and_clear();
            return Ok(now);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(BETWEEN_LOOKS);
    }
}
