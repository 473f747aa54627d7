//! Findings as a workbook of their own, and marked in the sender's own.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;

use access::Action;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use futures_util::{Stream, stream};
use report::xlsx::FindingsWorkbook;
use tokio::io::AsyncReadExt as _;
use workflow::Submission;

use crate::Site;
use crate::api::findings::explanations;
use crate::api::schemas;
use crate::api::submission::find;
use crate::pages::checked::blocking;
use crate::problem::Problem;
use crate::session::Caller;
use crate::spool;

pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Findings read and written at once.
const PAGE: u32 = 1000;

const CHUNK: usize = 64 * 1024;

/// All findings as a workbook
///
/// By check and in full; not there until the file is checked.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}/findings.xlsx",
    operation_id = "findings_xlsx",
    tag = "Findings",
    params(("id" = Uuid, Path, description = "The submission's id")),
    responses((status = 200, description = "A workbook", body = schemas::Binary, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
)]
pub(crate) async fn findings(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let submission = find(&site, &reader, Action::SeeFindings, &id).await?;
    let failed =
        |error: &dyn std::error::Error| Problem::failed("write a findings workbook", error);
    let (db, id) = (site.db()?, submission.id);
    let cover = workflow::findings_cover(db, &reader, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let own = workflow::own_headings(db, &reader, id).await?;
    let dir = site.config.spool_dir.clone();
    let temporary = dir.clone();
    let mut workbook = blocking(move || FindingsWorkbook::new(cover, own, &temporary))
        .await?
        .map_err(|error| failed(&error))?;
    let mut after = 0;
    loop {
        let page = workflow::findings(db, &reader, id, after, PAGE)
            .await?
            .unwrap_or_default();
        let Some(last) = page.last() else { break };
        after = last.ordinal;
        let answers = workflow::answers(db, &reader, &submission, &page).await?;
        let said = explanations(&page, &answers);
        let add = move || {
            let lines = page.iter().zip(&said);
            let lines = lines.map(|(numbered, said)| (&numbered.finding, said.as_deref()));
            workbook.add(lines).map(|()| workbook)
        };
        workbook = blocking(add).await?.map_err(|error| failed(&error))?;
    }
    let file = blocking(move || -> Result<File, SaveError> {
        let mut file = tempfile::tempfile_in(dir)?;
        workbook.save(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    })
    .await?
    .map_err(|error| failed(&error))?;
    Ok(download(file, &name(&submission, "findings"), XLSX))
}

/// The sender's own workbook with its findings marked
///
/// Not there until it is made, or where it can't be marked.
#[utoipa::path(
    get,
    path = "/api/submissions/{id}/marked.xlsx",
    operation_id = "marked_xlsx",
    tag = "Findings",
    params(("id" = Uuid, Path, description = "The submission's id")),
    responses((status = 200, description = "A workbook", body = schemas::Binary, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
)]
pub(crate) async fn marked(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let submission = find(&site, &reader, Action::DownloadMarked, &id).await?;
    let failed = |error: &dyn std::error::Error| Problem::failed("give a marked workbook", error);
    let path = spool::place(&site.config.spool_dir).map_err(|error| failed(&error))?;
    let path: &Path = &path;
    workflow::marked_file(site.db()?, &site.files, &reader, &submission, path)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(Problem::not_found)?;
    // Open, it is there until it is sent, although its name goes now.
    let file = File::open(path).map_err(|error| failed(&error))?;
    Ok(download(file, &name(&submission, "marked"), XLSX))
}

#[derive(Debug, thiserror::Error)]
enum SaveError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Write(#[from] report::workbook::WriteError),
}

/// `return-marked.xlsx` of `return.xlsx`.
fn name(submission: &Submission, what: &str) -> String {
    let name = &submission.file_name;
    let stem = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    format!("{stem}-{what}.xlsx")
}

pub(crate) fn download(file: File, name: &str, content_type: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CONTENT_DISPOSITION, attachment(name)))
        .streaming(Box::pin(chunks(tokio::fs::File::from_std(file))))
}

/// The header that names a download: plain for old programs, and as it is for the others.
pub(super) fn attachment(name: &str) -> String {
    use std::fmt::Write as _;
    let keeps = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let plain: String = name
        .chars()
        .map(|c| if keeps(c) || c == ' ' { c } else { '_' })
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if keeps(char::from(byte)) {
            exact.push(char::from(byte));
        } else {
            let _ = write!(exact, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

/// An error after the first byte can only cut the connection, so that nobody takes a part for the whole.
fn chunks(file: tokio::fs::File) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(n_bytes) => {
                chunk.truncate(n_bytes);
                Some((Ok(Bytes::from(chunk)), Some(file)))
            }
            Err(error) => {
                tracing::error!(%error, "a workbook was cut short");
                Some((Err(error), None))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_has_the_senders_name_and_nothing_that_breaks_a_header() {
        assert_eq!(
            attachment("Fòram 1-marked.xlsx"),
            "attachment; filename=\"F_ram 1-marked.xlsx\"; filename*=UTF-8''F%C3%B2ram%201-marked.xlsx"
        );
        let odd = attachment("a\"\r\nb;c'\\\u{202e}.xlsx");
        assert!(odd.is_ascii() && !odd.contains(['\r', '\n', '\\']), "{odd}");
        assert_eq!(odd.matches('"').count(), 2);
    }
}
