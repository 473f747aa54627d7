//! `GET /api/rounds` and `GET /api/obligations`: what is collected and when, and who owes what.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{NaiveDate, Utc};
use cycle::clock;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use workflow::{Obligation, PageOf};

use super::list::{Asked, List, page};
use super::schemas;
use super::submissions::Which;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

/// Which rounds.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfReturn {
    /// Only those of this return.
    #[serde(rename = "return")]
    return_id: Option<String>,
}

/// One collection of a return: a cycle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Round {
    #[serde(rename = "return")]
    return_id: String,
    title: String,
    return_version: String,
    #[serde(flatten)]
    period: Period,
    /// From this day on files are taken.
    opens_on: NaiveDate,
    due_on: NaiveDate,
    /// The last day on which files are taken at all; null where no such day is confirmed.
    closes_on: Option<NaiveDate>,
    /// One of its days may still change.
    is_provisional: bool,
    /// Nothing is owed in it.
    is_cancelled: bool,
    links: RoundLinks,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoundLinks {
    page: String,
    return_version: String,
    template_xlsx: String,
    /// Of the return's first table.
    dataset_csv: String,
}

/// The time that figures are about.
#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "they are called so wherever the API has them"
)]
pub(crate) struct Period {
    /// Its label, such as 2026-27-Q1: what addresses name it by.
    period: String,
    period_in_words: String,
    period_from: NaiveDate,
    period_to: NaiveDate,
}

impl From<spec::Period> for Period {
    fn from(period: spec::Period) -> Self {
        Self {
            period_in_words: period.in_words(),
            period_from: period.start,
            period_to: period.end,
            period: period.label,
        }
    }
}

/// Rounds
///
/// What is collected and when, the newest first.
#[utoipa::path(
    get,
    path = "/api/rounds",
    operation_id = "list_rounds",
    tag = "Returns and rounds",
    params(OfReturn, Asked),
    responses((status = 200, description = "A page of rounds", body = List<Round>,
        headers(("link" = Option<String>, description = "The address of the next page, as `rel=\"next\"`"))))
)]
pub(crate) async fn rounds(
    site: web::Data<Site>,
    request: HttpRequest,
    Caller(reader): Caller,
    of: web::Query<OfReturn>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let page_of = PageOf {
        after: asked.after()?,
        most: asked.limit()?,
    };
    let found =
        workflow::rounds_page(site.db()?, &reader, of.return_id.as_deref(), page_of).await?;
    let end = found.items.last().filter(|_| found.is_more);
    let end = end.map(|(id, _)| id.to_string());
    let items: Vec<Round> = found
        .items
        .into_iter()
        .map(|(_, round)| {
            let (id, label) = (&round.return_id, &round.period.label);
            let address = format!("/api/returns/{id}/periods/{label}");
            Round {
                links: RoundLinks {
                    page: format!("/returns/{id}/{label}"),
                    return_version: format!("/api/returns/{id}/versions/{}", round.return_version),
                    template_xlsx: format!("{address}/template.xlsx"),
                    dataset_csv: format!("{address}/dataset.csv"),
                },
                title: round.return_title,
                return_version: round.return_version,
                opens_on: round.opens_on,
                due_on: round.due_on,
                closes_on: round.closes_on,
                is_provisional: round.is_provisional,
                is_cancelled: round.is_cancelled,
                period: round.period.into(),
                return_id: round.return_id,
            }
        })
        .collect();
    Ok(page(&request, items, end))
}

/// What one organisation owes in a round.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Obligation)]
pub(crate) struct Owed {
    /// The organisation's code.
    organisation: String,
    organisation_name: String,
    #[serde(rename = "return")]
    return_id: String,
    title: String,
    return_version: String,
    #[serde(flatten)]
    period: Period,
    opens_on: NaiveDate,
    /// The last day on which a file is in time: the round's, or the one that more time was given until.
    due_on: NaiveDate,
    #[schema(value_type = schemas::ObligationState)]
    state: &'static str,
    is_overdue: bool,
    /// The day on which the round closed, where no file is taken any more; null while one is.
    closed_on: Option<NaiveDate>,
    n_versions: u32,
    /// The newest version; null where there is none.
    latest: Option<Version>,
    /// The version that was handed over and stands; null where there is none.
    standing: Option<Version>,
    links: OwedLinks,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version {
    submission_id: Uuid,
    #[schema(value_type = schemas::SubmissionState)]
    state: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObligationLinks)]
pub(crate) struct OwedLinks {
    page: String,
    /// Where a file is sent to.
    submissions: String,
    /// Where a file is only checked.
    checks: String,
    template_xlsx: String,
}

impl From<Obligation> for Owed {
    fn from(owed: Obligation) -> Self {
        let (id, label, code) = (
            &owed.round.return_id,
            &owed.round.period.label,
            &owed.organisation,
        );
        let address = format!("/api/returns/{id}/periods/{label}/organisations/{code}");
        let version = |(id, state): (Uuid, cycle::SubmissionState)| Version {
            submission_id: id,
            state: state.as_str(),
        };
        Self {
            links: OwedLinks {
                page: format!("/returns/{id}/{label}/{code}"),
                submissions: format!("{address}/submissions"),
                checks: format!("{address}/checks"),
                template_xlsx: format!("{address}/template.xlsx"),
            },
            organisation: owed.organisation,
            organisation_name: owed.organisation_name,
            return_id: owed.round.return_id,
            title: owed.round.return_title,
            return_version: owed.round.return_version,
            opens_on: owed.round.opens_on,
            period: owed.round.period.into(),
            due_on: owed.due_on,
            state: owed.state.as_str(),
            is_overdue: owed.is_overdue,
            closed_on: owed.closed_on,
            n_versions: owed.n_versions,
            latest: owed.latest.map(version),
            standing: owed.standing.map(version),
        }
    }
}

/// What is owed
///
/// By whom and until when, and where it stands; the newest first, as far as the token reaches.
#[utoipa::path(
    get,
    path = "/api/obligations",
    operation_id = "list_obligations",
    tag = "Returns and rounds",
    params(Which, Asked),
    responses((status = 200, description = "A page of what is owed", body = List<Owed>,
        headers(("link" = Option<String>, description = "The address of the next page, as `rel=\"next\"`"))))
)]
pub(crate) async fn obligations(
    site: web::Data<Site>,
    request: HttpRequest,
    Caller(reader): Caller,
    which: web::Query<Which>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let page_of = PageOf {
        after: asked.after()?,
        most: asked.limit()?,
    };
    let filter = which.into_inner().filter();
    let today = clock::day(Utc::now());
    let found = workflow::obligations_page(site.db()?, &reader, &filter, page_of, today).await?;
    let end = found.items.last().filter(|_| found.is_more);
    let end = end.map(|last| last.id.to_string());
    let items: Vec<Owed> = found.items.into_iter().map(Owed::from).collect();
    Ok(page(&request, items, end))
}
