//! The cheapest way from sum to sum on which groups can move, so that every sum stays as it is.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Add;

use super::{Cost, Moved, Work};

/// Where a way has got to: a balance that is one too much or one too little, or outside of all balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    Balance { idx: usize, is_too_much: bool },
    Outside,
}

/// Costs, and after them how many groups move.
type Length = (Cost, u32);

/// Whence a place is reached: the group that moves, and by how much.
type Step = (At, usize, i128);

impl Add for Cost {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            zeros: self.zeros + more.zeros,
            groups: self.groups + more.groups,
            totals: self.totals + more.totals,
            values: self.values + more.values,
        }
    }
}

impl Work {
    /// Whether a way can lead over a group: it is in two balances at most, once in each.
    pub(super) fn is_on_ways(&self, group: usize) -> bool {
        let mut n_balances = 0;
        self.balances_of(group).all(|(_, times)| {
            n_balances += 1;
            n_balances <= 2 && times.abs() == 1
        })
    }

    /// A second solution, on the cheapest way that there is.
    pub(super) fn way(&mut self, group: usize, hidden: &BTreeSet<usize>) -> Option<Moved> {
        if !self.is_on_ways(group) {
            return None;
        }
        let up = self.way_by(group, 1, hidden);
        let down = self.way_by(group, -1, hidden);
        let both = up.into_iter().chain(down);
        both.min_by_key(|(length, _)| *length)
            .map(|(_, moved)| moved)
    }

    fn way_by(
        &mut self,
        group: usize,
        by: i128,
        hidden: &BTreeSet<usize>,
    ) -> Option<(Length, Moved)> {
        if !self.may_move(group, by) {
            return None;
        }
        let mut ends = self
            .balances_of(group)
            .map(|(idx, times)| (idx, times * by));
        let start = ends.next();
        let end = match ends.next() {
            // One that is made too much by the group itself has to be made too little.
            Some((idx, off)) => At::Balance {
                idx,
                is_too_much: off < 0,
            },
            None => At::Outside,
        };
        drop(ends);
        let Some((idx, off)) = start else {
            return Some((Length::default(), Moved::from([(group, by)])));
        };
        let start = At::Balance {
            idx,
            is_too_much: off > 0,
        };
        let mut whence: Vec<Option<Step>> = vec![None; 2 * self.balances.len() + 1];
        let mut shortest: Vec<Option<Length>> = vec![None; whence.len()];
        let mut waiting = BinaryHeap::from([Reverse((Length::default(), start))]);
        let mut n_steps = 0;
        let mut length = None;
        while let Some(Reverse((so_far, at))) = waiting.pop() {
            if at == end {
                length = Some(so_far);
                break;
            }
            if shortest
                .get(self.number(at))
                .copied()
                .flatten()
                .is_some_and(|known| known < so_far)
            {
                continue;
            }
            self.each_step(at, |next_group, by, next| {
                n_steps += 1;
                if next_group == group {
                    return;
                }
                let more = if hidden.contains(&next_group) {
                    Cost::default()
                } else {
                    self.cost(next_group)
                };
                let reached = (so_far.0 + more, so_far.1 + 1);
                let number = self.number(next);
                let known = shortest.get_mut(number);
                if let (Some(known), Some(from)) = (known, whence.get_mut(number))
                    && next != start
                    && known.is_none_or(|known| reached < known)
                {
                    *known = Some(reached);
                    *from = Some((at, next_group, by));
                    waiting.push(Reverse((reached, next)));
                }
            });
        }
        self.n_steps += n_steps;
        let length = length?;
        let mut moved = Moved::from([(group, by)]);
        let mut at = end;
        while at != start {
            let (before, group, by) = whence.get(self.number(at)).copied().flatten()?;
            // A way that leads over a group twice moves it by two, or not at all: it may not be able to.
            if moved.insert(group, by).is_some() {
                return None;
            }
            at = before;
        }
        Some((length, moved))
    }

    fn number(&self, at: At) -> usize {
        match at {
            At::Balance { idx, is_too_much } => 2 * idx + usize::from(is_too_much),
            At::Outside => 2 * self.balances.len(),
        }
    }

    /// Each group that can move next, by how much, and where that leads.
    fn each_step(&self, at: At, mut step: impl FnMut(usize, i128, At)) {
        let mut over = |group: usize, by: i128, from: Option<usize>| {
            if !self.may_move(group, by) || !self.is_on_ways(group) {
                return;
            }
            let mut others = self
                .balances_of(group)
                .filter(|(idx, _)| Some(*idx) != from);
            let next = others
                .next()
                .map_or(At::Outside, |(idx, times)| At::Balance {
                    idx,
                    is_too_much: times * by > 0,
                });
            step(group, by, next);
        };
        match at {
            At::Balance { idx, is_too_much } => {
                for (group, times) in self.balances.get(idx).into_iter().flatten() {
                    let by = if is_too_much { -times } else { *times };
                    over(*group, by, Some(idx));
                }
            }
            At::Outside => {
                for (group, of) in self.groups.iter().enumerate() {
                    if of.balances.len() == 1 {
                        over(group, 1, None);
                        over(group, -1, None);
                    }
                }
            }
        }
    }
}
