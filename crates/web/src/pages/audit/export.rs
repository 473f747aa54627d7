//! The whole trail to take away: as CSV for a spreadsheet, and as JSON lines for a program.

use actix_web::http::header;
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, HttpResponseBuilder};
use chrono::SecondsFormat;
use db::Db;
use db::events::{TrailEvent, VerbCount};
use futures_util::stream;
use report::csv::inert;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use workflow::{Actor, Export, Trail};

use super::words;
use crate::Site;
use crate::pages::problem::PageProblem;
use crate::session::Visitor;

pub(crate) async fn csv_of_one(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    export(&site, visitor, Some(&code), Format::Csv).await
}

pub(crate) async fn csv_of_all(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    export(&site, visitor, None, Format::Csv).await
}

pub(crate) async fn lines_of_one(
    site: web::Data<Site>,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    export(&site, visitor, Some(&code), Format::Lines).await
}

pub(crate) async fn lines_of_all(
    site: web::Data<Site>,
    visitor: Visitor,
) -> Result<HttpResponse, PageProblem> {
    export(&site, visitor, None, Format::Lines).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Lines,
}

type BoxError = Box<dyn std::error::Error>;

/// What is still to be read.
enum Rest {
    First(Export),
    More(Export),
    /// An error after the first byte can only cut the connection, so that nobody takes a part for the whole.
    Cut,
}

async fn export(
    site: &Site,
    visitor: Visitor,
    organisation: Option<&str>,
    format: Format,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?.clone(), visitor.actor);
    let export = workflow::export_trail(&db, &actor, organisation).await?;
    let name = match organisation {
        Some(code) => format!("audit-{code}"),
        None => "audit".to_owned(),
    };
    let parts = stream::unfold(
        (db, actor, Rest::First(export)),
        move |(db, actor, rest)| part(db, actor, rest, format),
    );
    Ok(head(format, &name).streaming(Box::pin(parts)))
}

fn head(format: Format, name: &str) -> HttpResponseBuilder {
    let (kind, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Lines => ("application/jsonl; charset=utf-8", "jsonl"),
    };
    let mut head = HttpResponse::Ok();
    head.content_type(kind).insert_header((
        header::CONTENT_DISPOSITION,
        format!("attachment; filename=\"{name}.{ending}\""),
    ));
    head
}

async fn part(
    db: Db,
    actor: Actor,
    rest: Rest,
    format: Format,
) -> Option<(Result<Bytes, BoxError>, (Db, Actor, Rest))> {
    let (mut export, is_first) = match rest {
        Rest::First(export) => (export, true),
        Rest::More(export) => (export, false),
        Rest::Cut => return None,
    };
    let written = match workflow::next_of_export(&db, &actor, &mut export).await {
        Ok(None) => return None,
        Ok(Some(trail)) => write(&trail, format, is_first),
        Err(error) => Err(error.into()),
    };
    match written {
        Ok(bytes) => Some((Ok(bytes.into()), (db, actor, Rest::More(export)))),
        Err(error) => {
            tracing::error!(%error, "an audit trail was cut short");
            Some((Err(error), (db, actor, Rest::Cut)))
        }
    }
}

fn write(trail: &Trail, format: Format, is_first: bool) -> Result<Vec<u8>, BoxError> {
    match (trail, format) {
        (Trail::Events { events, .. }, Format::Csv) => Ok(csv_of_events(events, is_first)),
        (Trail::Events { events, .. }, Format::Lines) => lines(events.iter().map(Line::from)),
        (Trail::Counts(counts), Format::Csv) => Ok(csv_of_counts(counts)),
        (Trail::Counts(counts), Format::Lines) => lines(counts.iter().map(|count| CountLine {
            verb: &count.verb,
            n: count.n,
        })),
    }
}

