//! A file that is written while it is being sent.

use std::error::Error;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::task::JoinHandle;

use crate::problem::Problem;

const CHUNK: usize = 256 * 1024;

/// What a file is called, and what else is said of it.
pub(super) struct Kind<'a> {
    pub(super) name: &'a str,
    pub(super) content_type: &'a str,
    pub(super) headers: &'a [(header::HeaderName, String)],
}

/// A CSV file to keep.
pub(super) async fn csv<E, F>(
    name: &str,
    write: impl FnOnce(DuplexStream) -> F,
) -> Result<HttpResponse, Problem>
where
    E: Error + Send + Sync + 'static,
    F: Future<Output = Result<u64, E>> + Send + 'static,
{
    let kind = Kind {
        name,
        content_type: "text/csv; charset=utf-8",
        headers: &[],
    };
    text(&kind, write).await
}

/// A file to keep, with what `write` writes and then says that it was all.
/// What goes wrong before the first byte is a problem; after it, the connection is cut, so that nobody takes a part for the whole.
pub(super) async fn text<E, F>(
    kind: &Kind<'_>,
    write: impl FnOnce(DuplexStream) -> F,
) -> Result<HttpResponse, Problem>
where
    E: Error + Send + Sync + 'static,
    F: Future<Output = Result<u64, E>> + Send + 'static,
{
    let (out, written) = tokio::io::duplex(CHUNK);
    let writing = tokio::spawn(write(out));
    let first = Chunks {
        reader: written,
        writing,
    }
    .next()
    .await;
    let (chunk, rest) = match first {
        Some((chunk, rest)) => (
            chunk.map_err(|error| Problem::failed("write a file", &*error))?,
            rest,
        ),
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

type BoxError = Box<dyn Error>;

/// What is being written, and by whom. Dropping it ends the writer, whose other end is gone.
struct Chunks<E> {
    reader: DuplexStream,
    writing: JoinHandle<Result<u64, E>>,
}

impl<E: Error + 'static> Chunks<E> {
    /// The next chunk. The end counts only when the writer says that it was the end.
    async fn next(mut self) -> Option<(Result<Bytes, BoxError>, Option<Self>)> {
        let mut chunk = vec![0; CHUNK];
        match self.reader.read(&mut chunk).await {
            Ok(0) => match self.writing.await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some((Err(error.into()), None)),
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
) -> impl Stream<Item = Result<Bytes, BoxError>> {
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
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    use actix_web::{App, HttpServer, web};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    /// A file without an end, which tells when its writer ends.
    async fn endless(ended: web::Data<Notify>) -> Result<HttpResponse, Problem> {
        csv("endless.csv", |mut out| async move {
            let written: Result<u64, io::Error> = loop {
                if let Err(error) = out.write_all(&[b'x'; 1_000]).await {
                    break Err(error);
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
        let app = move || {
            App::new()
                .app_data(data.clone())
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
