//! The figures of a return and period: what they are made of, how to take them, and its releases.

use access::Action;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use dataset::{Asked, Format, Lineage, Mapped, column_name};
use serde::Deserialize;
use spec::{Accumulation, Period, ReturnSpec};
use uuid::Uuid;
use workflow::{DraftOf, DraftingRelease, FiguresIn, Release, ReleaseError, WantedDataset};

use super::explain::{Fields, field, see};
use super::problem::PageProblem;
use super::releases::{self, kind_in_words, periods_in_words};
use crate::Site;
use crate::api::releases::unprotected_in_words;
use crate::form::Form;
use crate::problem::Problem;
use crate::session::{Visitor, You};

#[derive(Deserialize)]
pub(crate) struct Round {
    return_id: String,
    period: String,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    table: Option<String>,
}

#[derive(Template)]
#[template(path = "datasets.html")]
struct DatasetPage {
    you: Option<You>,
    return_id: String,
    title: String,
    period: String,
    /// As addresses have it.
    label: String,
    /// The page itself.
    here: String,
    /// `/api/returns/…/periods/…`
    api: String,
    table: String,
    table_title: String,
    /// Address and title of the others.
    others: Vec<(String, String)>,
    sentence: String,
    /// Organisation and period.
    missing: Vec<(String, String)>,
    columns: Vec<(String, String)>,
    organisations: Vec<(String, String)>,
    formats: Vec<(&'static str, &'static str)>,
    /// Below which counts a release leaves figures out, or why it can't.
    protects_below: Result<u32, &'static str>,
    /// A period has the records of all before it.
    accumulates: bool,
    csv_address: String,
    parquet_address: String,
    /// Column, and what it was in older versions of the return.
    mapping: Vec<(String, String)>,
    releases: Vec<Row>,
    may_draft: bool,
    form_id: Uuid,
    filled: Filled,
}

/// A release in the list.
struct Row {
    link: String,
    name: String,
    state: String,
    tag: &'static str,
    drafted: String,
}

/// What was filled in to draft a release, and what is wrong with it.
#[derive(Default)]
struct Filled {
    notes: String,
    from: String,
    is_final: bool,
    is_protected: bool,
    problem: Option<String>,
    field: &'static str,
}

