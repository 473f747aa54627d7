//! `GET /api/releases/…`: releases for programs, and their files.

use std::path::Path;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use spec::disclosure::Unprotected;
use workflow::{Release, ReleaseError, ReleaseFileError, TwoReleases, WantedError};

use super::submission::parse_id;
use super::{part, stream};
use crate::Site;
use crate::bulk::Bulk;
use crate::problem::Problem;
use crate::session::Caller;

/// Releases of a return
///
/// The newest first: fixed editions of its figures, which never change.
#[utoipa::path(
    get,
    path = "/api/returns/{return_id}/releases",
    operation_id = "list_releases",
    tag = "Datasets",
    params(
        ("return_id" = String, Path, description = "The return's id"),
    ),
    responses((status = 200, description = "The releases", body = Object, content_type = "application/json"))
)]
pub(crate) async fn list(
    site: web::Data<Site>,
    Caller(reader): Caller,
    return_id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let all = workflow::releases_of(site.db()?, &reader, &return_id).await?;
    let all: Vec<_> = all.iter().map(told).collect();
    Ok(HttpResponse::Ok().json(json!({ "releases": all })))
}

/// A release
///
/// With its files and their hashes, which version of whose return it is made of, and who is missing. Where small counts are left out, it does not tell the name and hash of what a return was sent in.
#[utoipa::path(
    get,
    path = "/api/releases/{release}",
    operation_id = "release",
    tag = "Datasets",
    params(
        ("release" = String, Path, description = "The release's id"),
    ),
    responses((status = 200, description = "The release", body = Object, content_type = "application/json"))
)]
pub(crate) async fn show(
    site: web::Data<Site>,
    Caller(reader): Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let full = workflow::release_in_full(site.db()?, &reader, id).await?;
    let files: Vec<_> = full
        .files
        .iter()
        .map(|file| {
            json!({
                "name": file.name,
                "content_type": file.content_type,
                "bytes": file.n_bytes,
                "sha256": file.sha256,
                "link": format!("/api/releases/{id}/files/{}", file.name),
            })
        })
        .collect();
    let mut release = told(&full.release);
    release["files"] = json!(files);
    release["submissions"] = json!(full.manifest.submissions);
    // Somebody passes this on with the files, and a hash tells which guess at a figure that is left out is right.
    if workflow::threshold_of(&full.release).is_some() {
        let submissions = release["submissions"].as_array_mut();
        let submissions = submissions.into_iter().flatten();
        for submission in submissions.filter_map(serde_json::Value::as_object_mut) {
            submission.remove("sha256");
            submission.remove("file_name");
        }
    }
    release["missing"] = json!(full.manifest.missing);
    Ok(HttpResponse::Ok().json(release))
}

fn told(release: &Release) -> serde_json::Value {
    json!({
        "id": release.id,
        "return_id": release.return_id,
        "return_version": release.return_version,
        "from": release.from_period,
        "to": release.to_period,
        "kind": release.kind.as_str(),
        "notes": release.notes,
        "left_out_below": workflow::threshold_of(release),
        "drafted_at": release.at,
        "is_built": release.is_built,
        "is_given_up": !release.is_built && !release.is_being_built,
        "n_approvals": release.approvals.len(),
        "number": release.published.map(|(number, _)| number),
        "published_at": release.published.map(|(_, at)| at),
        "link": format!("/api/releases/{}", release.id),
    })
}

/// A file of a release
///
/// Whole, or the range that is asked for. Its `ETag` is its SHA-256.
#[utoipa::path(
    get,
    path = "/api/releases/{release}/files/{name}",
    operation_id = "release_file",
    tag = "Datasets",
    params(
        ("release" = String, Path, description = "The release's id"),
        ("name" = String, Path, description = "The file's name"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The bytes that `If-None-Match` names are still right"),
        (status = 416, description = "It is not as long as that"),
    )
)]
pub(crate) async fn file(
    site: web::Data<Site>,
    Caller(reader): Caller,
    which: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, name) = which.into_inner();
    let failed = |error: &dyn std::error::Error| Problem::failed("give a file of a release", error);
    let path = crate::spool::place(&site.config.spool_dir).map_err(|error| failed(&error))?;
    let path: &Path = &path;
    let found = workflow::release_file(
        site.db()?,
        &site.files,
        &reader,
        (parse_id(&id)?, &name),
        path,
    )
    .await?;
    // Open, it is there until it is sent, although its name goes now.
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let about = part::About {
        tag: found.sha256,
        file_name: found.name,
        content_type: found.content_type,
        changes: false,
    };
    match part::without_bytes(&request, &about) {
        Some(answer) => Ok(answer),
        None => part::answer(&request, &about, file),
    }
}

#[derive(Deserialize)]
pub(crate) struct With {
    /// The other release.
    pub(crate) with: Option<String>,
}

