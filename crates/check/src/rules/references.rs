//! `references`: a record's values are those of a parent record.
//!
//! # Checks
//! Each record whose items match no record of the parent table.
//! Where a parent's key could not be read nothing is said: the parent may be there.
//!
//! # Why it matters
//! A conference without its child can't be counted under anything.
//!
//! # How to fix
//! Correct the reference, or add the parent record.
//!
//! # Example
//! A conference whose `ChildRecordId` is no child's `Id`.

use std::collections::HashSet;

use finding::Finding;
use spec::Rule;

use super::{Scene, any_unreadable, key};
use crate::message::values_of;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    parent: &str,
    parent_items: &[String],
) -> Vec<Finding> {
    let (Some(parent_table), Some(parent_frame)) =
        (scene.spec.table(parent), scene.framed.frame(parent))
    else {
        return Vec::new();
    };
    let parent_idxs: Vec<usize> = parent_items
        .iter()
        .filter_map(|name| parent_table.item_idx(name))
        .collect();
    if any_unreadable(parent_frame, &parent_idxs) {
        return Vec::new();
    }
    let parents: HashSet<_> = (0..parent_frame.n_records())
        .filter_map(|record_idx| key(parent_frame, &parent_idxs, record_idx))
        .collect();
    let item_idxs = scene.item_idxs(&rule.items);
    (0..scene.frame.n_records())
        .filter(|&record_idx| {
            key(scene.frame, &item_idxs, record_idx).is_some_and(|key| !parents.contains(&key))
        })
        .map(|record_idx| {
            let values = values_of(scene.table, scene.frame, record_idx);
            scene.finding(rule, record_idx, &values)
        })
        .collect()
}
