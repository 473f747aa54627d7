//! `present`: what was there in an earlier period is there again.
//!
//! # Checks
//! Each earlier record, of those the rule's `where` picks, whose items match no record now.
//! Where one of those items could not be read now nothing is said: the record may be there.
//!
//! # Why it matters
//! A site that is left off a turn-around form is a site whose progress is lost.
//!
//! # How to fix
//! Put the row back and bring it up to date.
//!
//! # Example
//! An open building site of last quarter that is not on this quarter's form.

use std::collections::HashSet;

use finding::Finding;
use spec::Rule;
use spec::rule::{Against, earlier_rows};

use super::{Scene, any_unreadable, earlier, key};
use crate::CheckError;
use crate::message::values_of;
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    against: Against,
    condition: Option<&str>,
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    let item_idxs = scene.item_idxs(&rule.items);
    let Some(before) = earlier::frame(scene, against) else {
        return Ok(Vec::new());
    };
    if any_unreadable(scene.frame, &item_idxs) {
        return Ok(Vec::new());
    }
    let now: HashSet<_> = (0..scene.frame.n_records())
        .filter_map(|record_idx| key(scene.frame, &item_idxs, record_idx))
        .collect();
    let select = earlier_rows(against, &scene.table.name, condition.unwrap_or("TRUE"));
    let picked = tables.run(rule, &select, scene.reference)?;
    Ok(picked
        .iter()
        .filter_map(|earlier| earlier.record_idx)
        .filter(|&record_idx| {
            key(before, &item_idxs, record_idx).is_some_and(|key| !now.contains(&key))
        })
        .map(|record_idx| scene.words(rule, &values_of(scene.table, before, record_idx)))
        .collect())
}
