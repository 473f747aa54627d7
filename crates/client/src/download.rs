//! Large files: a download that broke off goes on where it was, in this run or in the next.
//!
//! What has come lies beside the file as `<name>.part`, and the tag of what it is a part of as `<name>.part-tag`:
//! the rest is asked for on condition that it is still of the same file, and otherwise all of it comes anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderName, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::api::words;
use crate::{Api, ApiError, Screen};

/// Between a connection that broke and the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// What has come so far.
struct Part {
    path: PathBuf,
    tag_path: PathBuf,
    n_bytes: u64,
    /// Of what it is a part; without one it can't be gone on with.
    tag: Option<String>,
}

fn beside(to: &Path, ending: &str) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

impl Part {
    fn find(to: &Path) -> Self {
        let (path, tag_path) = (beside(to, ".part"), beside(to, ".part-tag"));
        let n_bytes = fs::metadata(&path).map_or(0, |file| file.len());
        let tag = fs::read_to_string(&tag_path).ok();
        Self {
            n_bytes: if tag.is_some() { n_bytes } else { 0 },
            tag: tag.filter(|_| n_bytes > 0),
            path,
            tag_path,
        }
    }

    /// What comes is the file from its first byte.
    fn begin(&mut self, tag: Option<String>) -> Result<File, ApiError> {
        let file = File::create(&self.path).map_err(ApiError::file("can't write", &self.path))?;
        match &tag {
            Some(tag) => fs::write(&self.tag_path, tag),
            None => remove(&self.tag_path),
        }
        .map_err(ApiError::file("can't write", &self.tag_path))?;
        (self.n_bytes, self.tag) = (0, tag);
        Ok(file)
    }

    fn go_on(&self) -> Result<File, ApiError> {
        let file = OpenOptions::new().append(true).open(&self.path);
        file.map_err(ApiError::file("can't write", &self.path))
    }

    /// It is the whole, and takes its place.
    fn keep(self, file: &File, to: &Path) -> Result<(), ApiError> {
        file.sync_all()
            .and_then(|()| fs::rename(&self.path, to))
            .and_then(|()| remove(&self.tag_path))
            .map_err(ApiError::file("can't write", to))
    }

