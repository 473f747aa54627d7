//! Texts in an old workbook's cells that its reader would cut short.
//!
//! A record holds some 8,000 bytes and a longer text goes on in the next ones; of a formula's text the reader takes the first record alone.
//! Where a text ends before its length says, it takes what is there.

use super::beside::number;

/// A text and the records in which it goes on.
pub(super) struct Pieces<'b> {
    /// From the text's length.
    first: &'b [u8],
    more: Vec<&'b [u8]>,
    /// Of Excel 5 or 95: one byte a letter, in the workbook's code page.
    is_earlier: bool,
}

/// What the reader would make of a text.
pub(super) enum Found {
    /// The same as we.
    Whole,
    /// Only the beginning of this.
    Longer(String),
    /// Its end is nowhere.
    CutOff,
}

impl<'b> Pieces<'b> {
    pub(super) fn new(first: &'b [u8], is_earlier: bool) -> Self {
        Self {
            first,
            more: Vec::new(),
            is_earlier,
        }
    }

    pub(super) fn push(&mut self, piece: &'b [u8]) {
        self.more.push(piece);
    }

    pub(super) fn found(&self) -> Found {
        let Some(length) = number(self.first, 0) else {
            return Found::CutOff;
        };
        let length = usize::from(length);
        if self.is_earlier {
            let is_whole = self.first.len() - 2 >= length;
            return if is_whole {
                Found::Whole
            } else {
                Found::CutOff
            };
        }
        let mut letters: Vec<u16> = Vec::with_capacity(length);
        for piece in std::iter::once(&self.first[2..]).chain(self.more.iter().copied()) {
            take(piece, length, &mut letters);
            if letters.len() == length {
                break;
            }
        }
        if letters.len() < length {
            return Found::CutOff;
        }
        let mut of_first = Vec::new();
        take(&self.first[2..], length, &mut of_first);
        if of_first.len() == length {
            return Found::Whole;
        }
        String::from_utf16(&letters).map_or(Found::CutOff, Found::Longer)
    }
}

/// Adds a piece's letters until there are as many as the text has: after a byte that says whether they are one byte each or two.
fn take(piece: &[u8], length: usize, letters: &mut Vec<u16>) {
    let Some((flags, bytes)) = piece.split_first() else {
        return;
    };
    let n_missing = length - letters.len();
    if flags & 1 == 0 {
        letters.extend(bytes.iter().take(n_missing).map(|byte| u16::from(*byte)));
    } else {
        let (pairs, _) = bytes.as_chunks::<2>();
        letters.extend(
            pairs
                .iter()
                .take(n_missing)
                .map(|pair| u16::from_le_bytes(*pair)),
        );
    }
}
