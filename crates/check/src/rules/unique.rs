//! `unique`: a combination of values occurs once.
//!
//! # Checks
//! The rule's items together; records with one of them blank or unreadable are passed over.
//!
//! # Why it matters
//! Beside its key a record often has another number that is its own, such as a candidate number.
//!
//! # How to fix
//! Correct the record that has the other's number.
//!
//! # Example
//! Two children with the same Scottish Candidate Number.

use finding::Finding;
use spec::Rule;

use super::{Scene, repeats};
use crate::message::values_of;

pub(super) fn check(scene: &Scene<'_>, rule: &Rule) -> Vec<Finding> {
    let item_idxs = scene.item_idxs(&rule.items);
    let mut findings = Vec::new();
    for (record_idx, first) in repeats(scene.frame, &item_idxs) {
        let mut values = values_of(scene.table, scene.frame, record_idx);
        let first_cell = item_idxs
            .first()
            .and_then(|&item_idx| scene.frame.cell(item_idx, first))
            .map_or_else(String::new, |cell| cell.address());
        values.insert("first".to_owned(), first_cell);
        findings.push(scene.finding(rule, record_idx, &values));
    }
    findings
}
