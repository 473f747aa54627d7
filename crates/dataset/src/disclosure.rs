//! Statistical disclosure control of published tables: which cells are left out, so that no small count can be read or worked out.
//!
//! Primary: counts from 1 to one below the threshold; and where a total is that small, everything that it is the sum of.
//! Secondary: further cells, so that no suppressed one follows from the published ones by the sums that are declared, nor from
//! them and what earlier editions published. Zeros by themselves stay. Values in, places out: it knows nothing of returns or databases.
//!
//! What is held: whoever knows all published cells and all sums, and that what is suppressed is not zero where it isn't, has at
//! least two values for each suppressed cell. A second solution is found for each, or more is suppressed.

mod editions;
mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::editions::Edition;
use self::search::{Found, Work};

/// The cells of one form, and how they add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    /// Blank: nothing stands there, which is published as that.
    pub values: Vec<Option<i128>>,
    /// Whether it is a count that must not be small.
    pub is_count: Vec<bool>,
    pub sums: Vec<Sum>,
    /// Cells that tell each other: they are left out together.
    pub together: Vec<Vec<usize>>,
    /// Left out of an earlier edition: they stay out.
    pub left_out: BTreeSet<usize>,
    /// Published as they are in an earlier edition: leaving them out now hides nothing.
    pub are_known: BTreeSet<usize>,
    /// What one is: 1, or more where decimals are kept as whole numbers.
    pub one: i128,
}

/// A total and its parts, by place; what is subtracted has `true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// `None`: it is published, and no cell any more.
    pub total: Option<usize>,
    pub parts: Vec<(usize, bool)>,
}

impl Sum {
    /// The total and what is taken from it, so that all together is nothing.
    fn terms(&self) -> impl Iterator<Item = (usize, i128)> + '_ {
        let parts = self.parts.iter();
        let parts = parts.map(|(place, subtract)| (*place, if *subtract { -1 } else { 1 }));
        parts.chain(self.total.map(|total| (total, -1)))
    }
}

/// Why a cell is suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is small, or part of a small total.
    Small,
    /// Another one could be worked out with it.
    Linked,
}

/// What is not published of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    pub left_out: BTreeMap<usize, Why>,
    /// So many small counts stand in an earlier edition as they are: they can't be hidden any more.
    pub n_published_before: u64,
    /// Left out, but they follow from what was published before, whatever is left out now.
    pub told_before: BTreeSet<usize>,
    /// Looking for second solutions took too long, so that all that is linked is left out.
    pub is_all_linked: bool,
}

impl Cells {
    fn value(&self, place: usize) -> Option<i128> {
        self.values.get(place).copied().flatten()
    }

    fn is_small(&self, place: usize, threshold: u32) -> bool {
        let is_count = self.is_count.get(place) == Some(&true);
        let upper = i128::from(threshold) * self.one;
        is_count
            && self
                .value(place)
                .is_some_and(|value| 0 < value && value < upper)
    }

    /// What is left out whatever else is.
    fn primary(&self, threshold: u32) -> BTreeMap<usize, Why> {
        let small = (0..self.values.len()).filter(|place| self.is_small(*place, threshold));
        let is_small_total = |sum: &&Sum| {
            sum.total
                .is_some_and(|total| self.is_small(total, threshold))
        };
        let parts = self.sums.iter().filter(is_small_total);
        let parts = parts.flat_map(|sum| sum.parts.iter().map(|(place, _)| *place));
        let mut primary: BTreeMap<usize, Why> = small
            .chain(parts)
            .map(|place| (place, Why::Small))
            .collect();
        for place in &self.left_out {
            primary.entry(*place).or_insert(Why::Linked);
        }
        primary.retain(|place, _| self.value(*place).is_some() && !self.are_known.contains(place));
        primary
    }
}

/// Which cells are not published, with why.
pub fn suppress(cells: &Cells, threshold: u32) -> Decided {
    decide(cells, threshold).0
}

/// With how many looks at groups of cells it took.
fn decide(cells: &Cells, threshold: u32) -> (Decided, u64) {
    let mut work = Work::of(cells);
    let mut decided = Decided {
        n_published_before: cells
            .are_known
            .iter()
            .filter(|place| cells.is_small(**place, threshold))
            .count() as u64,
        left_out: cells.primary(threshold),
        ..Decided::default()
    };
    let primary = decided.left_out.keys();
    let mut hidden: BTreeSet<usize> = primary.filter_map(|place| work.group_of(*place)).collect();
    let mut settled = BTreeSet::new();
    while let Some(group) = hidden.difference(&settled).next().copied() {
        match work.second(group, &hidden) {
            // What has a second value has it whatever else is suppressed.
            Found::Moved(moved) => {
                hidden.extend(moved.keys());
                settled.extend(moved.into_keys());
            }
            Found::Nothing => match work.companion(group, &hidden) {
                Some(companion) => {
                    hidden.insert(companion);
                }
                // Everything that it follows from is suppressed, or was published before.
                None => {
                    decided.told_before.extend(work.places(group));
                    settled.insert(group);
                }
            },
            Found::TooLong => {
                let linked = work.linked(group);
                hidden.extend(&linked);
                settled.extend(linked);
                decided.is_all_linked = true;
            }
        }
    }
    for place in hidden.iter().flat_map(|group| work.places(*group)) {
        decided.left_out.entry(*place).or_insert(Why::Linked);
    }
    (decided, work.n_steps)
}
