//! Statistical disclosure control of published tables: which cells are left out, so that no small count can be read or worked out.
//!
//! Primary: counts from 1 to one below the threshold; and where a total is that small, everything that it is the sum of.
//! Secondary: further cells, so that no suppressed one follows from the published ones by the sums that are declared.
//! Zeros by themselves stay. Values in, places out: it knows nothing of returns or databases.
//!
//! What is held: whoever knows all published cells and all sums, and that what is suppressed is not zero, has at least two
//! values for each suppressed cell. A second solution is found for each, or more is suppressed.

use std::collections::{BTreeMap, BTreeSet};

/// The cells of one form, and how they add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    /// Blank: nothing stands there, which is published as that.
    pub values: Vec<Option<i128>>,
    /// Whether it is a count that must not be small.
    pub is_count: Vec<bool>,
    pub sums: Vec<Sum>,
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
    pub total: usize,
    pub parts: Vec<(usize, bool)>,
}

/// Why a cell is suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is small, or part of a small total.
    Small,
    /// Another one could be worked out with it.
    Linked,
}

/// Places tried for a second solution of so many more cells before it is looked for with more of them.
const MOST_TRIES: u32 = 5_000;

/// So many more cells are suppressed at once for the sake of one, at most: those of a table of two ways are three.
const MOST_MORE: u32 = 5;

/// The places of what is not published, with why.
pub fn suppress(cells: &Cells, threshold: u32) -> BTreeMap<usize, Why> {
    let work = Work::of(cells, i128::from(threshold) * cells.one);
    let mut suppressed = work.primary();
    let mut settled = BTreeSet::new();
    loop {
        let is_open = |place: &&usize| !settled.contains(*place);
        let Some(place) = suppressed.keys().find(is_open).copied() else {
            return suppressed;
        };
        // What has a second solution has it whatever else is suppressed.
        let second = (0..=MOST_MORE).find_map(|more| work.second(place, &suppressed, more));
        if let Some(moved) = second {
            for other in moved.keys() {
                suppressed.entry(*other).or_insert(Why::Linked);
            }
            settled.insert(place);
            continue;
        }
        match work.companion(place, &suppressed) {
            Some(companion) => {
                suppressed.insert(companion, Why::Linked);
            }
            // Everything that it follows from is suppressed.
            None => {
                settled.insert(place);
            }
        }
    }
}

struct Work<'a> {
    cells: &'a Cells,
    threshold: i128,
    /// For each place the sums that it is in.
    sums_of: Vec<Vec<usize>>,
}

impl<'a> Work<'a> {
    fn of(cells: &'a Cells, threshold: i128) -> Self {
        let mut sums_of = vec![Vec::new(); cells.values.len()];
        for (idx, sum) in cells.sums.iter().enumerate() {
            for (place, _) in terms(sum) {
                if let Some(of) = sums_of.get_mut(place)
                    && of.last() != Some(&idx)
                {
                    of.push(idx);
                }
            }
        }
        Self {
            cells,
            threshold,
            sums_of,
        }
    }

    fn value(&self, place: usize) -> Option<i128> {
        self.cells.values.get(place).copied().flatten()
    }

    fn is_small(&self, place: usize) -> bool {
        let is_count = self.cells.is_count.get(place) == Some(&true);
        is_count
            && self
                .value(place)
                .is_some_and(|value| 0 < value && value < self.threshold)
    }

    fn primary(&self) -> BTreeMap<usize, Why> {
        let all = 0..self.cells.values.len();
        let mut suppressed: BTreeMap<usize, Why> = all
            .filter(|place| self.is_small(*place))
            .map(|place| (place, Why::Small))
            .collect();
        for sum in self
            .cells
            .sums
            .iter()
            .filter(|sum| self.is_small(sum.total))
        {
            for (part, _) in &sum.parts {
                if self.value(*part).is_some() {
                    suppressed.insert(*part, Why::Small);
                }
            }
        }
        for place in &self.cells.left_out {
            if self.value(*place).is_some() {
                suppressed.entry(*place).or_insert(Why::Linked);
            }
        }
        suppressed
    }

