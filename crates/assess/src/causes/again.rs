//! A second look at a file, for cells as they stand.

use std::collections::{HashMap, HashSet};

use sheet::{Raw, RawCell, Sink, Value};

use crate::Request;

/// What is looked for, on one sheet.
pub(super) struct Wanted<'a> {
    pub(super) sheet: &'a str,
    /// 0-based rows that are shown.
    pub(super) rows: HashSet<u32>,
    /// 0-based rows that are kept.
    pub(super) sample: HashSet<u32>,
    /// 0-based columns whose texts are kept.
    pub(super) columns: HashSet<u32>,
}

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    rows: HashMap<u32, Vec<(u32, Value)>>,
    /// By column: the row and the text.
    texts: HashMap<u32, Vec<(u32, String)>>,
}

impl Seen {
    /// The cells of a row with something in them, by column.
    pub(super) fn row(&self, row_idx: u32) -> &[(u32, Value)] {
        self.rows.get(&row_idx).map_or(&[], Vec::as_slice)
    }

    pub(super) fn texts(&self, column_idx: u32) -> &[(u32, String)] {
        self.texts.get(&column_idx).map_or(&[], Vec::as_slice)
    }
}

/// The cells of a row with something in them, by column.
type Row = [(u32, Value)];

/// Shows each of the wanted rows, and gives what was to be kept.
///
/// Nothing is seen where the file can't be read again; it was read once, so it can.
pub(super) fn look(
    request: &Request<'_>,
    wanted: Wanted<'_>,
    show: &mut dyn FnMut(u32, &Row),
) -> Seen {
    let file = request.file;
    let Ok(opened) = sheet::open(file.bytes, file.name, request.limits) else {
        return Seen::default();
    };
    let mut looking = Looking {
        sheet_idx: opened
            .sheets()
            .iter()
            .position(|info| info.name == wanted.sheet),
        within: false,
        wanted,
        seen: Seen::default(),
        show,
    };
    match opened.read(&mut looking) {
        Ok(_) => looking.seen,
        Err(_) => Seen::default(),
    }
}

struct Looking<'a> {
    wanted: Wanted<'a>,
    show: &'a mut dyn FnMut(u32, &Row),
    sheet_idx: Option<usize>,
    within: bool,
    seen: Seen,
}

impl Sink for Looking<'_> {
    fn start_sheet(&mut self, sheet_idx: usize) {
        self.within = self.sheet_idx == Some(sheet_idx);
        if self.within {
            self.seen = Seen::default();
        }
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        if !self.within {
            return;
        }
        let is_shown = self.wanted.rows.contains(&row_idx);
        let is_kept = self.wanted.sample.contains(&row_idx);
        if is_shown || is_kept {
            let row: Vec<(u32, Value)> = cells
                .iter()
                .filter(|cell| !matches!(cell.raw, Raw::Text(text) if text.trim().is_empty()))
                .map(|cell| (cell.column_idx, Value::from(cell.raw)))
                .collect();
            if is_shown {
                (self.show)(row_idx, &row);
            }
            if is_kept {
                self.seen.rows.insert(row_idx, row);
            }
        }
        for cell in cells {
            if let Raw::Text(text) = cell.raw
                && self.wanted.columns.contains(&cell.column_idx)
            {
                let texts = self.seen.texts.entry(cell.column_idx).or_default();
                texts.push((row_idx, text.to_owned()));
            }
        }
    }
}
