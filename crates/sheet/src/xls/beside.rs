//! What an old workbook's records say of hidden rows and columns, which its reader passes over.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use crate::beside::Beside;

const ROW: u16 = 0x0208;
const COLUMNS: u16 = 0x007d;
const LISTED_SHEET: u16 = 0x0085;
const END: u16 = 0x000a;
const PROTECTED: u16 = 0x002f;

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Under a password, of whatever kind: the reader takes the weakest kind for none.
    pub(super) is_protected: bool,
    /// By the sheet's place in the list of sheets, charts and macros included.
    pub(super) sheets: HashMap<usize, Beside>,
}

/// What can't be made out is not there: the reader says what is wrong with the file.
pub(super) fn read(bytes: &[u8]) -> Seen {
    let Some(stream) = workbook_stream(bytes) else {
        return Seen::default();
    };
    let mut globals = records(&stream).take_while(|(kind, _)| *kind != END);
    if globals.any(|(kind, _)| kind == PROTECTED) {
        return Seen {
            is_protected: true,
            ..Seen::default()
        };
    }
    let sheets = records(&stream)
        .take_while(|(kind, _)| *kind != END)
        .filter(|(kind, _)| *kind == LISTED_SHEET)
        .enumerate()
        .filter_map(|(sheet_idx, (_, body))| {
            let place = u32::from_le_bytes(*body.first_chunk()?);
            let sheet = stream.get(usize::try_from(place).ok()?..)?;
            Some((sheet_idx, of_sheet(sheet)))
        })
        .collect();
    Seen {
        is_protected: false,
        sheets,
    }
}

fn workbook_stream(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    let mut stream = file
        .open_stream("/Workbook")
        .or_else(|_| file.open_stream("/Book"))
        .ok()?
        // No stream is longer than its file.
        .take(bytes.len() as u64);
    let mut content = Vec::new();
    stream.read_to_end(&mut content).ok()?;
    Some(content)
}

fn of_sheet(sheet: &[u8]) -> Beside {
    let mut beside = Beside::default();
    for (kind, body) in records(sheet).take_while(|(kind, _)| *kind != END) {
        match kind {
            ROW if number(body, 12).is_some_and(|flags| flags & 0x20 != 0) => {
                beside.hidden_rows.extend(number(body, 0).map(u32::from));
            }
            COLUMNS if number(body, 8).is_some_and(|flags| flags & 1 != 0) => {
                let columns = number(body, 0).zip(number(body, 2));
                beside
                    .hidden_columns
                    .extend(columns.map(|(first, last)| (first.into(), last.into())));
            }
            _ => {}
        }
    }
    beside.hidden_rows.sort_unstable();
    beside.hidden_rows.dedup();
    beside
}

/// Each record's kind and body, as far as they are whole.
fn records(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let kind = number(rest, 0)?;
        let length = usize::from(number(rest, 2)?);
        let body = rest.get(4..4 + length)?;
        rest = &rest[4 + length..];
        Some((kind, body))
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}
