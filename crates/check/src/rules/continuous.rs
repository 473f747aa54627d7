//! `continuous`: the records of a group follow each other without a gap.
//!
//! # Checks
//! Between the end of each record and the beginning of the next, and where the rule names a parent also between its
//! first day and the first record's, and after the last record until the parent ends.
//! A gap of at most `days` days (a threshold, else none) is let pass. A blank last day is still open.
//! A group with a record whose dates are not known, or the wrong way round, is passed over: that record may fill the gap.
//!
//! # Why it matters
//! A child who is looked after lives somewhere on every day; a gap is a placement that was never entered.
//!
//! # How to fix
//! Add the record that is missing, or correct the date at which the gap begins or ends.
//!
//! # Example
//! A placement that ended on 1 June, while the next began on 20 June.

use chrono::{Days as NumberOfDays, NaiveDate};
use finding::Finding;
use spec::Rule;
use spec::rule::{Days, GapPlace, ParentDays};

use super::Scene;
use super::interval::{Ends, Interval, Side, in_words};
use crate::CheckError;
use crate::message::values_of;
use crate::sql::Tables;

pub(super) fn check(
    scene: &Scene<'_>,
    rule: &Rule,
    days: &Days,
    parent: Option<&ParentDays>,
    places: &[GapPlace],
    tables: &mut Tables,
) -> Result<Vec<Finding>, CheckError> {
    let side = Side::own(scene, days);
    let condition = days.condition.as_deref();
    let groups = side.groups(scene, rule, condition, Ends::StartNeeded, tables)?;
    if groups.any_lost {
        return Ok(Vec::new());
    }
    let parents = match parent {
        Some(parent) => {
            let Some(side) = Side::parent(scene, parent) else {
                return Ok(Vec::new());
            };
            let condition = parent.condition.as_deref();
            Some(side.groups(scene, rule, condition, Ends::Open, tables)?)
        }
        None => None,
    };
    let allowed = scene.threshold(rule, "days").map_or(0, |days| {
        let (numerator, denominator) = days.fraction();
        i64::try_from(numerator / denominator).unwrap_or(i64::MAX)
    });
    let mut findings = Vec::new();
    for (by, group) in groups.all.iter().filter(|(_, group)| group.is_whole) {
        let around = match parents.as_ref().map(|parents| parents.get(by)) {
            None => None,
            // Between which of several the gap is, nobody can tell.
            Some(Some(parents)) if parents.is_whole && parents.intervals.len() == 1 => {
                parents.intervals.first()
            }
            Some(_) => continue,
        };
        for gap in gaps(&group.intervals, around) {
            if !places.contains(&gap.place) || gap.n_days.is_some_and(|days| days <= allowed) {
                continue;
            }
            let item = match (gap.place, &days.to) {
                (GapPlace::Between | GapPlace::After, Some(to)) => to,
                _ => &days.from,
            };
            let mut values = values_of(scene.table, scene.frame, gap.record_idx);
            values.insert("gap".to_owned(), in_words(Some(gap.from), gap.to));
            let n_days = gap.n_days.map_or("all".to_owned(), |days| days.to_string());
            values.insert("gap_days".to_owned(), n_days);
            findings.push(scene.finding_on(rule, item, gap.record_idx, &values));
        }
    }
    Ok(findings)
}

/// Days on which no record of a group is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    place: GapPlace,
    from: NaiveDate,
    /// `None`: it has no end.
    to: Option<NaiveDate>,
    n_days: Option<i64>,
    /// The record that ended, or before the first the one that begins.
    record_idx: usize,
}

impl Gap {
    /// `None` where no day is left between the two.
    fn new(
        place: GapPlace,
        from: NaiveDate,
        to: Option<NaiveDate>,
        record_idx: usize,
    ) -> Option<Self> {
        let n_days = to.map(|to| (to - from).num_days() + 1);
        n_days.is_none_or(|n| n > 0).then_some(Self {
            place,
            from,
            to,
            n_days,
            record_idx,
        })
    }
}

/// Every gap of a group in order of the first day, within the parent where there is one.
fn gaps(sorted: &[Interval], parent: Option<&Interval>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let Some(first) = sorted.first() else {
        return gaps;
    };
    let next_day = |day: NaiveDate| day.checked_add_days(NumberOfDays::new(1));
    let day_before = |day: NaiveDate| day.checked_sub_days(NumberOfDays::new(1));
    let starts = parent.and_then(|parent| parent.from);
    let ends = parent.map(|parent| parent.to);
    let after_start = |from: NaiveDate| starts.map_or(from, |start| from.max(start));
    // What begins after the parent has ended is outside of it, which is another rule's finding.
    let clip = |to: NaiveDate| match ends {
        Some(Some(end)) => to.min(end),
        _ => to,
    };
    if let (Some(from), Some(begins)) = (starts, first.from) {
        let to = day_before(begins).map(clip);
        gaps.extend(to.and_then(|to| Gap::new(GapPlace::Before, from, Some(to), first.record_idx)));
    }
    let mut longest = *first;
    for interval in &sorted[1..] {
        if let (Some(from), Some(begins)) = (longest.to.and_then(next_day), interval.from) {
            let to = day_before(begins).map(clip);
            let gap = to.and_then(|to| {
                let place = GapPlace::Between;
                Gap::new(place, after_start(from), Some(to), longest.record_idx)
            });
            gaps.extend(gap);
        }
        if longest.ends_before(interval) {
            longest = *interval;
        }
    }
    if let (Some(ends), Some(from)) = (ends, longest.to.and_then(next_day)) {
        let place = GapPlace::After;
        gaps.extend(Gap::new(place, after_start(from), ends, longest.record_idx));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::interval::tests::{day, days_of, sorted};
    use super::*;
    use proptest::option;
    use proptest::prelude::*;

    /// Every day of the short calendar that should be covered and is not.
    fn naive(sorted: &[Interval], parent: Option<&Interval>) -> BTreeSet<u32> {
        let Some(first) = sorted.first() else {
            return BTreeSet::new();
        };
        let begins = parent.and_then(|parent| parent.from).or(first.from);
        let last = sorted
            .iter()
            .map(|interval| interval.to)
            .max_by_key(|to| (to.is_none(), *to));
        let ends = match parent {
            Some(parent) => parent.to,
            None => last.flatten(),
        };
        let asked = Interval {
            from: begins,
            to: ends,
            record_idx: 0,
        };
        days_of(&asked)
            .filter(|day| {
                !sorted
                    .iter()
                    .any(|interval| days_of(interval).any(|n| n == *day))
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_same_days_are_gaps_as_by_looking_at_every_day(
            sorted in sorted(),
            parent in option::of((option::of(0..25_u32), option::of(0..10_u32))),
        ) {
            let parent = parent.map(|(from, length)| Interval {
                from: from.map(day),
                to: length.map(|length| day(from.unwrap_or(5) + length)),
                record_idx: 0,
            });
            let found = gaps(&sorted, parent.as_ref());
            let mut days = BTreeSet::new();
            for gap in &found {
                let gap = Interval { from: Some(gap.from), to: gap.to, record_idx: 0 };
                for day in days_of(&gap) {
                    prop_assert!(days.insert(day), "told twice");
                }
            }
            prop_assert_eq!(days, naive(&sorted, parent.as_ref()));
        }
    }
}
