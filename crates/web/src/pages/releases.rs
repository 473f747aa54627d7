//! A release: what it is made of, its files, who approved it, and the ones before and after it.

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use cycle::clock;
use dataset::release::PUBLISHED_BEFORE;
use dataset::{Asked, Shape};
use finding::words::counted;
use spec::{Period, ReturnSpec};
use uuid::Uuid;
use workflow::{Building, N_APPROVALS, Release, ReleaseError, ReleaseKind};

use super::datasets;
use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use crate::Site;
use crate::api::releases::HAS_HASHES_IN_WORDS;
use crate::api::submission::parse_id;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};

#[derive(Template)]
#[template(path = "release.html")]
struct ReleasePage {
    you: Option<You>,
    title: String,
    period: String,
    /// The page of the figures that it is of.
    datasets: String,
    /// A first look at them.
    look: String,
    here: String,
    kind: &'static str,
    state: String,
    tag: &'static str,
    notes: String,
    drafted: String,
    approvals: Vec<String>,
    n_approvals: usize,
    files: Vec<FileRow>,
    members: Vec<Member>,
    /// Organisation and period.
    missing: Vec<(String, String)>,
    history: Vec<Other>,
    /// What is left out of it, in sentences.
    left_out: Vec<String>,
    /// Column, and what it was in older versions of the return.
    mapping: Vec<(String, String)>,
    is_protected: bool,
    /// Whether it is there to be approved, and this reader may.
    may_approve: bool,
    /// How far its files are, while they aren't there.
    building: Option<&'static str>,
    is_given_up: bool,
    problem: Option<String>,
    field: &'static str,
}

/// Another release of the same periods.
struct Other {
    link: String,
    id: Uuid,
    name: &'static str,
    state: String,
}

struct FileRow {
    name: String,
    link: String,
    size: String,
    sha256: String,
}

/// A version that it is made of.
struct Member {
    organisation: String,
    period: String,
    version: u32,
    state: &'static str,
    /// Its page.
    link: String,
    /// `None`: the release leaves figures out.
    sha256: Option<String>,
}

/// `Final release`.
pub(super) fn kind_in_words(kind: ReleaseKind) -> &'static str {
    match kind {
        ReleaseKind::Provisional => "Provisional release",
        ReleaseKind::Final => "Final release",
        ReleaseKind::Revised => "Revised release",
    }
}

/// Where it stands, and the tag of that.
pub(super) fn state(release: &Release) -> (String, &'static str) {
    match (release.published, release.is_built, release.approvals.len()) {
        (Some((number, _)), _, _) => (format!("published as number {number}"), "ds_tag--green"),
        (None, false, _) if release.is_being_built => {
            ("its files are being made".to_owned(), "ds_tag--blue")
        }
        (None, false, _) => ("its files were not made".to_owned(), "ds_tag--red"),
        (None, true, 0) => ("to approve".to_owned(), "ds_tag--yellow"),
        (None, true, n) => (
            format!("approved by {n} of {N_APPROVALS}"),
            "ds_tag--yellow",
        ),
    }
}

/// Its periods with their dates.
pub(super) fn periods_in_words(release: &Release, specs: &[ReturnSpec]) -> String {
    let mut specs = specs.iter();
    let kind = specs
        .find(|spec| spec.id == release.return_id && spec.version == release.return_version)
        .map(|spec| spec.period_kind);
    let words = |label: &str| {
        let period = kind.and_then(|kind| Period::parse(kind, label).ok());
        period.map_or_else(|| label.to_owned(), |period| period.in_words())
    };
    if release.from_period == release.to_period {
        words(&release.to_period)
    } else {
        format!(
            "{} to {}",
            words(&release.from_period),
            words(&release.to_period)
        )
    }
}

/// `Ann, 20 July 2026 at 10:05`.
pub(super) fn by_and_when(name: &str, at: DateTime<Utc>) -> String {
    format!("{name}, {}", clock::moment_in_words(at))
}

