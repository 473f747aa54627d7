//! `GET /api/submissions/{id}`: how far a submission has come.

use access::Action;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use finding::{Outcome, RuleId, Severity};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use workflow::{Actor, MarkedWorkbook, Progress, Submission};

use super::schemas;
use crate::problem::Problem;
use crate::session::Caller;
use crate::{Site, words};

/// How far a submission has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Submission)]
pub(crate) struct Status {
    submission_id: Uuid,
    organisation: String,
    #[serde(rename = "return")]
    return_id: String,
    return_version: String,
    period: String,
    version_number: u32,
    received_at: DateTime<Utc>,
    assessed_at: Option<DateTime<Utc>>,
    #[schema(value_type = schemas::SubmissionState)]
    state: &'static str,
    /// What to know about the state, where it is our fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// Null until it is assessed.
    #[schema(value_type = Option<schemas::Outcome>)]
    outcome: Option<Outcome>,
    /// How far the work on it is; null where nothing is being done.
    progress: Option<ProgressFacts>,
    file: FileFacts,
    tables: Vec<TableFacts>,
    counts: Vec<Count>,
    links: Links,
}

/// How far the work on a file is.
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressFacts {
    /// `queued`, `retrying`, `fetching`, `reading`, `checking` or `storing`.
    stage: &'static str,
    /// How many files are before it, where it is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_before: Option<u64>,
}

impl From<Progress> for ProgressFacts {
    fn from(progress: Progress) -> Self {
        let (stage, n_before) = match progress {
            Progress::Queued { n_before } => ("queued", Some(n_before)),
            Progress::TriedAgain => ("retrying", None),
            Progress::Doing(doing) => (doing.word(), None),
        };
        Self { stage, n_before }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = File)]
pub(crate) struct FileFacts {
    pub(super) name: String,
    /// In hexadecimal digits.
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// What became of a table's rows.
#[derive(Serialize, ToSchema)]
#[schema(as = TableRows)]
pub(crate) struct TableFacts {
    name: String,
    n_rows: u64,
    loaded: u64,
    rejected: u64,
    ignored: u64,
}

/// How much a check found.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckCount)]
pub(super) struct Count {
    #[schema(value_type = schemas::Severity)]
    pub(super) severity: Severity,
    #[schema(value_type = String)]
    pub(super) rule: RuleId,
    pub(super) n_findings: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionFiles)]
pub(crate) struct Links {
    page: String,
    findings_json: String,
    findings_csv: String,
    findings_xlsx: String,
    /// Null where there is none, or none yet.
    marked_xlsx: Option<String>,
}

/// How far a submission has come
///
/// Ask again until the state is no longer `received`: a few seconds apart, or as often as you like with long pauses.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}",
    operation_id = "show_submission",
    tag = "Submissions",
    params(("id" = Uuid, Path, description = "The submission's id")),
    responses((status = 200, description = "How far it has come", body = Status))
)]
pub(crate) async fn show(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let db = site.db()?;
    let submission = find(&site, &reader, Action::SeeSubmission, &id).await?;
    let id = submission.id;
    let tables = workflow::accounts(db, &reader, id)
        .await?
        .unwrap_or_default();
    let counts = workflow::finding_counts(db, &reader, id)
        .await?
        .unwrap_or_default();
    let marked = workflow::marked_workbook(db, &reader, &submission).await?;
    let progress = match submission.outcome {
        None => workflow::progress(db, &reader, &submission).await?,
        Some(_) => None,
    };
    Ok(HttpResponse::Ok().json(Status {
        progress: progress.map(ProgressFacts::from),
        message: submission.needs_attention().then_some(words::OUR_FAULT),
        submission_id: id,
        organisation: submission.organisation,
        return_id: submission.round.return_id,
        return_version: submission.round.return_version,
        period: submission.round.period.label,
        version_number: submission.version_number,
        received_at: submission.received_at,
        assessed_at: submission.assessed_at,
        state: submission.state.as_str(),
        outcome: submission.outcome,
        file: FileFacts {
            name: submission.file_name,
            sha256: submission.sha256,
            bytes: submission.bytes,
        },
        tables: tables
            .into_iter()
            .map(|table| TableFacts {
                name: table.name,
                n_rows: table.n_rows,
                loaded: table.loaded,
                rejected: table.rejected,
                ignored: table.ignored,
            })
            .collect(),
        counts: counts
            .into_iter()
            .map(|count| Count {
                severity: count.severity,
                rule: count.rule,
                n_findings: count.n_findings,
            })
            .collect(),
        links: Links {
            page: format!("/submissions/{id}"),
            findings_json: format!("/api/submissions/{id}/findings.json"),
            findings_csv: format!("/api/submissions/{id}/findings.csv"),
            findings_xlsx: format!("/api/submissions/{id}/findings.xlsx"),
            marked_xlsx: matches!(marked, Some(MarkedWorkbook::Kept { .. }))
                .then(|| format!("/api/submissions/{id}/marked.xlsx")),
        },
    }))
}

/// The submission of an address. What is not an id, is unknown or is somebody else's is not there.
pub(crate) async fn find(
    site: &Site,
    actor: &Actor,
    action: Action,
    id: &str,
) -> Result<Submission, Problem> {
    Ok(workflow::submission(site.db()?, actor, action, parse_id(id)?).await?)
}

pub(crate) fn parse_id(id: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(id).map_err(|_| Problem::not_found())
}
