//! What is different between two releases: organisation by organisation, row by row. Of what they leave out it tells
//! what their files tell, and no more.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use chrono::NaiveDate;
use dataset::release::{CellsLeftOut, SUPPRESSED_CELLS};
use dataset::{
    Answering, ChangesOfOne, DatasetError, ItemsOf, LinedUpTables, Manifest, Mapped, SideOf, Until,
    release_changes_csv, tables_of_two, until,
};
use db::records::{self, ChangeCounts};
use db::releases::Release;
use db::{Conn, Db, DbError, Sees};
use files::Files;
use spec::{Accumulation, ReturnSpec};
use tokio::io::AsyncWrite;
use uuid::Uuid;

use super::{
    ReleaseFileError, ReleaseInFull, cells_left_out, release_in_full, releases_of, threshold_of,
};
use crate::compare::COMPARED_WITHIN;
use crate::{Actor, Denied};

pub use db::records::Counted;

/// Of more records than these the changes are not counted for a page.
pub const MOST_COUNTED: u64 = 250_000;

/// Two releases of a return, the older first.
pub struct TwoReleases {
    pub old: Release,
    pub new: Release,
    /// Records of earlier periods count on, so that an organisation's submissions are compared all together.
    pub accumulates: bool,
    /// One of them leaves small counts out: what changed is told of the figures that both publish.
    pub is_protected: bool,
    /// Those of which something else counts, or is left out: by organisation and period, or, where records accumulate, by organisation.
    pub changed: Vec<Changed>,
    /// What each of them leaves out, the old one first; `None`: one of them does, and has no file that says what.
    left_out: Option<[CellsLeftOut; 2]>,
    /// How each of them is put together, the old one first.
    accumulations: [Accumulation; 2],
    until: Until,
}

impl TwoReleases {
    /// Whether it can be told figure by figure what changed: it is known of both what they leave out.
    pub fn can_be_told(&self) -> bool {
        self.left_out.is_some()
    }
}

/// What counts of an organisation in each release, the last one most.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// One at most, but where records accumulate.
    pub old: Vec<Counted>,
    pub new: Vec<Counted>,
}

impl Changed {
    /// What only the old one counts, and what only the new one does.
    pub fn came_and_went(&self) -> (Vec<&Counted>, Vec<&Counted>) {
        let ids = |all: &[Counted]| -> HashSet<Uuid> {
            all.iter().map(|counted| counted.submission_id).collect()
        };
        let (old, new) = (ids(&self.old), ids(&self.new));
        let is_only = |in_other: HashSet<Uuid>| {
            move |counted: &&Counted| !in_other.contains(&counted.submission_id)
        };
        (
            self.old.iter().filter(is_only(new)).collect(),
            self.new.iter().filter(is_only(old)).collect(),
        )
    }
}

/// The two releases and of whom they have other versions. Without another one to compare with, with the one before:
/// not there where there is none. What they leave out is read from their files, by way of `room`.
pub async fn two_releases(
    (db, files): (&Db, &Files),
    actor: &Actor,
    (new, with): (Uuid, Option<Uuid>),
    room: &Path,
) -> Result<TwoReleases, ReleaseFileError> {
    let new = release_in_full(db, actor, new).await?;
    let with = match with {
        Some(with) => with,
        None => {
            let all = releases_of(db, actor, &new.release.return_id).await?;
            let is_before = |other: &&Release| {
                other.at < new.release.at
                    && (&other.from_period, &other.to_period)
                        == (&new.release.from_period, &new.release.to_period)
            };
            all.iter().find(is_before).ok_or(Denied::NotThere)?.id
        }
    };
    let old = release_in_full(db, actor, with).await?;
    if old.release.return_id != new.release.return_id {
        return Err(Denied::NotThere.into());
    }
    let left_out = match (
        left_out_of(files, &old, room).await?,
        left_out_of(files, &new, room).await?,
    ) {
        (Some(of_old), Some(of_new)) => Some([of_old, of_new]),
        _ => None,
    };
    let (before, now) = (&old.manifest, &new.manifest);
    let mut until = until(before.submissions.iter().chain(&now.submissions));
    // Whose words are used, whether or not anything was collected with them.
    for release in [&old.release, &new.release] {
        let version = until.entry(release.return_version.clone());
        version.or_insert_with(|| release.to_period.clone());
    }
    Ok(TwoReleases {
        accumulates: before.accumulates || now.accumulates,
        is_protected: threshold_of(&old.release)
            .or(threshold_of(&new.release))
            .is_some(),
        changed: changed((before, now), left_out.as_ref()),
        accumulations: [before, now].map(|manifest| {
            if manifest.accumulates {
                Accumulation::Cumulative
            } else {
                Accumulation::Replace
            }
        }),
        left_out,
        until,
        old: old.release,
        new: new.release,
    })
}

