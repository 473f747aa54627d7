//! All findings of a submission, streamed a page at a time.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use finding::Finding;
use futures_util::{Stream, stream};
use serde::Serialize;
use uuid::Uuid;
use workflow::NumberedFinding;

use crate::api::submission::find;
use crate::problem::Problem;
use crate::{Site, actor};

/// Findings read and written at once.
const PAGE: u32 = 1000;

pub(crate) async fn json(
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    #[derive(Serialize)]
    struct Head {
        submission_id: Uuid,
        outcome: Option<finding::Outcome>,
    }
    let submission = find(&site, &id).await?;
    let head = Head {
        submission_id: submission.id,
        outcome: submission.outcome,
    };
    let mut start =
        serde_json::to_string(&head).map_err(|error| Problem::failed("write findings", &error))?;
    start.pop();
    start.push_str(",\"findings\":[");
    let format = Format {
        start,
        page: json_page,
        end: "\n]}\n",
    };
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .streaming(Box::pin(pages(site, submission.id, format))))
}

pub(crate) async fn csv(
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let submission = find(&site, &id).await?;
    let format = Format {
        // Excel takes a file without this mark for something else than UTF-8.
        start: format!("\u{feff}{}\r\n", COLUMNS.join(",")),
        page: csv_page,
        end: "",
    };
    let name = format!("attachment; filename=\"findings-{}.csv\"", submission.id);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(Box::pin(pages(site, submission.id, format))))
}

struct Format {
    start: String,
    page: fn(&[NumberedFinding], &mut Vec<u8>) -> Result<(), BoxError>,
    end: &'static str,
}

type BoxError = Box<dyn std::error::Error>;

enum Next {
    Start,
    After(u32),
    Done,
}

/// An error after the first byte can only cut the connection, so that nobody takes a part for the whole.
fn pages(
    site: web::Data<Site>,
    id: Uuid,
    format: Format,
) -> impl Stream<Item = Result<Bytes, BoxError>> {
    stream::unfold(
        (site, format, Next::Start),
        move |(site, format, next)| async move {
            let (mut out, after) = match next {
                Next::Start => (format.start.clone().into_bytes(), 0),
                Next::After(ordinal) => (Vec::new(), ordinal),
                Next::Done => return None,
            };
            match write_page(&site, id, after, &format, &mut out).await {
                Ok(next) => Some((Ok(Bytes::from(out)), (site, format, next))),
                Err(error) => {
                    tracing::error!(submission = %id, %error, "findings were cut short");
                    Some((Err(error), (site, format, Next::Done)))
                }
            }
        },
    )
}

async fn write_page(
    site: &Site,
    id: Uuid,
    after: u32,
    format: &Format,
    out: &mut Vec<u8>,
) -> Result<Next, BoxError> {
    let findings = workflow::findings(&site.db, &actor::reader(), id, after, PAGE)
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

const COLUMNS: [&str; 9] = [
    "rule",
    "severity",
    "table",
    "cell",
    "row_number",
    "item",
    "value",
    "message",
    "fix",
];

fn csv_page(findings: &[NumberedFinding], out: &mut Vec<u8>) -> Result<(), BoxError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    for NumberedFinding { finding, .. } in findings {
        writer.write_record(record(finding))?;
    }
    writer.flush()?;
    Ok(())
}

fn record(finding: &Finding) -> [String; 9] {
    let text = |text: &Option<String>| text.clone().map(harmless).unwrap_or_default();
    [
        finding.rule.to_string(),
        finding.severity.to_string(),
        text(&finding.table),
        finding
            .cell
            .as_ref()
            .map(|cell| harmless(cell.to_string()))
            .unwrap_or_default(),
        finding
            .row_number
            .map(|n| n.to_string())
            .unwrap_or_default(),
        text(&finding.item),
        text(&finding.value),
        harmless(finding.message.clone()),
        harmless(finding.fix.clone()),
    ]
}

/// A spreadsheet runs what starts like a formula; an apostrophe makes it text. A negative number is no formula.
fn harmless(text: String) -> String {
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_a_value_stays_text() {
        for (value, shown) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-5", "-5"),
            ("-5+cmd", "'-5+cmd"),
            ("plain", "plain"),
        ] {
            assert_eq!(harmless(value.to_owned()), shown);
        }
    }
}
