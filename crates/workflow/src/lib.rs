//! The verbs: one function, one transaction.
//!
//! Every write of the product goes through here: permission, state, event, job and email are committed together or not at all.
//! Each verb and each read takes the [`Actor`] after its connections; what an organisation's actor may not see does not exist for it.
//! It knows nothing of HTTP, and no caller opens a transaction of its own.

// Signatures first; bodies follow within the hour. Web and worker may build on these.
#![allow(unused)]

mod actor;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use finding::{Finding, Outcome, RuleId, Severity};
use serde::{Deserialize, Serialize};
use spec::{Organisations, Period, ReturnSpec};
use uuid::Uuid;

pub use actor::{Actor, ActorKind};

// ---- publishing and cycles ---------------------------------------------------------------

/// Stores organisations and return versions and makes their record tables; harmless when repeated.
/// A published (return, version) with another hash is refused.
pub async fn publish_returns(db: &db::Db, actor: &Actor, specs: &[ReturnSpec], organisations: &Organisations) -> Result<(), PublishError>;

/// Opens a round of a return and an obligation for each respondent; harmless when repeated (dates are updated).
pub async fn open_cycle(db: &db::Db, actor: &Actor, spec: &ReturnSpec, period: &Period, opens_on: NaiveDate, due_on: NaiveDate) -> Result<(), OpenCycleError>;

// ---- receiving -----------------------------------------------------------------------------

/// A file to receive.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// GSS code.
    pub organisation: String,
    pub return_id: String,
    /// Its label: `2026-27-Q1`.
    pub period: String,
    /// As the sender calls it; shown, never used as a path.
    pub file_name: String,
    /// The upload on local disk; the caller removes it afterwards.
    pub path: PathBuf,
    /// Lower-case hex, as computed while the file came in.
    pub sha256: String,
    pub bytes: u64,
    /// The sender's key: the same key and bytes give the same receipt.
    pub idempotency_key: String,
    /// Where the receipt and the outcome are sent.
    pub contact_email: String,
    pub received_at: DateTime<Utc>,
}

/// What was received; the same facts as the receipt email.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub submission_id: Uuid,
    pub organisation: String,
    pub return_id: String,
    pub period: String,
    pub version_number: u32,
    pub file_name: String,
    pub sha256: String,
    pub bytes: u64,
    pub received_at: DateTime<Utc>,
    /// The key was used before: this is the earlier upload's receipt.
    pub repeated: bool,
}

