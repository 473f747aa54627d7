//! What of the last submission a new form begins with.

use std::collections::BTreeMap;

use spec::{IdentityKind, IdentityPlace, Layout, Period, ReturnSpec, TableSpec};

use super::Rows;

/// The rows that a new form is filled in with: those of turn-around tables, which come back updated.
///
/// A form of fixed cells and a list of records begin blank, whatever was sent last.
/// The period is the new one; what is asked anew each time (`asked_anew`) is blank.
pub fn carried_over(
    spec: &ReturnSpec,
    last: BTreeMap<String, Rows>,
    period: Option<&Period>,
) -> BTreeMap<String, Rows> {
    last.into_iter()
        .filter_map(|(name, mut rows)| {
            let table = spec.table(&name)?;
            let Layout::TurnAround { asked_anew, .. } = &table.layout else {
                return None;
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
