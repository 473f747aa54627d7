//! What is looked at in a worksheet's XML before the reader gets it.
//!
//! The reader gives up a whole sheet at an error value it does not know, such as `#SPILL!`, and lets an absurd cell address wrap round to another cell.

pub(crate) mod pieces;

use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use crate::beside::{Area, Beside};
use crate::{Refusal, ours};

/// Starts the text of a cell that was an error value unknown to the reader.
pub(crate) const MARK: &str = "\u{f8ff}\u{fdd0}";

/// The error values that the reader knows.
pub(crate) const KNOWN: [&str; 7] = [
    "#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!",
];

/// The XML with every unknown error value made into a marked text; `None` where there is none.
pub(crate) fn mend(xml: &str) -> Option<String> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for attribute in errors(xml) {
        let Some(value) = find_value(xml, attribute.end) else {
            continue;
        };
        let name = &xml[value.clone()];
        if is_known(name) {
            continue;
        }
        edits.push((attribute, "t=\"str\"".to_owned()));
        edits.push((value.clone(), format!("{MARK}{name}")));
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

/// Where cells say that they hold an error value.
fn errors(xml: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    ["t=\"e\"", "t='e'"].into_iter().flat_map(move |attribute| {
        memmem::find_iter(xml.as_bytes(), attribute)
            .filter(|at| is_of_tag(xml, *at, b"<c"))
            .map(|at| at..at + attribute.len())
    })
}

fn is_known(error: &str) -> bool {
    error.is_empty() || KNOWN.contains(&error)
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

/// How a worksheet says that something is hidden.
const HIDDEN: &str = "hidden=";

/// That it is so: Excel, `LibreOffice`, and both by hand.
const SO: [&str; 4] = ["\"1\"", "\"true\"", "'1'", "'true'"];

/// What is looked for in a worksheet, all of it or a piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// A filter on a list of ours hides nothing of the sender's.
    is_ours: bool,
    n_hidden_rows: usize,
    pub(crate) beside: Beside,
    pub(crate) results: Results,
}

impl Seen {
    pub(crate) fn of(xml: &str) -> Self {
        Self {
            is_ours: ours::is_our_part(xml),
            n_hidden_rows: count_hidden_rows(xml),
            beside: beside(xml),
            results: results(xml),
        }
    }

    /// How many rows with something in them are hidden, by hand or by a filter.
    pub(crate) fn n_hidden_rows(&self) -> usize {
        if self.is_ours { 0 } else { self.n_hidden_rows }
    }
}

fn count_hidden_rows(xml: &str) -> usize {
    let bytes = xml.as_bytes();
    let with_something = |at: usize| {
        // A tag that does not end before its row does holds nothing: what follows is the next row's, which a piece of
        // the part may not have.
        let row = &bytes[at..];
        let row = &row[..memmem::find(row, b"</row>").unwrap_or(row.len())];
        let Some(end_of_tag) = memchr(b'>', row) else {
            return false;
        };
        if row[..end_of_tag].ends_with(b"/") {
            return false;
        }
        let cells = &row[end_of_tag..];
        [&b"<v>"[..], b"<is>", b"<f"]
            .iter()
            .any(|start| memmem::find(cells, start).is_some())
    };
    memmem::find_iter(bytes, HIDDEN)
        .filter(|at| {
            let value = &xml[at + HIDDEN.len()..];
            SO.iter().any(|so| value.starts_with(so))
        })
        .filter(|&at| is_of_tag(xml, at, b"<row") && with_something(at))
        .count()
}

/// What is hidden of a worksheet's columns, and which of its cells are merged.
fn beside(xml: &str) -> Beside {
    let bytes = xml.as_bytes();
    let tag = |at: usize| {
        let tag = &xml[at..];
        &tag[..memchr(b'>', tag.as_bytes()).unwrap_or(tag.len())]
    };
    let merged = memmem::find_iter(bytes, "<mergeCell ")
        .filter_map(|at| area(attribute(tag(at), "ref")?))
        .filter(Area::is_several)
        .collect();
    let columns = |tag: &str| {
        let number = |name| attribute(tag, name)?.parse::<u32>().ok()?.checked_sub(1);
        let hidden = attribute(tag, "hidden").is_some_and(|how| matches!(how, "1" | "true"));
        hidden.then(|| Some((number("min")?, number("max")?)))?
    };
    let mut beside = Beside {
        merged,
        hidden_columns: memmem::find_iter(bytes, "<col ")
            .filter_map(|at| columns(tag(at)))
            .collect(),
        ..Beside::default()
    };
    for at in formulas(xml) {
        // A formula stands right behind its cell's tag.
        let cell = memrchr(b'<', &bytes[..at]).map(|start| &xml[start..at]);
        let cell = cell.filter(|cell| cell.starts_with("<c "));
        if let Some((row_idx, column_idx)) = cell.and_then(|cell| place(attribute(cell, "r")?)) {
            beside.add_formula(row_idx, column_idx);
        }
    }
    beside
}

fn attribute<'x>(tag: &'x str, name: &str) -> Option<&'x str> {
    let at = memmem::find_iter(tag.as_bytes(), name)
        .find(|&at| follows_space(tag, at) && tag[at + name.len()..].starts_with('='))?;
    let value = &tag[at + name.len() + 1..];
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

/// `A1:C2`, or one cell.
fn area(text: &str) -> Option<Area> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let (first_row, first_column) = place(first)?;
    let (last_row, last_column) = place(last)?;
    Some(Area {
        rows: (first_row, last_row),
        columns: (first_column, last_column),
    })
}

fn place(text: &str) -> Option<(u32, u32)> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = text.split_at(digits);
    let row_idx = number.parse::<u32>().ok()?.checked_sub(1)?;
    Some((row_idx, finding::parse_column_letters(letters)?))
}

