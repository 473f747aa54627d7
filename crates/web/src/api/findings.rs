//! All findings of a submission, streamed a page at a time.

use access::Action;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use chrono::{DateTime, NaiveDate, Utc};
use cycle::clock;
use db::Db;
use finding::Finding;
use futures_util::{Stream, stream};
use serde::Serialize;
use uuid::Uuid;
use workflow::{Actor, Answers, NumberedFinding, Submission};

use crate::Site;
use crate::api::schemas;
use crate::api::submission::find;
use crate::problem::Problem;
use crate::session::Caller;
use crate::words;

/// Findings read and written at once.
const PAGE: u32 = 1000;

/// All findings as JSON
///
/// Streamed; a cut connection means that it was not all.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}/findings.json",
    operation_id = "findings_json",
    tag = "Findings",
    params(("id" = Uuid, Path, description = "The submission's id")),
    responses((status = 200, description = "All findings", body = schemas::FindingsOfSubmission))
)]
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
        .streaming(Box::pin(pages(db, reader, submission, format))))
}

/// All findings as CSV
///
/// As a spreadsheet program reads them.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}/findings.csv",
    operation_id = "findings_csv",
    tag = "Findings",
    params(("id" = Uuid, Path, description = "The submission's id")),
    responses((status = 200, description = "A line for each finding", body = String, content_type = "text/csv"))
)]
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
        page: Box::new(move |findings, answers, out| {
            let said = explanations(findings, answers);
            let findings = findings.iter().zip(&said);
            let lines = findings.map(|(numbered, said)| (&numbered.finding, said.as_deref()));
            report::csv::lines(out, &own, lines).map_err(BoxError::from)
        }),
        end: "",
    };
    let name = format!("attachment; filename=\"findings-{}.csv\"", submission.id);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(Box::pin(pages(db, reader, submission, format))))
}

struct Format {
    start: Vec<u8>,
    page: Box<WritePage>,
    end: &'static str,
}

type WritePage = dyn Fn(&[NumberedFinding], &Answers, &mut Vec<u8>) -> Result<(), BoxError>;

/// What a list says why each finding is right: its explanation, or that it needs none.
pub(super) fn explanations(findings: &[NumberedFinding], answers: &Answers) -> Vec<Option<String>> {
    let today = clock::day(Utc::now());
    let said = |finding| {
        if let Some(explanation) = answers.explanation(finding) {
            return Some(explanation.text.clone());
        }
        let ends_on = answers.waiver(finding, today)?.decision.as_ref()?.ends_on?;
        Some(format!("Standing exception up to {}.", words::day(ends_on)))
    };
    findings.iter().map(said).collect()
}

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
    submission: Submission,
    format: Format,
) -> impl Stream<Item = Result<Bytes, BoxError>> {
    stream::unfold(
        (db, reader, submission, format, Next::Start),
        move |(db, reader, submission, format, next)| async move {
            let (mut out, after) = match next {
                Next::Start => (format.start.clone(), 0),
                Next::After(ordinal) => (Vec::new(), ordinal),
                Next::Done => return None,
            };
            match write_page((&db, &reader), &submission, after, &format, &mut out).await {
                Ok(next) => Some((Ok(Bytes::from(out)), (db, reader, submission, format, next))),
                Err(error) => {
                    tracing::error!(submission = %submission.id, %error, "findings were cut short");
                    Some((Err(error), (db, reader, submission, format, Next::Done)))
                }
            }
        },
    )
}

async fn write_page(
    (db, reader): (&Db, &Actor),
    submission: &Submission,
    after: u32,
    format: &Format,
    out: &mut Vec<u8>,
) -> Result<Next, BoxError> {
    let findings = workflow::findings(db, reader, submission.id, after, PAGE)
        .await?
        .unwrap_or_default();
    let answers = workflow::answers(db, reader, submission, &findings).await?;
    (format.page)(&findings, &answers, out)?;
    match findings.last() {
        Some(last) if findings.len() == PAGE as usize => Ok(Next::After(last.ordinal)),
        _ => {
            out.extend_from_slice(format.end.as_bytes());
            Ok(Next::Done)
        }
    }
}

/// A finding, and why it is right.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    explanation: Option<Explanation<'a>>,
    /// The last day on which it needs none.
    excepted_until: Option<NaiveDate>,
}

#[derive(Serialize)]
struct Explanation<'a> {
    text: &'a str,
    by: &'a str,
    at: DateTime<Utc>,
}

fn json_page(
    findings: &[NumberedFinding],
    answers: &Answers,
    out: &mut Vec<u8>,
) -> Result<(), BoxError> {
    let today = clock::day(Utc::now());
    for numbered in findings {
        out.extend_from_slice(if numbered.ordinal <= 1 { b"\n" } else { b",\n" });
        let explanation = answers.explanation(numbered);
        let waiver = answers.waiver(numbered, today);
        let line = Line {
            finding: &numbered.finding,
            explanation: explanation.map(|explanation| Explanation {
                text: &explanation.text,
                by: &explanation.by_name,
                at: explanation.at,
            }),
            excepted_until: waiver.and_then(|waiver| waiver.decision.as_ref()?.ends_on),
        };
        serde_json::to_writer(&mut *out, &line)?;
    }
    Ok(())
}
