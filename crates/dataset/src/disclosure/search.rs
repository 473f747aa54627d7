//! Second solutions: other values that suppressed cells can have while every sum stays as it is.
//!
//! It works in differences. Cells that are left out together move together, as one group; what is published for good moves
//! nowhere. Where each group is in two sums at most, as in tables of two ways, a second solution is a way from sum to sum,
//! and the shortest one is found in the time that it takes to look at each cell once. Where it isn't, groups are tried.

mod way;

use std::collections::{BTreeMap, BTreeSet};

use super::{Cells, Sum};

/// Groups tried for the sake of one suppressed group, with so many more that would have to be suppressed.
const MOST_TRIES: u32 = 5_000;

/// Groups tried for all of a form.
const MOST_OF_FORM: u32 = 100_000;

/// So many more groups are suppressed at once for the sake of one, at most.
const MOST_MORE: u32 = 5;

/// A group moves by so much at most: a total of several that move moves by more than one.
const MOST_STEPS: i128 = 3;

/// By how much each group moves.
pub(super) type Moved = BTreeMap<usize, i128>;

pub(super) enum Found {
    Moved(Moved),
    Nothing,
    /// All tries are used up.
    TooLong,
}

/// Cells that move together.
#[derive(Debug, Default)]
struct Group {
    places: Vec<usize>,
    /// By how much each of them can be less and still be more than zero.
    room: i128,
    is_fixed: bool,
    cost: Cost,
    /// The balances that it is in.
    balances: Vec<usize>,
}

/// What it costs to suppress a group, the dearest first: zeros, how many groups, totals, and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    zeros: u32,
    groups: u32,
    totals: u32,
    values: i128,
}

/// Groups and how often each counts: together they stay what they are.
type Balance = BTreeMap<usize, i128>;

pub(super) struct Work {
    /// The group of each place that has a value.
    group_of: Vec<Option<usize>>,
    groups: Vec<Group>,
    balances: Vec<Balance>,
    tries_left: u32,
    /// Looks at groups, for the tests: what the time follows from.
    pub(super) n_steps: u64,
}

impl Work {
    pub(super) fn of(cells: &Cells) -> Self {
        let group_of = grouped(cells);
        let n_groups = group_of.iter().flatten().max().map_or(0, |last| last + 1);
        let mut groups: Vec<Group> = Vec::new();
        groups.resize_with(n_groups, || Group {
            room: i128::MAX,
            ..Group::default()
        });
        let totals: BTreeSet<usize> = cells.sums.iter().filter_map(|sum| sum.total).collect();
        for (place, group) in group_of.iter().enumerate() {
            let Some(group) = group.and_then(|group| groups.get_mut(group)) else {
                continue;
            };
            let value = cells.value(place).unwrap_or(0);
            group.is_fixed |= cells.are_known.contains(&place);
            group.room = group.room.min((value - 1).max(0) / cells.one);
            group.cost.zeros += u32::from(value == 0);
            group.cost.groups = 1;
            group.cost.totals += u32::from(totals.contains(&place));
            group.cost.values += value.abs();
            if !cells.are_known.contains(&place) {
                group.places.push(place);
            }
        }
        let balance = |sum: &Sum| {
            let mut balance = Balance::new();
            for (place, times) in sum.terms() {
                if let Some(group) = group_of.get(place).copied().flatten() {
                    *balance.entry(group).or_default() += times;
                }
            }
            balance
        };
        // A total that is blank says nothing.
        let says = |sum: &&Sum| sum.total.is_none_or(|total| cells.value(total).is_some());
        let balances = cells.sums.iter().filter(says).map(balance).collect();
        let mut work = Self {
            balances,
            group_of,
            groups,
            tries_left: MOST_OF_FORM,
            n_steps: 0,
        };
        work.simplify();
        for (idx, balance) in work.balances.iter().enumerate() {
            for group in balance.keys() {
                if let Some(group) = work.groups.get_mut(*group) {
                    group.balances.push(idx);
                }
            }
        }
        work
    }