    fn forget(&mut self) -> Result<(), ApiError> {
        remove(&self.path)
            .and_then(|()| remove(&self.tag_path))
            .map_err(ApiError::file("can't remove", &self.path))?;
        (self.n_bytes, self.tag) = (0, None);
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes a file to a place where it is whole or not at all.
pub async fn download(api: &Api, path: &str, to: &Path, screen: Screen) -> Result<(), ApiError> {
    let mut part = Part::find(to);
    let mut give_up_at = Instant::now() + api.patience();
    loop {
        let response = match ask(api, path, &part).await {
            // It is not as long as what has come: that was of something else.
            Err(ApiError::Refused { status: 416, .. }) if part.n_bytes > 0 => {
                part.forget()?;
                continue;
            }
            response => response?,
        };
        let mut file = if goes_on(&response, &part) {
            part.go_on()?
        } else {
            if part.n_bytes > 0 {
                screen.say("lgdp: it is another file by now: taking it from the beginning");
            }
            part.begin(header(&response, &ETAG))?
        };
        let n_before = part.n_bytes;
        let Err(broken) = take(response, &mut file, &mut part, screen).await? else {
            return part.keep(&file, to);
        };
        // Whatever came, it is worth going on.
        if part.n_bytes > n_before {
            give_up_at = Instant::now() + api.patience();
        }
        if part.tag.is_none() || Instant::now() + PAUSE > give_up_at {
            return Err(ApiError::OutOfReach {
                address: api.address().to_owned(),
                reason: format!("{broken}; what has come is kept in {}", part.path.display()),
            });
        }
        tracing::debug!(broken, n_bytes = part.n_bytes, "going on");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(api: &Api, path: &str, part: &Part) -> Result<Response, ApiError> {
    api.ask(Method::GET, path, |request| match &part.tag {
        Some(tag) => request
            .header(RANGE, format!("bytes={}-", part.n_bytes))
            .header(IF_RANGE, tag),
        None => request,
    })
    .await
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// Whether an answer is the rest of what has come.
fn goes_on(response: &Response, part: &Part) -> bool {
    let from = format!("bytes {}-", part.n_bytes);
    let range = header(response, &CONTENT_RANGE).unwrap_or_default();
    response.status() == StatusCode::PARTIAL_CONTENT
        && range.starts_with(&from)
        && header(response, &ETAG) == part.tag
}

/// Writes what comes; the inner error is that of a connection that broke.
async fn take(
    response: Response,
    file: &mut File,
    part: &mut Part,
    screen: Screen,
) -> Result<Result<(), String>, ApiError> {
    let length = response.content_length();
    let bar = screen.bytes("taking", length.map(|length| length + part.n_bytes));
    bar.set_position(part.n_bytes);
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                bar.finish_and_clear();
                return Ok(Err(words(&error)));
            }
        };
        file.write_all(&chunk)
            .map_err(ApiError::file("can't write", &part.path))?;
        part.n_bytes += chunk.len() as u64;
        bar.set_position(part.n_bytes);
    }
    bar.finish_and_clear();
    Ok(Ok(()))
}

/// The SHA-256 of a file; `None` where there is none.
pub(crate) fn sha256_of(path: &Path) -> Result<Option<String>, ApiError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(ApiError::file("can't read", path))?,
    };
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let n = file
            .read(&mut chunk)
            .map_err(ApiError::file("can't read", path))?;
        match chunk.get(..n) {
            Some(read) if n > 0 => hash.update(read),
            _ => return Ok(Some(hex::encode(hash.finalize()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::answers::{api, server};

    fn whole(tag: &str, n_bytes: usize) -> String {
        format!(
            "HTTP/1.1 200 OK\r\netag: \"{tag}\"\r\ncontent-length: {n_bytes}\r\nconnection: close\r\n\r\n"
        )
    }

    fn rest(tag: &str, from: usize, n_bytes: usize) -> String {
        format!(
            "HTTP/1.1 206 Partial Content\r\netag: \"{tag}\"\r\ncontent-range: bytes {from}-{}/{n_bytes}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            n_bytes - 1,
            n_bytes - from
        )
    }

    fn in_folder(dir: &TempDir) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_gone_on_with() {
        let (address, asked) = server(vec![
            (whole("a", 10), b"0123"),
            (rest("a", 4, 10), b"45"),
            (rest("a", 6, 10), b"6789"),
        ])
        .await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("cases.csv");
        let api = api(&address, Duration::from_secs(20));
        download(&api, "/x", &to, Screen::Quiet).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"0123456789");
        assert_eq!(in_folder(&dir), ["cases.csv"]);
        let asked = asked.lock().unwrap().clone();
        assert!(!asked[0].contains("range:"), "{}", asked[0]);
        for (head, range) in [
            (&asked[1], "range: bytes=4-"),
            (&asked[2], "range: bytes=6-"),
        ] {
            assert!(
                head.contains(range) && head.contains("if-range: \"a\""),
                "{head}"
            );
        }
    }

    #[tokio::test]
    async fn the_next_run_goes_on_and_what_is_another_file_by_then_comes_anew() {
        let (address, asked) = server(vec![
            (whole("a", 10), b"0123"),
            (rest("a", 4, 10), b"45"),
            (whole("b", 3), b"new"),
        ])
        .await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("cases.csv");
        let hurried = api(&address, Duration::ZERO);
        for n_come in [4, 6] {
            let error = download(&hurried, "/x", &to, Screen::Quiet)
                .await
                .unwrap_err();
            assert!(error.is_for_now(), "{error}");
            assert!(error.to_string().contains("cases.csv.part"), "{error}");
            let part = fs::metadata(dir.path().join("cases.csv.part")).unwrap();
            assert_eq!(part.len(), n_come);
        }
        assert_eq!(in_folder(&dir), ["cases.csv.part", "cases.csv.part-tag"]);
        download(&hurried, "/x", &to, Screen::Quiet).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"new");
        assert_eq!(in_folder(&dir), ["cases.csv"]);
        let asked = asked.lock().unwrap().clone();
        assert!(asked[2].contains("if-range: \"a\""), "{}", asked[2]);
    }

    #[tokio::test]
    async fn a_part_that_is_longer_than_the_file_is_left() {
        let refused =
            "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (address, _) = server(vec![(refused.to_owned(), b""), (whole("a", 2), b"ok")]).await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("cases.csv");
        fs::write(dir.path().join("cases.csv.part"), "much too long").unwrap();
        fs::write(dir.path().join("cases.csv.part-tag"), "\"a\"").unwrap();
        let api = api(&address, Duration::from_secs(20));
        download(&api, "/x", &to, Screen::Quiet).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"ok");
    }
}
