//! Columns that stand under each other's headings.

use std::collections::{BTreeMap, BTreeSet};

use finding::{Finding, Severity, column_letters};
use frame::{Frame, Shape};
use sheet::Value;
use spec::TableSpec;

use super::again::Seen;
use super::{Causes, Faults};

/// So many values have to be seen before a column is taken for another item's.
const ENOUGH: usize = 3;

pub(super) fn single_out(
    table: &TableSpec,
    frame: &Frame,
    faults: &Faults,
    seen: &Seen,
    causes: &mut Causes,
) {
    let homes = homes(table, frame, faults, seen);
    let from: BTreeSet<usize> = homes.keys().copied().collect();
    let to: BTreeSet<usize> = homes.values().copied().collect();
    // Each of them found its own elsewhere; or one did, and changed places with free text, which can't be told.
    let is_exchange = from == to || (from.len() == 1 && to.is_disjoint(&from));
    if homes.is_empty() || !is_exchange {
        return;
    }
    let all: BTreeSet<usize> = from.union(&to).copied().collect();
    let Some(cause) = cause(table, frame, &homes) else {
        return;
    };
    causes.replace(
        table,
        |finding| {
            let item_idx = finding
                .item
                .as_deref()
                .and_then(|item| table.item_idx(item));
            item_idx.is_some_and(|item_idx| all.contains(&item_idx))
        },
        cause,
    );
    causes.reject(table, frame.places.row_idxs.iter().copied());
}

/// For each item whose column is wrong throughout: the one other item in whose column its values stand.
fn homes(table: &TableSpec, frame: &Frame, faults: &Faults, seen: &Seen) -> BTreeMap<usize, usize> {
    let shapes: Vec<Shape<'_>> = table.items.iter().map(Shape::new).collect();
    let wrong = |item_idx: usize| faults.is_wrong_throughout(item_idx, frame);
    let values: Vec<Vec<&Value>> = (0..shapes.len())
        .map(|item_idx| sample(frame, item_idx, seen))
        .collect();
    (0..shapes.len())
        .filter(|&item_idx| shapes[item_idx].tells() && wrong(item_idx))
        .filter_map(|item_idx| {
            let mut others = (0..shapes.len()).filter(|&other| {
                other != item_idx
                    && (wrong(other) || !shapes[other].tells())
                    && values[other].len() >= ENOUGH
                    && values[other]
                        .iter()
                        .all(|value| shapes[item_idx].fits(*value))
            });
            match (others.next(), others.next()) {
                (Some(other), None) => Some((item_idx, other)),
                _ => None,
            }
        })
        .collect()
}

fn sample<'s>(frame: &Frame, item_idx: usize, seen: &'s Seen) -> Vec<&'s Value> {
    let Some(column_idx) = frame.places.column_idxs[item_idx] else {
        return Vec::new();
    };
    frame
        .places
        .row_idxs
        .iter()
        .take(Faults::SAMPLE)
        .filter_map(|row_idx| {
            let row = seen.row(*row_idx);
            let at = row
                .binary_search_by_key(&column_idx, |(idx, _)| *idx)
                .ok()?;
            Some(&row[at].1)
        })
        .collect()
}

fn cause(table: &TableSpec, frame: &Frame, homes: &BTreeMap<usize, usize>) -> Option<Finding> {
    let held: Vec<String> = homes
        .iter()
        .filter_map(|(item_idx, home_idx)| {
            let (item, home) = (&table.items[*item_idx], &table.items[*home_idx]);
            let column = column_letters(frame.places.column_idxs[*home_idx]?);
            Some(format!(
                "column {column} ({}) holds what belongs under {} ({})",
                home.name, item.name, item.title
            ))
        })
        .collect();
    let first = *homes.keys().next()?;
    Some(
        Finding::new(
            format!("{}.columns-swapped", table.name),
            Severity::Error,
            format!(
                "Values stand under the wrong headings: {}.",
                held.join("; ")
            ),
            "Move each column under its own heading, or correct the headings, and upload again.",
        )
        .in_table(&table.name)
        .on_item(&table.items[first].name)
        .at_cell(frame.cell(first, 0)?),
    )
}
