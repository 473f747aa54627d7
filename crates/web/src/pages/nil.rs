//! Declaring that there is nothing to report.

use std::convert::Infallible;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes};
use askama::Template;
use chrono::Utc;
use cycle::clock;
use futures_util::stream;
use serde::Deserialize;
use uuid::Uuid;
use workflow::{NewUpload, Obligation};

use super::problem::PageProblem;
use crate::Site;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::spool::{SpoolError, spool};

/// A declaration is a few lines.
const MOST_BYTES: u64 = 10_000;

#[derive(Template)]
#[template(path = "nil.html")]
struct NilPage {
    you: Option<You>,
    owed: Obligation,
    action: String,
    idempotency_key: Uuid,
}

#[derive(Deserialize)]
pub(crate) struct Duty {
    return_id: String,
    period: String,
    organisation: String,
}

async fn owed(site: &Site, visitor: &Visitor, duty: &Duty) -> Result<Obligation, Problem> {
    let (db, today) = (site.db()?, clock::day(Utc::now()));
    workflow::obligations(db, &visitor.actor, Some(&duty.organisation), today)
        .await?
        .into_iter()
        .find(|owed| {
            owed.round.return_id == duty.return_id && owed.round.period.label == duty.period
        })
        .ok_or_else(Problem::not_found)
}

pub(crate) async fn ask(
    site: web::Data<Site>,
    visitor: Visitor,
    duty: web::Path<Duty>,
) -> Result<HttpResponse, PageProblem> {
    let owed = owed(&site, &visitor, &duty).await?;
    let page = NilPage {
        you: Some(visitor.you),
        action: format!(
            "/returns/{}/{}/{}/nothing-to-report",
            owed.round.return_id, owed.round.period.label, owed.organisation
        ),
        owed,
        idempotency_key: Uuid::now_v7(),
    };
    Ok(super::render(StatusCode::OK, &page))
}

#[derive(Deserialize)]
pub(crate) struct Pressed {
    #[serde(default)]
    form_token: String,
    /// So that a form that is sent twice declares once.
    idempotency_key: Uuid,
}

pub(crate) async fn declare(
    site: web::Data<Site>,
    visitor: Visitor,
    duty: web::Path<Duty>,
    form: Form<Pressed>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(&form.form_token)?;
    let owed = owed(&site, &visitor, &duty).await?;
    let round = &owed.round;
    let text = workflow::nil_declaration(
        &owed.organisation_name,
        &round.return_title,
        &round.period.in_words(),
        &visitor.actor,
    );
    let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from(text))]);
    let file = spool(
        chunks,
        &site.config.spool_dir,
        MOST_BYTES,
        |never, _| match *never {},
    )
    .await
    .map_err(|error: SpoolError| Problem::from(error))?;
    let declaration = NewUpload {
        organisation: owed.organisation.clone(),
        return_id: round.return_id.clone(),
        period: round.period.label.clone(),
        file_name: "nothing-to-report.txt".to_owned(),
        path: file.path(),
        sha256: file.sha256.clone(),
        bytes: file.bytes,
        idempotency_key: form.idempotency_key.to_string(),
        contact_email: Some(visitor.you.email.clone()),
        received_at: Utc::now(),
    };
    let receipt =
        workflow::declare_nil(site.db()?, &site.files, &visitor.actor, declaration).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((
            header::LOCATION,
            format!("/submissions/{}", receipt.submission_id),
        ))
        .finish())
}