/// Where its last period is.
fn round_of(release: &Release) -> String {
    format!("/returns/{}/{}", release.return_id, release.to_period)
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    page(&site, visitor, parse_id(&id)?, None).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    id: Uuid,
    problem: Option<String>,
) -> Result<HttpResponse, PageProblem> {
    let (db, actor) = (site.db()?, &visitor.actor);
    let full = workflow::release_in_full(db, actor, id)
        .await
        .map_err(Problem::from)?;
    let release = &full.release;
    let all = workflow::releases_of(db, actor, &release.return_id)
        .await
        .map_err(Problem::from)?;
    let history = all
        .iter()
        .filter(|other| {
            other.id != release.id
                && (&other.from_period, &other.to_period)
                    == (&release.from_period, &release.to_period)
        })
        .map(|other| Other {
            link: format!("/releases/{}", other.id),
            id: other.id,
            name: kind_in_words(other.kind),
            state: format!(
                "{}, drafted by {}",
                state(other).0,
                by_and_when(&other.by_name, other.at)
            ),
        });
    let has_approved = release
        .approvals
        .iter()
        .any(|approval| access::ActorId::Person(approval.by_id) == actor.id);
    let may_approve = workflow::may_release(actor, Action::ApproveRelease, &release.return_id)
        && release.published.is_none()
        && !has_approved;
    let building = workflow::building(db, actor, release)
        .await
        .map_err(Problem::from)?;
    let is_protected = workflow::threshold_of(release).is_some();
    let (state, tag) = state(release);
    let page = ReleasePage {
        title: release.return_title.clone(),
        period: periods_in_words(release, &site.specs),
        datasets: format!("{}/datasets", round_of(release)),
        look: format!("{}/look", round_of(release)),
        here: format!("/releases/{id}"),
        kind: kind_in_words(release.kind),
        state,
        tag,
        notes: release.notes.clone(),
        drafted: by_and_when(&release.by_name, release.at),
        approvals: release
            .approvals
            .iter()
            .map(|approval| by_and_when(&approval.by_name, approval.at))
            .collect(),
        n_approvals: N_APPROVALS,
        files: full
            .files
            .iter()
            .map(|file| FileRow {
                link: format!("/api/releases/{id}/files/{}", file.name),
                name: file.name.clone(),
                size: size(file.n_bytes),
                sha256: file.sha256.clone(),
            })
            .collect(),
        members: members(&full.manifest, is_protected),
        missing: datasets::missing(&full.manifest),
        history: history.collect(),
        left_out: left_out(site, actor, &full).await?,
        mapping: mapping(&site.specs, &full),
        is_protected,
        may_approve: may_approve && release.is_built,
        building: in_words(building),
        is_given_up: building == Building::GivenUp,
        field: "approve",
        problem,
        you: Some(visitor.you),
    };
    let status = match page.problem {
        Some(_) => StatusCode::CONFLICT,
        None => StatusCode::OK,
    };
    Ok(super::render(status, &page))
}

fn members(manifest: &dataset::Manifest, is_protected: bool) -> Vec<Member> {
    let members = manifest.submissions.iter().map(|counted| Member {
        organisation: counted.organisation_name.clone(),
        period: counted.period_label.clone(),
        version: counted.version_number,
        state: counted.state.in_words(),
        link: format!("/submissions/{}", counted.submission_id),
        // What could tell a figure that is left out is on the version's own page alone.
        sha256: (!is_protected).then(|| counted.sha256.clone()),
    });
    members.collect()
}

fn in_words(building: Building) -> Option<&'static str> {
    Some(match building {
        Building::Done => return None,
        Building::Waits => "Its files will be made soon. Open this page again in a minute.",
        Building::Runs => "Its files are being made. Open this page again in a minute.",
        Building::TriedAgain => {
            "Making its files failed, and will be tried again. Open this page again later."
        }
        Building::GivenUp => {
            "Making its files failed too often, and is not tried any more. Tell whoever runs this service. When the cause is mended, draft it again."
        }
    })
}

