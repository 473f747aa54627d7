//! `change`: a figure moved further than expected since an earlier period.
//!
//! # Checks
//! Each of the rule's items against the same record of the earlier period, or without items the number of records.
//! It moved by more than `percent` % of what it was, by at least `minimum`, or where the rule has both by both of them
//! (`when = "either"`: by one). Only upwards or downwards where the rule says so, and not from less than `base`.
//! A figure that was nought is measured by `minimum` alone. Without an earlier submission the rule does not run.
//! The figures are exact, and so are the thresholds; an organisation may have its own.
//!
//! # Why it matters
//! A sharp movement is news or a mistake; only the sender knows which.
//!
//! # How to fix
//! Correct the figure, or explain the movement.
//!
//! # Example
//! Temporary staff up by a third since last quarter.

use std::cmp::Ordering;

use finding::Finding;
use frame::{Frame, show_decimal};
use spec::rule::{Change, Direction, Figure, When};
use spec::{Rule, Threshold};

use super::sum::{PLACES, figure, show};
use super::{Scene, earlier, key};
use crate::line_prefix;
use crate::message::{Filling, values_of};

pub(super) fn check(scene: &Scene<'_>, rule: &Rule, change: &Change) -> Vec<Finding> {
    let Some(before_frame) = earlier::frame(scene, change.against) else {
        return Vec::new();
    };
    let limits = Limits {
        percent: scene.threshold(rule, "percent"),
        minimum: scene.threshold(rule, "minimum"),
        base: scene.threshold(rule, "base"),
        direction: change.direction,
        when: change.when,
    };
    match change.figure {
        Figure::Items => of_items(scene, rule, &change.by, before_frame, &limits),
        Figure::Records => of_records(scene, rule, before_frame, &limits)
            .into_iter()
            .collect(),
    }
}

