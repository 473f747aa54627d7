//! A rule's words with values filled in.

use std::collections::BTreeMap;

use frame::Frame;
use spec::TableSpec;

/// Placeholders by name.
pub(crate) type Filling = BTreeMap<String, String>;

/// Every item of a record by name; blank items say so.
pub(crate) fn values_of(table: &TableSpec, frame: &Frame, record_idx: usize) -> Filling {
    table
        .items
        .iter()
        .enumerate()
        .map(|(item_idx, item)| {
            let shown = frame
                .shown(item, item_idx, record_idx)
                .unwrap_or_else(|| "blank".to_owned());
            (item.name.clone(), shown)
        })
        .collect()
}

/// Replaces each `{name}`; a name that is not there stays as it is written.
pub(crate) fn fill(template: &str, filling: &Filling) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        filled.push_str(before);
        match from.find('}') {
            Some(close) => {
                match filling.get(&from[1..close]) {
                    Some(value) => filled.push_str(value),
                    None => filled.push_str(&from[..=close]),
                }
                rest = &from[close + 1..];
            }
            None => {
                filled.push_str(from);
                rest = "";
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_anything_else_stays() {
        let filling = Filling::from([("A".to_owned(), "1".to_owned())]);
        assert_eq!(fill("{A} of {B}, {A}", &filling), "1 of {B}, 1");
        assert_eq!(fill("open { and }", &filling), "open { and }");
    }
}
