//! Taking what the platform has: where things stand, findings, figures.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write};
use std::path::Path;

use futures_util::StreamExt as _;
use serde::Deserialize;

use uuid::Uuid;

use crate::api::{quoted, words};
use crate::beside::Beside;
use crate::{Api, ApiError, Finding, Obligation, Screen, Submission};

pub async fn status(api: &Api, id: Uuid) -> Result<Submission, ApiError> {
    api.get(&format!("/api/submissions/{id}")).await
}

/// All that the token's organisation owes, or that is owed for its return.
pub async fn obligations(api: &Api) -> Result<Vec<Obligation>, ApiError> {
    api.all("/api/obligations?limit=200").await
}

/// All findings of a submission.
pub async fn findings(api: &Api, submission: &Submission) -> Result<Vec<Finding>, ApiError> {
    #[derive(Deserialize)]
    struct All {
        findings: Vec<Finding>,
    }
    let all: All = api.get(&submission.links.findings_json).await?;
    Ok(all.findings)
}

/// Takes a file to a place where it is whole or not at all, or else to `out`, which also has nothing of it before it is
/// whole: whoever reads from a pipe takes what comes for all there is, and does not hear that it was cut short.
pub async fn save(
    api: &Api,
    path: &str,
    to: Option<&Path>,
    out: &mut (dyn Write + Send),
    screen: Screen,
) -> Result<(), ApiError> {
    if let Some(to) = to {
        let mut place = Beside::new(to)?;
        take(api, path, screen, |chunk| place.write(chunk)).await?;
        return place.keep();
    }
    // It has no name, and is gone with this process.
    let mut whole = tempfile::tempfile().map_err(ApiError::file("can't make", passing()))?;
    let write = |chunk: &[u8]| {
        let written = whole.write_all(chunk);
        written.map_err(ApiError::file("can't write", passing()))
    };
    take(api, path, screen, write).await?;
    copy(&mut whole, out)
}

/// What it is called where something is wrong with it.
fn passing() -> &'static Path {
    Path::new("a temporary file")
}

/// However long it is, a piece at a time.
fn copy(whole: &mut File, out: &mut dyn Write) -> Result<(), ApiError> {
    let rewound = whole.rewind();
    rewound.map_err(ApiError::file("can't read", passing()))?;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let n = whole
            .read(&mut chunk)
            .map_err(ApiError::file("can't read", passing()))?;
        let read = chunk.get(..n).unwrap_or_default();
        let written = if read.is_empty() {
            out.flush()
        } else {
            out.write_all(read)
        };
        written.map_err(ApiError::file(
            "can't write to",
            Path::new("standard output"),
        ))?;
        if read.is_empty() {
            return Ok(());
        }
    }
}

/// Hands on what comes.
async fn take(
    api: &Api,
    path: &str,
    screen: Screen,
    mut write: impl FnMut(&[u8]) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let response = api.stream(path).await?;
    let bar = screen.bytes("taking", response.content_length());
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        // What is cut short is no answer: nobody may take a part for the whole.
        let chunk = chunk.map_err(|error| ApiError::OutOfReach {
            address: api.address().to_owned(),
            reason: words(&error),
        })?;
        bar.inc(chunk.len() as u64);
        write(&chunk)?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// What is wanted of a return's figures.
#[derive(Debug, Clone)]
pub struct WantedDataset<'a> {
    pub return_id: &'a str,
    pub period: &'a str,
    /// What the file's name ends with: `csv`.
    pub format: &'a str,
    /// As the API has it: name and value.
    pub asked: Vec<(&'static str, &'a str)>,
}

impl WantedDataset<'_> {
    /// Where it is.
    pub fn path(&self) -> String {
        let path = format!(
            "/api/returns/{}/periods/{}/dataset.{}",
            quoted(self.return_id),
            quoted(self.period),
            self.format
        );
        let asked = self.asked.iter();
        let asked: Vec<String> = asked
            .map(|(name, value)| format!("{name}={}", quoted(value)))
            .collect();
        if asked.is_empty() {
            path
        } else {
            format!("{path}?{}", asked.join("&"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::answers::{api, server};

    fn head(n_bytes: usize) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {n_bytes}\r\nconnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn what_is_cut_short_is_not_printed_in_part() {
        let cut_chunk =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let (address, _) = server(vec![
            (head(10), b"a,b\n1,"),
            (cut_chunk.to_owned(), b"4\r\na,b\n\r\n"),
            (head(8), b"a,b\n1,2\n"),
        ])
        .await;
        let api = api(&address, Duration::ZERO);
        let mut out = Vec::new();
        for _ in 0..2 {
            let error = save(&api, "/x", None, &mut out, Screen::Quiet).await;
            let error = error.unwrap_err();
            assert!(error.is_for_now(), "{error}");
            assert_eq!(out, b"");
        }
        save(&api, "/x", None, &mut out, Screen::Quiet)
            .await
            .unwrap();
        assert_eq!(out, b"a,b\n1,2\n");
    }

    #[tokio::test]
    async fn what_is_long_is_printed_to_its_end() {
        let long: &'static [u8] = vec![b'x'; 300_000].leak();
        let (address, _) = server(vec![(head(long.len()), long)]).await;
        let api = api(&address, Duration::ZERO);
        let mut out = Vec::new();
        save(&api, "/x", None, &mut out, Screen::Quiet)
            .await
            .unwrap();
        assert!(out == long, "{}", out.len());
    }

    /// A pipe that nobody reads from any more.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_pipe_that_was_closed_is_told_from_what_is_wrong() {
        let (address, _) = server(vec![(head(3), b"a,b")]).await;
        let api = api(&address, Duration::ZERO);
        let error = save(&api, "/x", None, &mut Closed, Screen::Quiet).await;
        let error = error.unwrap_err();
        assert!(error.is_closed_pipe(), "{error}");
    }

    #[tokio::test]
    async fn only_a_file_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        std::fs::create_dir(&folder).unwrap();
        let api = api("http://127.0.0.1:9", Duration::ZERO);
        let error = save(&api, "/x", Some(&folder), &mut io::sink(), Screen::Quiet).await;
        let error = error.unwrap_err();
        assert!(matches!(error, ApiError::NoFile { .. }), "{error}");
    }
}
