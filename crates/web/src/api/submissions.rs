//! `GET /api/submissions`: what was sent, the newest first.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use workflow::{Filter, PageOf, Submission};

use super::list::{Asked, page};
use super::schemas;
use super::submission::FileFacts;
use crate::Site;
use crate::problem::Problem;
use crate::session::Caller;

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of the organisation with this code.
    organisation: Option<String>,
    /// Only those for this return.
    #[serde(rename = "return")]
    return_id: Option<String>,
    /// Only those for this period, such as 2026-27-Q1.
    period: Option<String>,
}

impl Which {
    pub(super) fn filter(self) -> Filter {
        Filter {
            organisation: self.organisation,
            returns: self.return_id.map(|id| vec![id]),
            period: self.period,
        }
    }
}

/// A version that was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubmissionInList)]
pub(crate) struct Sent {
    submission_id: Uuid,
    /// The organisation's code.
    organisation: String,
    #[serde(rename = "return")]
    return_id: String,
    return_version: String,
    period: String,
    /// 1 is what the organisation sent first for this return and period.
    version_number: u32,
    received_at: DateTime<Utc>,
    /// Null until the file is checked.
    assessed_at: Option<DateTime<Utc>>,
    #[schema(value_type = schemas::SubmissionState)]
    state: &'static str,
    /// Null until the file is checked.
    #[schema(value_type = Option<schemas::Outcome>)]
    outcome: Option<finding::Outcome>,
    file: FileFacts,
    links: Links,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubmissionLinks)]
pub(crate) struct Links {
    status: String,
    page: String,
}

impl Links {
    pub(super) fn of(id: Uuid) -> Self {
        Self {
            status: format!("/api/submissions/{id}"),
            page: format!("/submissions/{id}"),
        }
    }
}

impl From<Submission> for Sent {
    fn from(submission: Submission) -> Self {
        let id = submission.id;
        Self {
            submission_id: id,
            state: submission.state.as_str(),
            organisation: submission.organisation,
            return_id: submission.round.return_id,
            return_version: submission.round.return_version,
            period: submission.round.period.label,
            version_number: submission.version_number,
            received_at: submission.received_at,
            assessed_at: submission.assessed_at,
            outcome: submission.outcome,
            file: FileFacts {
                name: submission.file_name,
                sha256: submission.sha256,
                bytes: submission.bytes,
            },
            links: Links::of(id),
        }
    }
}

/// What was sent
///
/// The newest first, as far as the token reaches.
#[utoipa::path(
    get,
    path = "/api/submissions",
    operation_id = "list_submissions",
    tag = "Submissions",
    params(Which, Asked),
    responses((status = 200, description = "A page of submissions", body = super::list::List<Sent>,
        headers(("link" = Option<String>, description = "The address of the next page, as `rel=\"next\"`"))))
)]
pub(crate) async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    Caller(reader): Caller,
    which: web::Query<Which>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let of = PageOf {
        after: asked.after()?,
        most: asked.limit()?,
    };
    let filter = which.into_inner().filter();
    let found = workflow::submissions_page(site.db()?, &reader, &filter, of).await?;
    let end = found.items.last().filter(|_| found.is_more);
    let end = end.map(|last| last.id.to_string());
    let items: Vec<Sent> = found.items.into_iter().map(Sent::from).collect();
    Ok(page(&request, items, end))
}
