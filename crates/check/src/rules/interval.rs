//! Records as intervals of days, in their groups: what the kinds about days share.
//!
//! Pure: a group in, positions in it out, in `n log n`.
//! What is not known is passed over, so that one wrong date is one finding and not one for each neighbour.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use finding::CellRef;
use frame::{Frame, Value, day_in_words};
use spec::rule::{Days, ParentDays};
use spec::{Rule, TableSpec};

use super::{Scene, key};
use crate::CheckError;
use crate::sql::Tables;

/// From the first day to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    /// `None`: from the beginning of time.
    pub(super) from: Option<NaiveDate>,
    /// `None`: still going on.
    pub(super) to: Option<NaiveDate>,
    pub(super) record_idx: usize,
}

impl Interval {
    /// `from 1 August 2025 to 30 September 2025`.
    pub(super) fn in_words(&self) -> String {
        in_words(self.from, self.to)
    }

    /// Earliest first, and of those the shortest; the order of records decides between twins.
    fn order(&self) -> (Option<NaiveDate>, bool, Option<NaiveDate>, usize) {
        (self.from, self.to.is_none(), self.to, self.record_idx)
    }

    /// Whether this ends before the other does.
    pub(super) fn ends_before(&self, other: &Interval) -> bool {
        match (self.to, other.to) {
            (Some(ours), Some(theirs)) => ours < theirs,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// The records of a table that have the same values in the items of a group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// In order of their first day.
    pub(super) intervals: Vec<Interval>,
    /// Whether every record of the group is among them.
    pub(super) is_whole: bool,
}

/// A table's groups by their key.
#[derive(Debug, Default)]
pub(super) struct Groups<'a> {
    /// In the order in which they first occur.
    pub(super) all: Vec<(Vec<Value<'a>>, Group)>,
    positions: HashMap<Vec<Value<'a>>, usize>,
    /// Whether some record belongs to nobody knows which group.
    pub(super) any_lost: bool,
}

impl<'a> Groups<'a> {
    pub(super) fn get(&self, key: &[Value<'_>]) -> Option<&Group> {
        let position = *self.positions.get(key)?;
        self.all.get(position).map(|(_, group)| group)
    }

    fn of(&mut self, key: Vec<Value<'a>>) -> &mut Group {
        let position = *self.positions.entry(key.clone()).or_insert_with(|| {
            let group = Group {
                intervals: Vec::new(),
                is_whole: true,
            };
            self.all.push((key, group));
            self.all.len() - 1
        });
        &mut self.all[position].1
    }
}

/// One table's records as intervals.
pub(super) struct Side<'a> {
    pub(super) table: &'a TableSpec,
    pub(super) frame: &'a Frame,
    from_idx: Option<usize>,
    to_idx: Option<usize>,
    by_idxs: Vec<usize>,
}

impl<'a> Side<'a> {
    /// The rule's own table.
    pub(super) fn own(scene: &Scene<'a>, days: &Days) -> Self {
        Self {
            table: scene.table,
            frame: scene.frame,
            from_idx: scene.table.item_idx(&days.from),
            to_idx: days.to.as_ref().and_then(|to| scene.table.item_idx(to)),
            by_idxs: scene.item_idxs(&days.by),
        }
    }

    /// The parent's table, where it could be framed.
    pub(super) fn parent(scene: &Scene<'a>, parent: &ParentDays) -> Option<Self> {
        let table = scene.spec.table(&parent.table)?;
        let idx = |item: &Option<String>| item.as_ref().and_then(|item| table.item_idx(item));
        Some(Self {
            table,
            frame: scene.framed.frame(&parent.table)?,
            from_idx: idx(&parent.from),
            to_idx: idx(&parent.to),
            by_idxs: parent
                .items
                .iter()
                .filter_map(|name| table.item_idx(name))
                .collect(),
        })
    }

    /// Groups the records for which the condition holds; of doubles by the table's keys the first.
    pub(super) fn groups(
        &self,
        scene: &Scene<'_>,
        rule: &Rule,
        condition: Option<&str>,
        ends: Ends,
        tables: &mut Tables,
    ) -> Result<Groups<'a>, CheckError> {
        let picked = match condition {
            Some(condition) => Some(self.picked(scene, rule, condition, tables)?),
            None => None,
        };
        let key_idxs: Vec<usize> = self
            .table
            .keys
            .iter()
            .filter_map(|name| self.table.item_idx(name))
            .collect();
        let mut seen = HashSet::new();
        let mut groups = Groups::default();
        for record_idx in 0..self.frame.n_records() {
            if picked
                .as_ref()
                .is_some_and(|picked| !picked.contains(&record_idx))
            {
                continue;
            }
            let is_unreadable = |&idx: &usize| self.frame.is_unreadable(idx, record_idx);
            if self.by_idxs.iter().any(is_unreadable) {
                groups.any_lost = true;
                continue;
            }
            let Some(by) = key(self.frame, &self.by_idxs, record_idx) else {
                continue;
            };
            if !key_idxs.is_empty()
                && let Some(key) = key(self.frame, &key_idxs, record_idx)
                && !seen.insert(key)
            {
                continue;
            }
            let group = groups.of(by);
            match self.interval(record_idx, ends) {
                Some(interval) => group.intervals.push(interval),
                None => group.is_whole = false,
            }
        }
        for (_, group) in &mut groups.all {
            group.intervals.sort_unstable_by_key(Interval::order);
        }
        Ok(groups)
    }

    fn picked(
        &self,
        scene: &Scene<'_>,
        rule: &Rule,
        condition: &str,
        tables: &mut Tables,
    ) -> Result<HashSet<usize>, CheckError> {
        let select = format!("SELECT _row FROM {} WHERE {condition}", self.table.name);
        let picked = tables.run(rule, &select, scene.reference)?;
        Ok(picked.iter().filter_map(|row| row.record_idx).collect())
    }

    /// `None` where a date could not be read, the first day is not there, or the last is before it.
    fn interval(&self, record_idx: usize, ends: Ends) -> Option<Interval> {
        let day = |idx: Option<usize>| {
            let idx = idx?;
            (!self.frame.is_unreadable(idx, record_idx))
                .then(|| self.frame.values[idx].date(record_idx))
        };
        let from = match (self.from_idx, ends) {
            (None, _) => None,
            (Some(_), Ends::StartNeeded) => Some(day(self.from_idx)??),
            (Some(_), Ends::Open) => day(self.from_idx)?,
        };
        let to = match (self.to_idx, ends) {
            (None, Ends::StartNeeded) => from,
            (None, Ends::Open) => None,
            (Some(_), _) => day(self.to_idx)?,
        };
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            return None;
        }
        Some(Interval {
            from,
            to,
            record_idx,
        })
    }

