//! Sending a file, and waiting for what comes of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{Stream, stream};
use indicatif::ProgressBar;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use crate::api::{after, quoted, read};
use crate::download::sha256_of;
use crate::{Api, ApiError, Chosen, Screen, Submission, is_decided, status};

const CHUNK: u64 = 64 * 1024;
/// Of a file that is larger, the platform has a moment to say no before its bytes are on their way.
const LARGE: u64 = 4 * 1024 * 1024;
const MOMENT: Duration = Duration::from_secs(1);

/// A file to be sent, whose bytes are read as they go.
#[derive(Clone)]
pub struct NewFile {
    path: PathBuf,
    n_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

impl NewFile {
    pub fn read(path: &Path) -> Result<Self, ApiError> {
        let facts = fs::metadata(path).map_err(ApiError::file("can't read", path))?;
        let is_gone = || ApiError::file("can't read", path)(io::ErrorKind::NotFound.into());
        let sha256 = sha256_of(path)?.ok_or_else(is_gone)?;
        Ok(Self::known(path, facts.len(), sha256))
    }

    /// One that was read before.
    pub(crate) fn known(path: &Path, n_bytes: u64, sha256: String) -> Self {
        Self {
            path: path.to_owned(),
            n_bytes,
            sha256,
        }
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
    let bar = screen.bytes(&format!("sending {name}"), Some(file.n_bytes));
    let response = api
        .ask(Method::POST, &path, |request| {
            bar.set_position(0);
            request
                .header("idempotency-key", key)
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, file.n_bytes)
                .body(Body::wrap_stream(bytes_of(file.clone(), bar.clone())))
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

/// How far a file was read.
struct Reading {
    from: tokio::fs::File,
    n_left: u64,
    hash: Sha256,
}

/// A file's bytes. The last of them come only if all are those that it was known by: what is changed while it is on its
/// way is cut short, and not received.
fn bytes_of(
    file: NewFile,
    bar: ProgressBar,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    stream::try_unfold(None, move |reading: Option<Reading>| {
        let (file, bar) = (file.clone(), bar.clone());
        async move {
            let mut reading = match reading {
                Some(reading) => reading,
                None => Reading::start(&file).await?,
            };
            let Some(chunk) = reading.next(&file.sha256).await? else {
                return Ok(None);
            };
            bar.inc(chunk.len() as u64);
            Ok(Some((chunk, Some(reading))))
        }
    })
}

impl Reading {
    async fn start(file: &NewFile) -> io::Result<Self> {
        if file.n_bytes > LARGE {
            tokio::time::sleep(MOMENT).await;
        }
        Ok(Self {
            from: tokio::fs::File::open(&file.path).await?,
            n_left: file.n_bytes,
            hash: Sha256::new(),
        })
    }

    async fn next(&mut self, sha256: &str) -> io::Result<Option<Vec<u8>>> {
        if self.n_left == 0 {
            return Ok(None);
        }
        let mut chunk = Vec::new();
        let n_wanted = self.n_left.min(CHUNK);
        (&mut self.from)
            .take(n_wanted)
            .read_to_end(&mut chunk)
            .await?;
        self.n_left -= chunk.len() as u64;
        self.hash.update(&chunk);
        let is_cut = (chunk.len() as u64) < n_wanted;
        let is_other = self.n_left == 0 && hex::encode(self.hash.clone().finalize()) != sha256;
        if is_cut || is_other {
            return Err(io::Error::other("the file was changed while it was sent"));
        }
        Ok(Some(chunk))
    }
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
    let until = after(longest);
    let bar = screen.waiting("being checked");
    let mut pause = FIRST_LOOK;
    loop {
        let now = status(api, id).await?;
        if is_decided(&now) || after(pause) > until {
            bar.finish_and_clear();
            return Ok(now);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(BETWEEN_LOOKS);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;
    use crate::answers::{api, json, refused, server};

    #[tokio::test]
    async fn a_file_is_sent_as_it_was_read_or_not_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cases.csv");
        let whole: Vec<u8> = (0..200_000_u32)
            .map(|n| u8::try_from(n % 251).unwrap())
            .collect();
        let sent = async |file: &NewFile| {
            let chunks = bytes_of(file.clone(), ProgressBar::hidden());
            chunks.try_collect::<Vec<Vec<u8>>>().await
        };
        fs::write(&path, &whole).unwrap();
        let file = NewFile::read(&path).unwrap();
        assert_eq!(sent(&file).await.unwrap().concat(), whole);
        // Longer by now: what it was is sent.
        fs::write(&path, [whole.as_slice(), b"more"].concat()).unwrap();
        assert_eq!(sent(&file).await.unwrap().concat(), whole);
        for other in [&whole[1..], &[whole.as_slice(), b"x"].concat()[1..]] {
            fs::write(&path, other).unwrap();
            let error = sent(&file).await.unwrap_err().to_string();
            assert!(error.contains("changed while it was sent"), "{error}");
        }
        fs::write(&path, "").unwrap();
        let empty = NewFile::read(&path).unwrap();
        assert_eq!(sent(&empty).await.unwrap().concat(), b"");
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_in_the_platform_s_words_before_its_bytes_are_sent() {
        let (address, asked) = server(vec![refused("413 Payload Too Large", "Too large")]).await;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dump.csv");
        fs::File::create(&path)
            .unwrap()
            .set_len(64 * LARGE)
            .unwrap();
        let to = Chosen {
            organisation: "S12000033".to_owned(),
            return_id: "cases".to_owned(),
            period: "2026-27-Q1".to_owned(),
        };
        let file = NewFile::read(&path).unwrap();
        let api = api(&address, Duration::ZERO);
        let error = send(&api, &to, &file, "k", Screen::Quiet)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "Too large: Do it otherwise.");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_is_checked_is_there_at_once_however_long_one_would_wait() {
        let facts = serde_json::json!({
            "submission_id": Uuid::nil(), "organisation": "S12000033", "return": "cases", "period": "2026-27-Q1",
            "version_number": 1, "state": "ready", "message": null, "outcome": "ready",
            "links": {"page": "/", "findings_json": "/", "findings_csv": "/", "findings_xlsx": "/", "marked_xlsx": null},
        });
        let (address, _) = server(vec![json("200 OK", &facts.to_string())]).await;
        let api = api(&address, Duration::ZERO);
        let longest = Duration::from_secs(u64::MAX);
        let there = wait(&api, Uuid::nil(), longest, Screen::Quiet).await;
        assert!(is_decided(&there.unwrap()));
    }
}
