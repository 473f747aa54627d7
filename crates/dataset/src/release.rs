//! The files of a release: each table in every format, what it is made of, and what describes it to machines.
//!
//! They follow from what the edition says and from nothing else, so that building it again gives the same bytes.

mod metadata;
mod suppressed;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use report::csv::inert;
use report::table::MOST_ROWS;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use spec::ReturnSpec;
use uuid::Uuid;

pub use self::suppressed::{
    Before, CellsLeftOut, LEFT_OUT, PUBLISHED_BEFORE, Protection, Suppressed,
};
use self::suppressed::{Told, cells_csv, decide, forms};
use crate::write::From;
use crate::{Asked, DatasetError, Format, Lineage, Manifest, Shape, bytes_of, notes, write_file};

/// What of a release is decided when it is drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub lineage: Lineage,
    pub labels: bool,
    /// The final or revised release of its periods that was the newest one published; another one since overtook it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// How small counts are protected; `None`: every figure is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
}

/// A release as it was drafted.
#[derive(Debug, Clone)]
pub struct Edition<'a> {
    /// The version whose words it uses.
    pub spec: &'a ReturnSpec,
    pub manifest: &'a Manifest,
    pub settings: &'a Settings,
    /// `provisional`, `final` or `revised`.
    pub kind: &'a str,
    pub notes: &'a str,
    pub drafted_on: NaiveDate,
    /// The protected ones that were published before it, the oldest first; of one that is not protected none.
    pub before: &'a [Before],
}

/// A file that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub name: String,
    pub content_type: &'static str,
    pub path: PathBuf,
    /// Lower-case hex.
    pub sha256: String,
    pub n_bytes: u64,
}

/// A table of the release: its columns and how many rows it came to.
pub(crate) struct TableOf {
    shape: Arc<Shape>,
    n_records: u64,
}

const FORMATS: [Format; 3] = [Format::Csv, Format::Xlsx, Format::Parquet];

/// How many figures are left out.
pub const SUPPRESSED: &str = "suppressed.csv";

/// Which ones: what later releases read of this one.
pub const SUPPRESSED_CELLS: &str = "suppressed-cells.csv";

const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";

/// Builds every file into a folder.
pub async fn build(
    from: From<'_>,
    edition: &Edition<'_>,
    into: &Path,
) -> Result<Vec<Built>, DatasetError> {
    let mut built = Vec::new();
    let mut tables = Vec::new();
    let asked = Asked {
        items: Vec::new(),
        lineage: edition.settings.lineage,
        labels: edition.settings.labels,
    };
    for table in &edition.spec.tables {
        let (spec, manifest) = (edition.spec, edition.manifest);
        let mut shape = Shape::of(from.versions, spec, &table.name, manifest, &asked)?;
        if let Some(protection) = &edition.settings.protection {
            let decided = protected(from, edition, &shape, protection).await?;
            log(&table.name, &decided);
            shape.leave_out(decided);
        }
        let shape = Arc::new(shape);
        let mut n_records = 0;
        for format in FORMATS {
            // What a sheet has no room for is in the other formats; the notes say so.
            if format == Format::Xlsx && n_records > u64::from(MOST_ROWS) {
                continue;
            }
            let name = format!("{}.{}", table.name, format.ending());
            let path = into.join(&name);
            let file = File::create(&path)?;
            n_records = write_file(from, spec, manifest, &shape, format, file, into).await?;
            built.push(hashed(name, format.content_type(), path).await?);
        }
        tables.push(TableOf { shape, n_records });
    }
    if edition.settings.protection.is_some() {
        let counts = suppressed_csv(&tables)?;
        built.push(put(into, SUPPRESSED, Format::Csv.content_type(), counts).await?);
        let tables = tables.iter().filter_map(|table| table.shape.left_out());
        let cells = cells_csv(tables.map(Arc::as_ref))?;
        built.push(put(into, SUPPRESSED_CELLS, Format::Csv.content_type(), cells).await?);
    }
    let manifest = manifest_csv(edition)?;
    built.push(put(into, "manifest.csv", Format::Csv.content_type(), manifest).await?);
    let text = notes_text(edition, &tables).into_bytes();
    built.push(put(into, "notes.txt", "text/plain; charset=utf-8", text).await?);
    let package = pretty(&metadata::data_package(edition, &tables, &built))?;
    let csvw = pretty(&metadata::csvw(edition, &tables))?;
    let dcat = pretty(&metadata::dcat(edition, &built))?;
    built.push(put(into, "datapackage.json", JSON, package).await?);
    built.push(put(into, "csv-metadata.json", JSON_LD, csvw).await?);
    built.push(put(into, "dcat.jsonld", JSON_LD, dcat).await?);
    Ok(built)
}

/// What no file of the release says, for whoever drafted it: it could tell what is left out.
fn log(table: &str, decided: &Suppressed) {
    let (n_small, n_linked) = (decided.n_small, decided.n_linked);
    tracing::info!(table, n_small, n_linked, "figures are left out");
    if decided.n_told_before > 0 {
        let n_figures = decided.n_told_before;
        tracing::warn!(
            table,
            n_figures,
            "figures that are left out follow from earlier releases"
        );
    }
}

