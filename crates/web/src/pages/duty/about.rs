//! What the return's own folder says of it, each statement with where it comes from.

use spec::{Confidence, ReturnSpec};

/// One statement.
pub(super) struct Said {
    /// "Legal basis".
    pub(super) about: String,
    pub(super) text: String,
    pub(super) source: Option<Source>,
    pub(super) confidence: &'static str,
}

pub(super) struct Source {
    pub(super) title: String,
    pub(super) url: String,
}

pub(super) fn of(spec: &ReturnSpec) -> Vec<Said> {
    let mut facts: Vec<_> = spec.facts.iter().collect();
    // Why it has to be answered comes first.
    facts.sort_by_key(|(name, _)| (name.as_str() != "duty", name.as_str() != "purpose"));
    facts
        .into_iter()
        .map(|(name, fact)| Said {
            about: heading(name),
            text: fact.value.clone(),
            source: spec
                .sources
                .get(&fact.provenance.source)
                .map(|source| Source {
                    title: source.title.clone(),
                    url: source.url.clone(),
                }),
            confidence: match fact.provenance.confidence {
                Confidence::Published => "as published",
                Confidence::Partial => "published in part",
                Confidence::Inferred => "not published: worked out by us",
            },
        })
        .collect()
}

/// `legal_basis` → `Legal basis`.
fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facts_name_is_a_heading() {
        assert_eq!(heading("legal_basis"), "Legal basis");
        assert_eq!(heading(""), "");
    }
}
