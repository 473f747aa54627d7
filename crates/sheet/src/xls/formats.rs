//! Number formats of an old workbook under numbers that its reader knows, so that a date stays one.
//!
//! The reader passes over a format whose number is none of those that Excel gives, and takes its cells for plain numbers;
//! other programs count from anywhere.
//! Of a format in a workbook of Excel 5 or 95 it loses the first letter.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use super::beside::{END, LISTED_SHEET, is_earlier, number, records};
use crate::Refusal;

const FORMAT: u16 = 0x041e;
/// What a cell looks like, its number format among it.
const LOOK: u16 = 0x00e0;
/// Where Excel's own numbers for formats that are not built in begin and end.
const OWN: RangeInclusive<u16> = 164..=382;

fn is_known(id: u16) -> bool {
    matches!(id, 5..=8 | 23..=26 | 41..=44 | 63..=66) || OWN.contains(&id)
}

/// The workbook's stream with every format under a number that the reader knows; `None` where they are already.
///
/// More formats than there are such numbers are refused: no program makes them.
pub(super) fn mended(stream: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let is_earlier = is_earlier(stream);
    let globals = || records(stream).take_while(|(kind, _)| *kind != END);
    let formats: Vec<(u16, &[u8])> = globals()
        .filter(|(kind, _)| *kind == FORMAT)
        .filter_map(|(_, body)| Some((number(body, 0)?, body.get(2..)?)))
        .collect();
    let taken: HashSet<u16> = formats.iter().map(|(id, _)| *id).collect();
    let mut free = OWN.filter(|id| !taken.contains(id));
    let mut renumbered: HashMap<u16, u16> = HashMap::new();
    for id in taken.iter().copied().filter(|id| !is_known(*id)) {
        let Some(new) = free.next() else {
            return Err(Refusal::broken("The workbook"));
        };
        renumbered.insert(id, new);
    }
    if renumbered.is_empty() && (!is_earlier || formats.is_empty()) {
        return Ok(None);
    }
    let mut copy = Vec::with_capacity(stream.len() + formats.len());
    let mut listed = Vec::new();
    let mut n_read = 0;
    for (kind, body) in globals() {
        n_read += 4 + body.len();
        let mut body = body.to_vec();
        if kind == FORMAT && body.len() > 2 {
            renumber(&mut body, 0, &renumbered);
            if is_earlier {
                // Its length in one byte becomes one in two.
                body.insert(3, 0);
            }
        } else if kind == LOOK {
            renumber(&mut body, 2, &renumbered);
        } else if kind == LISTED_SHEET {
            listed.push(copy.len() + 4);
        }
        let Ok(length) = u16::try_from(body.len()) else {
            return Err(Refusal::broken("The workbook"));
        };
        copy.extend(kind.to_le_bytes());
        copy.extend(length.to_le_bytes());
        copy.extend(body);
    }
    // The sheets come after, and have moved by as much as was added.
    let n_added = copy.len() - n_read;
    for at in listed {
        let Some(place) = copy.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) else {
            continue;
        };
        let start = u32::from_le_bytes(*place);
        if usize::try_from(start).is_ok_and(|start| start >= n_read) {
            *place = u32::try_from(n_added)
                .ok()
                .and_then(|n_added| start.checked_add(n_added))
                .ok_or_else(|| Refusal::broken("The workbook"))?
                .to_le_bytes();
        }
    }
    copy.extend_from_slice(&stream[n_read..]);
    Ok(Some(copy))
}

fn renumber(body: &mut [u8], at: usize, renumbered: &HashMap<u16, u16>) {
    let new = number(body, at).and_then(|id| renumbered.get(&id));
    if let Some(new) = new {
        body[at..at + 2].copy_from_slice(&new.to_le_bytes());
    }
}
