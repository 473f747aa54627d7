//! What makes a finding the same one in the next file.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::RuleId;

/// A digest over the rule, the item and the record; rows may move and other records come and go.
///
/// Two findings of one file never share a key.
/// Identifiers can be guessed, and a guess tried: it is as personal as they are, and goes only where they go
/// (`docs/decisions/finding-keys-are-no-secret.md`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingKey(String);

impl FindingKey {
    /// `record` tells the record from every other of its table; `nth` counts from 0 what would else be the same.
    pub fn new(
        rule: &RuleId,
        table: Option<&str>,
        item: Option<&str>,
        record: &[&str],
        nth: usize,
    ) -> Self {
        let mut digest = Sha256::new();
        let nth = nth.to_string();
        let parts = [
            rule.as_str(),
            table.unwrap_or_default(),
            item.unwrap_or_default(),
            nth.as_str(),
        ];
        for part in parts.iter().chain(record) {
            // With its length, so that no two lists of parts read the same.
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        Self(hex::encode(&digest.finalize()[..16]))
    }

    /// The same as a number, by which keys are quickly told apart.
    pub fn bits(&self) -> u128 {
        u128::from_str_radix(&self.0, 16).unwrap_or_default()
    }

    /// A key as it was stored.
    pub fn stored(key: String) -> Self {
        Self(key)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_none_runs_into_the_next() {
        let key = |rule: &str, item: Option<&str>, record: &[&str], nth| {
            FindingKey::new(&RuleId::from(rule), Some("case"), item, record, nth)
        };
        let one = key("case.a", Some("AGE"), &["12", "3"], 0);
        assert_eq!(one, key("case.a", Some("AGE"), &["12", "3"], 0));
        assert_eq!(one.as_str().len(), 32);
        for other in [
            key("case.b", Some("AGE"), &["12", "3"], 0),
            key("case.a", None, &["12", "3"], 0),
            key("case.a", Some("AGE"), &["1", "23"], 0),
            key("case.a", Some("AGE"), &["12", "3"], 1),
        ] {
            assert_ne!(one, other);
        }
    }
}
