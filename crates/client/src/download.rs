//! Large files: a download that broke off goes on where it was, in this run or in the next.
//!
//! What has come lies beside the file as `<name>.part`, and the tag of what it is a part of as `<name>.part-tag`:
//! the rest is asked for on condition that it is still of the same file, and otherwise all of it comes anew.
//! One run at a time takes a file: two that wrote the same part would make a file of neither.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderName, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::api::{after, words};
use crate::held::{hold, is_at, is_free_for_a_file};
use crate::{Api, ApiError, Screen};

/// Between a connection that broke and the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// What has come so far; nobody else writes it meanwhile.
struct Part {
    file: File,
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
    fn open(to: &Path) -> Result<Self, ApiError> {
        is_free_for_a_file(to)?;
        let (path, tag_path) = (beside(to, ".part"), beside(to, ".part-tag"));
        let file = hold(&path)?;
        let facts = file.metadata();
        let n_bytes = facts.map_err(ApiError::file("can't read", &path))?.len();
        let tag = fs::read_to_string(&tag_path).ok();
        Ok(Self {
            file,
            n_bytes: if tag.is_some() { n_bytes } else { 0 },
            tag: tag.filter(|_| n_bytes > 0),
            path,
            tag_path,
        })
    }

    /// What comes is the file from its first byte.
    fn begin(&mut self, tag: Option<String>) -> Result<(), ApiError> {
        self.forget()?;
        if let Some(tag) = &tag {
            fs::write(&self.tag_path, tag)
                .map_err(ApiError::file("can't write", &self.tag_path))?;
        }
        self.tag = tag;
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), ApiError> {
        let found = self.file.seek(SeekFrom::Start(self.n_bytes));
        found.map_err(ApiError::file("can't write", &self.path))?;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        let written = self.file.write_all(bytes);
        written.map_err(ApiError::file("can't write", &self.path))?;
        self.n_bytes += bytes.len() as u64;
        Ok(())
    }

    /// It is the whole, and takes its place.
    fn keep(self, to: &Path) -> Result<(), ApiError> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, to))
            .and_then(|()| remove(&self.tag_path))
            .map_err(ApiError::file("can't write", to))
    }

    /// It keeps its name, which is held.
    fn forget(&mut self) -> Result<(), ApiError> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| remove(&self.tag_path))
            .map_err(ApiError::file("can't write", &self.path))?;
        (self.n_bytes, self.tag) = (0, None);
        Ok(())
    }
}