    /// Says the same with fewer and shorter balances: what can't move is left out of them, each is there once, and one
    /// that is all in another is taken from it.
    fn simplify(&mut self) {
        loop {
            for balance in &mut self.balances {
                let groups = &self.groups;
                let is_fixed = |group: &usize| groups.get(*group).is_none_or(|of| of.is_fixed);
                balance.retain(|group, times| *times != 0 && !is_fixed(group));
                if balance.values().next().is_some_and(|first| *first < 0) {
                    for times in balance.values_mut() {
                        *times = -*times;
                    }
                }
            }
            self.balances.retain(|balance| !balance.is_empty());
            self.balances.sort_unstable();
            self.balances.dedup();
            // What is alone in one follows from what is published for good.
            let mut is_new = false;
            for balance in self.balances.iter().filter(|balance| balance.len() == 1) {
                let alone = balance.keys().next();
                if let Some(group) = alone.and_then(|group| self.groups.get_mut(*group)) {
                    group.is_fixed = true;
                    is_new = true;
                }
            }
            if !is_new && !self.take_one_from_another() {
                return;
            }
        }
    }

    fn take_one_from_another(&mut self) -> bool {
        let mut of_group: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (idx, balance) in self.balances.iter().enumerate() {
            for group in balance.keys() {
                of_group.entry(*group).or_default().push(idx);
            }
        }
        for (idx, inner) in self.balances.iter().enumerate() {
            let first = inner.first_key_value();
            for other in first
                .and_then(|(group, _)| of_group.get(group))
                .into_iter()
                .flatten()
            {
                let Some(outer) = self.balances.get(*other) else {
                    continue;
                };
                let Some(times) = first.and_then(|(group, first)| {
                    outer.get(group).map(|of_outer| of_outer * first.signum())
                }) else {
                    continue;
                };
                let is_in = |(group, of_inner): (&usize, &i128)| {
                    outer.get(group) == Some(&(of_inner * times))
                };
                if *other == idx || outer.len() <= inner.len() || !inner.iter().all(is_in) {
                    continue;
                }
                let inner: Vec<usize> = inner.keys().copied().collect();
                if let Some(outer) = self.balances.get_mut(*other) {
                    outer.retain(|group, _| inner.binary_search(group).is_err());
                }
                return true;
            }
        }
        false
    }

    pub(super) fn group_of(&self, place: usize) -> Option<usize> {
        self.group_of.get(place).copied().flatten()
    }

    /// The cells of a group that can be left out.
    pub(super) fn places(&self, group: usize) -> &[usize] {
        self.groups.get(group).map_or(&[], |group| &group.places)
    }

    fn may_move(&self, group: usize, by: i128) -> bool {
        let group = self.groups.get(group);
        group.is_some_and(|group| !group.is_fixed && -by <= group.room)
    }

    fn balances_of(&self, group: usize) -> impl Iterator<Item = (usize, i128)> + '_ {
        let of = self.groups.get(group).into_iter();
        let of = of.flat_map(|group| group.balances.iter().copied());
        of.filter_map(move |idx| Some((idx, *self.balances.get(idx)?.get(&group)?)))
    }

    fn cost(&self, group: usize) -> Cost {
        self.groups
            .get(group)
            .map(|group| group.cost)
            .unwrap_or_default()
    }

    /// Another value that a group can have: of what is suppressed, and of as little more as would have to be.
    pub(super) fn second(&mut self, group: usize, hidden: &BTreeSet<usize>) -> Found {
        if !self.may_move(group, 1) {
            return Found::Nothing;
        }
        if let Some(moved) = self.way(group, hidden) {
            return Found::Moved(moved);
        }
        if self
            .linked(group)
            .iter()
            .all(|group| self.is_on_ways(*group))
        {
            return Found::Nothing;
        }
        for more in 0..=MOST_MORE {
            for by in [1, -1] {
                if !self.may_move(group, by) {
                    continue;
                }
                let mut trial = Trial::of(self, hidden);
                trial.shift(group, by);
                let is_found = trial.balances(more);
                let moved = trial.moved;
                if is_found {
                    return Found::Moved(moved);
                }
                if self.tries_left == 0 {
                    return Found::TooLong;
                }
            }
        }
        Found::Nothing
    }

    /// What is suppressed next: the cheapest of the groups that it is worked out with.
    pub(super) fn companion(&self, group: usize, hidden: &BTreeSet<usize>) -> Option<usize> {
        // Further away, where all beside it are suppressed and yet it follows from others.
        let mut reached = BTreeSet::from([group]);
        let mut border = vec![group];
        while !border.is_empty() {
            let beside: BTreeSet<usize> = border
                .drain(..)
                .flat_map(|group| self.beside(group))
                .collect();
            let open = beside.difference(hidden);
            if let Some(cheapest) = open.min_by_key(|group| (self.cost(**group), **group)) {
                return Some(*cheapest);
            }
            border.extend(beside.into_iter().filter(|group| reached.insert(*group)));
        }
        None
    }

    /// All that it is linked to by balances, itself too.
    pub(super) fn linked(&self, group: usize) -> BTreeSet<usize> {
        let mut linked = BTreeSet::from([group]);
        let mut border = vec![group];
        while let Some(group) = border.pop() {
            border.extend(self.beside(group).filter(|other| linked.insert(*other)));
        }
        linked
    }

    fn beside(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        let balances = self.balances_of(group);
        let balances = balances.filter_map(|(idx, _)| self.balances.get(idx));
        balances.flat_map(|balance| balance.keys().copied())
    }
}