/// What is left out of a table, so that it follows neither from this release nor from it and those before it.
async fn protected(
    from: From<'_>,
    edition: &Edition<'_>,
    shape: &Shape,
    protection: &Protection,
) -> Result<Suppressed, DatasetError> {
    let spec = edition.spec;
    let mut told = Told::default();
    for Before { manifest, left_out } in edition.before {
        let then = Shape::of(from.versions, spec, &shape.table, manifest, &shape.asked)?;
        told.add(forms(from, manifest, (spec, &then)).await?, left_out);
    }
    let forms = forms(from, edition.manifest, (spec, shape)).await?;
    decide(forms, protection.threshold, &told).await
}

async fn put(
    into: &Path,
    name: &str,
    content_type: &'static str,
    bytes: Vec<u8>,
) -> Result<Built, DatasetError> {
    let path = into.join(name);
    tokio::fs::write(&path, bytes).await?;
    hashed(name.to_owned(), content_type, path).await
}

fn pretty(value: &serde_json::Value) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(io::Error::from)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// With its hash and length.
async fn hashed(
    name: String,
    content_type: &'static str,
    path: PathBuf,
) -> Result<Built, DatasetError> {
    let at = path.clone();
    let hashing = tokio::task::spawn_blocking(move || hash(&at));
    let (sha256, n_bytes) = hashing.await.map_err(io::Error::other)??;
    Ok(Built {
        name,
        content_type,
        path,
        sha256,
        n_bytes,
    })
}

fn hash(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut n_bytes) = (Sha256::new(), 0);
    let mut part = vec![0; 64 * 1024];
    loop {
        let n_read = file.read(&mut part)?;
        let Some(read) = part.get(..n_read).filter(|read| !read.is_empty()) else {
            break;
        };
        n_bytes += n_read as u64;
        hash.update(read);
    }
    Ok((hex::encode(hash.finalize()), n_bytes))
}

/// How many figures of each table are left out.
fn suppressed_csv(tables: &[TableOf]) -> Result<Vec<u8>, DatasetError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["table", "threshold", "reason", "cells"])?;
    for table in tables {
        let Some(left_out) = table.shape.left_out() else {
            continue;
        };
        for (reason, n_cells) in left_out.counts() {
            writer.write_record([
                &table.shape.table,
                &left_out.threshold().to_string(),
                reason,
                &n_cells.to_string(),
            ])?;
        }
    }
    bytes_of(writer)
}

/// What a release says of what it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LeftOut {
    pub table: String,
    pub threshold: u32,
    /// [`LEFT_OUT`] or [`PUBLISHED_BEFORE`].
    pub reason: String,
    pub cells: u64,
}

/// Files that were made before said how many figures are small and how many linked: they are told as one number.
pub fn read_suppressed(path: &Path) -> Result<Vec<LeftOut>, DatasetError> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut all: Vec<LeftOut> = Vec::new();
    for row in reader.deserialize() {
        let mut row: LeftOut = row?;
        if row.reason != PUBLISHED_BEFORE {
            LEFT_OUT.clone_into(&mut row.reason);
        }
        let is_same =
            |other: &&mut LeftOut| (&other.table, &other.reason) == (&row.table, &row.reason);
        match all.iter_mut().find(is_same) {
            Some(other) => other.cells += row.cells,
            None => all.push(row),
        }
    }
    Ok(all)
}

/// Organisation → version, and who is missing; of files their SHA-256, unless figures are left out, which it could tell.
fn manifest_csv(edition: &Edition<'_>) -> Result<Vec<u8>, DatasetError> {
    let manifest = edition.manifest;
    let has_hashes = edition.settings.protection.is_none();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut add = |all: [&str; 8]| {
        let n_columns = if has_hashes { 8 } else { 7 };
        writer.write_record(all.into_iter().take(n_columns))
    };
    add([
        "organisation_code",
        "organisation_name",
        "period",
        "return_version",
        "submission_version",
        "submission_state",
        "submission_id",
        "source_sha256",
    ])?;
    for counted in &manifest.submissions {
        let state = if counted.is_nil {
            "nothing to report"
        } else {
            counted.state.as_str()
        };
        add([
            counted.organisation.as_str(),
            &inert(&counted.organisation_name),
            &counted.period_label,
            &counted.return_version,
            &counted.version_number.to_string(),
            state,
            &counted.submission_id.to_string(),
            &counted.sha256,
        ])?;
    }
    for missing in &manifest.missing {
        add([
            missing.organisation.as_str(),
            &inert(&missing.organisation_name),
            &missing.period_label,
            "",
            "",
            "missing",
            "",
            "",
        ])?;
    }
    bytes_of(writer)
}

fn notes_text(edition: &Edition<'_>, tables: &[TableOf]) -> String {
    let mut text = format!(
        "{}, {} release, drafted on {}\n",
        edition.spec.title,
        edition.kind,
        edition.drafted_on.format("%-d %B %Y")
    );
    if !edition.notes.is_empty() {
        text.push_str(&format!("\n{}\n", edition.notes));
    }
    for table in tables {
        text.push('\n');
        let TableOf { shape, n_records } = table;
        for row in notes::notes(edition.spec, edition.manifest, shape, *n_records) {
            text.push_str(&format!("{}\n", row.join(": ")));
        }
        if *n_records > u64::from(MOST_ROWS) {
            text.push_str("Workbook: there is none, since a sheet has no room for so many rows.\n");
        }
    }
    text
}
