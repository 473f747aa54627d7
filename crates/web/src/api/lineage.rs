//! `GET …/values/…`: where a value came from and where it went.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use workflow::{Traced, WhichValue};

use super::submission::parse_id;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) table: String,
    pub(crate) row: String,
    pub(crate) item: String,
}

pub(crate) async fn find(
    site: &Site,
    reader: &workflow::Actor,
    place: &Place,
) -> Result<Traced, Problem> {
    let which = WhichValue {
        submission_id: parse_id(&place.id)?,
        table: &place.table,
        row_number: place.row.parse().map_err(|_| Problem::not_found())?,
        item: &place.item,
    };
    Ok(workflow::trace(site.db()?, reader, &site.specs, which).await?)
}

/// Where a value came from
///
/// Whose it is, the file with its hash, sheet and cell, who answered for it, what was said about it, and the releases that it is in.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}/values/{table}/{row}/{item}",
    operation_id = "value",
    tag = "Datasets",
    params(
        ("id" = String, Path, description = "The submission, as the column submission_id has it"),
        ("table" = String, Path, description = "The table"),
        ("row" = u32, Path, description = "The row, as the column source_row has it"),
        ("item" = String, Path, description = "The item"),
    ),
    responses((status = 200, description = "The value", body = Object, content_type = "application/json"))
)]
pub(crate) async fn show(
    site: web::Data<Site>,
    Caller(reader): Caller,
    place: web::Path<Place>,
) -> Result<HttpResponse, Problem> {
    let traced = find(&site, &reader, &place).await?;
    let submission = &traced.submission;
    let history: Vec<_> = traced
        .history
        .iter()
        .map(|link| json!({"what": link.verb.as_str(), "by": link.by_name, "at": link.at}))
        .collect();
    let remarks: Vec<_> = traced
        .remarks
        .iter()
        .map(|remark| {
            let finding = &remark.finding.finding;
            let waivers = remark.waivers.iter().map(|waiver| waiver.id);
            json!({
                "rule": finding.rule,
                "severity": finding.severity,
                "message": finding.message,
                "explanation": remark.explanation.as_ref().map(|said| &said.text),
                "explained_by": remark.explanation.as_ref().map(|said| &said.by_name),
                "exceptions": waivers.collect::<Vec<_>>(),
            })
        })
        .collect();
    let releases: Vec<_> = traced
        .releases
        .iter()
        .map(|release| {
            json!({
                "id": release.id,
                "kind": release.kind.as_str(),
                "number": release.published.map(|(number, _)| number),
                "link": format!("/api/releases/{}", release.id),
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "organisation_code": submission.organisation,
        "organisation_name": submission.organisation_name,
        "return_id": submission.round.return_id,
        "return_version": submission.round.return_version,
        "period": submission.round.period.label,
        "submission_id": submission.id,
        "submission_version": submission.version_number,
        "submission_state": submission.state.as_str(),
        "source_file": submission.file_name,
        "source_sha256": submission.sha256,
        "received_at": submission.received_at,
        "item": traced.item,
        "value": traced.value,
        "keys": traced.keys,
        "source_sheet": traced.cell.as_ref().map(|cell| cell.sheet.to_string()),
        "source_row": traced.row_number,
        "source_cell": traced.cell.as_ref().map(ToString::to_string),
        "history": history,
        "remarks": remarks,
        "is_in_datasets_now": traced.counts_now,
        "releases": releases,
    })))
}