    /// The cell that says when a record begins, or ends where nothing says when it begins.
    pub(super) fn cell(&self, interval: &Interval) -> Option<CellRef> {
        let idx = self.from_idx.or(self.to_idx)?;
        self.frame.cell(idx, interval.record_idx)
    }
}

pub(super) fn in_words(from: Option<NaiveDate>, to: Option<NaiveDate>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from == to => format!("on {}", day_in_words(from)),
        (Some(from), Some(to)) => format!("from {} to {}", day_in_words(from), day_in_words(to)),
        (Some(from), None) => format!("from {} on", day_in_words(from)),
        (None, Some(to)) => format!("to {}", day_in_words(to)),
        (None, None) => "with no dates".to_owned(),
    }
}

/// What a blank first day means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// The days are not known.
    StartNeeded,
    /// From the beginning of time.
    Open,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    /// A day of a short calendar, so that ends meet often.
    pub(in crate::rules) fn day(n: u32) -> NaiveDate {
        NaiveDate::from_epoch_days(20_000 + i32::try_from(n).unwrap()).unwrap()
    }

    /// Up to twelve intervals in order, each a different record.
    pub(in crate::rules) fn sorted() -> impl Strategy<Value = Vec<Interval>> {
        vec((0..20_u32, option::weighted(0.8, 0..8_u32)), 0..12).prop_map(|drawn| {
            let mut intervals: Vec<Interval> = drawn
                .into_iter()
                .enumerate()
                .map(|(record_idx, (from, length))| Interval {
                    from: Some(day(from)),
                    to: length.map(|length| day(from + length)),
                    record_idx,
                })
                .collect();
            intervals.sort_unstable_by_key(Interval::order);
            intervals
        })
    }

    /// The days of the short calendar on which an interval is going on.
    pub(in crate::rules) fn days_of(interval: &Interval) -> impl Iterator<Item = u32> {
        let (from, to) = (interval.from, interval.to);
        (0..60).filter(move |&n| {
            from.is_none_or(|from| from <= day(n)) && to.is_none_or(|to| day(n) <= to)
        })
    }
}
