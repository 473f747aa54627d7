//! `GET …/dataset.csv`: the standing rows of every organisation, streamed.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::stream;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Deserialize)]
pub(crate) struct Round {
    return_id: String,
    period: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// A table of the return; its first where none is named.
    table: Option<String>,
}

/// The figures of a round
///
/// The standing records of every organisation, streamed; an organisation's own program gets its own. A cut connection means that it was not all.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/periods/{period}/dataset.csv",
    operation_id = "dataset_csv",
    tag = "Datasets",
    params(
        ("return_id" = String, Path, description = "The return's id"),
        ("period" = String, Path, description = "The period's label, as the list of rounds has it"),
        Which,
    ),
    responses(
        (status = 200, description = "A line for each record", body = String, content_type = "text/csv"),
    )
)]
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
    stream::csv(&name, |out| async move {
        workflow::dataset_csv(&db, &figures, &spec, &table, &period, out).await
    })
    .await
}
