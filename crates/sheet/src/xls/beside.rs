//! What an old workbook's records say that its reader passes over: hidden rows and columns, texts that go on, cells whose values are missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Read};

use super::texts::{Found, Pieces};
use crate::Raw;
use crate::beside::Beside;

const ROW: u16 = 0x0208;
const COLUMNS: u16 = 0x007d;
pub(super) const LISTED_SHEET: u16 = 0x0085;
pub(super) const START: u16 = 0x0809;
pub(super) const END: u16 = 0x000a;
const PROTECTED: u16 = 0x002f;
/// Of three versions of the format.
pub(super) const FORMULAS: [u16; 3] = [0x0006, 0x0206, 0x0406];
/// A cell with something else in it: a number, a text of its own, a truth value or error, a short number, a shared or formatted text.
const CELLS: [u16; 6] = [0x0203, 0x0204, 0x0205, 0x027e, 0x00fd, 0x00d6];
/// A text of its own, plain or with formatting.
const OWN_TEXTS: [u16; 2] = [0x0204, 0x00d6];
/// The text that the formula before has come to.
const FORMULA_TEXT: u16 = 0x0207;
const SHARED_TEXT: u16 = 0x00fd;
const SHARED_TEXTS: u16 = 0x00fc;
/// More of the record before.
const MORE: u16 = 0x003c;
/// Excel 5 and 95.
const EARLIER_VERSION: u16 = 0x0500;
/// Short numbers in columns that follow each other.
pub(super) const SHORT_NUMBERS: u16 = 0x00bd;

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Under a password, of whatever kind: the reader takes the weakest kind for none.
    pub(super) is_protected: bool,
    /// By the sheet's place in the list of sheets, charts and macros included.
    pub(super) sheets: HashMap<usize, SeenSheet>,
}

#[derive(Default)]
pub(super) struct SeenSheet {
    pub(super) beside: Beside,
    /// Cells, by row and column, of which the reader has another value or none.
    pub(super) own: BTreeMap<(u32, u32), Own>,
}

/// What stands in a cell in place of what the reader has of it.
pub(super) enum Own {
    /// Longer than one record.
    Text(String),
    /// The end of its text is nowhere in the file.
    CutOff,
    /// Where the reader has nothing: a formula that was saved without its text.
    NotCalculated,
    /// Where the reader has nothing: a text by a number that none of the shared texts has.
    NoSuchText,
}

impl Own {
    pub(super) fn raw(&self) -> Raw<'_> {
        match self {
            Own::Text(text) => Raw::Text(text),
            // Shown as an error whose name is not known.
            Own::CutOff | Own::NoSuchText => Raw::Error(""),
            Own::NotCalculated => Raw::NotCalculated,
        }
    }

    pub(super) fn is_for_want_of_another(&self) -> bool {
        matches!(self, Own::NotCalculated | Own::NoSuchText)
    }
}

/// What can't be made out is not there: the reader says what is wrong with the file.
pub(super) fn read(stream: &[u8]) -> Seen {
    let mut globals = records(stream).take_while(|(kind, _)| *kind != END);
    if globals.any(|(kind, _)| kind == PROTECTED) {
        return Seen {
            is_protected: true,
            ..Seen::default()
        };
    }
    let globals = Globals::of(stream);
    let sheets = listed_sheets(stream)
        .map(|(sheet_idx, start)| (sheet_idx, of_sheet(&stream[start..], &globals)))
        .collect();
    Seen {
        is_protected: false,
        sheets,
    }
}

/// What a sheet's cells refer to.
struct Globals {
    is_earlier: bool,
    n_shared_texts: u32,
}

impl Globals {
    fn of(stream: &[u8]) -> Self {
        let globals = || records(stream).take_while(|(kind, _)| *kind != END);
        let shared = globals().find(|(kind, _)| *kind == SHARED_TEXTS);
        let n_shared = shared.and_then(|(_, body)| body.get(4..)?.first_chunk().copied());
        Self {
            is_earlier: is_earlier(stream),
            n_shared_texts: n_shared.map_or(0, u32::from_le_bytes),
        }
    }
}

/// Whether a workbook is of Excel 5 or 95.
pub(super) fn is_earlier(stream: &[u8]) -> bool {
    records(stream)
        .next()
        .is_some_and(|(kind, body)| kind == START && number(body, 0) == Some(EARLIER_VERSION))
}

/// Each sheet's place in the list of sheets, charts and macros included, and where its records start.
pub(super) fn listed_sheets(stream: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    records(stream)
        .take_while(|(kind, _)| *kind != END)
        .filter(|(kind, _)| *kind == LISTED_SHEET)
        .enumerate()
        .filter_map(|(sheet_idx, (_, body))| {
            let start = u32::from_le_bytes(*body.first_chunk()?);
            let start = usize::try_from(start).ok()?;
            (start < stream.len()).then_some((sheet_idx, start))
        })
}

/// The stream that holds the workbook.
pub(super) struct Stream {
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
}

impl Stream {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let open = |bytes| cfb::CompoundFile::open(Cursor::new(bytes)).ok();
        let mut file = open(Cow::Borrowed(bytes)).or_else(|| {
            // There is only one byte order, whatever some programs say of theirs.
            let mut copy = bytes.to_vec();
            copy.get_mut(28..30)?.copy_from_slice(&[0xfe, 0xff]);
            open(Cow::Owned(copy))
        })?;
        ["/Workbook", "/Book"].into_iter().find_map(|name| {
            // No stream is longer than its file.
            let mut stream = file.open_stream(name).ok()?.take(bytes.len() as u64);
            let mut content = Vec::new();
            stream.read_to_end(&mut content).ok()?;
            Some(Self { name, content })
        })
    }
}

