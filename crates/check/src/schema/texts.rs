//! What a schema says of texts: which are allowed, and of what form.

use std::collections::HashSet;

use jsonschema_regex::Sequence;
use regex::Regex;

/// A set of texts, most of them codes of a few characters.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// Those that fit into sixteen bytes with their length, ascending.
    short: Vec<u128>,
    long: HashSet<String>,
}

impl Texts {
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut set = Self::default();
        for text in texts {
            match packed(text) {
                Some(short) => set.short.push(short),
                None => {
                    set.long.insert(text.to_owned());
                }
            }
        }
        set.short.sort_unstable();
        set
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        match packed(text) {
            Some(short) => self.short.binary_search(&short).is_ok(),
            None => self.long.contains(text),
        }
    }
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
