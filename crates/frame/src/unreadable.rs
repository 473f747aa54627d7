//! Which cells could not be read.

/// Record positions by item: few in a sound file, so they are kept in order rather than as a mask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// By item position, as far as any item has one; each in ascending order without repeats.
    by_item: Vec<Vec<usize>>,
}

impl Unreadable {
    pub fn has(&self, item_idx: usize, record_idx: usize) -> bool {
        self.of_item(item_idx).binary_search(&record_idx).is_ok()
    }

    /// The record positions of an item's unreadable cells, ascending.
    pub fn of_item(&self, item_idx: usize) -> &[usize] {
        self.by_item.get(item_idx).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn insert(&mut self, item_idx: usize, record_idx: usize) {
        self.insert_all(item_idx, &[record_idx]);
    }

    pub(crate) fn insert_all(&mut self, item_idx: usize, record_idxs: &[usize]) {
        if record_idxs.is_empty() {
            return;
        }
        if self.by_item.len() <= item_idx {
            self.by_item.resize_with(item_idx + 1, Vec::new);
        }
        let known = &mut self.by_item[item_idx];
        // Cells are read from the top, so that the usual place is the end.
        let in_order = record_idxs.is_sorted_by(|a, b| a < b)
            && known
                .last()
                .zip(record_idxs.first())
                .is_none_or(|(a, b)| a < b);
        known.extend_from_slice(record_idxs);
        if !in_order {
            known.sort_unstable();
            known.dedup();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_kept_in_order_whatever_order_they_come_in() {
        let mut unreadable = Unreadable::default();
        assert!(!unreadable.has(0, 0));
        unreadable.insert(2, 5);
        unreadable.insert(2, 9);
        unreadable.insert_all(2, &[7, 5, 11]);
        assert_eq!(unreadable.of_item(2), [5, 7, 9, 11]);
        assert!(unreadable.has(2, 7) && !unreadable.has(2, 8) && !unreadable.has(1, 7));
        assert_eq!(unreadable.of_item(3), [0; 0]);
    }
}
