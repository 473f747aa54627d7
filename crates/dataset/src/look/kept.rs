//! Adding up beforehand what can be looked at, so that nobody has to wait for it.

use std::collections::{BTreeMap, BTreeSet};

use db::Conn;
use db::records::look::{self, Adding, Key, Sums, Wanted};
use spec::{Layout, ReturnSpec, TableSpec};

use super::states::States;
use super::{is_coded, item_idx, items_of};
use crate::{Asked, DatasetError, Lineage, Manifest, Part, Shape, column_name};

/// What is added up in one statement: with more it would take too much memory, with less the records are read too often.
const AT_ONCE: usize = 8;

/// What can be asked of an organisation's records.
#[derive(Debug, Clone, Default)]
pub struct ToKeep {
    /// What all of it is known by.
    pub known: BTreeSet<Key>,
    /// What was not kept yet.
    pub added: BTreeMap<Key, Sums>,
}

/// Adds up whatever can be asked of an organisation's records in these periods and is not kept yet.
/// The manifest is the organisation's alone.
pub async fn to_keep(
    conn: &mut Conn,
    (versions, spec): (&[ReturnSpec], &ReturnSpec),
    manifest: &Manifest,
    periods: &[Part],
    to_keep: &mut ToKeep,
) -> Result<(), DatasetError> {
    for table in &spec.tables {
        // The few lines of a form are added up as they are asked for.
        if let Layout::Matrix(_) = table.layout {
            continue;
        }
        let asked = Asked {
            items: items_of(table)
                .into_iter()
                .map(|item| column_name(table, item))
                .collect(),
            lineage: Lineage::None,
            labels: false,
        };
        let shape = Shape::of(versions, spec, &table.name, manifest, &asked)?;
        let states = States::of((versions, spec), (manifest, &shape), periods);
        let mut missing = Vec::new();
        for adding in all_there_is(table, &shape) {
            let keys = states.keys(adding)?;
            let all: Vec<Key> = keys.values().copied().collect();
            to_keep.known.extend(all.iter().copied());
            let kept = look::which_are_kept(conn, &all).await?;
            let kept: BTreeSet<Key> = kept.into_iter().collect();
            let is_new = |key: &Key| !kept.contains(key) && !to_keep.added.contains_key(key);
            let not_kept: BTreeMap<Wanted, Key> =
                keys.into_iter().filter(|(_, key)| is_new(key)).collect();
            if !not_kept.is_empty() {
                missing.push((adding, not_kept));
            }
        }
        for missing in missing.chunks(AT_ONCE) {
            add(conn, &states, missing, &mut to_keep.added).await?;
        }
    }
    Ok(())
}

/// Everything that can be asked of a table of records.
fn all_there_is(table: &TableSpec, shape: &Shape) -> Vec<Adding> {
    let mut all = vec![Adding::Records];
    for item in items_of(table) {
        let adding = item_idx(shape, &column_name(table, item)).map(|idx| {
            if is_coded(item) {
                Adding::Codes(idx)
            } else {
                Adding::Figures(idx)
            }
        });
        all.extend(adding);
    }
    all
}

async fn add(
    conn: &mut Conn,
    states: &States<'_>,
    missing: &[(Adding, BTreeMap<Wanted, Key>)],
    sums: &mut BTreeMap<Key, Sums>,
) -> Result<(), DatasetError> {
    let wanted: BTreeSet<&Wanted> = missing.iter().flat_map(|(_, keys)| keys.keys()).collect();
    let wanted: Vec<Wanted> = wanted.into_iter().cloned().collect();
    let adding: Vec<Adding> = missing.iter().map(|(adding, _)| *adding).collect();
    let added = states.add_up(conn, &wanted, &adding, None).await?;
    let mut added: BTreeMap<(usize, Wanted), Sums> = added
        .into_iter()
        .map(|(place, wanted, sums)| ((place, wanted), sums))
        .collect();
    for (place, (_, keys)) in missing.iter().enumerate() {
        for (wanted, key) in keys {
            // That there are no records is kept too.
            let added = added.remove(&(place, wanted.clone()));
            sums.insert(*key, added.unwrap_or_default());
        }
    }
    Ok(())
}
