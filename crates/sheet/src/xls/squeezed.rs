//! Old workbooks whose cells lie far apart, or that say so, with their rows and columns moved together.
//!
//! The reader makes room for every cell of a sheet's extent, the declared one and then the real one:
//! two cells in opposite corners take a gigabyte.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Write};
use std::ops::Range;

use super::beside::{SHORT_NUMBERS, Stream, is_cell, listed_sheets, number, of_one_sheet};
use crate::Refusal;

const EXTENT: u16 = 0x0200;
/// Up to here the room is made: 32 bytes a cell.
const MOST_CELLS: usize = 1_000_000;
/// What a stream has at least that is not kept among the short ones.
const LONG: usize = 4096;

/// Up to here it is made all the same where the cells can't be moved.
pub(super) const MOST_CELLS_OF_ALL: usize = 16 * MOST_CELLS;

/// A workbook that the reader can lay out, and where its rows and columns were.
pub(super) struct Squeezed {
    /// How many cells the reader would make room for if they were not moved.
    pub(super) n_cells: usize,
    pub(super) bytes: Vec<u8>,
    /// By the sheet's place in the list of sheets.
    pub(super) places: HashMap<usize, Places>,
}

/// Rows and columns of the workbook as it came, in their order.
#[derive(Clone, Default)]
pub(super) struct Places {
    rows: Vec<u16>,
    columns: Vec<u16>,
}

impl Places {
    /// Where a cell of the moved sheet was.
    pub(super) fn of(&self, row_idx: u32, column_idx: u32) -> (u32, u32) {
        let at = |all: &[u16], idx: u32| {
            let was = usize::try_from(idx).ok().and_then(|idx| all.get(idx));
            was.map_or(idx, |was| u32::from(*was))
        };
        (at(&self.rows, row_idx), at(&self.columns, column_idx))
    }
}

/// `None` where the workbook can be laid out as it is, or can't be made out.
/// One that would take too much room all the same is refused: many sheets, each with all the room that a sheet may have.
pub(super) fn squeeze(stream: &Stream) -> Result<Option<Squeezed>, Refusal> {
    // Several sheets may say that they start at the same place.
    let mut sheets: BTreeMap<usize, (Found, Vec<usize>)> = BTreeMap::new();
    for (sheet_idx, start) in listed_sheets(&stream.content) {
        let of_start = sheets.entry(start);
        let (_, idxs) = of_start.or_insert_with(|| (Found::of(&stream.content, start), Vec::new()));
        idxs.push(sheet_idx);
    }
    let sum = |n: fn(&Found) -> usize| {
        let each = sheets.values();
        each.map(|(found, idxs)| n(found).saturating_mul(idxs.len()))
            .fold(0, usize::saturating_add)
    };
    if sum(Found::n_cells_together) > MOST_CELLS_OF_ALL {
        return Err(Refusal::far_apart());
    }
    let n_cells = sum(Found::n_cells);
    let most = if n_cells > MOST_CELLS_OF_ALL {
        0
    } else {
        MOST_CELLS
    };
    let mut content = stream.content.clone();
    let mut places = HashMap::new();
    for (found, idxs) in sheets.into_values() {
        if found.n_cells() > most {
            let moved = found.move_together(&stream.content, &mut content);
            places.extend(idxs.into_iter().map(|idx| (idx, moved.clone())));
        }
    }
    if places.is_empty() {
        return Ok(None);
    }
    Ok(file(stream.name, &content).map(|bytes| Squeezed {
        n_cells,
        bytes,
        places,
    }))
}

/// A compound file of a stream.
pub(super) fn file(name: &str, content: &[u8]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).ok()?;
    // The reader reckons with fewer short pieces than such a file may have: a long stream is in none.
    let after_the_end = vec![0; LONG.saturating_sub(content.len())];
    file.create_stream(name)
        .and_then(|mut copy| copy.write_all(&[content, &after_the_end].concat()))
        .ok()?;
    // The reader takes a file without any short stream for a damaged one.
    file.create_stream("/Short")
        .and_then(|mut short| short.write_all(&[0]))
        .ok()?;
    file.flush().ok()?;
    Some(file.into_inner().into_inner())
}

/// Where a sheet's cells are in the workbook's stream.
#[derive(Default)]
struct Found {
    rows: BTreeSet<u16>,
    columns: BTreeSet<u16>,
    declared: usize,
    /// The bodies of the records of cells, each with whether it is of several.
    cells: Vec<(Range<usize>, bool)>,
    extents: Vec<Range<usize>>,
}

impl Found {
    fn of(stream: &[u8], start: usize) -> Self {
        let mut found = Self::default();
        for (at, kind, body) in of_one_sheet(&stream[start..]) {
            let range = start + at..start + at + body.len();
            if kind == EXTENT {
                let long = body.len() > 10;
                let of = |at| usize::from(number(body, at).unwrap_or_default());
                let (n_rows, n_columns) = if long {
                    (of(4) | of(6) << 16, of(10))
                } else {
                    (of(2), of(6))
                };
                found.declared = found.declared.max(n_rows.saturating_mul(n_columns));
                found.extents.push(range);
            } else if kind == SHORT_NUMBERS || is_cell(kind) {
                let is_several = kind == SHORT_NUMBERS;
                let last_at = if is_several {
                    body.len().saturating_sub(2)
                } else {
                    2
                };
                let (Some(row), Some(first), Some(last)) =
                    (number(body, 0), number(body, 2), number(body, last_at))
                else {
                    continue;
                };
                found.rows.insert(row);
                found.columns.extend(first..=last);
                found.cells.push((range, is_several));
            }
        }
        found
    }

    /// How many the reader would make room for.
    fn n_cells(&self) -> usize {
        let n = |all: &BTreeSet<u16>| match (all.first(), all.last()) {
            (Some(first), Some(last)) => usize::from(last - first) + 1,
            _ => 0,
        };
        self.declared.max(n(&self.rows) * n(&self.columns))
    }

    /// The same once its rows and columns are moved together.
    fn n_cells_together(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The stream is as it came in `was`: one sheet may lie within another.
    fn move_together(self, was: &[u8], stream: &mut [u8]) -> Places {
        let places = Places {
            rows: self.rows.into_iter().collect(),
            columns: self.columns.into_iter().collect(),
        };
        let mut put = |at: usize, all: &[u16]| {
            let was = number(was, at).unwrap_or_default();
            let idx = all.binary_search(&was).unwrap_or_default();
            let idx = u16::try_from(idx).unwrap_or_default();
            stream[at..at + 2].copy_from_slice(&idx.to_le_bytes());
        };
        for (body, is_several) in self.cells {
            put(body.start, &places.rows);
            put(body.start + 2, &places.columns);
            if is_several {
                put(body.end - 2, &places.columns);
            }
        }
        for extent in self.extents {
            stream[extent].fill(0);
        }
        places
    }
}