impl Drop for Part {
    /// Where nothing came, nothing is left.
    fn drop(&mut self) {
        let is_empty = self.file.metadata().is_ok_and(|file| file.len() == 0);
        if is_empty && is_at(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
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
    let mut part = Part::open(to)?;
    let mut give_up_at = after(api.patience());
    loop {
        let response = match ask(api, path, &part).await {
            // It is not as long as what has come: that was of something else.
            Err(error) if error.status() == Some(416) && part.n_bytes > 0 => {
                part.forget()?;
                continue;
            }
            // Another piece than the one that was asked for: it is no beginning either.
            Ok(response)
                if is_piece(&response) && part.n_bytes > 0 && !goes_on(&response, &part) =>
            {
                part.forget()?;
                continue;
            }
            response => response?,
        };
        let whole = whole_length(&response);
        if goes_on(&response, &part) {
            part.go_on()?;
        } else {
            if part.n_bytes > 0 {
                screen.say("lgdp: it is another file by now: taking it from the beginning");
            }
            part.begin(header(&response, &ETAG))?;
        }
        let n_before = part.n_bytes;
        let broken = match take(response, &mut part, screen).await? {
            Err(broken) => broken,
            Ok(()) => match missing(&mut part, whole, api)? {
                Some(broken) => broken,
                None => return part.keep(to),
            },
        };
        // Whatever came, it is worth going on.
        if part.n_bytes > n_before {
            give_up_at = after(api.patience());
        }
        if part.tag.is_none() || after(PAUSE) > give_up_at {
            return Err(ApiError::OutOfReach {
                address: api.address().to_owned(),
                reason: format!("{broken}; what has come is kept in {}", part.path.display()),
            });
        }
        tracing::debug!(broken, n_bytes = part.n_bytes, "going on");
        tokio::time::sleep(PAUSE).await;
    }
}

fn is_piece(response: &Response) -> bool {
    response.status() == StatusCode::PARTIAL_CONTENT
}

/// How long the whole file is, as far as an answer says so.
fn whole_length(response: &Response) -> Option<u64> {
    if !is_piece(response) {
        return response.content_length();
    }
    let range = header(response, &CONTENT_RANGE)?;
    range.rsplit_once('/')?.1.parse().ok()
}

/// What is wrong where an answer ended and the file is not whole. What can't be a part of it is not kept.
fn missing(part: &mut Part, whole: Option<u64>, api: &Api) -> Result<Option<String>, ApiError> {
    let facts = part.file.metadata();
    let n_there = facts
        .map_err(ApiError::file("can't read", &part.path))?
        .len();
    let n_whole = whole.unwrap_or(part.n_bytes);
    if n_there == n_whole {
        return Ok(None);
    }
    let reason = format!("{n_there} of {n_whole} bytes are there");
    if n_there == part.n_bytes && n_there < n_whole {
        return Ok(Some(reason));
    }
    part.forget()?;
    Err(ApiError::OutOfReach {
        address: api.address().to_owned(),
        reason: format!("{reason}, which were not kept: run it again"),
    })
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
    is_piece(response) && range.starts_with(&from) && header(response, &ETAG) == part.tag
}

/// Writes what comes; the inner error is that of a connection that broke.
async fn take(
    response: Response,
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
        part.write(&chunk)?;
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
    use crate::answers::{api, refused, server};

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

    #[tokio::test]
    async fn of_two_runs_that_take_the_same_file_one_does() {
        let (address, asked) = server(vec![
            (whole("a", 10), b"0123"),
            (rest("a", 4, 10), b"456789"),
        ])
        .await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("cases.csv");
        let api = api(&address, Duration::from_secs(20));
        let take = || download(&api, "/x", &to, Screen::Quiet);
        let (first, second) = tokio::join!(take(), take());
        first.unwrap();
        let error = second.unwrap_err();
        assert!(error.is_for_now(), "{error}");
        assert!(error.to_string().contains("another lgdp"), "{error}");
        assert_eq!(fs::read(&to).unwrap(), b"0123456789");
        assert_eq!(in_folder(&dir), ["cases.csv"]);
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_file_is_kept_when_it_is_as_long_as_was_said() {
        let some = |from: usize, to: usize, of: usize| {
            rest("a", from, to + 1).replace(&format!("/{}", to + 1), &format!("/{of}"))
        };
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("cases.csv");
        // Less than was asked for comes, and the connection is not cut.
        let (address, _) = server(vec![
            (whole("a", 10), b"0123"),
            (some(4, 6, 10), b"456"),
            (some(7, 9, 10), b"789"),
        ])
        .await;
        let patient = api(&address, Duration::from_secs(20));
        download(&patient, "/x", &to, Screen::Quiet).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"0123456789");
        // More than there is.
        let (address, _) =
            server(vec![(whole("a", 10), b"0123"), (some(4, 9, 8), b"456789")]).await;
        let patient = api(&address, Duration::from_secs(20));
        let other = dir.path().join("other.csv");
        let error = download(&patient, "/x", &other, Screen::Quiet)
            .await
            .unwrap_err();
        assert!(error.is_for_now(), "{error}");
        assert!(error.to_string().contains("10 of 8 bytes"), "{error}");
        assert_eq!(in_folder(&dir), ["cases.csv"]);
    }

    #[tokio::test]
    async fn a_piece_that_was_not_asked_for_is_no_beginning() {
        let (address, _) = server(vec![
            (whole("a", 10), b"0123"),
            (rest("a", 6, 10), b"6789"),
            (whole("a", 10), b"0123456789"),
        ])
        .await;
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("cases.csv");
        let api = api(&address, Duration::from_secs(20));
        download(&api, "/x", &to, Screen::Quiet).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"0123456789");
    }

    #[tokio::test]
    async fn where_nothing_came_nothing_is_left() {
        let (address, _) = server(vec![refused("404 Not Found", "Not there")]).await;
        let dir = tempfile::tempdir().unwrap();
        let api = api(&address, Duration::ZERO);
        let to = dir.path().join("cases.csv");
        download(&api, "/x", &to, Screen::Quiet).await.unwrap_err();
        assert!(in_folder(&dir).is_empty());
    }

    #[tokio::test]
    async fn what_is_no_file_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("socket");
        let _listening = std::os::unix::net::UnixListener::bind(&to).unwrap();
        let api = api("http://127.0.0.1:9", Duration::ZERO);
        let error = download(&api, "/x", &to, Screen::Quiet).await.unwrap_err();
        assert!(matches!(error, ApiError::NoFile { .. }), "{error}");
        assert_eq!(in_folder(&dir), ["socket"]);
    }
}
