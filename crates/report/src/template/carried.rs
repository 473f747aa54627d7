//! What of the last submission a new form begins with.

use std::collections::BTreeMap;

use spec::{IdentityKind, IdentityPlace, Layout, Period, ReturnSpec, TableSpec};

use super::{Rows, SentFor};

/// The rows that a new form is filled in with.
///
/// Of the same period it is all that was sent, to be corrected.
/// Of an earlier one it is the figures of forms, which are shown as they stood then until somebody goes over them, and the rows of
/// turn-around tables, which come back updated: for the new period, and blank where they are asked anew each time (`asked_anew`).
/// A list of records begins blank then: its records were of that time.
pub fn carried_over(
    spec: &ReturnSpec,
    last: BTreeMap<String, Rows>,
    sent_for: SentFor,
    period: Option<&Period>,
) -> BTreeMap<String, Rows> {
    if sent_for == SentFor::ThisPeriod {
        return last;
    }
    last.into_iter()
        .filter_map(|(name, mut rows)| {
            let table = spec.table(&name)?;
            let asked_anew = match &table.layout {
                Layout::TurnAround { asked_anew, .. } => asked_anew,
                Layout::Matrix(_) => return Some((name, rows)),
                Layout::Records(_) => return None,
            };
            for item_idx in asked_anew.iter().filter_map(|item| table.item_idx(item)) {
                put(&mut rows, item_idx, None);
            }
            if let (Some(item_idx), Some(period)) = (period_item(table), period) {
                put(&mut rows, item_idx, Some(&period.label));
            }
            Some((name, rows))
        })
        .collect()
}

fn put(rows: &mut Rows, item_idx: usize, value: Option<&str>) {
    for row in rows {
        if let Some(cell) = row.get_mut(item_idx) {
            *cell = value.map(str::to_owned);
        }
    }
}

/// The item that says which period a record is for.
fn period_item(table: &TableSpec) -> Option<usize> {
    table
        .identities
        .iter()
        .find_map(|identity| match (&identity.kind, &identity.place) {
            (IdentityKind::Period, IdentityPlace::Item(item)) => table.item_idx(item),
            _ => None,
        })
}