/// `None`: it leaves something out, and has no file that says what; it is not built, or was before there were such files.
async fn left_out_of(
    files: &Files,
    of: &ReleaseInFull,
    room: &Path,
) -> Result<Option<CellsLeftOut>, ReleaseFileError> {
    if threshold_of(&of.release).is_none() {
        return Ok(Some(CellsLeftOut::default()));
    }
    match of.files.iter().find(|file| file.name == SUPPRESSED_CELLS) {
        Some(file) => Ok(Some(cells_left_out(files, file, room).await?)),
        None => Ok(None),
    }
}

/// Of a return of which each period stands by itself, one version of each counts; where records accumulate, what an
/// organisation sent for all of them counts together.
type Key<'a> = (&'a str, Option<(NaiveDate, &'a str)>);

fn key(counted: &Counted, accumulates: bool) -> Key<'_> {
    let period = (counted.period_end, counted.period_label.as_str());
    (
        counted.organisation.as_str(),
        (!accumulates).then_some(period),
    )
}

fn changed(
    (old, new): (&Manifest, &Manifest),
    left_out: Option<&[CellsLeftOut; 2]>,
) -> Vec<Changed> {
    let accumulates = old.accumulates || new.accumulates;
    let mut both: BTreeMap<Key<'_>, Changed> = BTreeMap::new();
    for counted in &old.submissions {
        both.entry(key(counted, accumulates))
            .or_default()
            .old
            .push(counted.clone());
    }
    for counted in &new.submissions {
        both.entry(key(counted, accumulates))
            .or_default()
            .new
            .push(counted.clone());
    }
    let is_left_out_otherwise = |counted: &Counted| {
        left_out.is_some_and(|[of_old, of_new]| !of_old.is_same_in(of_new, counted.submission_id))
    };
    let is_other = |changed: &Changed| {
        changed.came_and_went() != (Vec::new(), Vec::new())
            || changed.new.iter().any(is_left_out_otherwise)
    };
    both.into_values().filter(is_other).collect()
}

/// How much changed, and what is to be known of it.
pub struct HowMuch {
    /// Of each of [`TwoReleases::changed`]; `None`: there are too many records to count them for a page, or
    /// it [can't be told](TwoReleases::can_be_told).
    pub counts: Option<Vec<ChangeCounts>>,
    /// What older versions of the return called otherwise.
    pub mapping: Vec<Mapped>,
    /// Titles of tables that the newest version does not have.
    pub not_compared: Vec<String>,
}

