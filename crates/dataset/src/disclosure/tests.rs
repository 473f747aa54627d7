//! What is left out is judged by trying: another way than the one that is tested.

use proptest::prelude::*;

use super::*;

const THRESHOLD: u32 = 5;

fn whole(values: Vec<i128>, sums: Vec<Sum>) -> Cells {
    Cells {
        is_count: vec![true; values.len()],
        values: values.into_iter().map(Some).collect(),
        sums,
        one: 1,
        ..Cells::default()
    }
}

fn sum(total: usize, parts: impl IntoIterator<Item = usize>) -> Sum {
    Sum {
        total: Some(total),
        parts: parts.into_iter().map(|place| (place, false)).collect(),
    }
}

fn row(values: &[i128]) -> Cells {
    let total = values.len();
    let all = values.iter().copied().chain([values.iter().sum()]);
    whole(all.collect(), vec![sum(total, 0..total)])
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
    let across = (0..=n_rows).map(|row| {
        let first = row * width;
        sum(first + n_columns, first..first + n_columns)
    });
    let down = (0..width).map(|column| {
        let total = n_rows * width + column;
        sum(total, (0..n_rows).map(|row| row * width + column))
    });
    whole(all, across.chain(down).collect())
}

/// `3c`: 3 is small; `9s`: 9 is suppressed for others' sake.
fn told(cells: &Cells) -> String {
    let suppressed = suppress(cells, THRESHOLD).left_out;
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
    // A blank total says nothing of its parts.
    cells.values[3] = None;
    assert_eq!(told(&cells), "3c 20 - -");
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

#[test]
fn a_small_count_that_was_published_stands_and_takes_nothing_with_it() {
    // The threshold was 3, and is 5 now.
    let mut cells = row(&[4, 20, 9]);
    cells.are_known.extend(0..4);
    let decided = suppress(&cells, THRESHOLD);
    assert!(decided.left_out.is_empty(), "{decided:?}");
    assert_eq!(decided.n_published_before, 1);
    // The others are protected by what is new.
    let mut cells = row(&[4, 3, 20, 9]);
    cells.are_known.insert(0);
    assert_eq!(told(&cells), "4 3c 20 9s 36");
    // Nothing can be done for what follows from the rest.
    let mut cells = row(&[3, 20, 9]);
    cells.are_known.extend([1, 2, 3]);
    let decided = suppress(&cells, THRESHOLD);
    assert_eq!(told(&cells), "3c 20 9 32");
    assert_eq!(decided.told_before, BTreeSet::from([0]));
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
    let parts = vec![(0, false), (1, true)];
    let total = Some(2);
    let cells = whole(vec![12, 3, 9], vec![Sum { total, parts }]);
    assert_eq!(told(&cells), "12s 3c 9");
}

#[test]
fn of_cells_that_tell_each_other_both_are_left_out_or_none() {
    // Heads of two kinds and in all, and the full-time equivalents of each in hundredths.
    let values = vec![300, 900, 1200, 300, 850, 1150];
    let mut cells = whole(values, vec![sum(2, [0, 1]), sum(5, [3, 4])]);
    cells.one = 100;
    cells.is_count = vec![true, true, true, false, false, false];
    assert_eq!(told(&cells), "300c 900s 1200 300 850 1150");
    cells.together = vec![vec![0, 3], vec![1, 4], vec![2, 5]];
    assert_eq!(told(&cells), "300c 900s 1200 300s 850s 1150");
    // What is known of one is known of the other.
    cells.are_known.insert(3);
    let decided = suppress(&cells, THRESHOLD);
    assert_eq!(decided.told_before, BTreeSet::from([0]));
}

/// Editions of a form one after the other, as each is decided after those before it.
fn in_turn(forms: &[Cells]) -> (Vec<Edition>, Vec<Decided>) {
    let mut editions: Vec<Edition> = Vec::new();
    let mut all = Vec::new();
    for form in forms {
        let n_cells = form.values.len();
        let mut decided = suppress(&form.clone().after(&editions), THRESHOLD);
        decided.left_out.retain(|place, _| *place < n_cells);
        editions.push(Edition {
            values: form.values.clone(),
            sums: form.sums.clone(),
            together: form.together.clone(),
            left_out: decided.left_out.keys().copied().collect(),
            figures: (0..n_cells).collect(),
        });
        all.push(decided);
    }
    (editions, all)
}

#[test]
fn what_two_editions_tell_together_is_left_out() {
    // 3 and 8 make 11 in the first; 13 less 11 would be the 2 of the second.
    let forms = [row(&[3, 8, 20]), row(&[3, 8, 2])];
    let (editions, _) = in_turn(&forms);
    assert_eq!(editions[0].left_out, BTreeSet::from([0, 1]));
    assert_eq!(editions[1].left_out, BTreeSet::from([0, 1, 2, 3]));
    assert_eq!(follows(&editions), vec![]);
    // What the second alone would leave out tells it.
    let mut careless = editions;
    careless[1].left_out.remove(&3);
    assert!(follows(&careless).contains(&(2, 2, 1)));
}

#[test]
fn of_two_of_one_size_the_one_that_was_left_out_stays_out() {
    let forms = [row(&[3, 9, 9]), row(&[3, 9, 9])];
    let (mut editions, _) = in_turn(&forms[..1]);
    assert_eq!(editions[0].left_out, BTreeSet::from([0, 1]));
    // Its columns stand in another order now.
    editions[0].figures = vec![0, 2, 1, 3];
    let decided = suppress(&forms[1].clone().after(&editions), THRESHOLD);
    assert!(decided.left_out.keys().eq(&[0, 2]), "{decided:?}");
}

/// A figure and its value, as long as it stays what it is, with the first edition that had it so.
type Unknown = (usize, i128, usize);

/// What is known of the unknown: sums of them, and what each comes to.
struct Known {
    unknown: Vec<Unknown>,
    /// By number of the unknown.
    sums: Vec<Vec<(usize, i128)>>,
}

impl Known {
    fn of(editions: &[Edition]) -> Self {
        let of = |edition: usize, cell: usize| -> Option<Unknown> {
            let (figure, value) = (
                editions[edition].figures[cell],
                editions[edition].values[cell]?,
            );
            let is_so = |edition: &&usize| {
                let edition = &editions[**edition];
                let cell = edition.figures.iter().position(|other| *other == figure);
                cell.is_none_or(|cell| edition.values[cell] == Some(value))
            };
            let before: Vec<usize> = (0..=edition).rev().collect();
            let first = before.iter().take_while(is_so).last().unwrap();
            Some((figure, value, *first))
        };
        let mut published = BTreeSet::new();
        let mut left_out = BTreeSet::new();
        for (idx, edition) in editions.iter().enumerate() {
            for cell in 0..edition.values.len() {
                let is_left_out = edition.left_out.contains(&cell);
                let all = if is_left_out {
                    &mut left_out
                } else {
                    &mut published
                };
                all.extend(of(idx, cell));
            }
        }
        let unknown: Vec<Unknown> = left_out.difference(&published).copied().collect();
        let sums = editions.iter().enumerate().flat_map(|(idx, edition)| {
            let number = |cell| {
                let is_it = of(idx, cell)?;
                unknown.iter().position(|unknown| *unknown == is_it)
            };
            let terms = move |sum: &Sum| {
                let terms = sum.terms();
                terms
                    .filter_map(|(cell, times)| Some((number(cell)?, times)))
                    .collect()
            };
            edition.sums.iter().map(terms).collect::<Vec<_>>()
        });
        let sums = sums.collect();
        Self { unknown, sums }
    }

    /// Whether an unknown can be something else: it is, then the others one by one, the nearest to what they are first.
    fn has_second(&self, at: usize) -> bool {
        let mut order = vec![at];
        let mut idx = 0;
        while let Some(at) = order.get(idx).copied() {
            idx += 1;
            for (other, _) in self.sums_of(at).flatten() {
                if !order.contains(other) {
                    order.push(*other);
                }
            }
        }
        self.assign(&order, &mut vec![None; self.unknown.len()])
    }

    fn sums_of(&self, at: usize) -> impl Iterator<Item = &Vec<(usize, i128)>> {
        let sums = self.sums.iter();
        sums.filter(move |sum| sum.iter().any(|term| term.0 == at))
    }

    fn range(&self, at: usize) -> (i128, i128) {
        let value = self.unknown[at].1;
        // That something is left out that is zero nobody is told.
        (value.min(1), 2 * value + 3)
    }

    fn assign(&self, order: &[usize], assigned: &mut Vec<Option<i128>>) -> bool {
        let Some((at, rest)) = order.split_first() else {
            return true;
        };
        let (value, (least, most)) = (self.unknown[*at].1, self.range(*at));
        let mut values: Vec<i128> = (least..=most).collect();
        values.sort_by_key(|other| (other - value).abs());
        // The first of all is another one than it is.
        let is_first = assigned.iter().all(Option::is_none);
        values.retain(|other| !is_first || *other != value);
        for other in values {
            assigned[*at] = Some(other);
            let may_hold = self.sums_of(*at).all(|sum| self.may_hold(sum, assigned));
            if may_hold && self.assign(rest, assigned) {
                return true;
            }
        }
        assigned[*at] = None;
        false
    }

    /// Whether what isn't assigned can still bring a sum to what it is.
    fn may_hold(&self, sum: &[(usize, i128)], assigned: &[Option<i128>]) -> bool {
        let (mut least, mut most) = (0, 0);
        for (at, times) in sum {
            let value = self.unknown[*at].1;
            let (low, high) = assigned[*at].map_or(self.range(*at), |value| (value, value));
            let moves = [times * (low - value), times * (high - value)];
            least += moves[0].min(moves[1]);
            most += moves[0].max(moves[1]);
        }
        least <= 0 && 0 <= most
    }
}

/// What can be nothing else than it is, for whoever has all editions.
fn follows(editions: &[Edition]) -> Vec<Unknown> {
    let known = Known::of(editions);
    let all = 0..known.unknown.len();
    let follows = all.filter(|at| !known.has_second(*at));
    follows.map(|at| known.unknown[at]).collect()
}

/// Whether nothing small is published and nothing that is left out follows, but where it is said to follow.
fn is_safe(forms: &[Cells]) -> Result<(), TestCaseError> {
    let (editions, decided) = in_turn(forms);
    prop_assert!(decided[0].told_before.is_empty(), "{editions:?}");
    prop_assert!(!decided.iter().any(|one| one.is_all_linked));
    for edition in &editions {
        for (cell, value) in edition.values.iter().enumerate() {
            let is_small = value.is_some_and(|value| (1..5).contains(&value));
            prop_assert!(!is_small || edition.left_out.contains(&cell), "{edition:?}");
        }
    }
    let follows = follows(&editions);
    if decided.iter().all(|one| one.told_before.is_empty()) {
        prop_assert_eq!(follows, vec![], "{:?}", editions);
        return Ok(());
    }
    // As where three figures above zero are known to come to three. It isn't said of what doesn't follow.
    let n_cells = forms[0].values.len();
    for figure in decided.last().unwrap().told_before.range(..n_cells) {
        let is_it = |unknown: &Unknown| unknown.0 == *figure;
        prop_assert!(follows.iter().any(is_it), "{figure} of {editions:?}");
    }
    Ok(())
}

#[test]
fn the_judge_sees_what_follows() {
    let cells = row(&[1, 1, 9]);
    let edition = |left_out: &[usize]| Edition {
        values: cells.values.clone(),
        sums: cells.sums.clone(),
        left_out: left_out.iter().copied().collect(),
        figures: (0..4).collect(),
        ..Edition::default()
    };
    assert_eq!(follows(&[edition(&[0, 1])]), vec![(0, 1, 0), (1, 1, 0)]);
    assert_eq!(follows(&[edition(&[0, 1, 2])]), vec![]);
}

fn rows(n_columns: usize) -> impl Strategy<Value = Vec<i128>> + Clone {
    // Many are zero or one, as in the forms that are hard.
    let value = prop_oneof![2 => 0_i128..2, 3 => 0_i128..12];
    prop::collection::vec(value, n_columns)
}

fn grids() -> impl Strategy<Value = (Vec<Vec<i128>>, Vec<Vec<i128>>)> {
    (2_usize..4, 2_usize..4).prop_flat_map(|(n_rows, n_columns)| {
        let grid = prop::collection::vec(rows(n_columns), n_rows);
        (grid.clone(), grid)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn nothing_small_is_published_and_nothing_suppressed_follows(
        values in (1_usize..7).prop_flat_map(rows),
    ) {
        is_safe(&[row(&values)])?;
    }

    #[test]
    fn nor_in_two_ways((values, _) in grids()) {
        is_safe(&[grid(&values)])?;
    }

    /// Of a figure or two it is known that another value came in its place.
    #[test]
    fn nor_from_three_editions_together(
        values in rows(4),
        changes in prop::collection::vec((0_usize..4, 0_i128..12), 2..4),
    ) {
        let mut editions = vec![row(&values)];
        let mut now = values;
        for (place, value) in changes {
            now[place] = value;
            editions.push(row(&now));
        }
        is_safe(&editions)?;
    }

    #[test]
    fn nor_from_two_editions_in_two_ways(
        (values, others) in grids(),
        n_changed in 1_usize..4,
    ) {
        let mut now = values.clone();
        for (row, others) in others.iter().enumerate().take(n_changed) {
            let column = (row * 7 + n_changed) % others.len();
            now[row][column] = others[column];
        }
        is_safe(&[grid(&values), grid(&now)])?;
    }

    #[test]
    fn the_order_of_the_sums_changes_nothing(
        (values, _) in grids(),
        turned in 0_usize..7,
    ) {
        let cells = grid(&values);
        let mut other = cells.clone();
        let by = turned % other.sums.len();
        other.sums.rotate_left(by);
        other.sums.reverse();
        for sum in &mut other.sums {
            sum.parts.reverse();
        }
        prop_assert_eq!(suppress(&cells, THRESHOLD), suppress(&other, THRESHOLD));
        prop_assert!(suppress(&cells, 0).left_out.is_empty());
    }
}

/// Mostly zeros, and mostly ones where it isn't: the same each time.
fn sparse(n_rows: usize, n_columns: usize) -> Vec<Vec<i128>> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut value = || match (next(10), next(10)) {
        (0..7, _) => 0,
        (_, 0..7) => 1,
        _ => i128::from(next(30)),
    };
    (0..n_rows)
        .map(|_| (0..n_columns).map(|_| value()).collect())
        .collect()
}

#[test]
fn a_long_sparse_form_takes_so_many_steps_and_no_more() {
    let cells = grid(&sparse(80, 12));
    let (decided, n_steps) = decide(&cells, THRESHOLD);
    assert!(!decided.is_all_linked && decided.told_before.is_empty());
    assert!(n_steps < 1_000_000, "{n_steps}");
    let n_small = decided.left_out.values().filter(|why| **why == Why::Small);
    assert!(n_small.count() > 150);
}

/// In three ways the short way isn't there, and trying is given up in the end.
#[test]
fn what_takes_too_long_is_left_out_with_all_that_is_linked_to_it() {
    let n = 6;
    let values: Vec<i128> = sparse(n * n, n).into_iter().flatten().collect();
    let mut all = values.clone();
    let mut sums = Vec::new();
    let place = |a: usize, b: usize, c: usize| (a * n + b) * n + c;
    for first in 0..n {
        for second in 0..n {
            for parts in [
                (0..n)
                    .map(|third| place(first, second, third))
                    .collect::<Vec<_>>(),
                (0..n).map(|third| place(first, third, second)).collect(),
                (0..n).map(|third| place(third, first, second)).collect(),
            ] {
                let total = all.len();
                all.push(parts.iter().map(|part| values[*part]).sum());
                sums.push(sum(total, parts));
            }
        }
    }
    let cells = whole(all, sums);
    let (decided, n_steps) = decide(&cells, THRESHOLD);
    assert!(decided.is_all_linked);
    assert!(n_steps < 1_000_000, "{n_steps}");
    // All that is linked: whoever doubles every figure has a second solution.
    assert_eq!(decided.left_out.len(), cells.values.len());
}
