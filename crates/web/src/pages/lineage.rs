//! The page of a value: where it came from, what was said about it, and where it went.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use cycle::clock;
use finding::CellRef;
use serde::Deserialize;
use workflow::Traced;

use super::explain::see;
use super::problem::PageProblem;
use super::releases::{by_and_when, kind_in_words, state};
use crate::Site;
use crate::api::lineage::{Place, find};
use crate::api::submission::parse_id;
use crate::problem::Problem;
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "value.html")]
struct ValuePage {
    you: Option<You>,
    item: String,
    value: String,
    /// `Line 2 of Form`.
    record: String,
    organisation: String,
    title: String,
    period: String,
    version: u32,
    submission: String,
    file: String,
    sha256: String,
    received: String,
    sheet: String,
    cell: String,
    history: Vec<String>,
    remarks: Vec<RemarkRow>,
    counts_now: bool,
    datasets: String,
    releases: Vec<(String, String)>,
}

struct RemarkRow {
    message: String,
    explanation: Option<(String, String)>,
    /// Their addresses.
    waivers: Vec<String>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    place: web::Path<Place>,
) -> Result<HttpResponse, PageProblem> {
    let traced = find(&site, &visitor.actor, &place).await?;
    Ok(super::render(StatusCode::OK, &page(traced, visitor.you)))
}

fn page(traced: Traced, you: You) -> ValuePage {
    let submission = traced.submission;
    let round = &submission.round;
    let keys: Vec<String> = traced
        .keys
        .iter()
        .map(|(title, value)| format!("{title} {value}"))
        .collect();
    let record = if keys.is_empty() {
        format!("row {}", traced.row_number)
    } else {
        keys.join(", ")
    };
    let remarks = traced.remarks.into_iter().map(|remark| RemarkRow {
        message: remark.finding.finding.message,
        explanation: remark
            .explanation
            .map(|said| (said.text, by_and_when(&said.by_name, said.at))),
        waivers: remark
            .waivers
            .iter()
            .map(|waiver| format!("/exceptions/{}", waiver.id))
            .collect(),
    });
    ValuePage {
        item: traced.item_title,
        value: traced.value.unwrap_or_else(|| "blank".to_owned()),
        record: format!("{record}, in {}", traced.table_title),
        history: traced
            .history
            .iter()
            .map(|link| {
                format!(
                    "{} by {}",
                    link.verb.in_words(),
                    by_and_when(&link.by_name, link.at)
                )
            })
            .collect(),
        remarks: remarks.collect(),
        counts_now: traced.counts_now,
        datasets: format!(
            "/returns/{}/{}/datasets",
            round.return_id, round.period.label
        ),
        releases: traced
            .releases
            .iter()
            .map(|release| {
                (
                    format!("/releases/{}", release.id),
                    format!("{}, {}", kind_in_words(release.kind), state(release).0),
                )
            })
            .collect(),
        organisation: submission.organisation_name,
        title: round.return_title.clone(),
        period: round.period.in_words(),
        version: submission.version_number,
        submission: format!("/submissions/{}", submission.id),
        file: submission.file_name,
        sha256: submission.sha256,
        received: clock::moment_in_words(submission.received_at),
        sheet: match &traced.cell {
            Some(cell) => cell.sheet.to_string(),
            None => "not in the file".to_owned(),
        },
        cell: traced
            .cell
            .as_ref()
            .map(CellRef::to_string)
            .unwrap_or_default(),
        you: Some(you),
    }
}

#[derive(Deserialize)]
pub(crate) struct At {
    /// `Sheet!B12`.
    #[serde(default)]
    cell: String,
}

/// From a cell to the page of its value.
pub(crate) async fn at_cell(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    at: web::Query<At>,
) -> Result<HttpResponse, PageProblem> {
    let id = parse_id(&id)?;
    let cell: CellRef = at
        .cell
        .parse()
        .map_err(|_| Problem::bad_request("Write a cell with its sheet: Sheet!B12."))?;
    let (db, actor) = (site.db()?, &visitor.actor);
    let (table, row, item) = workflow::value_at(db, actor, &site.specs, id, &cell)
        .await
        .map_err(Problem::from)?;
    Ok(see(&format!(
        "/submissions/{id}/values/{table}/{row}/{item}"
    )))
}
