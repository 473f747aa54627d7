//! What checking a file found that was not sent: read from an answer that is kept for a short time and nowhere else.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use access::Action;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;
use cycle::SubmissionState;
use cycle::clock::{self, moment_in_words};
use finding::words::with_commas;
use finding::{Asks, Finding, Outcome};
use report::listing::Cover;
use report::xlsx::FindingsWorkbook;
use tempfile::TempPath;
use uuid::Uuid;
use workflow::{
    Actor, Answer, Answers, Denied, FindingCount, NumberedFinding, Parcel, ParcelError,
    ParcelState, Waiting,
};

use super::findings::{Of, Said, Section, sections};
use super::problem::PageProblem;
use super::steps::{Step, steps};
use super::submission::{Account, asked, summary};
use crate::api::workbooks::download;
use crate::problem::Problem;
use crate::session::{Visitor, You};
use crate::{Site, spool, words};

/// Of each check; the spreadsheets have all of them.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "checked.html")]
struct CheckedPage {
    you: Option<You>,
    id: Uuid,
    batch: Uuid,
    name: String,
    organisation: String,
    round: String,
    /// Until it is checked.
    steps: Vec<Step>,
    /// Once it is.
    found: Option<Found>,
    goes: String,
    /// Where it is sent in, or the next one is checked.
    send: String,
    may_send: bool,
}

struct Found {
    tag: &'static str,
    state: &'static str,
    sentence: String,
    counts: Vec<String>,
    sections: Vec<Section>,
    /// Where not all are shown.
    cut: Option<String>,
    tables: Vec<Account>,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let Waiting {
        parcel, progress, ..
    } = find(&site, &visitor, &id).await?;
    let found = match parcel.state {
        ParcelState::Checking => None,
        ParcelState::Checked => {
            let path = answer(&site, &visitor.actor, parcel.id).await?;
            let parcel_id = parcel.id;
            Some(blocking(move || shown(parcel_id, &path)).await??)
        }
        // It is decided there.
        _ => {
            let place = format!("/upload/{}", parcel.batch);
            return Ok(HttpResponse::SeeOther()
                .insert_header((header::LOCATION, place))
                .finish());
        }
    };
    let page = CheckedPage {
        may_send: workflow::may_for(&visitor.actor, Action::Send, &parcel.organisation),
        you: Some(visitor.you),
        id: parcel.id,
        batch: parcel.batch,
        round: round_in_words(&site, &parcel),
        steps: progress
            .map(|progress| steps(progress, "Writing down what was found"))
            .unwrap_or_default(),
        found,
        goes: moment_in_words(parcel.goes_at),
        send: match &parcel.round {
            Some((return_id, period)) => format!(
                "/upload?organisation={}&round={return_id}/{period}",
                parcel.organisation
            ),
            None => "/upload".to_owned(),
        },
        name: parcel.file_name,
        organisation: parcel.organisation_name,
    };
    Ok(super::render(StatusCode::OK, &page))
}

async fn find(site: &Site, visitor: &Visitor, id: &str) -> Result<Waiting, PageProblem> {
    let id = Uuid::try_parse(id).map_err(|_| Problem::gone())?;
    match workflow::parcel(site.db()?, &visitor.actor, id).await {
        Err(Denied::NotThere) => Err(Problem::gone().into()),
        found => Ok(found?),
    }
}

fn round_in_words(site: &Site, parcel: &Parcel) -> String {
    let Some((return_id, label)) = &parcel.round else {
        return String::new();
    };
    match site.newest_spec(return_id, label) {
        Some((spec, period)) => format!("{}, {}", spec.title, period.in_words()),
        None => format!("{return_id}, {label}"),
    }
}