/// What a release leaves out, and how much.
async fn left_out(
    site: &Site,
    actor: &workflow::Actor,
    full: &workflow::ReleaseInFull,
) -> Result<Vec<String>, Problem> {
    let release = &full.release;
    let Some(threshold) = workflow::threshold_of(release) else {
        return Ok(Vec::new());
    };
    let failed = |error: &dyn std::error::Error| Problem::failed("read a release", error);
    let room = crate::spool::place(&site.config.spool_dir).map_err(|error| failed(&error))?;
    let counts = workflow::left_out(site.db()?, &site.files, actor, release, &room).await?;
    let mut told = vec![format!(
        "Counts from 1 to {} are left out of its files, and the figures that they could be worked out from. Each has [c] in its place.",
        threshold - 1
    )];
    told.extend(counts.iter().map(|count| {
        let figures = counted(count.cells, "figure", "figures");
        let why = match count.reason.as_str() {
            PUBLISHED_BEFORE => {
                "small, but published before: they stand, and can't be hidden any more"
            }
            _ => "left out",
        };
        format!("{}: {figures} {why}.", count.table)
    }));
    if full.has_hashes {
        told.push(match release.published {
            Some(_) => {
                "Its files say the SHA-256 of each file that its figures came in, and guesses at what is left out can be tried with that: do not pass them on. Newer releases leave it out.".to_owned()
            }
            None => HAS_HASHES_IN_WORDS.to_owned(),
        });
    }
    Ok(told)
}

/// Of all its tables. A version that is not there any more was there when it was built: the notes say it.
fn mapping(specs: &[ReturnSpec], full: &workflow::ReleaseInFull) -> Vec<(String, String)> {
    let mut specs_of = specs.iter();
    let spec = specs_of.find(|spec| {
        spec.id == full.release.return_id && spec.version == full.release.return_version
    });
    let tables = spec.iter().flat_map(|spec| {
        let tables = spec.tables.iter();
        tables.map(move |table| (spec, table))
    });
    let asked = Asked::default();
    let shapes = tables.filter_map(|(spec, table)| {
        Shape::of(specs, spec, &table.name, &full.manifest, &asked).ok()
    });
    shapes
        .flat_map(|shape| datasets::in_words(&shape.mapping))
        .collect()
}

/// `12 KB`.
fn size(n_bytes: u64) -> String {
    match n_bytes {
        0..1_000 => format!("{n_bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", n_bytes / 1_000),
        _ => format!("{} MB", n_bytes / 1_000_000),
    }
}

/// Approves it; the second person's approval publishes it.
pub(crate) async fn approve(
    site: web::Data<Site>,
    visitor: Visitor,
    id: web::Path<String>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let id = parse_id(&id)?;
    match workflow::approve_release(site.db()?, &visitor.actor, id).await {
        Ok(_) => Ok(see(&format!("/releases/{id}"))),
        Err(ReleaseError::NotBuilt) => {
            let told = "Wait until its files are made, look at them, and approve it then.";
            page(&site, visitor, id, Some(told.to_owned())).await
        }
        Err(ReleaseError::Overtaken) => {
            let told = "Draft it again: a final release of the same figures was published since. In the notes, say what has changed.";
            page(&site, visitor, id, Some(told.to_owned())).await
        }
        Err(ReleaseError::OvertakenByProtected) => {
            let told = "Draft it again: another release that leaves small counts out was published since, and the two together could tell some of them.";
            page(&site, visitor, id, Some(told.to_owned())).await
        }
        Err(ReleaseError::HasHashes) => {
            page(&site, visitor, id, Some(HAS_HASHES_IN_WORDS.to_owned())).await
        }
        Err(error) => Err(Problem::from(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_three_digits() {
        for (n_bytes, told) in [(999, "999 bytes"), (1_000, "1 KB"), (2_500_000, "2 MB")] {
            assert_eq!(size(n_bytes), told);
        }
    }
}
