//! `sum`: a total is the sum of its parts, across a record or down a form.
//!
//! # Checks
//! Exactly, in decimals. A total or part that is blank or unreadable is passed over;
//! a part of a form that is for other organisations counts as nothing.
//!
//! # Why it matters
//! A calculated cell that was typed over is the commonest way for a form to go wrong unseen.
//!
//! # How to fix
//! Put the formula back, or correct the part that is wrong.
//!
//! # Example
//! Chargeable dwellings are dwellings on the list less exempt ones, in every band.

use finding::Finding;
use frame::{Frame, Value, show_decimal};
use spec::rule::Part;
use spec::{Layout, Rule};

use super::Scene;
use crate::line_prefix;
use crate::message::values_of;
use crate::required::is_for_others;

/// Every figure is compared with this many places: no item has more.
pub(super) const PLACES: u8 = 9;

/// `total` = the sum of `parts`, in each record.
pub(super) fn across(scene: &Scene<'_>, rule: &Rule, total: &str, parts: &[Part]) -> Vec<Finding> {
    let Some(total_idx) = scene.table.item_idx(total) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for record_idx in 0..scene.frame.n_records() {
        let is_asked = |item: &str| !is_for_others(scene.table, record_idx, item, scene.reference);
        let asked = parts.iter().filter(|part| is_asked(&part.name));
        let figures = asked.map(|part| {
            let item_idx = scene.table.item_idx(&part.name)?;
            Some((figure(scene.frame, item_idx, record_idx)?, part.subtract))
        });
        let (Some(found), Some(expected)) =
            (figure(scene.frame, total_idx, record_idx), sum(figures))
        else {
            continue;
        };
        if found == expected {
            continue;
        }
        let mut values = values_of(scene.table, scene.frame, record_idx);
        values.insert("total".to_owned(), show(scene, total_idx, found));
        values.insert("expected".to_owned(), show(scene, total_idx, expected));
        let mut finding = scene.finding_on(rule, total, record_idx, &values);
        finding.message = format!(
            "{}{}",
            line_prefix(scene.table, scene.frame, record_idx),
            finding.message
        );
        findings.push(finding);
    }
    findings
}

/// The total line = the sum of the part lines, in each of the rule's items.
pub(super) fn down(
    scene: &Scene<'_>,
    rule: &Rule,
    total_line: &str,
    part_lines: &[Part],
) -> Vec<Finding> {
    let Layout::Matrix(matrix) = &scene.table.layout else {
        return Vec::new();
    };
    let line_idx = |code: &str| matrix.lines.iter().position(|line| line.code == code);
    let Some(total_idx) = line_idx(total_line) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for item in &rule.items {
        let Some(item_idx) = scene.table.item_idx(item) else {
            continue;
        };
        let asked = part_lines.iter().filter(|part| {
            line_idx(&part.name)
                .is_none_or(|line| !is_for_others(scene.table, line, item, scene.reference))
        });
        let figures = asked.map(|part| {
            let record_idx = line_idx(&part.name)?;
            Some((figure(scene.frame, item_idx, record_idx)?, part.subtract))
        });
        let (Some(found), Some(expected)) =
            (figure(scene.frame, item_idx, total_idx), sum(figures))
        else {
            continue;
        };
        if found == expected {
            continue;
        }
        let mut values = values_of(scene.table, scene.frame, total_idx);
        values.insert("value".to_owned(), show(scene, item_idx, found));
        values.insert("expected".to_owned(), show(scene, item_idx, expected));
        values.insert(
            "title".to_owned(),
            scene.table.items[item_idx].title.clone(),
        );
        findings.push(scene.finding_on(rule, item, total_idx, &values));
    }
    findings
}

/// `None` if any figure is not known.
fn sum(figures: impl Iterator<Item = Option<(i128, bool)>>) -> Option<i128> {
    figures.into_iter().try_fold(0_i128, |sum, figure| {
        let (figure, subtract) = figure?;
        Some(if subtract { sum - figure } else { sum + figure })
    })
}

/// A figure scaled to [`PLACES`].
pub(super) fn figure(frame: &Frame, item_idx: usize, record_idx: usize) -> Option<i128> {
    let values = &frame.values[item_idx];
    let (unscaled, scale) = match values.get(record_idx)? {
        Value::Integer(integer) => (i128::from(integer), 0),
        Value::Decimal(scaled) => (scaled, values.scale()),
        Value::Text(_) | Value::Date(_) | Value::Boolean(_) => return None,
    };
    Some(unscaled * 10_i128.pow(u32::from(PLACES.saturating_sub(scale))))
}

/// A figure with the item's own places, or all it has.
pub(super) fn show(scene: &Scene<'_>, item_idx: usize, figure: i128) -> String {
    let scale = scene.frame.values[item_idx].scale();
    let unit = 10_i128.pow(u32::from(PLACES.saturating_sub(scale)));
    if figure % unit == 0 {
        show_decimal(figure / unit, scale)
    } else {
        show_decimal(figure, PLACES)
            .trim_end_matches('0')
            .to_owned()
    }
}