fn of_items(
    scene: &Scene<'_>,
    rule: &Rule,
    by: &[String],
    before_frame: &Frame,
    limits: &Limits,
) -> Vec<Finding> {
    let key_idxs = scene.matching(by);
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
            let Some(moved) = limits.moved(now, before) else {
                continue;
            };
            let mut values = values_of(scene.table, scene.frame, record_idx);
            let title = &scene.table.items[item_idx].title;
            fill_in(&mut values, title, moved, [now, before], |figure| {
                show(scene, item_idx, figure)
            });
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

fn of_records(
    scene: &Scene<'_>,
    rule: &Rule,
    before_frame: &Frame,
    limits: &Limits,
) -> Option<Finding> {
    let scaled = |n: usize| i128::try_from(n).ok()?.checked_mul(UNIT);
    let now = scaled(scene.frame.n_records())?;
    let before = scaled(before_frame.n_records())?;
    let moved = limits.moved(now, before)?;
    let mut values = Filling::new();
    fill_in(
        &mut values,
        &scene.table.title,
        moved,
        [now, before],
        |figure| show_decimal(figure / UNIT, 0),
    );
    Some(scene.words(rule, &values))
}

fn fill_in(
    values: &mut Filling,
    title: &str,
    moved: String,
    [now, before]: [i128; 2],
    show: impl Fn(i128) -> String,
) {
    for (name, value) in [
        ("title", title.to_owned()),
        ("value", show(now)),
        ("before", show(before)),
        ("difference", show(now - before)),
        ("percent", moved),
    ] {
        values.insert(name.to_owned(), value);
    }
}

/// One, as figures are scaled.
const UNIT: i128 = 10_i128.pow(PLACES as u32);

/// How far a figure may move.
#[derive(Debug, Clone, Copy)]
struct Limits {
    percent: Option<Threshold>,
    minimum: Option<Threshold>,
    base: Option<Threshold>,
    direction: Direction,
    when: When,
}

impl Limits {
    /// The movement in per cent, in words, where it is asked about.
    fn moved(&self, now: i128, before: i128) -> Option<String> {
        let goes_there = match self.direction {
            Direction::Either => now != before,
            Direction::Up => now > before,
            Direction::Down => now < before,
        };
        let difference = (now - before).unsigned_abs();
        let base = before.unsigned_abs();
        if !goes_there || self.base.is_some_and(|least| is_below(base, least)) {
            return None;
        }
        let enough = self.minimum.map(|least| !is_below(difference, least));
        let beyond = self
            .percent
            .filter(|_| base > 0)
            .map(|percent| is_share_above(difference, base, percent));
        let is_asked = match (enough, beyond, self.when) {
            (Some(enough), Some(beyond), When::Both) => enough && beyond,
            (Some(enough), Some(beyond), When::Either) => enough || beyond,
            (Some(one), None, _) | (None, Some(one), _) => one,
            // From nought, and only per cent to measure by.
            (None, None, _) => true,
        };
        is_asked.then(|| per_cent(difference, base))
    }
}

/// Whether a scaled figure is below a threshold.
fn is_below(figure: u128, threshold: Threshold) -> bool {
    let (numerator, denominator) = threshold.fraction();
    let unit = UNIT.unsigned_abs();
    compare(
        (figure, unit),
        (numerator.unsigned_abs(), denominator.unsigned_abs()),
    )
    .is_lt()
}

/// Whether a part is more than so many per cent of a whole.
fn is_share_above(part: u128, whole: u128, percent: Threshold) -> bool {
    let (numerator, denominator) = percent.fraction();
    let share = (numerator.unsigned_abs(), denominator.unsigned_abs() * 100);
    compare((part, whole), share).is_gt()
}

/// Compares two fractions, numerator and denominator, digit by digit as it were: no product can be too large.
fn compare(mut left: (u128, u128), mut right: (u128, u128)) -> Ordering {
    loop {
        let (whole_left, whole_right) = (left.0 / left.1, right.0 / right.1);
        let (rest_left, rest_right) = (left.0 % left.1, right.0 % right.1);
        let ordering = whole_left.cmp(&whole_right);
        if ordering.is_ne() || rest_left == 0 || rest_right == 0 {
            return ordering.then(rest_left.min(1).cmp(&rest_right.min(1)));
        }
        // The larger of two rests has the smaller reciprocal.
        (left, right) = ((right.1, rest_right), (left.1, rest_left));
    }
}

/// With one place, rounded.
fn per_cent(difference: u128, base: u128) -> String {
    if base == 0 {
        return "from nought".to_owned();
    }
    let tenths = difference * 1000 / base;
    let rest = difference * 1000 % base;
    let rounded = tenths + u128::from(rest >= base - rest);
    format!("{}.{}", rounded / 10, rounded % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(percent: &str, minimum: &str) -> Limits {
        Limits {
            percent: Threshold::parse(percent),
            minimum: Threshold::parse(minimum),
            base: None,
            direction: Direction::Either,
            when: When::Both,
        }
    }

    fn moved(limits: Limits, now: i128, before: i128) -> Option<String> {
        limits.moved(now * UNIT, before * UNIT)
    }

    #[test]
    fn both_thresholds_have_to_be_passed() {
        let moved = |now, before| moved(limits("5", "10"), now, before);
        assert_eq!(moved(110, 100).as_deref(), Some("10.0"));
        assert_eq!(moved(109, 100), None, "below the minimum");
        assert_eq!(moved(1050, 1000), None, "exactly five per cent is not more");
        assert_eq!(moved(1051, 1000).as_deref(), Some("5.1"));
        assert_eq!(moved(80, 100).as_deref(), Some("20.0"));
        assert_eq!(moved(10, 0).as_deref(), Some("from nought"));
        assert_eq!(moved(9, 0), None, "nought is measured by the minimum");
        assert_eq!(moved(0, 0), None);
    }

    #[test]
    fn one_threshold_is_enough_where_the_rule_says_so_or_has_no_other() {
        let either = Limits {
            when: When::Either,
            ..limits("5", "10")
        };
        assert!(moved(either, 1010, 1000).is_some(), "by ten, one per cent");
        assert!(moved(either, 106, 100).is_some(), "by six, six per cent");
        assert!(moved(either, 105, 100).is_none());
        assert!(moved(either, 9, 0).is_none());
        let share = limits("5", "");
        assert!(moved(share, 11, 10).is_some());
        assert!(moved(share, 1, 0).is_some(), "nothing else to measure by");
        let size = limits("", "10");
        assert!(moved(size, 1_000_010, 1_000_000).is_some());
        assert!(moved(size, 9, 0).is_none());
    }

    #[test]
    fn a_direction_and_a_base_leave_movements_out() {
        let down = Limits {
            direction: Direction::Down,
            ..limits("", "1")
        };
        assert!(moved(down, 4, 5).is_some());
        assert!(moved(down, 6, 5).is_none());
        let up = Limits {
            direction: Direction::Up,
            ..limits("", "1")
        };
        assert!(moved(up, 4, 5).is_none());
        assert!(moved(up, -4, -5).is_some(), "less income is up");
        let based = Limits {
            base: Threshold::parse("50"),
            ..limits("5", "")
        };
        assert!(moved(based, 100, 49).is_none());
        assert!(moved(based, 100, 50).is_some());
        assert!(moved(based, 100, 0).is_none());
    }

    #[test]
    fn figures_are_compared_exactly_however_large() {
        // In binary floating point 0.3 - 0.2 is less than 0.1.
        let tenth = limits("", "0.1");
        assert!(tenth.moved(3 * UNIT / 10, 2 * UNIT / 10).is_some());
        let most = 10_i128.pow(35);
        let share = limits("0.000000001", "");
        assert!(share.moved(most + most / 100_000_000_000, most).is_none());
        assert!(
            share
                .moved(most + most / 100_000_000_000 + 1, most)
                .is_some()
        );
    }

    #[test]
    fn fractions_are_compared_as_their_products_would_be() {
        for (a, b) in [(0, 1), (1, 3), (2, 3), (7, 5), (355, 113), (1, 1)] {
            for (c, d) in [(0, 7), (1, 3), (4, 6), (22, 7), (333, 106), (5, 5)] {
                let products = (a * d).cmp(&(c * b));
                assert_eq!(compare((a, b), (c, d)), products, "{a}/{b} {c}/{d}");
            }
        }
    }

    #[test]
    fn per_cent_are_rounded_to_one_place() {
        assert_eq!(per_cent(1, 3), "33.3");
        assert_eq!(per_cent(2, 3), "66.7");
        assert_eq!(per_cent(1, 2000), "0.1");
        assert_eq!(per_cent(3, 1), "300.0");
    }
}
