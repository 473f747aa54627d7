//! Headings compared as people mean them.

use std::collections::HashMap;

use spec::{Item, TableSpec};
use unicode_normalization::UnicodeNormalization;

/// Letters and digits only, in lower case and compatibility form:
/// what is left of a heading when spaces, line breaks, punctuation and invisible characters are not counted.
pub fn normalise(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The headings that a table's items may have.
pub(crate) struct Headings {
    /// The position of an item by what is left of each of its names; of two items the first.
    item_idxs: HashMap<String, usize>,
}

impl Headings {
    pub(crate) fn of(table: &TableSpec) -> Self {
        let mut item_idxs = HashMap::new();
        for (item_idx, item) in table.items.iter().enumerate() {
            for name in names(item) {
                item_idxs.entry(normalise(name)).or_insert(item_idx);
            }
        }
        Self { item_idxs }
    }

    /// The item that a heading names, if any.
    pub(crate) fn item_of(&self, heading: &str) -> Option<usize> {
        let heading = normalise(heading);
        if heading.is_empty() {
            return None;
        }
        self.item_idxs.get(&heading).copied()
    }
}

pub(crate) fn names(item: &Item) -> impl Iterator<Item = &str> {
    [item.name.as_str(), item.title.as_str()]
        .into_iter()
        .chain(item.headings.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_the_same_however_they_are_typed() {
        for heading in [
            "LA code",
            "la_code",
            " LA\u{a0}Code ",
            "LA\ncode",
            "LA\u{200b}CODE",
            "ＬＡ Code:",
        ] {
            assert_eq!(normalise(heading), "lacode", "{heading:?}");
        }
        assert_ne!(normalise("LA code 2"), "lacode");
    }
}
