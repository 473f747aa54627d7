//! A file that is written while it is being sent, or just before.

use std::error::Error;
use std::io;
use std::path::Path;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::task::{JoinError, JoinHandle};

use super::part;
use crate::bulk::Bulk;
use crate::problem::Problem;

const CHUNK: usize = 256 * 1024;

/// What a file is called, and what else is said of it.
pub(super) struct Kind<'a> {
    pub(super) name: &'a str,
    pub(super) content_type: &'a str,
    pub(super) headers: &'a [(header::HeaderName, String)],
}

/// A CSV file to keep, of what is read in one transaction: it is written down first, so that no slow reader holds that open.
pub(super) async fn csv<E, F>(
    bulk: &Bulk,
    spool: &Path,
    name: &str,
    write: impl FnOnce(tokio::fs::File) -> F,
) -> Result<HttpResponse, Problem>
where
    E: Into<Problem>,
    F: Future<Output = Result<u64, E>> + Send + 'static,
{
    let failed = |error: io::Error| Problem::failed("write a file", &error);
    let file = tempfile::tempfile_in(spool).map_err(failed)?;
    let to = file.try_clone().map_err(failed)?;
    let writing = Box::pin(write(to.into()));
    bulk.make_file(async { writing.await.map_err(Into::into) })
        .await?;
    let mut answer = HttpResponse::Ok();
    answer
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ));
    let n_bytes = file.metadata().map_err(failed)?.len();
    Ok(answer.body(part::body(file, 0, n_bytes).map_err(failed)?))
}

/// A file to keep, sent while `write` writes it and then says that it was all.
/// What goes wrong before the first byte is a problem; after it, the connection is cut, so that nobody takes a part for the whole.
pub(super) async fn text<E, F>(
    bulk: &Bulk,
    kind: &Kind<'_>,
    write: impl FnOnce(DuplexStream) -> F,
) -> Result<HttpResponse, Problem>
where
    E: Error + Into<Problem> + Send + Sync + 'static,
    F: Future<Output = Result<u64, E>> + Send + 'static,
{
    let (out, written) = tokio::io::duplex(CHUNK);
    let writing = bulk.spawn(write(out));
    let first = Chunks {
        reader: written,
        writing,
    }
    .next()
    .await;
    let (chunk, rest) = match first {
        Some((chunk, rest)) => (chunk?, rest),
        // Nothing at all is a whole file too.
        None => (Bytes::new(), None),
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type(kind.content_type).insert_header((
        header::CONTENT_DISPOSITION,
        format!("attachment; filename=\"{}\"", kind.name),
    ));
    for (name, value) in kind.headers {
        answer.insert_header((name.clone(), value.as_str()));
    }
    Ok(answer.streaming(Box::pin(all(chunk, rest))))
}

/// Why a file was not written to its end.
#[derive(Debug, thiserror::Error)]
enum Cut<E: Error + 'static> {
    #[error(transparent)]
    Written(E),
    #[error(transparent)]
    Writer(#[from] JoinError),
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl<E: Error + Into<Problem>> From<Cut<E>> for Problem {
    fn from(cut: Cut<E>) -> Self {
        match cut {
            Cut::Written(error) => error.into(),
            Cut::Writer(error) => Problem::failed("write a file", &error),
            Cut::Read(error) => Problem::failed("write a file", &error),
        }
    }
}

/// What is being written, and by whom. Dropping it ends the writer, whose other end is gone.
struct Chunks<E> {
    reader: DuplexStream,
    writing: JoinHandle<Result<u64, E>>,
}

impl<E: Error + 'static> Chunks<E> {
    /// The next chunk. The end counts only when the writer says that it was the end.
    async fn next(mut self) -> Option<(Result<Bytes, Cut<E>>, Option<Self>)> {
        let mut chunk = vec![0; CHUNK];
        match self.reader.read(&mut chunk).await {
            Ok(0) => match self.writing.await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some((Err(Cut::Written(error)), None)),
                Err(error) => Some((Err(error.into()), None)),
            },
            Ok(n_bytes) => {
                chunk.truncate(n_bytes);
                Some((Ok(Bytes::from(chunk)), Some(self)))
            }
            Err(error) => Some((Err(error.into()), None)),
        }
    }
}

fn all<E: Error + 'static>(
    first: Bytes,
    rest: Option<Chunks<E>>,
) -> impl Stream<Item = Result<Bytes, Cut<E>>> {
    stream::unfold((Some(first), rest), |(first, rest)| async {
        if let Some(first) = first {
            return Some((Ok(first), (None, rest)));
        }
        let (chunk, rest) = rest?.next().await?;
        if let Err(error) = &chunk {
            tracing::error!(%error, "a file was cut short");
        }
        Some((chunk, (None, rest)))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use actix_web::{App, HttpServer, web};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;
    use workflow::WantedError;

    use super::*;

    /// A file without an end, which tells when its writer ends.
    async fn endless(
        bulk: web::Data<Bulk>,
        ended: web::Data<Notify>,
    ) -> Result<HttpResponse, Problem> {
        let kind = Kind {
            name: "endless.csv",
            content_type: "text/csv",
            headers: &[],
        };
        text(&bulk, &kind, |mut out| async move {
            let written: Result<u64, WantedError> = loop {
                if let Err(error) = out.write_all(&[b'x'; 1_000]).await {
                    break Err(WantedError::Dataset(error.into()));
                }
            };
            ended.notify_one();
            written
        })
        .await
    }

    #[tokio::test]
    async fn whoever_goes_away_while_a_file_is_sent_ends_its_writer() {
        let ended = Arc::new(Notify::new());
        let data = web::Data::from(Arc::clone(&ended));
        let bulk = web::Data::new(Bulk::start().unwrap());
        let app = move || {
            App::new()
                .app_data(data.clone())
                .app_data(bulk.clone())
                .route("/", web::get().to(endless))
        };
        let server = HttpServer::new(app).workers(1).bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        let server = server.disable_signals().run();
        let handle = server.handle();
        tokio::spawn(server);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut read = vec![0; 1_000_000];
        stream.read_exact(&mut read).await.unwrap();
        let is_ended = tokio::time::timeout(Duration::from_secs(1), ended.notified()).await;
        assert!(is_ended.is_err(), "it goes on while it is read");
        drop(stream);
        let is_ended = tokio::time::timeout(Duration::from_secs(5), ended.notified()).await;
        assert!(is_ended.is_ok(), "it ends when nobody reads it");
        handle.stop(false).await;
    }
}
