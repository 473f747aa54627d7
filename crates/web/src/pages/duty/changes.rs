//! What is asked for otherwise than last time.

use spec::ReturnSpec;
use spec::diff::{Change, Subject, What, diff};
use workflow::Obligation;

/// Sentences on the page; the rest is counted.
const SHOWN: usize = 60;

pub(super) struct Changes {
    /// The period that it is compared with.
    pub(super) since: String,
    pub(super) sentences: Vec<String>,
    pub(super) n_more: usize,
}

/// `None` where both periods have the same version.
pub(super) fn since(before: &ReturnSpec, after: &ReturnSpec, then: &Obligation) -> Option<Changes> {
    if before.version == after.version {
        return None;
    }
    let mut sentences: Vec<String> = diff(before, after).iter().filter_map(sentence).collect();
    let n_more = sentences.len().saturating_sub(SHOWN);
    sentences.truncate(SHOWN);
    Some(Changes {
        since: then.round.period.in_words(),
        sentences,
        n_more,
    })
}

/// Where a statement about the return comes from changes nothing for who fills it in.
fn sentence(change: &Change) -> Option<String> {
    let subject = match change.subject {
        Subject::Source | Subject::Fact => return None,
        Subject::Return => "the return",
        Subject::Table => "the table",
        Subject::Item => "the column or cell",
        Subject::Line => "the line",
        Subject::Code => "the code",
        Subject::Rule => "the check",
    };
    let of = change
        .table
        .as_ref()
        .filter(|table| **table != change.name)
        .map_or_else(String::new, |table| format!(" of {table}"));
    let what = format!("{subject} {}{of}", change.name);
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    Some(match &change.what {
        What::Added { after } => format!("New: {what} ({after})."),
        What::Removed { before } => format!("No longer there: {what} ({before})."),
        What::Renamed { before, .. } => format!("Renamed: {what} was called {before}."),
        What::Changed {
            property,
            before,
            after,
        } => format!(
            "Changed: {what}: {property} was {}, and is {}.",
            or_none(before),
            or_none(after)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_sentence() {
        let change = |subject, what| Change {
            subject,
            table: Some("case".to_owned()),
            name: "REF".to_owned(),
            what,
        };
        let added = What::Added {
            after: "a text".to_owned(),
        };
        assert_eq!(
            sentence(&change(Subject::Item, added.clone())).as_deref(),
            Some("New: the column or cell REF of case (a text).")
        );
        assert_eq!(sentence(&change(Subject::Source, added)), None);
        let changed = What::Changed {
            property: "maximum".to_owned(),
            before: None,
            after: Some("9".to_owned()),
        };
        assert_eq!(
            sentence(&change(Subject::Item, changed)).as_deref(),
            Some("Changed: the column or cell REF of case: maximum was nothing, and is 9.")
        );
    }
}
