//! What earlier editions of a form tell of the next one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cells, Sum};

/// An edition of a form that was published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edition {
    pub values: Vec<Option<i128>>,
    pub sums: Vec<Sum>,
    pub together: Vec<Vec<usize>>,
    pub left_out: BTreeSet<usize>,
    /// Which figure each of its cells is: the place in the next edition, or a number beyond its places for one that is gone.
    pub figures: Vec<usize>,
}

/// A figure from one edition to the next, as long as it stays what it is: one unknown, where none of them published it.
#[derive(Debug)]
struct Run {
    figure: usize,
    value: i128,
    is_published: bool,
    /// Where it is among the cells of the next edition.
    place: Option<usize>,
}

#[derive(Debug, Default)]
struct Runs {
    all: Vec<Run>,
    /// By figure, of the newest edition that has it.
    newest: BTreeMap<usize, usize>,
}

impl Runs {
    /// The run of each of an edition's cells.
    fn add(&mut self, edition: &Edition) -> Vec<Option<usize>> {
        let mut cells = Vec::new();
        for (cell, figure) in edition.figures.iter().enumerate() {
            let Some(value) = edition.value(cell) else {
                self.newest.remove(figure);
                cells.push(None);
                continue;
            };
            let run = self.newest_of(*figure, value).unwrap_or(self.all.len());
            if run == self.all.len() {
                self.all.push(Run {
                    figure: *figure,
                    value,
                    is_published: false,
                    place: None,
                });
            }
            self.newest.insert(*figure, run);
            if let Some(run) = self.all.get_mut(run) {
                run.is_published |= !edition.left_out.contains(&cell);
            }
            cells.push(Some(run));
        }
        cells
    }

    /// The newest of a figure, where it still is what it was.
    fn newest_of(&self, figure: usize, value: i128) -> Option<usize> {
        let newest = self.newest.get(&figure).copied();
        newest.filter(|run| self.all.get(*run).is_some_and(|run| run.value == value))
    }
}

impl Cells {
    /// With what is known of the editions before, the oldest first. A figure that one left out stays out; one that was
    /// published as it still is is known. What one left out goes on adding up as it did: with the same cell where its
    /// value is still the same, and with a cell beyond the form's own where it is another now.
    pub fn after(mut self, editions: &[Edition]) -> Self {
        let n_own = self.values.len();
        let mut runs = Runs::default();
        let cells: Vec<_> = editions.iter().map(|edition| runs.add(edition)).collect();
        for place in 0..n_own {
            let value = self.value(place);
            let run = value.and_then(|value| runs.newest_of(place, value));
            if let Some(run) = run.and_then(|run| runs.all.get_mut(run)) {
                run.place = Some(place);
                if run.is_published {
                    self.are_known.insert(place);
                }
            }
        }
        for run in runs.all.iter_mut().filter(|run| !run.is_published) {
            self.left_out
                .extend(Some(run.figure).filter(|figure| *figure < n_own));
            if run.place.is_none() {
                run.place = Some(self.values.len());
                self.left_out.insert(self.values.len());
                self.values.push(Some(run.value));
                self.is_count.push(false);
            }
        }
        for (edition, cells) in editions.iter().zip(&cells) {
            let place = |cell: usize| {
                let run = runs.all.get(cells.get(cell).copied().flatten()?)?;
                run.place.filter(|_| !run.is_published)
            };
            // A total that is blank says nothing.
            let says = |sum: &&Sum| sum.total.is_none_or(|total| edition.value(total).is_some());
            for sum in edition.sums.iter().filter(says) {
                let parts = sum.parts.iter();
                self.sums.push(Sum {
                    total: sum.total.and_then(place),
                    parts: parts
                        .filter_map(|(cell, subtract)| Some((place(*cell)?, *subtract)))
                        .collect(),
                });
            }
            for cells in &edition.together {
                let together = cells.iter().filter_map(|cell| place(*cell));
                self.together.push(together.collect());
            }
        }
        self
    }
}

impl Edition {
    fn value(&self, cell: usize) -> Option<i128> {
        self.values.get(cell).copied().flatten()
    }
}