/// Where the formulas start.
fn formulas(xml: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = xml.as_bytes();
    memmem::find_iter(bytes, "<f")
        .filter(|at| matches!(bytes.get(at + 2), Some(b'>' | b' ' | b'/')))
}

/// What a worksheet's formulas came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Results {
    #[default]
    NoFormulas,
    /// None has a result but nought, which is what a program writes that can't calculate.
    NoughtAtMost,
    Some,
}

impl Results {
    /// What they come to with those of another sheet, or of a further piece of the same.
    pub(crate) fn and(self, more: Results) -> Results {
        match (self, more) {
            (Results::Some, _) | (_, Results::NoFormulas) => self,
            _ => more,
        }
    }
}

/// Looks no further than the first result.
fn results(xml: &str) -> Results {
    let bytes = xml.as_bytes();
    let mut results = Results::NoFormulas;
    for at in formulas(xml) {
        results = Results::NoughtAtMost;
        let cell = &bytes[at..];
        let cell = &cell[..memmem::find(cell, b"</c>").unwrap_or(cell.len())];
        let value = memmem::find(cell, b"<v>").map(|value| &cell[value + 3..]);
        if value.is_some_and(|value| !value.starts_with(b"0<") && !value.starts_with(b"<")) {
            return Results::Some;
        }
    }
    results
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

/// Whether the rows of a worksheet start in it.
pub(crate) fn has_rows(xml: &str) -> bool {
    memmem::find(xml.as_bytes(), b"sheetData").is_some()
}

/// Refuses addresses that are longer than `XFD1048576` and so could wrap round.
pub(crate) fn check_places(xml: &str) -> Result<(), Refusal> {
    if !has_rows(xml) {
        return Ok(());
    }
    far_places(xml)
        .into_iter()
        .flatten()
        .next()
        .map_or(Ok(()), Err)
}

/// The first address that is too long in either kind of quotes.
fn far_places(xml: &str) -> [Option<Refusal>; 2] {
    let bytes = xml.as_bytes();
    [(&b"r=\""[..], b'"'), (b"r='", b'\'')].map(|(start, quote)| {
        memmem::find_iter(bytes, start).find_map(|at| {
            let place = &bytes[at + start.len()..];
            let n_letters = count(place, u8::is_ascii_alphabetic);
            let n_digits = count(&place[n_letters..], u8::is_ascii_digit);
            let is_place = place.get(n_letters + n_digits) == Some(&quote) && n_digits > 0;
            (is_place && follows_space(xml, at) && (n_letters > 3 || n_digits > 7)).then(|| {
                let shown: String = xml[at + start.len()..]
                    .chars()
                    .take((n_letters + n_digits).min(20))
                    .collect();
                Refusal::outside_the_grid(&shown)
            })
        })
    })
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
        let cell = "<c><v>1</v></c></row>";
        let xml = format!(
            "<col hidden=\"1\"/><row r=\"1\" hidden=\"1\"/><row r=\"2\" hidden=\"0\">{cell}<row hidden=\"1\"><c><f>\" hidden=\"1\"</f></c></row><row hidden='true'>{cell}<row hidden=\"1\"><c s=\"1\"/></row>"
        );
        assert_eq!(Seen::of(&xml).n_hidden_rows(), 2);
        let broken = "<row hidden=\"1\"</row><row r=\"2\"><c><v>1</v></c></row>";
        assert_eq!(Seen::of(broken).n_hidden_rows(), 0);
        let ours = format!("<sheetPr codeName=\"lgdpFindings\"/><sheetData/>{xml}");
        assert_eq!(Seen::of(&ours).n_hidden_rows(), 0);
    }

    #[test]
    fn merged_cells_and_hidden_columns_are_seen() {
        let beside = beside(
            "<cols><col min=\"2\" max=\"3\" hidden=\"1\"/><col min=\"5\" max=\"5\" hidden=\"0\"/><col max='9' hidden='true' min='8'/><col hidden=\"1\"/></cols><mergeCells><mergeCell ref=\"A1:C2\"/><mergeCell ref=\"D1\"/><mergeCell ref=\"D1:D0\"/></mergeCells>",
        );
        assert_eq!(beside.hidden_columns, [(1, 2), (7, 8)]);
        let title = Area {
            rows: (0, 1),
            columns: (0, 2),
        };
        assert_eq!(beside.merged, [title]);
    }

    #[test]
    fn cells_with_formulas_are_known() {
        let beside = beside(
            "<row><c r=\"B2\" s=\"1\"><f>A1</f><v>1</v></c><c r='C2'><f t=\"shared\" si=\"0\"/></c><c r=\"D2\"><v>1</v></c><c><f>A1</f></c></row>",
        );
        let calculated: Vec<u32> = (0..5).filter(|c| beside.is_calculated(1, *c)).collect();
        assert_eq!(calculated, [1, 2]);
    }

    #[test]
    fn the_first_result_tells_that_formulas_were_calculated() {
        for (xml, expected) in [
            ("<c><v>1</v></c><for/>", Results::NoFormulas),
            ("<c><f>1+1</f></c><c><v>7</v></c>", Results::NoughtAtMost),
            (
                "<c><f>1+1</f><v>0</v></c><c><f/><v></v></c>",
                Results::NoughtAtMost,
            ),
            ("<c><f t=\"shared\"/><v>0.5</v></c>", Results::Some),
            ("<c t=\"str\"><f>A1</f><v>x</v></c>", Results::Some),
        ] {
            assert_eq!(results(xml), expected, "{xml}");
        }
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
        assert_eq!(check_places("<styles r=\"A12345678\"/>"), Ok(()));
    }
}
