//! `change`: a figure moved further than expected since an earlier period.
//!
//! # Checks
//! Each of the rule's items against the same record of the earlier period: it moved by more than `percent` %
//! and by at least `minimum`. A figure that was nought is measured by `minimum` alone.
//! Without an earlier submission the rule does not run.
//!
//! # Why it matters
//! A sharp movement is news or a mistake; only the sender knows which.
//!
//! # How to fix
//! Correct the figure, or explain the movement.
//!
//! # Example
//! Temporary staff up by a third since last quarter.

use finding::Finding;
use spec::Rule;
use spec::rule::Against;

use super::sum::{figure, show};
use super::{Scene, earlier, key};
use crate::line_prefix;
use crate::message::values_of;

/// Figures are scaled by this much, and so are the thresholds.
const SCALE: f64 = 1e9;

pub(super) fn check(scene: &Scene<'_>, rule: &Rule, against: Against) -> Vec<Finding> {
    let Some(before_frame) = earlier::frame(scene, against) else {
        return Vec::new();
    };
    let threshold = |name: &str| rule.thresholds.get(name).copied().unwrap_or(0.0);
    let (percent, minimum) = (threshold("percent"), threshold("minimum"));
    let key_idxs = match &scene.table.layout {
        spec::Layout::Matrix(matrix) => scene.item_idxs(std::slice::from_ref(&matrix.line_item)),
        _ => scene.item_idxs(&scene.table.keys),
    };
    let before_by_key = earlier::by_key(before_frame, &key_idxs);
    let mut findings = Vec::new();
    for record_idx in 0..scene.frame.n_records() {
        let before_idx = key(scene.frame, &key_idxs, record_idx)
            .and_then(|key| before_by_key.get(&key).copied());
        let Some(before_idx) = before_idx else {
            continue;
        };
        for item in &rule.items {
            let Some(item_idx) = scene.table.item_idx(item) else {
                continue;
            };
            let (Some(now), Some(before)) = (
                figure(scene.frame, item_idx, record_idx),
                figure(before_frame, item_idx, before_idx),
            ) else {
                continue;
            };
            let Some(moved) = moved(now, before, percent, minimum) else {
                continue;
            };
            let mut values = values_of(scene.table, scene.frame, record_idx);
            values.insert(
                "title".to_owned(),
                scene.table.items[item_idx].title.clone(),
            );
            values.insert("value".to_owned(), show(scene, item_idx, now));
            values.insert("before".to_owned(), show(scene, item_idx, before));
            values.insert("difference".to_owned(), show(scene, item_idx, now - before));
            values.insert("percent".to_owned(), moved);
            let mut finding = scene.finding_on(rule, item, record_idx, &values);
            finding.message = format!(
                "{}{}",
                line_prefix(scene.table, scene.frame, record_idx),
                finding.message
            );
            findings.push(finding);
        }
    }
    findings
}

/// The movement in per cent, in words, if it is beyond both thresholds.
#[expect(
    clippy::cast_precision_loss,
    reason = "a threshold is a judgement, not a figure that is kept"
)]
fn moved(now: i128, before: i128, percent: f64, minimum: f64) -> Option<String> {
    let difference = (now - before).unsigned_abs() as f64;
    if difference == 0.0 || difference < minimum * SCALE {
        return None;
    }
    if before == 0 {
        return Some("from nought".to_owned());
    }
    let share = difference / before.unsigned_abs() as f64 * 100.0;
    (share > percent).then(|| format!("{share:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_thresholds_have_to_be_passed() {
        let unit = 1_000_000_000;
        let moved = |now: i128, before: i128| moved(now * unit, before * unit, 5.0, 10.0);
        assert_eq!(moved(110, 100).as_deref(), Some("10.0"));
        assert_eq!(moved(109, 100), None, "below the minimum");
        assert_eq!(moved(1050, 1000), None, "exactly five per cent is not more");
        assert_eq!(moved(1051, 1000).as_deref(), Some("5.1"));
        assert_eq!(moved(80, 100).as_deref(), Some("20.0"));
        assert_eq!(moved(10, 0).as_deref(), Some("from nought"));
        assert_eq!(moved(0, 0), None);
    }
}
