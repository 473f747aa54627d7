//! How high a row has to be for its wrapped texts.
//!
//! Set by us: not every spreadsheet program fits rows to their texts when it opens a file.

/// A font by what it takes up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Font {
    /// Points from one line to the next.
    line: f64,
    /// Characters of running text in a unit of a column's width, which is a digit of Calibri 11.
    characters: f64,
}

pub(crate) const ARIAL_10: Font = Font {
    line: 12.75,
    characters: 1.05,
};
pub(crate) const ARIAL_10_BOLD: Font = Font {
    line: 12.75,
    characters: 0.92,
};
pub(crate) const CALIBRI_11: Font = Font {
    line: 15.0,
    characters: 1.02,
};

/// Above and below.
const PADDING: f64 = 3.0;
/// What a spreadsheet program allows.
const HIGHEST: f64 = 409.0;

/// The height of a row whose cells hold these texts, each with its column's width.
pub(crate) fn of_row<'t>(font: Font, cells: impl IntoIterator<Item = (&'t str, f64)>) -> f64 {
    let n_lines = cells
        .into_iter()
        .map(|(text, width)| n_lines(text, width * font.characters))
        .max()
        .unwrap_or(1);
    #[expect(clippy::cast_precision_loss, reason = "a cell has few lines")]
    let n_lines = n_lines as f64;
    (n_lines * font.line + PADDING).min(HIGHEST)
}

/// Words are not broken unless they are longer than a line.
fn n_lines(text: &str, characters: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a column is at most 255 wide"
    )]
    let room = characters.max(1.0) as usize;
    text.split('\n').map(|line| n_lines_of(line, room)).sum()
}

fn n_lines_of(line: &str, room: usize) -> usize {
    let mut n = 1;
    let mut used = 0;
    for word in line.split_whitespace() {
        let length = word.chars().count();
        let needed = if used == 0 { length } else { used + 1 + length };
        if needed <= room {
            used = needed;
            continue;
        }
        n += usize::from(used > 0) + length.saturating_sub(1) / room;
        used = length - length.saturating_sub(1) / room * room;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_words_wrap() {
        for (text, room, n) in [
            ("", 10, 1),
            ("short", 10, 1),
            ("one two three", 10, 2),
            ("abcdefghij", 10, 1),
            ("abcdefghijk", 10, 2),
            ("a abcdefghijk", 10, 3),
        ] {
            assert_eq!(n_lines_of(text, room), n, "{text:?}");
        }
        assert!(of_row(ARIAL_10, [("a\nb", 10.0)]) > of_row(ARIAL_10, [("a b", 10.0)]));
    }
}