/// How much changed between two releases. Not there: a version of the return is not in use any more.
pub async fn how_much_changed(
    db: &Db,
    _actor: &Actor,
    versions: &[ReturnSpec],
    two: &TwoReleases,
) -> Result<HowMuch, Denied> {
    let lined_up = lined_up(versions, two).map_err(|_| Denied::NotThere)?;
    let mut tx = db
        .begin_long_snapshot(&Sees::Everyone, COMPARED_WITHIN)
        .await?;
    let counts = match &two.left_out {
        Some(left_out) if n_compared(&mut tx, &lined_up, two).await? <= MOST_COUNTED => {
            let mut all = Vec::new();
            for changed in &two.changed {
                let mut sum = ChangeCounts::default();
                let of = of_one(&mut tx, &lined_up, (two, left_out), changed).await?;
                for table in &of.tables {
                    sum.add(records::n_changes(&mut tx, &table.comparison).await?);
                }
                all.push(sum);
            }
            Some(all)
        }
        Some(_) | None => None,
    };
    tx.commit().await?;
    let mapping = lined_up.tables.iter().flat_map(|table| &table.mapping);
    Ok(HowMuch {
        counts,
        mapping: mapping.cloned().collect(),
        not_compared: lined_up.not_in_all,
    })
}

fn lined_up<'a>(
    versions: &'a [ReturnSpec],
    two: &TwoReleases,
) -> Result<LinedUpTables<'a>, dataset::ShapeError> {
    LinedUpTables::of(versions, &two.new.return_id, &two.until, ItemsOf::Any)
}

/// How many records are read to tell what changed.
async fn n_compared(
    conn: &mut Conn,
    lined_up: &LinedUpTables<'_>,
    two: &TwoReleases,
) -> Result<u64, DbError> {
    let all = two.changed.iter();
    let all = all.flat_map(|changed| changed.old.iter().chain(&changed.new));
    let ids: HashSet<Uuid> = all.map(|counted| counted.submission_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let tables: HashSet<&str> = lined_up
        .tables
        .iter()
        .flat_map(|table| table.names())
        .collect();
    let mut n_compared = 0;
    for table in tables {
        n_compared += records::n_records(conn, &ids, table).await?;
    }
    Ok(n_compared)
}

async fn of_one<'a>(
    conn: &mut Conn,
    lined_up: &LinedUpTables<'a>,
    (two, left_out): (&TwoReleases, &[CellsLeftOut; 2]),
    changed: &'a Changed,
) -> Result<ChangesOfOne<'a>, DbError> {
    let answering = |all: &'a [Counted]| -> Vec<Answering<'a>> {
        let all = all.iter();
        all.map(|counted| (counted.submission_id, counted.return_version.as_str()))
            .collect()
    };
    let (old, new) = (answering(&changed.old), answering(&changed.new));
    let side = |idx: usize, submissions| SideOf {
        submissions,
        accumulation: two.accumulations[idx],
        left_out: Some(&left_out[idx]),
    };
    let tables = &lined_up.tables;
    let either = changed.new.first().or(changed.old.first());
    Ok(ChangesOfOne {
        organisation: either.map_or(("", ""), |counted| {
            (&counted.organisation, &counted.organisation_name)
        }),
        old: &changed.old,
        new: &changed.new,
        tables: tables_of_two(conn, tables, side(0, &old), side(1, &new)).await?,
    })
}

/// Writes everything that is different, a line for each value. Gives the number of records. Denied where it
/// [can't be told](TwoReleases::can_be_told).
pub async fn write_release_changes<W: AsyncWrite + Unpin + Send>(
    db: &Db,
    _actor: &Actor,
    versions: &[ReturnSpec],
    two: &TwoReleases,
    mut out: W,
) -> Result<u64, ReleaseFileError> {
    let left_out = two.left_out.as_ref().ok_or(Denied::NotThere)?;
    let lined_up = lined_up(versions, two).map_err(DatasetError::from)?;
    let mut tx = db
        .begin_long_snapshot(&Sees::Everyone, COMPARED_WITHIN)
        .await?;
    let mut all = Vec::new();
    for changed in &two.changed {
        all.push(of_one(&mut tx, &lined_up, (two, left_out), changed).await?);
    }
    let n_records = release_changes_csv(&mut tx, &all, &mut out).await?;
    tx.commit().await?;
    Ok(n_records)
}
