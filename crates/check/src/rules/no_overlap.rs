//! `no_overlap`: of the records of a group, no two are going on at once.
//!
//! # Checks
//! Each record that begins before one that began earlier has ended; a blank last day is still open.
//! One finding for each such record, against the one that goes on longest.
//! Records whose dates are not known, or the wrong way round, are passed over, and so are second copies of a key.
//!
//! # Why it matters
//! Nobody is in two care homes at once: one of the two is an end date that was never entered.
//!
//! # How to fix
//! End the earlier one, or take the second out.
//!
//! # Example
//! A placement from 3 March while the one from January has no end date.

use finding::Finding;
use spec::Rule;
use spec::rule::{Days, SameStart, Touching};

use super::Scene;
use super::interval::{Ends, Interval, Side};
use crate::CheckError;
use crate::message::values_of;
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    days: &Days,
    touching: Touching,
    same_start: SameStart,
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    let side = Side::own(scene, days);
    let condition = days.condition.as_deref();
    let groups = side.groups(scene, rule, condition, Ends::StartNeeded, tables)?;
    let mut findings = Vec::new();
    for (_, group) in &groups.all {
        for (later, earlier) in overlaps(&group.intervals, touching, same_start) {
            let mut values = values_of(scene.table, scene.frame, later.record_idx);
            values.insert("dates".to_owned(), later.in_words());
            let cell = side.cell(&earlier).map(|cell| cell.address());
            values.insert("other_cell".to_owned(), cell.unwrap_or_default());
            values.insert("other_dates".to_owned(), earlier.in_words());
            findings.push(scene.finding_on(rule, &days.from, later.record_idx, &values));
        }
    }
    Ok(findings)
}

/// Each interval that begins while an earlier one is going on, with the one that goes on longest.
///
/// `sorted` is one group, in order of the first day.
fn overlaps(
    sorted: &[Interval],
    touching: Touching,
    same_start: SameStart,
) -> Vec<(Interval, Interval)> {
    let mut overlaps = Vec::new();
    // Of all that began before, and of those among them that began on an earlier day.
    let mut longest: Option<Interval> = None;
    let mut longest_of_earlier_days: Option<Interval> = None;
    for interval in sorted {
        if longest.is_some_and(|longest| longest.from < interval.from) {
            longest_of_earlier_days = longest;
        }
        let other = match same_start {
            SameStart::Overlap => longest,
            SameStart::One => longest_of_earlier_days,
        };
        if let Some(other) = other
            && is_going_on(&other, interval, touching)
        {
            overlaps.push((*interval, other));
        }
        if longest.is_none_or(|longest| longest.ends_before(interval)) {
            longest = Some(*interval);
        }
    }
    overlaps
}

/// Whether an interval that began earlier is going on when this one begins.
fn is_going_on(earlier: &Interval, later: &Interval, touching: Touching) -> bool {
    match (earlier.to, touching) {
        (None, _) => true,
        (Some(to), Touching::Allowed) => later.from < Some(to),
        (Some(to), Touching::Overlap) => later.from <= Some(to),
    }
}

#[cfg(test)]
mod tests {
    use super::super::interval::tests::{days_of, sorted};
    use super::*;
    use proptest::prelude::*;

    /// Every pair, day by day.
    fn naive(sorted: &[Interval], touching: Touching, same_start: SameStart) -> Vec<usize> {
        let meets = |earlier: &Interval, later: &Interval| {
            let n_common = days_of(earlier)
                .filter(|day| days_of(later).any(|other| other == *day))
                .count();
            let ends_on_the_day = earlier.to.is_some() && earlier.to == later.from;
            match touching {
                Touching::Overlap => n_common > 0,
                Touching::Allowed => n_common > 0 && !ends_on_the_day,
            }
        };
        sorted
            .iter()
            .enumerate()
            .filter(|(position, later)| {
                sorted[..*position].iter().any(|earlier| {
                    let is_other = same_start == SameStart::Overlap || earlier.from < later.from;
                    is_other && meets(earlier, later)
                })
            })
            .map(|(_, later)| later.record_idx)
            .collect()
    }

    proptest! {
        #[test]
        fn the_same_records_overlap_as_by_comparing_every_pair(sorted in sorted()) {
            for touching in [Touching::Allowed, Touching::Overlap] {
                for same_start in [SameStart::One, SameStart::Overlap] {
                    let found = overlaps(&sorted, touching, same_start);
                    let later: Vec<usize> = found.iter().map(|(later, _)| later.record_idx).collect();
                    prop_assert_eq!(&later, &naive(&sorted, touching, same_start));
                    for (later, other) in found {
                        prop_assert!(is_going_on(&other, &later, touching));
                        prop_assert!(other.record_idx != later.record_idx);
                        prop_assert!(other.from <= later.from);
                    }
                }
            }
        }
    }

    /// A group with all the records of a large file takes no longer than as many small ones.
    #[test]
    fn a_large_group_is_gone_through_once() {
        let sorted: Vec<Interval> = (0..200_000)
            .map(|n| Interval {
                from: chrono::NaiveDate::from_epoch_days(n / 100),
                to: None,
                record_idx: usize::try_from(n).unwrap(),
            })
            .collect();
        let found = overlaps(&sorted, Touching::Overlap, SameStart::Overlap);
        assert_eq!(found.len(), sorted.len() - 1);
    }
}
