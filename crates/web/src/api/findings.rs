//! All findings of a submission, streamed a page at a time.

use access::Action;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use db::Db;
use futures_util::{Stream, stream};
use serde::Serialize;
use uuid::Uuid;
use workflow::{Actor, NumberedFinding};

use crate::Site;
use crate::api::submission::find;
use crate::problem::Problem;
use crate::session::Caller;

/// Findings read and written at once.
const PAGE: u32 = 1000;

pub(crate) async fn json(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Head {
        submission_id: Uuid,
        outcome: Option<finding::Outcome>,
    }
    let submission = find(&site, &reader, Action::SeeFindings, &id).await?;
    let db = site.db()?.clone();
    let head = Head {
        submission_id: submission.id,
        outcome: submission.outcome,
    };
    let mut start =
        serde_json::to_string(&head).map_err(|error| Problem::failed("write findings", &error))?;
    start.pop();
    start.push_str(",\"findings\":[");
    let format = Format {
        start: start.into_bytes(),
        page: Box::new(json_page),
        end: "\n]}\n",
    };
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .streaming(Box::pin(pages(db, reader, submission.id, format))))
}

pub(crate) async fn csv(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let submission = find(&site, &reader, Action::SeeFindings, &id).await?;
    let db = site.db()?.clone();
    let own = workflow::own_headings(&db, &reader, submission.id)
        .await
        .map_err(|error| Problem::failed("read findings", &error))?;
    let mut start = Vec::new();
    report::csv::headings(&mut start, &own)
        .map_err(|error| Problem::failed("write findings", &error))?;
    let format = Format {
        // Excel takes a file without this mark for something else than UTF-8.
        start: [b"\xef\xbb\xbf", start.as_slice()].concat(),
        page: Box::new(move |findings, out| {
            let findings = findings.iter().map(|numbered| &numbered.finding);
            report::csv::lines(out, &own, findings).map_err(BoxError::from)
        }),
        end: "",
    };
    let name = format!("attachment; filename=\"findings-{}.csv\"", submission.id);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(Box::pin(pages(db, reader, submission.id, format))))
}

struct Format {
    start: Vec<u8>,
    page: Box<WritePage>,
    end: &'static str,
}

type WritePage = dyn Fn(&[NumberedFinding], &mut Vec<u8>) -> Result<(), BoxError>;

type BoxError = Box<dyn std::error::Error>;

enum Next {
    Start,
    After(u32),
    Done,
}

/// An error after the first byte can only cut the connection, so that nobody takes a part for the whole.
fn pages(
    db: Db,
    reader: Actor,
    id: Uuid,
    format: Format,
) -> impl Stream<Item = Result<Bytes, BoxError>> {
    stream::unfold(
        (db, reader, format, Next::Start),
        move |(db, reader, format, next)| async move {
            let (mut out, after) = match next {
                Next::Start => (format.start.clone(), 0),
                Next::After(ordinal) => (Vec::new(), ordinal),
                Next::Done => return None,
            };
            match write_page((&db, &reader), id, after, &format, &mut out).await {
                Ok(next) => Some((Ok(Bytes::from(out)), (db, reader, format, next))),
                Err(error) => {
                    tracing::error!(submission = %id, %error, "findings were cut short");
                    Some((Err(error), (db, reader, format, Next::Done)))
                }
            }
        },
    )
}

async fn write_page(
    (db, reader): (&Db, &Actor),
    id: Uuid,
    after: u32,
    format: &Format,
    out: &mut Vec<u8>,
) -> Result<Next, BoxError> {
    let findings = workflow::findings(db, reader, id, after, PAGE)
        .await?
        .unwrap_or_default();
    (format.page)(&findings, out)?;
    match findings.last() {
        Some(last) if findings.len() == PAGE as usize => Ok(Next::After(last.ordinal)),
        _ => {
            out.extend_from_slice(format.end.as_bytes());
            Ok(Next::Done)
        }
    }
}

fn json_page(findings: &[NumberedFinding], out: &mut Vec<u8>) -> Result<(), BoxError> {
    for NumberedFinding { ordinal, finding } in findings {
        out.extend_from_slice(if *ordinal <= 1 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut *out, finding)?;
    }
    Ok(())
}
