//! `GET …/dataset.csv`: the standing rows of every organisation, streamed.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::stream;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

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
    stream::csv(&name, |out| async move {
        workflow::dataset_csv(&db, &figures, &spec, &table, &period, out).await
    })
    .await
}