/// Whether a record is of a cell with something in it.
pub(super) fn is_cell(kind: u16) -> bool {
    CELLS.contains(&kind) || FORMULAS.contains(&kind)
}

/// Each record's kind and body, and where the body starts.
///
/// What lies within the sheet, such as a chart with a copy of the figures it shows, is not the sheet's own.
pub(super) fn of_one_sheet(sheet: &[u8]) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut at = 0;
    let mut depth = 0_usize;
    records(sheet)
        .map(move |(kind, body)| {
            let start = at + 4;
            at = start + body.len();
            match kind {
                START => depth += 1,
                END => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth, start, kind, body)
        })
        .take_while(|(depth, _, kind, _)| *depth > 0 || *kind != END)
        .filter(|(depth, _, kind, _)| *depth <= 1 && !matches!(*kind, START | END))
        .map(|(_, start, kind, body)| (start, kind, body))
}

fn of_sheet(sheet: &[u8], globals: &Globals) -> SeenSheet {
    let mut beside = Beside::default();
    let mut given = Given::default();
    let mut texts = Texts::default();
    for (_, kind, body) in of_one_sheet(sheet) {
        texts.add(kind, body, globals);
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
            SHORT_NUMBERS => {
                let last = number(body, body.len().saturating_sub(2));
                if let (Some(row), Some(first), Some(last)) =
                    (number(body, 0), number(body, 2), last)
                {
                    (first..=last).for_each(|column| given.add(row, column));
                }
            }
            kind if is_cell(kind) => {
                if let (Some(row), Some(column)) = (number(body, 0), number(body, 2)) {
                    given.add(row, column);
                    if FORMULAS.contains(&kind) {
                        beside.add_formula(row.into(), column.into());
                    }
                }
            }
            _ => {}
        }
    }
    beside.given_twice = given.twice;
    beside.hidden_rows.sort_unstable();
    beside.hidden_rows.dedup();
    SeenSheet {
        beside,
        own: texts.finish(),
    }
}

/// The texts of a sheet's cells, one record after another.
#[derive(Default)]
struct Texts<'b> {
    own: BTreeMap<(u32, u32), Own>,
    /// The formula whose text comes in a record of its own.
    awaiting: Option<(u32, u32)>,
    /// The text that the next record may go on with.
    open: Option<((u32, u32), Pieces<'b>)>,
}

impl<'b> Texts<'b> {
    fn add(&mut self, kind: u16, body: &'b [u8], globals: &Globals) {
        if kind == MORE {
            if let Some((_, pieces)) = &mut self.open {
                pieces.push(body);
            }
            return;
        }
        self.close();
        if kind == FORMULA_TEXT {
            if let Some(place) = self.awaiting.take() {
                self.open = Some((place, Pieces::new(body, globals.is_earlier)));
            }
            return;
        }
        if !is_cell(kind) {
            return;
        }
        self.miss();
        let (Some(row), Some(column)) = (number(body, 0), number(body, 2)) else {
            return;
        };
        let place = (row.into(), column.into());
        if FORMULAS.contains(&kind) && is_text(body) {
            self.awaiting = Some(place);
        } else if OWN_TEXTS.contains(&kind) {
            let text = body.get(6..).unwrap_or_default();
            self.open = Some((place, Pieces::new(text, globals.is_earlier)));
        } else if kind == SHARED_TEXT {
            let text = body.get(6..).and_then(|bytes| bytes.first_chunk());
            let is_there =
                text.is_some_and(|text| u32::from_le_bytes(*text) < globals.n_shared_texts);
            if !is_there {
                self.own.insert(place, Own::NoSuchText);
            }
        }
    }

    /// No more of the text comes.
    fn close(&mut self) {
        let Some((place, pieces)) = self.open.take() else {
            return;
        };
        let own = match pieces.found() {
            Found::Whole => return,
            Found::Longer(text) => Own::Text(text),
            Found::CutOff => Own::CutOff,
        };
        self.own.insert(place, own);
    }

    /// Another cell, or none, comes in place of a formula's text.
    fn miss(&mut self) {
        if let Some(place) = self.awaiting.take() {
            self.own.insert(place, Own::NotCalculated);
        }
    }

    fn finish(mut self) -> BTreeMap<(u32, u32), Own> {
        self.close();
        self.miss();
        self.own
    }
}

/// Whether a formula has come to a text.
fn is_text(formula: &[u8]) -> bool {
    formula
        .get(6..14)
        .is_some_and(|result| result[0] == 0 && result[6..] == [0xff, 0xff])
}

/// Which cells a sheet gives, a bit for each that there can be, and which of them more than once.
#[derive(Default)]
struct Given {
    seen: Vec<u64>,
    twice: BTreeSet<(u32, u32)>,
}

impl Given {
    fn add(&mut self, row: u16, column: u16) {
        if column > 0xff {
            return;
        }
        let place = usize::from(row) << 8 | usize::from(column);
        if self.seen.len() <= place / 64 {
            self.seen.resize(place / 64 + 1, 0);
        }
        let bit = 1 << (place % 64);
        if self.seen[place / 64] & bit != 0 {
            self.twice.insert((row.into(), column.into()));
        }
        self.seen[place / 64] |= bit;
    }
}

/// Each record's kind and body, as far as they are whole.
pub(super) fn records(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let kind = number(rest, 0)?;
        let length = usize::from(number(rest, 2)?);
        let body = rest.get(4..4 + length)?;
        rest = &rest[4 + length..];
        Some((kind, body))
    })
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}