pub(crate) async fn show(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Round>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageProblem> {
    let (spec, _) = served(&site, &visitor, &round).await?;
    let filled = Filled {
        is_protected: FiguresIn::suggested_by(spec) == FiguresIn::Protected,
        ..Filled::default()
    };
    page(&site, visitor, &round, which.table.as_deref(), filled).await
}

async fn page(
    site: &Site,
    visitor: Visitor,
    round: &Round,
    table: Option<&str>,
    filled: Filled,
) -> Result<HttpResponse, PageProblem> {
    let (spec, period) = served(site, &visitor, round).await?;
    let figures = workflow::figures(&visitor.actor, &spec.id).map_err(Problem::from)?;
    let table = match table {
        Some(name) => spec.table(name),
        None => spec.tables.first(),
    };
    let table = table.ok_or_else(Problem::not_found)?;
    let wanted = WantedDataset {
        versions: &site.specs,
        spec,
        table: &table.name,
        from: &period,
        to: &period,
        organisations: &[],
        only_accepted: false,
        columns: &Asked {
            lineage: Lineage::None,
            ..Asked::default()
        },
    };
    let found = workflow::dataset(site.db()?, &figures, &wanted)
        .await
        .map_err(Problem::from)?;
    let manifest = &found.manifest;
    let may = |action| workflow::may_release(&visitor.actor, action, &spec.id);
    let releases = if may(Action::SeeReleases) {
        let all = workflow::releases_of(site.db()?, &visitor.actor, &spec.id).await;
        all.map_err(Problem::from)?
    } else {
        Vec::new()
    };
    let here = format!("/returns/{}/{}/datasets", spec.id, period.label);
    let api = format!("/api/returns/{}/periods/{}", spec.id, period.label);
    let base_url = &site.config.base_url;
    let address = |ending| format!("{base_url}{api}/dataset.{ending}?table={}", table.name);
    let page = DatasetPage {
        return_id: spec.id.clone(),
        title: spec.title.clone(),
        period: period.in_words(),
        label: period.label.clone(),
        csv_address: address("csv"),
        parquet_address: address("parquet"),
        others: spec
            .tables
            .iter()
            .filter(|other| other.name != table.name)
            .map(|other| (format!("{here}?table={}", other.name), other.title.clone()))
            .collect(),
        sentence: sentence(manifest),
        missing: missing(manifest),
        columns: table
            .items
            .iter()
            .map(|item| (column_name(table, item), item.title.clone()))
            .collect(),
        organisations: organisations(manifest),
        formats: Format::ALL
            .into_iter()
            .map(|format| (format.ending(), format.in_words()))
            .collect(),
        protects_below: spec
            .disclosure()
            .map(|said| said.threshold)
            .map_err(unprotected_in_words),
        accumulates: spec.accumulation == Accumulation::Cumulative,
        mapping: mapping(site, &found, &figures, &wanted).await?,
        releases: releases
            .iter()
            .filter(|release| release.to_period == period.label)
            .map(|release| row(release, &site.specs))
            .collect(),
        may_draft: may(Action::DraftRelease),
        form_id: Uuid::now_v7(),
        table: table.name.clone(),
        table_title: table.title.clone(),
        here,
        api,
        you: Some(visitor.you),
        filled,
    };
    let status = match page.filled.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok(super::render(status, &page))
}

/// How the columns were called in all periods before, where there was another version of the return.
async fn mapping(
    site: &Site,
    found: &workflow::Dataset,
    figures: &workflow::Figures,
    wanted: &WantedDataset<'_>,
) -> Result<Vec<(String, String)>, Problem> {
    let versions = site.specs.iter().filter(|one| one.id == wanted.spec.id);
    let first = versions.map(|one| one.valid_from).min();
    let Some(first) = first.filter(|first| *first < wanted.spec.valid_from) else {
        return Ok(Vec::new());
    };
    if wanted.spec.accumulation == Accumulation::Cumulative {
        return Ok(in_words(&found.shape.mapping));
    }
    let from = Period {
        start: first,
        end: first,
        ..wanted.to.clone()
    };
    let since = WantedDataset {
        from: &from,
        ..wanted.clone()
    };
    let since = workflow::dataset(site.db()?, figures, &since).await?;
    Ok(in_words(&since.shape.mapping))
}

/// Column and sentence.
pub(super) fn in_words(mapping: &[Mapped]) -> Vec<(String, String)> {
    let mapping = mapping.iter();
    mapping
        .map(|mapped| (mapped.column.clone(), mapped.in_words()))
        .collect()
}

/// Organisation and period.
pub(super) fn missing(manifest: &dataset::Manifest) -> Vec<(String, String)> {
    let missing = manifest.missing.iter();
    missing
        .map(|one| (one.organisation_name.clone(), one.period_label.clone()))
        .collect()
}

/// Code and name of whose figures there are, by name.
fn organisations(manifest: &dataset::Manifest) -> Vec<(String, String)> {
    let mut organisations: Vec<(String, String)> = manifest
        .submissions
        .iter()
        .map(|counted| {
            (
                counted.organisation.clone(),
                counted.organisation_name.clone(),
            )
        })
        .collect();
    organisations.sort_by(|a, b| a.1.cmp(&b.1));
    organisations.dedup();
    organisations
}

async fn served<'a>(
    site: &'a Site,
    visitor: &Visitor,
    round: &Round,
) -> Result<(&'a ReturnSpec, Period), Problem> {
    site.spec(&visitor.actor, &round.return_id, &round.period)
        .await
}

