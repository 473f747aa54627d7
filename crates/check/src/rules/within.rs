//! `within`: a record's days lie within those of its parent.
//!
//! # Checks
//! Each record against the parents that have its key: one of them has to begin on its first day or earlier and end on
//! its last day or later. A blank last day is still open, and within a parent only if that is open too.
//! A record without a parent is passed over, and so is one whose dates, or its parent's, are not known or the wrong way round.
//!
//! # Why it matters
//! A placement that outlasts its episode of care is counted in a year in which the child was at home.
//!
//! # How to fix
//! Correct the dates of the record or of its parent.
//!
//! # Example
//! A placement that ends on 3 June in an episode that ended on 31 May.

use finding::Finding;
use spec::Rule;
use spec::rule::{Days, ParentDays};

use super::Scene;
use super::interval::{Ends, Interval, Side};
use crate::CheckError;
use crate::message::values_of;
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    days: &Days,
    parent: &ParentDays,
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    let Some(parent_side) = Side::parent(scene, parent) else {
        return Ok(Vec::new());
    };
    let side = Side::own(scene, days);
    let condition = days.condition.as_deref();
    let groups = side.groups(scene, rule, condition, Ends::StartNeeded, tables)?;
    let condition = parent.condition.as_deref();
    let parents = parent_side.groups(scene, rule, condition, Ends::Open, tables)?;
    let mut findings = Vec::new();
    for (by, group) in &groups.all {
        let Some(parents) = parents.get(by).filter(|parents| parents.is_whole) else {
            continue;
        };
        for (interval, outside) in outside(&group.intervals, &parents.intervals) {
            let (item, nearest) = match (outside, &days.to) {
                (Outside::EndsAfter(nearest), Some(to)) => (to, nearest),
                (Outside::EndsAfter(nearest) | Outside::Begins(nearest), _) => {
                    (&days.from, nearest)
                }
            };
            let mut values = values_of(scene.table, scene.frame, interval.record_idx);
            values.insert("dates".to_owned(), interval.in_words());
            let cell = parent_side.cell(&nearest).map(|cell| cell.to_string());
            values.insert("parent_cell".to_owned(), cell.unwrap_or_default());
            values.insert("parent_dates".to_owned(), nearest.in_words());
            findings.push(scene.finding_on(rule, item, interval.record_idx, &values));
        }
    }
    Ok(findings)
}

/// How an interval is not within any parent, with the parent that is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    /// It begins before every parent, or after each has ended.
    Begins(Interval),
    /// It begins within a parent and goes on after its end.
    EndsAfter(Interval),
}

/// Each interval that is not within one of its parents; both in order of the first day.
fn outside(intervals: &[Interval], parents: &[Interval]) -> Vec<(Interval, Outside)> {
    let mut outside = Vec::new();
    let mut n_begun = 0;
    let mut longest: Option<Interval> = None;
    for interval in intervals {
        while let Some(parent) = parents.get(n_begun).filter(|p| p.from <= interval.from) {
            n_begun += 1;
            if longest.is_none_or(|longest| longest.ends_before(parent)) {
                longest = Some(*parent);
            }
        }
        match (longest, parents.first()) {
            (Some(longest), _) if longest.ends_before(interval) => {
                let begins_later = longest.to.is_some_and(|end| Some(end) < interval.from);
                outside.push((
                    *interval,
                    if begins_later {
                        Outside::Begins(longest)
                    } else {
                        Outside::EndsAfter(longest)
                    },
                ));
            }
            (None, Some(first)) => outside.push((*interval, Outside::Begins(*first))),
            _ => {}
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::super::interval::tests::{days_of, sorted};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_same_records_are_outside_as_by_trying_every_parent(
            intervals in sorted(),
            parents in sorted(),
        ) {
            let naive: Vec<usize> = intervals
                .iter()
                .filter(|interval| {
                    !parents.is_empty()
                        && !parents.iter().any(|parent| {
                            days_of(interval).all(|day| days_of(parent).any(|other| other == day))
                        })
                })
                .map(|interval| interval.record_idx)
                .collect();
            let found = outside(&intervals, &parents);
            let told: Vec<usize> = found.iter().map(|(interval, _)| interval.record_idx).collect();
            prop_assert_eq!(told, naive);
            for (interval, how) in found {
                if let Outside::EndsAfter(parent) = how {
                    prop_assert!(parent.from <= interval.from);
                    prop_assert!(parent.to.is_some_and(|end| Some(end) >= interval.from));
                }
            }
        }
    }
}