/// The answer in a local file, which goes when what holds it is dropped.
pub(crate) async fn answer(site: &Site, reader: &Actor, id: Uuid) -> Result<TempPath, Problem> {
    let path = spool::place(&site.config.spool_dir)
        .map_err(|error| Problem::failed("read an answer", &error))?;
    let copied = workflow::answer(site.db()?, &site.files, reader, id, &path).await;
    match copied {
        Ok(()) => Ok(path),
        // It went while the page was asked for, or is not there yet.
        Err(
            ParcelError::Denied(Denied::NotThere)
            | ParcelError::Files(files::FilesError::Missing { .. }),
        ) => Err(Problem::gone()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    web::block(work)
        .await
        .map_err(|error| Problem::failed("find a thread", &error))
}

/// What a page shows of an answer: the first places of each check.
fn shown(id: Uuid, path: &Path) -> Result<Found, Problem> {
    let failed = |error: io::Error| Problem::failed("read an answer", &error);
    let mut answer = Answer::open(path).map_err(failed)?;
    let mut n_shown: HashMap<String, usize> = HashMap::new();
    let mut first = Vec::new();
    let mut ordinal = 0;
    for block in answer.by_ref() {
        for finding in block.map_err(failed)? {
            ordinal += 1;
            let n = n_shown.entry(finding.rule.to_string()).or_default();
            *n += 1;
            if *n <= SHOWN {
                first.push(NumberedFinding { ordinal, finding });
            }
        }
    }
    let head = &answer.head;
    let counts: Vec<FindingCount> = head
        .counts
        .iter()
        .map(|count| FindingCount {
            severity: count.severity,
            rule: count.rule.clone(),
            n_findings: count.n,
        })
        .collect();
    let total: u64 = counts.iter().map(|count| count.n_findings).sum();
    let state = state_of(head.outcome);
    Ok(Found {
        tag: words::tag_of_submission(state),
        state: state.in_words(),
        sentence: head
            .outcome
            .sentence(asked(&counts, Asks::ToFix), asked(&counts, Asks::ToExplain)),
        counts: summary(&counts),
        cut: (total > first.len() as u64).then(|| {
            format!(
                "This page shows {} of {}: the first {SHOWN} of each check.",
                with_commas(first.len() as u64),
                with_commas(total)
            )
        }),
        sections: sections(
            Of::Checked(id),
            first,
            &counts,
            Said {
                answers: &Answers::default(),
                today: clock::day(Utc::now()),
            },
        ),
        tables: head.tables.iter().map(Account::of).collect(),
    })
}

/// What state it would be in, had it been sent.
fn state_of(outcome: Outcome) -> SubmissionState {
    match outcome {
        Outcome::Ready => SubmissionState::Ready,
        Outcome::NeedsExplanation => SubmissionState::NeedsExplanation,
        Outcome::NeedsCorrection => SubmissionState::NeedsCorrection,
        Outcome::Refused => SubmissionState::Refused,
    }
}

/// All findings as a CSV file.
pub(crate) async fn csv(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let parcel = find(&site, &visitor, &id).await?.parcel;
    let path = answer(&site, &visitor.actor, parcel.id).await?;
    let spool = site.config.spool_dir.clone();
    let file = blocking(move || write_csv(&path, &spool))
        .await?
        .map_err(|error| Problem::failed("write findings", &error))?;
    let name = spreadsheet(&parcel, "csv");
    Ok(download(file, &name, "text/csv; charset=utf-8"))
}

/// All findings as a workbook.
pub(crate) async fn xlsx(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let parcel = find(&site, &visitor, &id).await?.parcel;
    let path = answer(&site, &visitor.actor, parcel.id).await?;
    let spool = site.config.spool_dir.clone();
    let about = format!(
        "{}, {}, only checked",
        round_in_words(&site, &parcel),
        parcel.organisation_name
    );
    let file = blocking(move || write_xlsx(&path, about, spool))
        .await?
        .map_err(|error| Problem::failed("write a findings workbook", &error))?;
    let name = spreadsheet(&parcel, "xlsx");
    Ok(download(file, &name, crate::api::workbooks::XLSX))
}

/// `return-checked.csv` of `return.xlsx`.
fn spreadsheet(parcel: &Parcel, ending: &str) -> String {
    let name = &parcel.file_name;
    let stem = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    format!("{stem}-checked.{ending}")
}

#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Xlsx(#[from] report::workbook::WriteError),
}

fn write_csv(answer: &Path, spool: &Path) -> io::Result<File> {
    let own = own_headings(answer)?;
    let mut file = tempfile::tempfile_in(spool)?;
    // Excel takes a file without this mark for something else than UTF-8.
    file.write_all(b"\xef\xbb\xbf")?;
    report::csv::headings(&mut file, &own).map_err(io::Error::other)?;
    for block in Answer::open(answer)? {
        let block = block?;
        let lines = block.iter().map(unexplained);
        report::csv::lines(&mut file, &own, lines).map_err(io::Error::other)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn write_xlsx(answer: &Path, about: String, spool: PathBuf) -> Result<File, ExportError> {
    let own = own_headings(answer)?;
    let answer = Answer::open(answer)?;
    let cover = Cover {
        about,
        ..Cover::of(&answer.head)
    };
    let mut workbook = FindingsWorkbook::new(cover, own, &spool)?;
    for block in answer {
        workbook.add(block?.iter().map(unexplained))?;
    }
    let mut file = tempfile::tempfile_in(spool)?;
    workbook.save(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn unexplained(finding: &Finding) -> (&Finding, Option<&str>) {
    (finding, None)
}

/// The headings of the sender's own columns that the findings carry.
fn own_headings(answer: &Path) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    for block in Answer::open(answer)? {
        let block = block?;
        for heading in report::csv::own_headings(&block) {
            if !all.contains(&heading) {
                all.push(heading);
            }
        }
    }
    all.sort();
    Ok(all)
}
