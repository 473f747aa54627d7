//! Texts that a cell of a workbook has no room for: they are cut, and say so themselves.

use std::borrow::Cow;

/// A cell holds so many units of UTF-16; a longer text is refused by whatever writes the workbook.
const MOST_UNITS: usize = 32_767;

/// Of a text that is cut so many stay, so that there is room for what is said of it.
const KEPT_UNITS: usize = 32_700;

/// The text as a cell holds it.
pub(crate) fn fitting(text: &str) -> Cow<'_, str> {
    // No text has more units than it has bytes.
    if text.len() <= MOST_UNITS || text.encode_utf16().count() <= MOST_UNITS {
        return Cow::Borrowed(text);
    }
    let mut n_units = 0;
    let end = text.char_indices().find(|(_, c)| {
        n_units += c.len_utf16();
        n_units > KEPT_UNITS
    });
    let (kept, cut) = text.split_at(end.map_or(text.len(), |(end, _)| end));
    Cow::Owned(format!(
        "{kept} … [cut: {} more characters]",
        cut.chars().count()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_no_cell_holds_is_cut_between_characters_and_says_so() {
        assert_eq!(fitting("short"), "short");
        let longest = "\u{e9}".repeat(MOST_UNITS);
        assert_eq!(fitting(&longest), longest);
        let longer = fitting(&format!("{longest}x")).into_owned();
        assert_eq!(
            longer,
            format!(
                "{} … [cut: 68 more characters]",
                "\u{e9}".repeat(KEPT_UNITS)
            )
        );
        // A character of two units, on either side of where it would be cut.
        for before in ["", "x"] {
            let faces = format!("{before}{}", "\u{1f600}".repeat(20_000));
            let cut = fitting(&faces).into_owned();
            assert!(cut.encode_utf16().count() <= MOST_UNITS);
            let (kept, mark) = cut.split_once(" … ").unwrap();
            assert!(faces.starts_with(kept));
            let n_cut = 20_000 + before.len() - kept.chars().count();
            assert_eq!(mark, format!("[cut: {n_cut} more characters]"));
        }
    }
}
