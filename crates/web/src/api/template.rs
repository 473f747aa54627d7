//! `GET …/template.xlsx`: the workbook that a return is filled in on.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use report::template::{Fill, Rows, SentFor, carried_over, template};
use serde::Deserialize;
use spec::{Organisation, Period, ReturnSpec};

use super::schemas;
use super::workbooks::XLSX;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Deserialize)]
pub(crate) struct Round {
    return_id: String,
    period: String,
}

/// A blank form
///
/// Nothing but the period is filled in.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/periods/{period}/template.xlsx",
    operation_id = "blank_template",
    tag = "Returns and rounds",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("period" = String, Path, description = "The period's label, as the list of rounds has it"),
    ),
    responses((status = 200, description = "A workbook", body = schemas::Binary, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
)]
pub(crate) async fn blank(
    site: web::Data<Site>,
    Caller(reader): Caller,
    round: web::Path<Round>,
) -> Result<HttpResponse, Problem> {
    let (spec, period) = site.spec(&reader, &round.return_id, &round.period).await?;
    let name = format!("{}-{}.xlsx", spec.id, period.label);
    made(name, spec.clone(), period, Filled::default()).await
}

#[derive(Deserialize)]
pub(crate) struct Owed {
    return_id: String,
    period: String,
    code: String,
}

/// A form for one organisation
///
/// With its name, and with what it sent for this period or else for the last one before.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/periods/{period}/organisations/{code}/template.xlsx",
    operation_id = "filled_template",
    tag = "Returns and rounds",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("period" = String, Path, description = "The period's label, as the list of rounds has it"),
        ("code" = String, Path, description = "The organisation's GSS code"),
    ),
    responses((status = 200, description = "A workbook", body = schemas::Binary, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
)]
pub(crate) async fn filled(
    site: web::Data<Site>,
    Caller(reader): Caller,
    owed: web::Path<Owed>,
) -> Result<HttpResponse, Problem> {
    let (spec, period) = site.spec(&reader, &owed.return_id, &owed.period).await?;
    let db = site.db()?;
    let beginning =
        workflow::beginning(db, &reader, &site.specs, spec, &period, &owed.code).await?;
    let beginning = beginning.ok_or_else(Problem::not_found)?;
    let name = format!("{}-{}-{}.xlsx", spec.id, period.label, owed.code);
    let sent_for = match &beginning.sent_for {
        Some(last) if last.label != period.label => SentFor::AnEarlierOne,
        _ => SentFor::ThisPeriod,
    };
    let rows = carried_over(spec, beginning.rows, sent_for, Some(&period));
    let filled = Filled {
        organisation: Some(beginning.organisation),
        rows,
        sent_for,
    };
    made(name, spec.clone(), period, filled).await
}

/// What a form is filled in with, beside its period.
#[derive(Default)]
struct Filled {
    organisation: Option<Organisation>,
    rows: BTreeMap<String, Rows>,
    sent_for: SentFor,
}

/// On a thread where it may take its time.
async fn made(
    name: String,
    spec: ReturnSpec,
    period: Period,
    filled: Filled,
) -> Result<HttpResponse, Problem> {
    let make = move || {
        let fill = Fill {
            organisation: filled.organisation.as_ref(),
            period: Some(&period),
            rows: filled.rows,
            sent_for: filled.sent_for,
        };
        template(&spec, &fill)
    };
    let bytes = web::block(make)
        .await
        .map_err(|error| Problem::failed("make a template", &error))?
        .map_err(|error| Problem::failed("make a template", &error))?;
    Ok(HttpResponse::Ok()
        .content_type(XLSX)
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .body(bytes))
}
