//! `unchanged`: what a record says of the same person or thing is what it said in an earlier period.
//!
//! # Checks
//! Each of the rule's items against the same record of the earlier period, of those records that the rule's `where` picks there.
//! A value that is blank now, or was, passes; what was filled in since is no change.
//!
//! # Why it matters
//! A date of birth does not change: either it was wrong, or the record is another person's.
//!
//! # How to fix
//! Check that the record is of the same person or thing; if the value was corrected, say so.
//!
//! # Example
//! A child whose date of birth is another one than in last year's return.

use std::collections::HashSet;

use finding::Finding;
use spec::Rule;
use spec::rule::{Against, earlier_rows};

use super::{Scene, earlier, key};
use crate::CheckError;
use crate::message::{said, values_of};
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    against: Against,
    by: &[String],
    condition: Option<&str>,
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    let Some(before_frame) = earlier::frame(scene, against) else {
        return Ok(Vec::new());
    };
    let picked = picked(scene, rule, against, condition, tables)?;
    let key_idxs = scene.matching(by);
    let before_by_key = earlier::by_key(before_frame, &key_idxs);
    let mut findings = Vec::new();
    for record_idx in 0..scene.frame.n_records() {
        let before_idx = key(scene.frame, &key_idxs, record_idx)
            .and_then(|key| before_by_key.get(&key).copied())
            .filter(|before_idx| {
                picked
                    .as_ref()
                    .is_none_or(|picked| picked.contains(before_idx))
            });
        let Some(before_idx) = before_idx else {
            continue;
        };
        for name in &rule.items {
            let (Some(item), Some(item_idx)) = (scene.table.item(name), scene.table.item_idx(name))
            else {
                continue;
            };
            let now = scene.frame.values[item_idx].get(record_idx);
            let before = before_frame.values[item_idx].get(before_idx);
            if now.zip(before).is_none_or(|(now, before)| now == before) {
                continue;
            }
            let mut values = values_of(scene.table, scene.frame, record_idx);
            let of = |frame, idx| said(frame, item, item_idx, idx).unwrap_or_default();
            values.insert("title".to_owned(), item.title.clone());
            values.insert("value".to_owned(), of(scene.frame, record_idx));
            values.insert("before".to_owned(), of(before_frame, before_idx));
            findings.push(scene.finding_on(rule, name, record_idx, &values));
        }
    }
    Ok(findings)
}

/// The earlier records that count; `None`: all.
fn picked(
    scene: &Scene<'_>,
    rule: &Rule,
    against: Against,
    condition: Option<&str>,
    tables: &mut Tables,
) -> Result<Option<HashSet<usize>>, CheckError> {
    let Some(condition) = condition else {
        return Ok(None);
    };
    let select = earlier_rows(against, &scene.table.name, condition);
    let rows = tables.run(rule, &select, scene.reference)?;
    Ok(Some(rows.iter().filter_map(|row| row.record_idx).collect()))
}
