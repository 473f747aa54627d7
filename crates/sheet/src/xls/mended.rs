//! An old workbook's records in the form that its reader knows.
//!
//! It passes over a formula whose record is of an earlier version of the format, as if its cell were blank; some programs write those.

use super::beside::{FORMULAS, Stream, listed_sheets, of_one_sheet};
use super::formats;
use crate::Refusal;

/// Whether anything had to be changed.
pub(super) fn mend(stream: &mut Stream) -> Result<bool, Refusal> {
    let formats = formats::mended(&stream.content)?;
    let has_formats = formats.is_some();
    if let Some(content) = formats {
        stream.content = content;
    }
    let kinds: Vec<usize> = listed_sheets(&stream.content)
        .flat_map(|(_, start)| {
            of_one_sheet(&stream.content[start..])
                .filter(|(_, kind, _)| *kind != FORMULAS[0] && FORMULAS.contains(kind))
                // The kind stands before the length, and that before the body.
                .map(move |(at, _, _)| start + at - 4)
        })
        .collect();
    for at in &kinds {
        stream.content[*at..*at + 2].copy_from_slice(&FORMULAS[0].to_le_bytes());
    }
    Ok(has_formats || !kinds.is_empty())
}