fn csv_of_events(events: &[TrailEvent], is_first: bool) -> Vec<u8> {
    let mut out = String::new();
    if is_first {
        out.push_str(
            "number,at,who,deed,what,organisation_code,organisation,about,submission_id,facts\r\n",
        );
    }
    for event in events {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let id = event.submission_id.map(|id| id.to_string());
        push_line(
            &mut out,
            &[
                event.id.to_string(),
                event.at.to_rfc3339_opts(SecondsFormat::Micros, true),
                event.actor.clone(),
                event.verb.clone(),
                words::deed(&event.verb),
                text(&event.organisation),
                text(&event.organisation_name),
                words::about(event),
                id.unwrap_or_default(),
                event.details.to_string(),
            ],
        );
    }
    out.into_bytes()
}

fn csv_of_counts(counts: &[VerbCount]) -> Vec<u8> {
    let mut out = "deed,what,how_often\r\n".to_owned();
    for count in counts {
        let what = words::deed(&count.verb);
        push_line(&mut out, &[count.verb.clone(), what, count.n.to_string()]);
    }
    out.into_bytes()
}

/// RFC 4180; what a spreadsheet would take for a formula is made text.
fn push_line(out: &mut String, fields: &[String]) {
    for (idx, field) in fields.iter().enumerate() {
        if idx > 0 {
            out.push(',');
        }
        let field = inert(field);
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}

fn lines(all: impl Iterator<Item = impl Serialize>) -> Result<Vec<u8>, BoxError> {
    let mut out = Vec::new();
    for line in all {
        serde_json::to_writer(&mut out, &line)?;
        out.push(b'\n');
    }
    Ok(out)
}

#[derive(Serialize)]
struct Line<'a> {
    number: i64,
    at: String,
    actor: &'a str,
    verb: &'a str,
    organisation: Option<&'a str>,
    submission_id: Option<Uuid>,
    details: &'a Value,
}

impl<'a> From<&'a TrailEvent> for Line<'a> {
    fn from(event: &'a TrailEvent) -> Self {
        Self {
            number: event.id,
            at: event.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            actor: &event.actor,
            verb: &event.verb,
            organisation: event.organisation.as_deref(),
            submission_id: event.submission_id,
            details: &event.details,
        }
    }
}

#[derive(Serialize)]
struct CountLine<'a> {
    verb: &'a str,
    n: i64,
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::*;

    fn event() -> TrailEvent {
        TrailEvent {
            id: 7,
            at: DateTime::<Utc>::UNIX_EPOCH,
            actor: "=cmd|' /C calc'!A0".to_owned(),
            verb: "sign_off".to_owned(),
            organisation: Some("S1".to_owned()),
            organisation_name: Some("Ardbeg, \"the\" council".to_owned()),
            submission_id: None,
            version_number: Some(2),
            return_title: Some("Cases".to_owned()),
            period_label: Some("P1".to_owned()),
            details: json!({"a": 1}),
        }
    }

    #[test]
    fn no_field_of_a_spreadsheet_is_a_formula() {
        let csv = String::from_utf8(csv_of_events(&[event()], true)).unwrap();
        let mut lines = csv.lines();
        assert!(lines.next().unwrap().starts_with("number,at,who,"));
        assert_eq!(
            lines.next().unwrap(),
            "7,1970-01-01T00:00:00.000000Z,'=cmd|' /C calc'!A0,sign_off,signed it off,S1,\
             \"Ardbeg, \"\"the\"\" council\",\"Cases, P1, version 2\",,\"{\"\"a\"\":1}\""
        );
        let more = String::from_utf8(csv_of_events(&[event()], false)).unwrap();
        assert_eq!(more.lines().count(), 1);
    }

    #[test]
    fn a_line_is_an_event_as_it_is_kept() {
        let event = event();
        let line = lines([Line::from(&event)].iter()).unwrap();
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line["actor"], "=cmd|' /C calc'!A0");
        assert_eq!(line["details"], json!({"a": 1}));
    }
}
