//! `GET …/dataset.csv`: the standing rows of every organisation, streamed.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::task::JoinHandle;

use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

const CHUNK: usize = 64 * 1024;

#[derive(Deserialize)]
pub(crate) struct Round {
    return_id: String,
    period: String,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    /// A table of the return; its first where none is named.
    table: Option<String>,
}

pub(crate) async fn csv(
    site: web::Data<Site>,
    Caller(reader): Caller,
    round: web::Path<Round>,
    which: web::Query<Which>,
) -> Result<HttpResponse, Problem> {
    let (spec, period) = site
        .spec(&round.return_id, &round.period)
        .ok_or_else(Problem::not_found)?;
    let figures = workflow::figures(&reader, &spec.id)?;
    let table = match &which.table {
        Some(name) => spec.table(name),
        None => spec.tables.first(),
    };
    let table = table.ok_or_else(Problem::not_found)?.name.clone();
    let name = format!("{}-{}-{table}.csv", spec.id, period.label);
    let (spec, period) = (spec.clone(), period.label);
    let db = site.db()?.clone();
    let (out, written) = tokio::io::duplex(CHUNK);
    let writing = tokio::spawn(async move {
        workflow::dataset_csv(&db, &figures, &spec, &table, &period, out).await
    });
    let first = Chunks {
        reader: written,
        writing,
    }
    .next()
    .await;
    let (chunk, rest) = first.ok_or_else(Problem::not_found)?;
    let chunk = chunk.map_err(|error| Problem::failed("write a dataset", &*error))?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(Box::pin(all(chunk, rest))))
}

type BoxError = Box<dyn std::error::Error>;

/// What is being written, and by whom. Dropping it ends the writer, whose other end is gone.
struct Chunks {
    reader: DuplexStream,
    writing: JoinHandle<Result<u64, dataset::DatasetError>>,
}

impl Chunks {
    /// The next chunk. The end counts only when the writer says that it was the end.
    async fn next(mut self) -> Option<(Result<Bytes, BoxError>, Option<Chunks>)> {
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

fn all(first: Bytes, rest: Option<Chunks>) -> impl Stream<Item = Result<Bytes, BoxError>> {
    stream::unfold((Some(first), rest), |(first, rest)| async {
        if let Some(first) = first {
            return Some((Ok(first), (None, rest)));
        }
        let (chunk, rest) = rest?.next().await?;
        if let Err(error) = &chunk {
            tracing::error!(%error, "a dataset was cut short");
        }
        Some((chunk, (None, rest)))
    })
}