    /// Another value that a place can have, by how much each cell moves for it: of those that are suppressed, and of so
    /// many more that would have to be.
    fn second(
        &self,
        place: usize,
        suppressed: &BTreeMap<usize, Why>,
        more: u32,
    ) -> Option<BTreeMap<usize, i128>> {
        [1, -1].into_iter().find_map(|by| {
            let mut search = Search {
                work: self,
                suppressed,
                moved: BTreeMap::from([(place, by)]),
                tries: MOST_TRIES,
            };
            (self.may_move(place, by) && search.balances(more)).then_some(search.moved)
        })
    }

    /// What is suppressed is known to be more than zero.
    fn may_move(&self, place: usize, by: i128) -> bool {
        if self.cells.are_known.contains(&place) {
            return false;
        }
        by > 0
            || self
                .value(place)
                .is_some_and(|value| value > self.cells.one)
    }

    /// What is suppressed next: the smallest of the places that it is worked out with. Parts go before totals, and what
    /// stands there before zeros.
    fn companion(&self, place: usize, suppressed: &BTreeMap<usize, Why>) -> Option<usize> {
        // Further away, where all beside it are suppressed and yet it follows from others.
        let mut reached = BTreeSet::from([place]);
        let mut border = vec![place];
        while !border.is_empty() {
            let sums: BTreeSet<usize> = border
                .iter()
                .filter_map(|place| self.sums_of.get(*place))
                .flatten()
                .copied()
                .collect();
            let mut choice: Option<(bool, bool, i128, usize)> = None;
            border.clear();
            for sum in sums.iter().filter_map(|idx| self.cells.sums.get(*idx)) {
                for (other, _) in terms(sum) {
                    let is_known = self.cells.are_known.contains(&other);
                    let Some(value) = self.value(other).filter(|_| !is_known) else {
                        continue;
                    };
                    if suppressed.contains_key(&other) {
                        if reached.insert(other) {
                            border.push(other);
                        }
                        continue;
                    }
                    let rank = (value == 0, other == sum.total, value.abs(), other);
                    choice = Some(choice.map_or(rank, |best| best.min(rank)));
                }
            }
            if let Some((.., companion)) = choice {
                return Some(companion);
            }
        }
        None
    }
}

/// A second solution, while it is looked for.
struct Search<'a> {
    work: &'a Work<'a>,
    suppressed: &'a BTreeMap<usize, Why>,
    moved: BTreeMap<usize, i128>,
    tries: u32,
}

impl Search<'_> {
    /// Moves cells until every sum is as it was; undoes what leads nowhere.
    fn balances(&mut self, more: u32) -> bool {
        let Some((sum, off)) = self.off() else {
            return true;
        };
        // What is suppressed already, then parts before the total, the smallest first.
        let mut places: Vec<_> = terms(sum)
            .filter_map(|(place, times)| {
                let value = self.work.value(place)?;
                let is_new = !self.suppressed.contains_key(&place);
                let by = -off.signum() * times;
                let is_free = !self.moved.contains_key(&place) && self.work.may_move(place, by);
                let is_allowed = !is_new || (more > 0 && value != 0);
                let rank = (is_new, place == sum.total, value.abs(), place);
                (is_free && is_allowed).then_some((rank, by))
            })
            .collect();
        places.sort_unstable();
        for ((is_new, _, _, place), by) in places {
            if self.tries == 0 {
                return false;
            }
            self.tries -= 1;
            self.moved.insert(place, by);
            if self.balances(more - u32::from(is_new)) {
                return true;
            }
            self.moved.remove(&place);
        }
        false
    }

    /// A sum that is not what it was, and by how much.
    fn off(&self) -> Option<(&'_ Sum, i128)> {
        let touched = self.moved.keys();
        let touched = touched.filter_map(|place| self.work.sums_of.get(*place));
        let mut sums = touched
            .flatten()
            .filter_map(|idx| self.work.cells.sums.get(*idx));
        sums.find_map(|sum| {
            let off: i128 = terms(sum)
                .map(|(place, times)| times * self.moved.get(&place).copied().unwrap_or_default())
                .sum();
            (off != 0).then_some((sum, off))
        })
    }
}