/// Which places move together.
fn grouped(cells: &Cells) -> Vec<Option<usize>> {
    let mut first: Vec<usize> = (0..cells.values.len()).collect();
    for together in &cells.together {
        let with_value = together
            .iter()
            .filter(|place| cells.value(**place).is_some());
        let firsts: BTreeSet<usize> = with_value
            .filter_map(|place| first.get(*place).copied())
            .collect();
        if let Some(smallest) = firsts.first() {
            for of in &mut first {
                if firsts.contains(of) {
                    *of = *smallest;
                }
            }
        }
    }
    let mut numbers = BTreeMap::new();
    let numbered = first.into_iter().enumerate().map(|(place, first)| {
        cells.value(place)?;
        let next = numbers.len();
        Some(*numbers.entry(first).or_insert(next))
    });
    numbered.collect()
}

/// A second solution, while it is looked for by trying.
struct Trial<'a> {
    work: &'a mut Work,
    hidden: &'a BTreeSet<usize>,
    moved: Moved,
    /// The balances that are not what they were, and by how much.
    off: BTreeMap<usize, i128>,
    tries: u32,
}

impl<'a> Trial<'a> {
    fn of(work: &'a mut Work, hidden: &'a BTreeSet<usize>) -> Self {
        Self {
            work,
            hidden,
            moved: Moved::new(),
            off: BTreeMap::new(),
            tries: MOST_TRIES,
        }
    }

    fn shift(&mut self, group: usize, by: i128) {
        for (idx, times) in self.work.balances_of(group) {
            let off = self.off.entry(idx).or_default();
            *off += times * by;
            if *off == 0 {
                self.off.remove(&idx);
            }
        }
        let moved = self.moved.entry(group).or_default();
        *moved += by;
        if *moved == 0 {
            self.moved.remove(&group);
        }
    }

    /// Moves groups until every balance is as it was; undoes what leads nowhere.
    fn balances(&mut self, more: u32) -> bool {
        let ways = self
            .off
            .iter()
            .map(|(idx, off)| self.candidates(*idx, *off, more));
        // The balance that leaves the least choice.
        let Some(choice) = ways.min_by_key(Vec::len) else {
            return true;
        };
        for (is_new, _, group, by) in choice {
            if self.tries == 0 || self.work.tries_left == 0 {
                return false;
            }
            self.tries -= 1;
            self.work.tries_left -= 1;
            self.work.n_steps += 1;
            self.shift(group, by);
            if self.balances(more - u32::from(is_new)) {
                return true;
            }
            self.shift(group, -by);
        }
        false
    }

    /// What can bring a balance nearer to what it was: what is suppressed already, then the cheapest.
    fn candidates(&self, idx: usize, off: i128, more: u32) -> Vec<(bool, Cost, usize, i128)> {
        let balance = self.work.balances.get(idx).into_iter().flatten();
        let mut candidates: Vec<_> = balance
            .filter_map(|(group, times)| {
                let by = -off.signum() * times.signum();
                let moved = self.moved.get(group).copied().unwrap_or(0);
                let is_new = moved == 0 && !self.hidden.contains(group);
                let cost = self.work.cost(*group);
                let is_allowed = !is_new || (more > 0 && cost.zeros == 0);
                // Further the same way, but not back.
                let is_onward = moved * by >= 0 && moved.abs() < MOST_STEPS;
                (is_allowed && is_onward && self.work.may_move(*group, moved + by))
                    .then_some((is_new, cost, *group, by))
            })
            .collect();
        candidates.sort_unstable();
        candidates
    }
}
