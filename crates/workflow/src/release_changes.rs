//! What is different between two releases: organisation by organisation, row by row.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use dataset::{ChangesOfOne, DatasetError, Manifest, TableOfTwo, release_changes_csv};
use db::records::{self, Asked, ChangeCounts, Counted, Pair, Side};
use db::releases::Release;
use db::{Db, DbError, Sees, submissions};
use spec::ReturnSpec;
use tokio::io::AsyncWrite;
use uuid::Uuid;

use crate::compare::COMPARED_WITHIN;
use crate::releases::{release_in_full, releases_of, threshold_of};
use crate::{Actor, Denied};

/// Two releases of a return, the older first.
pub struct TwoReleases {
    pub old: Release,
    pub new: Release,
    /// Records of earlier periods count on: what changed in them can't be told return by return.
    pub accumulates: bool,
    /// One of them leaves small counts out: what changed row by row would tell them.
    pub is_protected: bool,
    /// By organisation and period, those of which another version counts.
    pub changed: Vec<Changed>,
}

/// A return that another version of counts for, or that came or went.
#[derive(Debug, Clone)]
pub struct Changed {
    pub old: Option<Counted>,
    pub new: Option<Counted>,
}

/// The two releases and of whom they have other versions. Without another one to compare with, with the one before:
/// not there where there is none.
pub async fn two_releases(
    db: &Db,
    actor: &Actor,
    new: Uuid,
    with: Option<Uuid>,
) -> Result<TwoReleases, Denied> {
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
        return Err(Denied::NotThere);
    }
    Ok(TwoReleases {
        accumulates: new.manifest.accumulates,
        is_protected: threshold_of(&old.release)
            .or(threshold_of(&new.release))
            .is_some(),
        changed: changed(&old.manifest, &new.manifest),
        old: old.release,
        new: new.release,
    })
}

fn changed(old: &Manifest, new: &Manifest) -> Vec<Changed> {
    let by_key = |manifest: &Manifest| -> BTreeMap<Key, Counted> {
        let all = manifest.submissions.iter().cloned();
        all.map(|counted| (key(&counted, manifest.accumulates), counted))
            .collect()
    };
    let (old, mut new) = (by_key(old), by_key(new));
    let mut both = BTreeMap::new();
    for (key, old) in old {
        let new = new.remove(&key);
        if new.as_ref().map(|new| new.submission_id) != Some(old.submission_id) {
            let old = Some(old);
            both.insert(key, Changed { old, new });
        }
    }
    for (key, new) in new {
        let new = Some(new);
        both.insert(key, Changed { old: None, new });
    }
    both.into_values().collect()
}

/// Of a return of which each period stands by itself, one version of each counts; where records accumulate, several may.
type Key = (String, NaiveDate, String, Option<u32>);

fn key(counted: &Counted, accumulates: bool) -> Key {
    (
        counted.organisation.clone(),
        counted.period_end,
        counted.period_label.clone(),
        accumulates.then_some(counted.version_number),
    )
}

/// The tables that both versions have, as each has them.
fn tables_of<'a>(versions: &'a [ReturnSpec], return_id: &str, changed: &Changed) -> Vec<Pair<'a>> {
    // What came or went is compared with nothing, so that each of its rows is told.
    let (Some(old), Some(new)) = (
        changed.old.as_ref().or(changed.new.as_ref()),
        changed.new.as_ref().or(changed.old.as_ref()),
    ) else {
        return Vec::new();
    };
    let id_of = |counted: &Option<Counted>| {
        let counted = counted.as_ref();
        counted.map_or_else(Uuid::nil, |counted| counted.submission_id)
    };
    let spec_of = |counted: &Counted| {
        let is_it =
            |spec: &&ReturnSpec| spec.id == return_id && spec.version == counted.return_version;
        versions.iter().find(is_it)
    };
    let (Some(old_spec), Some(new_spec)) = (spec_of(old), spec_of(new)) else {
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for table in &new_spec.tables {
        if let Some(before) = old_spec.table(&table.name) {
            pairs.push(Pair {
                old: Side {
                    spec: old_spec,
                    table: before,
                    submission_id: id_of(&changed.old),
                },
                new: Side {
                    spec: new_spec,
                    table,
                    submission_id: id_of(&changed.new),
                },
            });
        }
    }
    pairs
}

/// How much changed of each of [`TwoReleases::changed`].
pub async fn how_much_changed(
    db: &Db,
    _actor: &Actor,
    versions: &[ReturnSpec],
    two: &TwoReleases,
) -> Result<Vec<ChangeCounts>, DbError> {
    // Which records a version took the place of is not told by it alone.
    if two.accumulates {
        return Ok(vec![ChangeCounts::default(); two.changed.len()]);
    }
    let mut conn = db.read(&Sees::Everyone).await?;
    let mut all = Vec::new();
    for changed in &two.changed {
        let mut sum = ChangeCounts::default();
        for pair in tables_of(versions, &two.new.return_id, changed) {
            let ChangeCounts {
                changed,
                added,
                gone,
                figures,
            } = records::changes(&mut conn, &pair, &Asked::default())
                .await?
                .counts;
            sum.changed += changed;
            sum.added += added;
            sum.gone += gone;
            sum.figures += figures;
        }
        all.push(sum);
    }
    Ok(all)
}

/// Writes everything that is different, a line for each value. Gives the number of records.
pub async fn write_release_changes<W: AsyncWrite + Unpin + Send>(
    db: &Db,
    _actor: &Actor,
    versions: &[ReturnSpec],
    two: &TwoReleases,
    mut out: W,
) -> Result<u64, DatasetError> {
    let mut tx = db
        .begin_long_snapshot(&Sees::Everyone, COMPARED_WITHIN)
        .await?;
    let mut all = Vec::new();
    for changed in &two.changed {
        let mut tables = Vec::new();
        for pair in tables_of(versions, &two.new.return_id, changed) {
            let (old, new) = (pair.old.submission_id, pair.new.submission_id);
            let mut rows_of = Vec::new();
            for id in [old, new] {
                let rows = submissions::tables(&mut tx, id).await?;
                let mut rows = rows.into_iter();
                rows_of.push(rows.find(|rows| rows.table == pair.new.table.name));
            }
            let new_rows = rows_of.pop().flatten();
            let old_rows = rows_of.pop().flatten();
            tables.push(TableOfTwo {
                pair,
                old_rows,
                new_rows,
            });
        }
        all.push(ChangesOfOne {
            old: changed.old.as_ref(),
            new: changed.new.as_ref(),
            tables,
        });
    }
    let n_records = release_changes_csv(&mut tx, &all, &mut out).await?;
    tx.commit().await?;
    Ok(n_records)
}
