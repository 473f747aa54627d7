//! Files of which a part can be asked for: tags, and what is in front of a range.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use actix_web::body::{MessageBody, SizedStream};
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::{Stream, stream};

use super::workbooks::attachment;
use crate::problem::Problem;

const CHUNK: u64 = 64 * 1024;

/// What is said of a file whichever part of it is sent.
pub(crate) struct About {
    /// The same where the bytes are.
    pub(crate) tag: String,
    pub(crate) file_name: String,
    pub(crate) content_type: String,
    /// The address may have other bytes tomorrow, so that a part of them is of use only to who says of which.
    pub(crate) changes: bool,
}

impl About {
    fn quoted(&self) -> String {
        format!("\"{}\"", self.tag)
    }

    fn builder(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut builder = HttpResponse::build(status);
        builder
            .content_type(self.content_type.as_str())
            .insert_header((header::ETAG, self.quoted()))
            .insert_header((header::ACCEPT_RANGES, "bytes"))
            .insert_header((header::CONTENT_DISPOSITION, attachment(&self.file_name)));
        builder
    }
}

fn value<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The answer to whoever has these bytes already, or wants to know only what they would be.
pub(crate) fn without_bytes(request: &HttpRequest, about: &About) -> Option<HttpResponse> {
    let known = value(request, &header::IF_NONE_MATCH)?;
    let quoted = about.quoted();
    let mut tags = known.split(',').map(str::trim);
    let is_known = tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == quoted);
    is_known.then(|| {
        HttpResponse::NotModified()
            .insert_header((header::ETAG, quoted))
            .finish()
    })
}

/// A range of bytes, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    From(u64),
    /// Both included.
    Between(u64, u64),
    Last(u64),
}

/// The one range that is asked for. Several at once, and what can't be understood, is the whole file.
fn range(request: &HttpRequest, about: &About) -> Option<Range> {
    if request.method() != Method::GET {
        return None;
    }
    // Of another file the rest would be of no use.
    match value(request, &header::IF_RANGE) {
        Some(condition) if condition != about.quoted() => return None,
        None if about.changes => return None,
        _ => {}
    }
    read_range(value(request, &header::RANGE)?)
}

fn read_range(text: &str) -> Option<Range> {
    let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Some(Range::Between(first, last)),
        (Ok(first), Err(_)) if last.is_empty() => Some(Range::From(first)),
        (Err(_), Ok(n_last)) if first.is_empty() => Some(Range::Last(n_last)),
        _ => None,
    }
}

/// Whether only a part is asked for.
pub(crate) fn is_wanted(request: &HttpRequest, about: &About) -> bool {
    range(request, about).is_some()
}

/// Where a range begins and how long it is in a file of so many bytes; `None` where there is nothing of it.
fn within(range: Range, n_bytes: u64) -> Option<(u64, u64)> {
    let (first, end) = match range {
        Range::From(first) => (first, n_bytes),
        Range::Between(first, last) => (first, last.saturating_add(1).min(n_bytes)),
        Range::Last(n_last) => (n_bytes.saturating_sub(n_last), n_bytes),
    };
    (first < end).then(|| (first, end - first))
}

/// The file, or the part of it that is asked for.
pub(crate) fn answer(
    request: &HttpRequest,
    about: &About,
    file: File,
) -> Result<HttpResponse, Problem> {
    let failed = |error: io::Error| Problem::failed("send a file", &error);
    let n_bytes = file.metadata().map_err(failed)?.len();
    let (status, first, length) = match range(request, about) {
        None => (StatusCode::OK, 0, n_bytes),
        Some(range) => match within(range, n_bytes) {
            Some((first, length)) => (StatusCode::PARTIAL_CONTENT, first, length),
            None => {
                return Ok(about
                    .builder(StatusCode::RANGE_NOT_SATISFIABLE)
                    .insert_header((header::CONTENT_RANGE, format!("bytes */{n_bytes}")))
                    .finish());
            }
        },
    };
    let mut builder = about.builder(status);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        let place = format!("bytes {first}-{last}/{n_bytes}");
        builder.insert_header((header::CONTENT_RANGE, place));
    }
    Ok(builder.body(body(file, first, length).map_err(failed)?))
}

/// A part of a file that nobody else reads.
pub(super) fn body(
    mut file: File,
    first: u64,
    length: u64,
) -> io::Result<impl MessageBody + use<>> {
    file.seek(SeekFrom::Start(first))?;
    Ok(SizedStream::new(length, Box::pin(chunks(file, length))))
}

/// An error after the first byte can only cut the connection, so that nobody takes a part for the whole.
fn chunks(file: File, length: u64) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::unfold((Some(file), length), |(file, left)| async move {
        let mut file = file.filter(|_| left > 0)?;
        let n_wanted = usize::try_from(left.min(CHUNK)).unwrap_or(0);
        let read = actix_web::web::block(move || {
            let mut chunk = vec![0; n_wanted];
            file.read_exact(&mut chunk)?;
            Ok::<_, io::Error>((chunk, file))
        });
        match read.await.map_err(io::Error::other).and_then(|read| read) {
            Ok((chunk, file)) => {
                let left = left - chunk.len() as u64;
                Some((Ok(Bytes::from(chunk)), (Some(file), left)))
            }
            Err(error) => {
                tracing::error!(%error, "a file was cut short");
                Some((Err(error), (None, 0)))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_understood_and_kept_within_the_file() {
        for (text, expected) in [
            ("bytes=0-", Some((0, 10))),
            ("bytes=4-", Some((4, 6))),
            ("bytes=4-5", Some((4, 2))),
            ("bytes=4-99", Some((4, 6))),
            ("bytes=-3", Some((7, 3))),
            ("bytes=-99", Some((0, 10))),
            ("bytes=10-", None),
            ("bytes=-0", None),
        ] {
            let range = read_range(text).unwrap();
            assert_eq!(within(range, 10), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_the_whole_file() {
        for text in [
            "bytes=5-4",
            "bytes=a-",
            "lines=1-2",
            "bytes=0-1,3-4",
            "bytes=-",
            "0-5",
        ] {
            assert_eq!(read_range(text), None, "{text}");
        }
    }
}
