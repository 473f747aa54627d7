//! What is looked at in a worksheet's XML before the reader gets it.
//!
//! The reader gives up a whole sheet at an error value it does not know, such as `#SPILL!`, and lets an absurd cell address wrap round to another cell.

use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use crate::Refusal;

/// Starts the text of a cell that was an error value unknown to the reader.
pub(crate) const MARK: &str = "\u{f8ff}\u{fdd0}";

/// The error values that the reader knows.
pub(crate) const KNOWN: [&str; 7] = [
    "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!",
];

/// The XML with every unknown error value made into a marked text; `None` where there is none.
pub(crate) fn mend(xml: &str) -> Option<String> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for attribute in ["t=\"e\"", "t='e'"] {
        for at in memmem::find_iter(xml.as_bytes(), attribute) {
            if !is_of_tag(xml, at, b"<c") {
                continue;
            }
            let after = at + attribute.len();
            let Some(value) = find_value(xml, after) else {
                continue;
            };
            let name = &xml[value.clone()];
            if name.is_empty() || KNOWN.contains(&name) {
                continue;
            }
            edits.push((at..after, "t=\"str\"".to_owned()));
            edits.push((value.clone(), format!("{MARK}{name}")));
        }
    }
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut mended = String::with_capacity(xml.len() + 16 * edits.len());
    let mut done = 0;
    for (range, text) in edits {
        // A tag with the attribute twice finds the same value twice.
        if range.start < done {
            continue;
        }
        mended.push_str(&xml[done..range.start]);
        mended.push_str(&text);
        done = range.end;
    }
    mended.push_str(&xml[done..]);
    Some(mended)
}

/// The name of the error value that a marked text stands for.
pub(crate) fn marked_error(text: &str) -> Option<&str> {
    text.strip_prefix(MARK).map(str::trim)
}

/// Where the value stands of the cell whose start tag goes on at `from`.
fn find_value(xml: &str, from: usize) -> Option<Range<usize>> {
    let bytes = xml.as_bytes();
    // A cell may hold a formula of 8,192 characters and little else.
    let near = &bytes[from..bytes.len().min(from + 50_000)];
    if near[..memchr(b'>', near)?].ends_with(b"/") {
        return None;
    }
    let cell = &near[..memmem::find(near, b"</c>")?];
    let value = from + memmem::find(cell, b"<v")?;
    let start = value + memchr(b'>', &bytes[value..])? + 1;
    let end = start + memchr(b'<', &bytes[start..])?;
    Some(start..end)
}

/// How many rows are hidden, by hand or by a filter.
pub(crate) fn count_hidden_rows(xml: &str) -> usize {
    memmem::find_iter(xml.as_bytes(), "hidden=\"1\"")
        .filter(|&at| is_of_tag(xml, at, b"<row"))
        .count()
}

/// Whether what stands at `at` is an attribute of such a tag: `<c`.
fn is_of_tag(xml: &str, at: usize, tag: &[u8]) -> bool {
    let before = &xml.as_bytes()[..at];
    follows_space(xml, at)
        && memrchr(b'<', before)
            .and_then(|start| before[start..].strip_prefix(tag))
            .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

fn follows_space(xml: &str, at: usize) -> bool {
    at > 0 && xml.as_bytes()[at - 1].is_ascii_whitespace()
}

/// Whether the cells of a worksheet start in it.
pub(crate) fn has_cells(xml: &str) -> bool {
    memmem::find(xml.as_bytes(), b"sheetData").is_some()
}

/// Refuses addresses of cells that are longer than `XFD1048576` and so could wrap round.
pub(crate) fn check_places(xml: &str) -> Result<(), Refusal> {
    let bytes = xml.as_bytes();
    for (start, quote) in [(&b"r=\""[..], b'"'), (b"r='", b'\'')] {
        for at in memmem::find_iter(bytes, start) {
            let place = &bytes[at + start.len()..];
            let n_letters = count(place, u8::is_ascii_alphabetic);
            let n_digits = count(&place[n_letters..], u8::is_ascii_digit);
            let is_place = place.get(n_letters + n_digits) == Some(&quote) && n_digits > 0;
            if is_place && follows_space(xml, at) && (n_letters > 3 || n_digits > 7) {
                let shown: String = xml[at + start.len()..]
                    .chars()
                    .take((n_letters + n_digits).min(20))
                    .collect();
                return Err(Refusal::outside_the_grid(&shown));
            }
        }
    }
    Ok(())
}

fn count(bytes: &[u8], is: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|b| is(b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_error_values_are_marked_and_known_ones_left() {
        assert_eq!(mend("<c r=\"A1\" t=\"e\"><v>#REF!</v></c>"), None);
        assert_eq!(mend("<c r=\"A1\" t=\"str\"><v>#SPILL!</v></c>"), None);
        assert_eq!(mend("<c r=\"A1\" t=\"e\"/><c r=\"B1\"><v>1</v></c>"), None);
        assert_eq!(mend("<c r=\"A1\"><f>\" t=\"e\"</f><v>5</v></c>"), None);
        let mended = mend(
            "<c r=\"A1\" t=\"e\"><f>A1</f><v>#SPILL!</v></c><c t='e' r='B1'><v>#N/A</v></c><c t='e'><v>#CALC!</v></c>",
        );
        let expected = format!(
            "<c r=\"A1\" t=\"str\"><f>A1</f><v>{MARK}#SPILL!</v></c><c t='e' r='B1'><v>#N/A</v></c><c t=\"str\"><v>{MARK}#CALC!</v></c>"
        );
        assert_eq!(mended, Some(expected));
        assert!(mend("<c t=\"e\" t=\"e\"><v>#CALC!</v></c>").is_some());
        assert_eq!(marked_error(&format!("{MARK}#SPILL!")), Some("#SPILL!"));
        assert_eq!(marked_error("#SPILL!"), None);
    }

    #[test]
    fn hidden_rows_are_counted_and_hidden_columns_are_not() {
        let xml = "<col hidden=\"1\"/><row r=\"1\" hidden=\"1\"/><row r=\"2\" hidden=\"0\"/><row hidden=\"1\"><c><f>\" hidden=\"1\"</f></c></row>";
        assert_eq!(count_hidden_rows(xml), 2);
    }

    #[test]
    fn addresses_that_could_wrap_round_are_refused() {
        let check = |place: &str| {
            check_places(&format!(
                "<sheetData><c r=\"{place}\"><v>1</v></c></sheetData>"
            ))
            .map_err(|refusal| refusal.rule)
        };
        assert_eq!(check("XFD1048576"), Ok(()));
        assert_eq!(check("ZZZZ1"), Err("file.outside-the-grid"));
        assert_eq!(check("A12345678"), Err("file.outside-the-grid"));
        assert_eq!(
            check_places("<sheetData><row r='99999999'/>")
                .unwrap_err()
                .rule,
            "file.outside-the-grid"
        );
        assert!(!has_cells("<styles r=\"A12345678\"/>"));
    }
}
