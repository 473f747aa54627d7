//! Messages: every `{placeholder}` has to be a name that the finding will know.

use std::collections::BTreeSet;

use super::table::TableDraft;

/// The names between braces; an error where a brace stands alone.
pub(crate) fn placeholders(message: &str) -> Result<Vec<&str>, &'static str> {
    let mut names = Vec::new();
    let mut rest = message;
    while let Some(start) = rest.find(['{', '}']) {
        if rest[start..].starts_with('}') {
            return Err("has a } without a {");
        }
        let after = &rest[start + 1..];
        let end = after
            .find(['{', '}'])
            .filter(|&end| after[end..].starts_with('}'));
        let Some(end) = end else {
            return Err("has a { without a }");
        };
        names.push(&after[..end]);
        rest = &after[end + 1..];
    }
    Ok(names)
}

/// What is wrong with a message whose placeholders have to satisfy `is_known`.
pub(crate) fn faults_of(message: &str, is_known: impl Fn(&str) -> bool) -> Vec<String> {
    match placeholders(message) {
        Err(why) => vec![why.to_owned()],
        Ok(names) => names
            .into_iter()
            .filter(|name| !is_known(name))
            .map(|name| format!("{{{name}}} is nothing that this rule knows"))
            .collect(),
    }
}

/// The names that a rule's finding knows.
pub(crate) struct Placeholders<'a> {
    table: &'a TableDraft,
    pub(crate) names: BTreeSet<String>,
    /// A query with a wildcard: anything may be a column of it.
    pub(crate) is_open: bool,
}

impl<'a> Placeholders<'a> {
    pub(crate) fn of_items(table: &'a TableDraft) -> Self {
        Self {
            table,
            names: BTreeSet::new(),
            is_open: false,
        }
    }

    pub(crate) fn add(&mut self, names: &[&str]) {
        self.names.extend(names.iter().map(|&name| name.to_owned()));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.is_open || self.names.contains(name) || self.table.lacks(name).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_the_names_between_braces() {
        assert_eq!(placeholders("{a} is not {b_1}."), Ok(vec!["a", "b_1"]));
        assert_eq!(placeholders("nothing"), Ok(vec![]));
        assert_eq!(placeholders("{a"), Err("has a { without a }"));
        assert_eq!(placeholders("{a{b}"), Err("has a { without a }"));
        assert_eq!(placeholders("a}"), Err("has a } without a {"));
    }
}
