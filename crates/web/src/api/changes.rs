//! `GET …/changes.csv`: everything that is different between two versions.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;
use workflow::{ChangesCsvError, WantedError};

use super::submission::parse_id;
use super::{schemas, stream};
use crate::Site;
use crate::bulk::Bulk;
use crate::problem::Problem;
use crate::session::Caller;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct With {
    /// The other version; the one before, where none is named.
    #[param(value_type = Option<Uuid>)]
    with: Option<String>,
}

/// What changed between two versions
///
/// Every value of every record that is different.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}/changes.csv",
    operation_id = "changes_csv",
    tag = "Submissions",
    params(("id" = Uuid, Path, description = "The submission's id"), With),
    responses(
        (status = 200, description = "A line for each value that is different", body = String, content_type = "text/csv"),
        (status = 409, description = "There is nothing to compare", body = schemas::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn csv(
    site: web::Data<Site>,
    bulk: web::Data<Bulk>,
    Caller(reader): Caller,
    id: web::Path<String>,
    with: web::Query<With>,
) -> Result<HttpResponse, Problem> {
    let db = site.db()?.clone();
    let specs = site.clone();
    let with = with.with.as_deref().map(parse_id).transpose()?;
    let found = workflow::to_compare(&db, &reader, parse_id(&id)?, with).await?;
    let versions = found.versions().ok_or_else(|| {
        Problem::conflict(
            "Nothing to compare",
            "There is no other version that this one can be compared with.",
        )
    })?;
    if workflow::nothing_to_compare(&db, &reader, &versions).await? != (None, None) {
        return Err(Problem::conflict(
            "Nothing to compare",
            "One of the two versions has no rows: it is not checked yet, could not be read, or says that there is nothing to report.",
        ));
    }
    for round in [&versions.old.round, &versions.new.round] {
        site.spec_of(round).ok_or_else(Problem::not_found)?;
    }
    let name = format!("changes-{}-{}.csv", versions.old.id, versions.new.id);
    stream::csv(&bulk, &site.config.spool_dir, &name, |out| async move {
        workflow::changes_csv(&db, &reader, &versions, &specs.specs, out).await
    })
    .await
}

impl From<ChangesCsvError> for Problem {
    fn from(error: ChangesCsvError) -> Self {
        match error {
            ChangesCsvError::Denied(denied) => denied.into(),
            ChangesCsvError::Db(error) => error.into(),
            ChangesCsvError::Dataset(error) => WantedError::from(error).into(),
        }
    }
}
