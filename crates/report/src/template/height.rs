//! How high a row has to be for its wrapped texts.
//!
//! Set by us: not every spreadsheet program fits rows to their texts when it opens a file.

/// Points of a line of the body's size.
const LINE: f64 = 13.0;
/// Above and below.
const PADDING: f64 = 4.0;
/// What a spreadsheet program allows.
const HIGHEST: f64 = 409.0;

/// The height of a row whose cells hold these texts, each with its column's width.
pub(super) fn of_row<'t>(cells: impl IntoIterator<Item = (&'t str, f64)>) -> f64 {
    let n_lines = cells
        .into_iter()
        .map(|(text, width)| n_lines(text, width))
        .max()
        .unwrap_or(1);
    #[expect(clippy::cast_precision_loss, reason = "a cell has few lines")]
    let n_lines = n_lines as f64;
    (n_lines * LINE + PADDING).min(HIGHEST)
}

/// Words are not broken unless they are longer than a line.
fn n_lines(text: &str, width: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a column is at most 255 wide"
    )]
    let room = (width * 0.95).max(1.0) as usize;
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
        assert!(of_row([("a\nb", 10.0)]) > of_row([("a b", 10.0)]));
    }
}