/// What two releases have different, for whoever may see both.
pub(crate) async fn two(
    site: &Site,
    reader: &workflow::Actor,
    release: &str,
    with: &With,
) -> Result<TwoReleases, Problem> {
    let with = with.with.as_deref().map(parse_id).transpose()?;
    let which = (parse_id(release)?, with);
    let room = crate::spool::place(&site.config.spool_dir)
        .map_err(|error| Problem::failed("compare two releases", &error))?;
    Ok(workflow::two_releases((site.db()?, &site.files), reader, which, &room).await?)
}

/// What changed between two releases
///
/// A line for each figure that is another one now, and for each value of a record that came or went.
/// Where records accumulate over the periods of a return, a record is compared as it was sent last before each release,
/// whichever file that was in. A figure that a release leaves out stands as [c], as in its files, and no line is there where both leave it out.
#[utoipa::path(
    get,
    path = "/api/releases/{release}/changes.csv",
    operation_id = "release_changes",
    tag = "Datasets",
    params(
        ("release" = String, Path, description = "The newer release's id"),
        ("with" = Option<String>, Query, description = "The older one's; the one before, where none is named"),
    ),
    responses(
        (status = 200, description = "The changes", body = String, content_type = "text/csv"),
        (status = 409, description = "A release leaves small counts out and has no file yet that says which"),
    )
)]
pub(crate) async fn changes(
    site: web::Data<Site>,
    bulk: web::Data<Bulk>,
    Caller(reader): Caller,
    release: web::Path<String>,
    with: web::Query<With>,
) -> Result<HttpResponse, Problem> {
    let two = two(&site, &reader, &release, &with).await?;
    if !two.can_be_told() {
        return Err(Problem::conflict(
            "Not known what is left out",
            UNTOLD_IN_WORDS,
        ));
    }
    let name = format!("changes-{}-{}.csv", two.old.id, two.new.id);
    let (db, specs) = (site.db()?.clone(), site.clone());
    stream::csv(&bulk, &site.config.spool_dir, &name, |out| async move {
        workflow::write_release_changes(&db, &reader, &specs.specs, &two, out).await
    })
    .await
}

/// Why it can't be told what changed between two releases.
pub(crate) const UNTOLD_IN_WORDS: &str = "One of the two releases leaves small counts out, and has no file suppressed-cells.csv that says which: it is not built yet, or was built before there were such files. What changed figure by figure could tell them.";

/// Of a protected release of before, what is to be done.
pub(crate) const HAS_HASHES_IN_WORDS: &str = "Draft it again: its files say the SHA-256 of each file that its figures came in, and guesses at what is left out can be tried with that.";

/// Why small counts can't be left out, and what to do.
pub(crate) fn unprotected_in_words(why: Unprotected) -> &'static str {
    match why {
        Unprotected::Records => {
            "Small counts can be left out of forms only: this return has a row for each record, and a row with a figure left out can still show whose it is."
        }
        Unprotected::CountsNotSaid => {
            "Small counts can't be left out: the definition of this return does not say which of its figures count people or cases. Ask whoever looks after the definition to say it."
        }
        Unprotected::NoCounts => {
            "There are no small counts to leave out: none of this return's figures counts people or cases."
        }
    }
}

impl From<ReleaseFileError> for Problem {
    fn from(error: ReleaseFileError) -> Self {
        match error {
            ReleaseFileError::Denied(denied) => denied.into(),
            ReleaseFileError::Db(error) => error.into(),
            ReleaseFileError::Original(error) => {
                Problem::failed("give a file of a release", &error)
            }
            ReleaseFileError::Dataset(error) => WantedError::from(error).into(),
        }
    }
}

impl From<ReleaseError> for Problem {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Denied(denied) => denied.into(),
            ReleaseError::Db(error) => error.into(),
            ReleaseError::Wanted(error) => error.into(),
            ReleaseError::Nothing => Problem::conflict(
                "Nothing to release",
                "Nothing counts for these periods yet.",
            ),
            ReleaseError::NotesMissing => {
                Problem::bad_request("Say in the notes what has changed since the last release.")
            }
            ReleaseError::NotesTooLong => {
                Problem::bad_request("The notes are longer than 4,000 characters.")
            }
            ReleaseError::Unprotected(why) => Problem::bad_request(unprotected_in_words(why)),
            ReleaseError::Overtaken => Problem::conflict(
                "A final release came first",
                "A final release of the same periods was published after this one was drafted. Draft it again, and say in the notes what has changed since.",
            ),
            ReleaseError::OvertakenByProtected => Problem::conflict(
                "Another release came first",
                "Another release that leaves small counts out was published after this one was drafted. Draft it again, so that the two together tell nothing.",
            ),
            ReleaseError::HasHashes => {
                Problem::conflict("Drafted before hashes were left out", HAS_HASHES_IN_WORDS)
            }
            ReleaseError::NotBuilt => {
                Problem::conflict("Not built yet", "Its files are still being made.")
            }
            ReleaseError::NotAPerson => Problem::forbidden(),
            ReleaseError::UnknownVersion | ReleaseError::File(_) => {
                Problem::failed("build a release", &error)
            }
        }
    }
}