fn sentence(manifest: &dataset::Manifest) -> String {
    let n_there = manifest.submissions.len();
    if n_there == 0 {
        return match manifest.missing.len() {
            0 => "Nothing is in it, and nobody has to answer.".to_owned(),
            1 => "Nothing is in it yet: 1 is missing.".to_owned(),
            n => format!("Nothing is in it yet: {n} are missing."),
        };
    }
    let returns = match n_there {
        1 => "1 return is in it".to_owned(),
        n => format!("{n} returns are in it"),
    };
    match (manifest.n_provisional(), manifest.missing.len()) {
        (0, 0) => format!("{returns}, all accepted, and nobody is missing."),
        (n_provisional, n_missing) => {
            let provisional = match n_provisional {
                0 => "All of them are accepted".to_owned(),
                1 => "1 of them is not accepted yet".to_owned(),
                n => format!("{n} of them are not accepted yet"),
            };
            let missing = match n_missing {
                0 => "nobody is missing".to_owned(),
                1 => "1 is missing".to_owned(),
                n => format!("{n} are missing"),
            };
            format!("{returns}. {provisional}, and {missing}: these figures are provisional.")
        }
    }
}

fn row(release: &Release, specs: &[ReturnSpec]) -> Row {
    let (state, tag) = releases::state(release);
    Row {
        link: format!("/releases/{}", release.id),
        name: format!(
            "{}, {}",
            kind_in_words(release.kind),
            periods_in_words(release, specs)
        ),
        state,
        tag,
        drafted: releases::by_and_when(&release.by_name, release.at),
    }
}

/// Drafts a release.
pub(crate) async fn draft(
    site: web::Data<Site>,
    visitor: Visitor,
    round: web::Path<Round>,
    form: Form<Fields>,
) -> Result<HttpResponse, PageProblem> {
    visitor.check_form(field(&form, "form_token"))?;
    let (spec, period) = served(&site, &visitor, &round).await?;
    let mut filled = Filled {
        notes: field(&form, "notes").to_owned(),
        from: field(&form, "from").trim().to_owned(),
        is_final: field(&form, "of") == "accepted",
        is_protected: field(&form, "figures") == "protected",
        ..Filled::default()
    };
    let from = match filled.from.as_str() {
        "" => Ok(period.clone()),
        label => Period::parse(period.kind, label),
    };
    let from = match from {
        Ok(from) => from,
        Err(error) => {
            filled.problem = Some(format!("Check the first period: {error}."));
            filled.field = "from";
            return page(&site, visitor, &round, None, filled).await;
        }
    };
    let id = field(&form, "id");
    let id: Uuid = id
        .parse()
        .map_err(|_| Problem::bad_request("The form can't be read: open the page again."))?;
    let drafting = DraftingRelease {
        id,
        versions: &site.specs,
        spec,
        from: &from,
        to: &period,
        of: if filled.is_final {
            DraftOf::WhatIsAccepted
        } else {
            DraftOf::WhatStands
        },
        lineage: Lineage::parse(field(&form, "lineage")).unwrap_or_default(),
        figures: if filled.is_protected {
            FiguresIn::Protected
        } else {
            FiguresIn::All
        },
        notes: &filled.notes,
    };
    match workflow::draft_release(site.db()?, &visitor.actor, &drafting).await {
        Ok(()) => Ok(see(&format!("/releases/{id}"))),
        Err(error) => {
            (filled.problem, filled.field) = match &error {
                ReleaseError::NotesMissing => (
                    Some("Say what has changed since the last final release.".to_owned()),
                    "notes",
                ),
                ReleaseError::NotesTooLong => (
                    Some("Write at most 4,000 characters.".to_owned()),
                    "notes",
                ),
                ReleaseError::Nothing => (
                    Some("There is nothing to release yet: wait until a return is there, or accept one.".to_owned()),
                    "of",
                ),
                ReleaseError::Wanted(workflow::WantedError::Backwards) => (
                    Some(format!("Choose a first period before {}.", period.label)),
                    "from",
                ),
                _ => return Err(Problem::from(error).into()),
            };
            page(&site, visitor, &round, None, filled).await
        }
    }
}
