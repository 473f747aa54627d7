//! What a schema says of texts: which are allowed, and of what form.

use std::collections::{BTreeSet, HashSet};

use jsonschema_regex::Sequence;
use regex::Regex;

/// A set of texts, most of them codes of a few characters.
#[derive(Debug)]
pub(crate) struct Texts {
    /// Those that fit into sixteen bytes with their length: each in the first free place from where its hash points.
    short: Vec<Option<u128>>,
    long: HashSet<String>,
}

impl Texts {
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut short = BTreeSet::new();
        let mut long = HashSet::new();
        for text in texts {
            match packed(text) {
                Some(packed) => {
                    short.insert(packed);
                }
                None => {
                    long.insert(text.to_owned());
                }
            }
        }
        // At most a quarter full, so that a place that is free is never far.
        let mut set = Self {
            short: vec![None; (short.len() * 4).next_power_of_two()],
            long,
        };
        for packed in short {
            let place = set.place(packed);
            set.short[place] = Some(packed);
        }
        set
    }

    /// Where a text is, or would be.
    fn place(&self, packed: u128) -> usize {
        let last = self.short.len() - 1;
        let mut place = hash(packed) & last;
        while self.short[place].is_some_and(|other| other != packed) {
            place = (place + 1) & last;
        }
        place
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        match packed(text) {
            Some(packed) => self.short[self.place(packed)].is_some(),
            None => self.long.contains(text),
        }
    }
}

/// By multiplication; the upper bits depend on all of the text.
#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn hash(packed: u128) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (low, high) = (packed as u64, (packed >> 64) as u64);
    let mixed = (low.wrapping_mul(ODD) ^ high).wrapping_mul(ODD);
    (mixed >> 32) as usize
}

fn packed(text: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes
        .get_mut(..text.len())?
        .copy_from_slice(text.as_bytes());
    match text.len() {
        len @ 0..=15 => {
            bytes[15] = u8::try_from(len).ok()?;
            Some(u128::from_le_bytes(bytes))
        }
        _ => None,
    }
}

/// A pattern, as the jsonschema crate reads it: ECMA's, made into one of the regex crate, which takes linear time.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Decides nearly all texts of the simple patterns that codes have, such as `^S[0-9]{8}$`.
    sequence: Option<Sequence>,
    regex: Regex,
}

impl Pattern {
    /// `None` for what the regex crate does not know.
    pub(crate) fn of(pattern: &str) -> Option<Self> {
        let translated = jsonschema_regex::to_rust_regex(pattern).ok()?;
        Some(Self {
            sequence: Sequence::compile(&translated),
            regex: Regex::new(&translated).ok()?,
        })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let by_sequence = self
            .sequence
            .as_ref()
            .and_then(|sequence| sequence.is_match(text.as_bytes()));
        by_sequence.unwrap_or_else(|| self.regex.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_its_texts_and_no_others() {
        let texts = [
            "",
            "a",
            "a\0",
            "ab",
            "fifteen bytes !",
            "sixteen bytes !!",
            "é",
        ];
        let set = Texts::of(texts.into_iter());
        for text in texts {
            assert!(set.contains(text), "{text:?}");
        }
        for text in ["\0", "b", "fifteen bytes ?", "sixteen bytes ??", "e"] {
            assert!(!set.contains(text), "{text:?}");
        }
    }
}
