//! A truth value for each record.

/// As many bits as there are records; those past the end are nought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask {
    words: Vec<u64>,
    len: usize,
}

const BITS: usize = 64;

impl Mask {
    /// The same for each record.
    pub(crate) fn all(truth: bool, len: usize) -> Self {
        let word = if truth { u64::MAX } else { 0 };
        Self::of_words(vec![word; len.div_ceil(BITS)], len)
    }

    pub(crate) fn collect(truths: impl Iterator<Item = bool>, len: usize) -> Self {
        let mut words = vec![0; len.div_ceil(BITS)];
        for (idx, truth) in truths.take(len).enumerate() {
            words[idx / BITS] |= u64::from(truth) << (idx % BITS);
        }
        Self { words, len }
    }

    /// Bits past the end are dropped.
    pub(crate) fn of_words(mut words: Vec<u64>, len: usize) -> Self {
        words.resize(len.div_ceil(BITS), 0);
        if !len.is_multiple_of(BITS)
            && let Some(last) = words.last_mut()
        {
            *last &= (1 << (len % BITS)) - 1;
        }
        Self { words, len }
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    pub(crate) fn or(self, other: &Self) -> Self {
        self.with(other, |a, b| a | b)
    }

    pub(crate) fn without(self, other: &Self) -> Self {
        self.with(other, |a, b| a & !b)
    }

    pub(crate) fn not(self) -> Self {
        let words = self.words.iter().map(|word| !word).collect();
        Self::of_words(words, self.len)
    }

    pub(crate) fn set(&mut self, idx: usize, truth: bool) {
        let bit = 1 << (idx % BITS);
        if truth {
            self.words[idx / BITS] |= bit;
        } else {
            self.words[idx / BITS] &= !bit;
        }
    }

    /// The positions of the records for which it is true, ascending.
    pub(crate) fn idxs(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(word_idx, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    word_idx * BITS + bit
                })
            })
        })
    }

    fn with(mut self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word = combine(*word, *other);
        }
        self
    }
}

/// Where exactly one of the masks is true.
pub(crate) fn exactly_one(masks: impl Iterator<Item = Mask>, len: usize) -> Mask {
    let mut one = Mask::all(false, len);
    let mut more = one.clone();
    for mask in masks {
        more = more.or(&mask.clone().and(&one));
        one = one.or(&mask);
    }
    one.without(&more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_combined_record_by_record() {
        for len in [0, 1, 63, 64, 65, 200] {
            let by = |n: usize| Mask::collect((0..len).map(|idx| idx % n == 0), len);
            let seen = |mask: Mask| mask.idxs().collect::<Vec<_>>();
            let wanted =
                |is: fn(usize) -> bool| (0..len).filter(|idx| is(*idx)).collect::<Vec<_>>();
            assert_eq!(seen(by(2).and(&by(3))), wanted(|i| i % 6 == 0));
            assert_eq!(seen(by(2).or(&by(3))), wanted(|i| i % 2 == 0 || i % 3 == 0));
            assert_eq!(
                seen(by(2).without(&by(3))),
                wanted(|i| i % 2 == 0 && i % 3 != 0)
            );
            assert_eq!(seen(by(2).not()), wanted(|i| i % 2 != 0));
            assert_eq!(seen(Mask::all(true, len)), wanted(|_| true));
            assert!(seen(Mask::all(false, len)).is_empty());
            let one = exactly_one([by(2), by(3), by(5)].into_iter(), len);
            let n = |i: usize| [2, 3, 5].iter().filter(|n| i.is_multiple_of(**n)).count();
            assert_eq!(
                seen(one),
                (0..len).filter(|i| n(*i) == 1).collect::<Vec<_>>()
            );
        }
    }
}