/// Stores the file, then facts, job, receipt email and event in one transaction.
pub async fn receive(db: &db::Db, files: &files::Files, actor: &Actor, upload: NewUpload) -> Result<Receipt, ReceiveError>;

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("this actor may not send for {organisation}")]
    NotAllowed { organisation: String },
    #[error("no organisation has the code {code}")]
    UnknownOrganisation { code: String },
    #[error("no return is called {return_id}")]
    UnknownReturn { return_id: String },
    #[error("{return_id} is not collected for {period}")]
    UnknownPeriod { return_id: String, period: String },
    #[error("{organisation} does not owe {return_id} for {period}")]
    NotARespondent { organisation: String, return_id: String, period: String },
    #[error("{return_id} for {period} is open from {opens_on}")]
    NotOpen { return_id: String, period: String, opens_on: NaiveDate },
    #[error("the idempotency key was used for another file")]
    IdempotencyKeyReused,
    #[error(transparent)]
    Files(#[from] files::FilesError),
    #[error(transparent)]
    Db(#[from] db::DbError),
}

// ---- assessing (worker) ----------------------------------------------------------------------

/// Job payload: assess one submission. Kind `assess`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssessJob { pub submission_id: Uuid }

/// Job payload: send one email of the outbox. Kind `send-email`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendEmailJob { pub email_id: Uuid }

impl AssessJob { pub const KIND: &'static str = "assess"; }
impl SendEmailJob { pub const KIND: &'static str = "send-email"; }

/// What the child needs to assess a submission.
#[derive(Debug, Clone)]
pub struct ToAssess {
    pub submission_id: Uuid,
    pub organisation: String,
    pub return_id: String,
    pub return_version: String,
    pub period: String,
    /// In Europe/London.
    pub received_on: NaiveDate,
    pub file: StoredFile,
    /// The standing submission of the period before, and of the same period a year before.
    pub previous: Option<StoredFile>,
    pub year_ago: Option<StoredFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Give it to `files.get_to_file`.
    pub key: String,
    pub name: String,
    pub sha256: String,
}

/// `None` where there is nothing left to do: no such submission, or assessed already with this spec hash.
pub async fn to_assess(db: &db::Db, actor: &Actor, submission_id: Uuid) -> Result<Option<ToAssess>, db::DbError>;

/// Stores a finished assessment: records, findings, accounting, outcome, email and event, all or nothing.
/// `parts` is pulled on a blocking thread, a block at a time. Replaying it changes nothing.
pub async fn load<I>(db: &db::Db, actor: &Actor, submission_id: Uuid, spec: &ReturnSpec, parts: I) -> Result<Loaded, LoadError>
where I: Iterator<Item = Result<child::Part, child::ChildError>> + Send + 'static;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded { Stored(Outcome), AlreadyStored(Outcome) }

/// Stores that the file could not be read (the child crashed or ran over its limits): one blocker finding, outcome, email, event.
/// `message` and `fix` are plain sentences for the sender.
pub async fn refuse(db: &db::Db, actor: &Actor, submission_id: Uuid, spec: &ReturnSpec, message: &str, fix: &str) -> Result<Loaded, LoadError>;

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("there is no submission {0}")]
    UnknownSubmission(Uuid),
    /// The child ended badly: nothing was stored. The worker decides between a retry and `refuse`.
    #[error(transparent)]
    Child(#[from] child::ChildError),
    #[error("the assessment's parts came in the wrong order: {0}")]
    Parts(String),
    #[error(transparent)]
    Db(#[from] db::DbError),
}

// ---- emails (worker) -----------------------------------------------------------------------

/// The message as it goes out; `None` if it was sent already, given up or never existed.
/// `base_url` (no trailing slash) is put before the path of links.
pub async fn email_to_send(db: &db::Db, actor: &Actor, email_id: Uuid, base_url: &str) -> Result<Option<mail::Email>, EmailError>;
pub async fn mark_email_sent(db: &db::Db, actor: &Actor, email_id: Uuid) -> Result<(), db::DbError>;
/// Counts the attempt; says when to try again.
pub async fn mark_email_failed(db: &db::Db, actor: &Actor, email_id: Uuid, error: &str) -> Result<NextAttempt, db::DbError>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt { After(Duration), Undeliverable }

// ---- reads for the pages: `None` also where the actor may not see it -----------------------

pub use db::submissions::Submission; // id, organisation, organisation_name, return_id, return_title, return_version, period_label, period_start, period_end, version_number, file_name, sha256, file_key, bytes, uploaded_by, received_at, assessed_at, outcome: Option<Outcome>, state: cycle::SubmissionState

pub async fn submission(db: &db::Db, actor: &Actor, id: Uuid) -> Result<Option<Submission>, db::DbError>;
/// Newest first. `organisation: None` is everything the actor may see.
pub async fn submissions_of(db: &db::Db, actor: &Actor, organisation: Option<&str>) -> Result<Vec<Submission>, db::DbError>;
/// Findings in report order, at most `limit`, after the given ordinal (0 for the start); ask again after the last `ordinal`.
pub async fn findings(db: &db::Db, actor: &Actor, id: Uuid, after: u32, limit: u32) -> Result<Option<Vec<NumberedFinding>>, db::DbError>;
pub struct NumberedFinding { pub ordinal: u32, pub finding: Finding }
/// How many findings by severity and rule, worst first.
pub async fn finding_counts(db: &db::Db, actor: &Actor, id: Uuid) -> Result<Option<Vec<FindingCount>>, db::DbError>;
pub struct FindingCount { pub severity: Severity, pub rule: RuleId, pub n_findings: u64 }
/// What became of each table's rows.
pub async fn accounts(db: &db::Db, actor: &Actor, id: Uuid) -> Result<Option<Vec<assess::TableAccount>>, db::DbError>;
/// The rounds an organisation owes, with where it stands; `organisation: None` is all the actor may see (the grid).
pub async fn obligations(db: &db::Db, actor: &Actor, organisation: Option<&str>, today: NaiveDate) -> Result<Vec<Obligation>, db::DbError>;
pub struct Obligation {
    pub organisation: String, pub organisation_name: String,
    pub return_id: String, pub return_title: String, pub return_version: String,
    pub period_label: String, pub period_start: NaiveDate, pub period_end: NaiveDate,
    pub opens_on: NaiveDate, pub due_on: NaiveDate,
    pub state: cycle::ObligationState,
    /// The newest version, and the one that stands.
    pub latest: Option<Uuid>, pub standing: Option<Uuid>,
    pub n_versions: u32,
}
pub async fn organisations(db: &db::Db, actor: &Actor) -> Result<Vec<OrganisationName>, db::DbError>;
pub struct OrganisationName { pub code: String, pub name: String }
/// Copies the stored original to a local path, verified by its hash.
pub async fn original(db: &db::Db, files: &files::Files, actor: &Actor, id: Uuid, to: &Path) -> Result<Option<Submission>, ReceiveError>;
/// The consolidated CSV of a period, streamed; office and system see all organisations, an organisation its own rows.
pub async fn dataset_csv<W: tokio::io::AsyncWrite + Unpin + Send>(db: &db::Db, actor: &Actor, spec: &ReturnSpec, table: &str, period: &str, out: W) -> Result<u64, dataset::DatasetError>;
