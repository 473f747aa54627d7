//! Which submissions a dataset is made of, and who is missing from it.

use std::collections::HashSet;

use chrono::NaiveDate;
use db::records::{self, Counted, Missing, Span};
use db::{Conn, DbError, Sees, organisations};
use serde::{Deserialize, Serialize};
use spec::{Accumulation, Period, ReturnSpec};
use uuid::Uuid;

use crate::{DatasetError, ShapeError};

/// A period, its dates always beside its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub label: String,
    pub start: NaiveDate,
    pub end: NaiveDate,
}

impl From<&Period> for Part {
    fn from(period: &Period) -> Self {
        Self {
            label: period.label.clone(),
            start: period.start,
            end: period.end,
        }
    }
}

/// The codes that an organisation goes by, as they were when the manifest was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// GSS code.
    pub code: String,
    pub name: String,
    pub sg_code: Option<String>,
    pub phs_code: Option<String>,
}

/// What a dataset is made of. It says everything that its bytes follow from, but for its columns and format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub return_id: String,
    pub from: Part,
    pub to: Part,
    /// Whether records of earlier periods count until newer ones take their place.
    pub accumulates: bool,
    pub only_accepted: bool,
    /// Whose was asked for, by GSS code; none: everybody's.
    pub organisations: Vec<String>,
    /// In the order of the rows.
    pub submissions: Vec<Counted>,
    pub missing: Vec<Missing>,
    /// The versions of the return that they were made with, with the hash of each.
    pub versions: Vec<(String, String)>,
    pub codes: Vec<Codes>,
}

/// The rounds of a dataset: from one period to another, which may be the same.
#[derive(Debug, Clone, Copy)]
pub struct WhichRounds<'a> {
    pub from: &'a Period,
    pub to: &'a Period,
}

/// Whose records.
#[derive(Debug, Clone, Copy)]
pub struct WhoseRecords<'a> {
    pub sees: &'a Sees,
    /// By GSS code; none: of all that are seen.
    pub organisations: &'a [String],
    pub only_accepted: bool,
}

impl Manifest {
    /// Whether something in it only stands provisionally, somebody is missing, or nothing is there at all.
    pub fn is_provisional(&self) -> bool {
        self.submissions.is_empty() || !self.missing.is_empty() || self.n_provisional() > 0
    }

    pub fn n_provisional(&self) -> usize {
        let provisional = |counted: &&Counted| counted.state != cycle::SubmissionState::Accepted;
        self.submissions.iter().filter(provisional).count()
    }

    pub fn ids(&self) -> Vec<Uuid> {
        let ids = self.submissions.iter();
        ids.map(|counted| counted.submission_id).collect()
    }
}

/// Reads which submissions count now. In a snapshot all of it is of one moment.
pub async fn read_manifest(
    conn: &mut Conn,
    versions: &[ReturnSpec],
    spec: &ReturnSpec,
    rounds: WhichRounds<'_>,
    whose: WhoseRecords<'_>,
) -> Result<Manifest, DatasetError> {
    let span = span(spec, rounds, whose);
    let missing = records::missing(conn, &span).await?;
    let mut manifest = read_with(conn, (versions, spec), rounds, whose, missing).await?;
    // Where records accumulate, one round has all up to its last day, and several have what was sent for them.
    if rounds.from.end < rounds.to.end {
        let first = rounds.from.end;
        let submissions = &mut manifest.submissions;
        submissions.retain(|counted| counted.period_end >= first);
    }
    Ok(manifest)
}

/// The same of many periods at once, for which who is missing is found by who is there.
pub async fn read_long_manifest(
    conn: &mut Conn,
    versions: &[ReturnSpec],
    spec: &ReturnSpec,
    rounds: WhichRounds<'_>,
    whose: WhoseRecords<'_>,
) -> Result<Manifest, DatasetError> {
    let required = records::look::required(conn, &span(spec, rounds, whose)).await?;
    let mut manifest = read_with(conn, (versions, spec), rounds, whose, required).await?;
    let there: HashSet<(&str, &str)> = manifest
        .submissions
        .iter()
        .map(|counted| (counted.organisation.as_str(), counted.period_label.as_str()))
        .collect();
    let is_there =
        |one: &Missing| there.contains(&(one.organisation.as_str(), one.period_label.as_str()));
    let missing = manifest.missing.iter().filter(|one| !is_there(one));
    manifest.missing = missing.cloned().collect();
    Ok(manifest)
}

fn span<'a>(spec: &'a ReturnSpec, rounds: WhichRounds<'_>, whose: WhoseRecords<'a>) -> Span<'a> {
    Span {
        return_id: &spec.id,
        from_end: rounds.from.end,
        to_end: rounds.to.end,
        accumulation: spec.accumulation,
        sees: whose.sees,
        organisations: whose.organisations,
        only_accepted: whose.only_accepted,
    }
}

async fn read_with(
    conn: &mut Conn,
    (versions, spec): (&[ReturnSpec], &ReturnSpec),
    rounds: WhichRounds<'_>,
    whose: WhoseRecords<'_>,
    missing: Vec<Missing>,
) -> Result<Manifest, DatasetError> {
    let submissions = records::counted(conn, &span(spec, rounds, whose)).await?;
    // Whose version is not known here, as while a new one is put in, can't be read, and must not be left out silently.
    let is_known = |counted: &&Counted| {
        let mut versions = versions.iter();
        versions.any(|one| one.id == spec.id && one.version == counted.return_version)
    };
    let with_rows = submissions.iter().filter(|counted| !counted.is_nil);
    if let Some(unknown) = { with_rows }.find(|counted| !is_known(counted)) {
        return Err(ShapeError::UnknownVersion(unknown.return_version.clone()).into());
    }
    let known = organisations::codes(conn).await?;
    let mut used: Vec<(String, String)> = versions
        .iter()
        .filter(|version| {
            let is_used = |counted: &Counted| counted.return_version == version.version;
            version.id == spec.id
                && (version.version == spec.version || submissions.iter().any(is_used))
        })
        .map(|version| (version.version.clone(), version.hash.clone()))
        .collect();
    used.sort();
    let mut organisations = whose.organisations.to_vec();
    organisations.sort();
    organisations.dedup();
    Ok(Manifest {
        return_id: spec.id.clone(),
        from: rounds.from.into(),
        to: rounds.to.into(),
        accumulates: spec.accumulation == Accumulation::Cumulative,
        only_accepted: whose.only_accepted,
        organisations,
        submissions,
        missing,
        versions: used,
        codes: known
            .into_iter()
            .map(|known| Codes {
                code: known.code,
                name: known.name,
                sg_code: known.sg_code,
                phs_code: known.phs_code,
            })
            .collect(),
    })
}

/// No table of it has more records than this.
pub async fn n_most_records(
    conn: &mut Conn,
    manifest: &Manifest,
    table: &str,
) -> Result<u64, DbError> {
    records::n_records(conn, &manifest.ids(), table).await
}
