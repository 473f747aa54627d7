//! A rule's words with values filled in.

use std::collections::BTreeMap;

use frame::{Frame, Value, day_in_words};
use spec::{Item, Layout, TableSpec};

/// Placeholders by name.
pub(crate) type Filling = BTreeMap<String, String>;

/// Every item of a record by name; blank items say so.
pub(crate) fn values_of(table: &TableSpec, frame: &Frame, record_idx: usize) -> Filling {
    table
        .items
        .iter()
        .enumerate()
        .map(|(item_idx, item)| {
            let said = said(frame, item, item_idx, record_idx);
            let said = said.unwrap_or_else(|| "blank".to_owned());
            (item.name.clone(), said)
        })
        .chain(line_said(table, frame, record_idx))
        .collect()
}

/// A value as a sentence says it: a day in words, a code with what it stands for. `None` where it is blank or unreadable.
pub(crate) fn said(
    frame: &Frame,
    item: &Item,
    item_idx: usize,
    record_idx: usize,
) -> Option<String> {
    if let Value::Date(day) = frame.values.get(item_idx)?.get(record_idx)? {
        return Some(day_in_words(day));
    }
    let shown = frame.shown(item, item_idx, record_idx)?;
    Some(with_label(item, shown))
}

/// A form's line by its code and label, as its own item says it.
fn line_said(table: &TableSpec, frame: &Frame, record_idx: usize) -> Option<(String, String)> {
    let Layout::Matrix(matrix) = &table.layout else {
        return None;
    };
    let lines = Some(&matrix.lines).filter(|lines| lines.len() == frame.n_records())?;
    let line = lines.get(record_idx)?;
    let said = if line.label.contains(&line.code) {
        line.code.clone()
    } else {
        format!("{} ({})", line.code, line.label)
    };
    Some((matrix.line_item.clone(), said))
}

/// `03` → `03 (Review conference)`, where the item has a list and the code is on it.
pub(crate) fn with_label(item: &Item, code: String) -> String {
    let label = item.codes.as_ref().and_then(|codes| {
        let mut listed = codes.list.codes.iter();
        listed.find(|listed| listed.code == code)
    });
    match label.map(|listed| listed.label.as_str()) {
        Some(label) if !label.is_empty() && !label.eq_ignore_ascii_case(&code) => {
            format!("{code} ({label})")
        }
        _ => code,
    }
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