/// A total and what is taken from it, so that all together is nothing.
fn terms(sum: &Sum) -> impl Iterator<Item = (usize, i128)> + '_ {
    let parts = sum.parts.iter();
    let parts = parts.map(|(place, subtract)| (*place, if *subtract { -1 } else { 1 }));
    parts.chain(std::iter::once((sum.total, -1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(values: &[i128]) -> Cells {
        let total = values.len();
        let sum: i128 = values.iter().sum();
        Cells {
            values: values.iter().copied().chain([sum]).map(Some).collect(),
            is_count: vec![true; total + 1],
            sums: vec![Sum {
                total,
                parts: (0..total).map(|place| (place, false)).collect(),
            }],
            one: 1,
            ..Cells::default()
        }
    }

    /// `3c`: 3 is small; `9s`: 9 is suppressed for others' sake.
    fn told(cells: &Cells) -> String {
        let suppressed = suppress(cells, 5);
        let told = cells.values.iter().enumerate().map(|(place, value)| {
            let value = value.map_or("-".to_owned(), |value| value.to_string());
            match suppressed.get(&place) {
                None => value,
                Some(Why::Small) => format!("{value}c"),
                Some(Why::Linked) => format!("{value}s"),
            }
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn one_small_count_takes_the_next_smallest_with_it() {
        assert_eq!(told(&row(&[3, 20, 9])), "3c 20 9s 32");
        assert_eq!(told(&row(&[0, 20, 9])), "0 20 9 29");
        assert_eq!(told(&row(&[3, 4, 9])), "3c 4c 9 16");
        // Two ones that make two say each other.
        assert_eq!(told(&row(&[1, 1, 9])), "1c 1c 9s 11");
        // Nothing beside it but zeros: the total is the same small count.
        assert_eq!(told(&row(&[3, 0, 0])), "3c 0c 0c 3c");
        assert_eq!(told(&row(&[1, 1, 1])), "1c 1c 1c 3c");
        assert_eq!(told(&row(&[])), "0");
    }

    #[test]
    fn a_blank_is_published_as_that_and_what_is_no_count_is_not_small() {
        let mut cells = row(&[3, 20, 9]);
        cells.values[2] = None;
        cells.values[3] = Some(23);
        assert_eq!(told(&cells), "3c 20s - 23");
        let mut cells = row(&[3, 20, 9]);
        cells.is_count[0] = false;
        assert_eq!(told(&cells), "3 20 9 32");
    }

    #[test]
    fn what_an_earlier_edition_left_out_or_told_is_not_undone() {
        // 9 was left out for the sake of 3, which is 30 now.
        let mut cells = row(&[30, 20, 9]);
        cells.left_out.insert(2);
        assert_eq!(told(&cells), "30 20s 9s 59");
        // What was published can't protect anything any more.
        let mut cells = row(&[3, 20, 9]);
        cells.are_known.insert(2);
        assert_eq!(told(&cells), "3c 20s 9 32");
        cells.are_known.insert(1);
        assert_eq!(told(&cells), "3c 20 9 32s");
    }

    /// Rows by columns, with totals of both and of all.
    fn grid(values: &[Vec<i128>]) -> Cells {
        let (n_rows, n_columns) = (values.len(), values[0].len());
        let width = n_columns + 1;
        let mut all = Vec::new();
        for row in values {
            all.extend(row.iter().copied().chain([row.iter().sum()]));
        }
        for column in 0..width {
            all.push((0..n_rows).map(|row| all[row * width + column]).sum());
        }
        let mut sums = Vec::new();
        for row in 0..=n_rows {
            sums.push(Sum {
                total: row * width + n_columns,
                parts: (0..n_columns).map(|c| (row * width + c, false)).collect(),
            });
        }
        for column in 0..width {
            sums.push(Sum {
                total: n_rows * width + column,
                parts: (0..n_rows).map(|r| (r * width + column, false)).collect(),
            });
        }
        Cells {
            is_count: vec![true; all.len()],
            values: all.into_iter().map(Some).collect(),
            sums,
            one: 1,
            ..Cells::default()
        }
    }

    #[test]
    fn in_a_table_of_two_ways_four_corners_protect_one() {
        let cells = grid(&[vec![3, 20, 30], vec![10, 40, 50], vec![60, 70, 80]]);
        assert_eq!(
            told(&cells),
            "3c 20s 30 53 10s 40s 50 100 60 70 80 210 73 130 160 363"
        );
    }

    #[test]
    fn what_is_subtracted_is_counted_so() {
        // 12 - 3 = 9
        let cells = Cells {
            values: vec![Some(12), Some(3), Some(9)],
            is_count: vec![true; 3],
            sums: vec![Sum {
                total: 2,
                parts: vec![(0, false), (1, true)],
            }],
            one: 1,
            ..Cells::default()
        };
        assert_eq!(told(&cells), "12s 3c 9");
    }

    /// Every assignment, the unknown ones one after the other.
    fn all(
        unknown: &[usize],
        at: usize,
        values: &mut Vec<i128>,
        most: i128,
        check: &mut impl FnMut(usize, &[i128]) -> bool,
    ) {
        // A sum of which all is decided has to hold.
        if !check(at, values) || at == unknown.len() {
            return;
        }
        let before = values[unknown[at]];
        for value in 1..=most {
            values[unknown[at]] = value;
            all(unknown, at + 1, values, most, check);
        }
        values[unknown[at]] = before;
    }

    /// Whether each suppressed cell has a second value, by trying all there are: another way than the one that is tested.
    fn each_has_two(cells: &Cells, suppressed: &BTreeMap<usize, Why>, most: i128) -> bool {
        let unknown: Vec<usize> = suppressed.keys().copied().collect();
        let mut seen: Vec<BTreeSet<i128>> = vec![BTreeSet::new(); unknown.len()];
        let mut values: Vec<i128> = cells
            .values
            .iter()
            .map(|value| value.unwrap_or(0))
            .collect();
        let holds = |sum: &Sum, values: &[i128]| {
            terms(sum)
                .map(|(place, times)| times * values[place])
                .sum::<i128>()
                == 0
        };
        let decided: Vec<usize> = cells
            .sums
            .iter()
            .map(|sum| {
                let places = terms(sum)
                    .filter_map(|(place, _)| unknown.iter().position(|other| *other == place));
                places.max().map_or(0, |last| last + 1)
            })
            .collect();
        let mut check = |at: usize, values: &[i128]| {
            let sums = cells.sums.iter().zip(&decided);
            let ok = sums
                .filter(|(_, by)| **by <= at)
                .all(|(sum, _)| holds(sum, values));
            if ok && at == unknown.len() {
                for (seen, place) in seen.iter_mut().zip(&unknown) {
                    seen.insert(values[*place]);
                }
            }
            ok
        };
        all(&unknown, 0, &mut values, most, &mut check);
        seen.iter().all(|values| values.len() > 1)
    }

    #[test]
    fn the_solver_that_judges_sees_what_follows() {
        let cells = row(&[1, 1, 9]);
        let two = BTreeMap::from([(0, Why::Small), (1, Why::Small)]);
        assert!(!each_has_two(&cells, &two, 12));
        let three = BTreeMap::from([(0, Why::Small), (1, Why::Small), (2, Why::Linked)]);
        assert!(each_has_two(&cells, &three, 12));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn nothing_small_is_published_and_nothing_suppressed_follows(
            values in prop::collection::vec(0_i128..12, 1..6),
        ) {
            let cells = row(&values);
            let suppressed = suppress(&cells, 5);
            for (place, value) in cells.values.iter().enumerate() {
                let is_small = value.is_some_and(|value| 0 < value && value < 5);
                prop_assert!(!is_small || suppressed.get(&place) == Some(&Why::Small));
            }
            // Where zeros are suppressed with a small total, nobody knows that they are none.
            let has_zero = suppressed.keys().any(|place| cells.values[*place] == Some(0));
            prop_assert!(has_zero || each_has_two(&cells, &suppressed, 14), "{}", told(&cells));
        }

        #[test]
        fn nor_in_two_ways(
            values in prop::collection::vec(prop::collection::vec(0_i128..9, 2), 2..4),
        ) {
            let cells = grid(&values);
            let suppressed = suppress(&cells, 5);
            let has_zero = suppressed.keys().any(|place| cells.values[*place] == Some(0));
            // Trying all of more than a few takes too long.
            if !has_zero && suppressed.len() <= 6 {
                prop_assert!(each_has_two(&cells, &suppressed, 20), "{}", told(&cells));
            }
        }

        #[test]
        fn what_is_suppressed_follows_from_the_values_alone(
            values in prop::collection::vec(prop::collection::vec(0_i128..30, 3), 3),
        ) {
            let cells = grid(&values);
            prop_assert_eq!(suppress(&cells, 5), suppress(&cells, 5));
            prop_assert!(suppress(&cells, 0).is_empty());
        }
    }
}
