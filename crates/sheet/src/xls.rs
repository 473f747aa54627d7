//! Excel 97–2003 workbooks (xls), and what else is kept in a compound file.

mod beside;
mod formats;
mod mended;
mod squeezed;
mod texts;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Cursor;

use calamine::{Data, DataRef, Reader, XlsError};
use memchr::memmem;

use self::beside::{Own, SeenSheet, Stream};
use self::squeezed::Places;
use crate::beside::Area;
use crate::gate::{Gate, Given, Stop, gather};
use crate::{Raw, Refusal, Remark, SheetInfo, compound, excel, remarks};

/// All of it is in memory: the format's records refer to one another.
pub(crate) struct Xls<'b> {
    workbook: calamine::Xls<Cursor<Cow<'b, [u8]>>>,
    has_macros: bool,
    seen: HashMap<usize, SeenSheet>,
    /// Where the cells were of sheets that had to be squeezed.
    places: HashMap<usize, Places>,
}

impl<'b> Xls<'b> {
    /// A compound file: an old workbook, an encrypted new one, or another program's document.
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, Refusal> {
        let holds = |name: &str| {
            let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            memmem::find(bytes, &utf16).is_some()
        };
        if holds("EncryptedPackage") {
            return Err(Refusal::password());
        }
        // The header fills one sector of 512 bytes, and a directory and a table of sectors follow.
        if bytes.len() < 3 * 512 {
            return Err(Refusal::cut_off());
        }
        if !holds("Workbook") && !holds("Book") && !holds("WORKBOOK") && !holds("BOOK") {
            return Err(Refusal::not_a_spreadsheet(if holds("WordDocument") {
                "a Word document"
            } else if holds("PowerPoint Document") {
                "a PowerPoint presentation"
            } else if holds("__substg1.0_") {
                "an Outlook message"
            } else {
                "a document of another program"
            }));
        }
        compound::check(bytes)?;
        // The record of a password, where the file is too broken for its stream to be found.
        let scrambled = || memmem::find(bytes, b"\x2f\x00\x06\x00\x00\x00").is_some();
        let broken = || {
            if scrambled() {
                Refusal::password()
            } else {
                Refusal::broken("The workbook")
            }
        };
        let mut stream = Stream::of(bytes).ok_or_else(broken)?;
        let beside::Seen {
            is_protected,
            sheets: seen,
        } = beside::read(&stream.content);
        if is_protected {
            return Err(Refusal::password());
        }
        let is_mended = mended::mend(&mut stream)?;
        let moved = match squeezed::squeeze(&stream)? {
            None => None,
            Some(squeezed) => match calamine::Xls::new(Cursor::new(Cow::Owned(squeezed.bytes))) {
                Ok(workbook) => Some((workbook, squeezed.places)),
                Err(_) if squeezed.n_cells > squeezed::MOST_CELLS_OF_ALL => {
                    return Err(Refusal::far_apart());
                }
                // Formulas that refer to where their cells were may not be understood once these are moved: then all the room is needed.
                Err(_) => None,
            },
        };
        let (workbook, places) = match moved {
            Some(moved) => moved,
            None => {
                let whole = if is_mended {
                    let copy = squeezed::file(stream.name, &stream.content);
                    Cow::Owned(copy.ok_or_else(broken)?)
                } else {
                    Cow::Borrowed(bytes)
                };
                let opened = calamine::Xls::new(Cursor::new(whole));
                let workbook = opened.map_err(|error| match error {
                    XlsError::Password => Refusal::password(),
                    _ => broken(),
                })?;
                (workbook, HashMap::new())
            }
        };
        Ok(Self {
            workbook,
            has_macros: holds("_VBA_PROJECT_CUR"),
            seen,
            places,
        })
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        let listed = self.workbook.sheets_metadata();
        let mut sheets = excel::worksheets(listed);
        for info in &mut sheets {
            let place = listed.iter().position(|sheet| sheet.name == info.name);
            if let Some(seen) = place.and_then(|place| self.seen.get(&place)) {
                info.beside = seen.beside.clone();
            }
            let merged = self.workbook.merge_cells_by_sheet_name(&info.name);
            info.beside.merged = merged
                .unwrap_or_default()
                .into_iter()
                .map(|cells| Area {
                    rows: (cells.start.0, cells.end.0),
                    columns: (cells.start.1, cells.end.1),
                })
                .filter(Area::is_several)
                .collect();
        }
        sheets
    }

    pub(crate) fn remarks(&self) -> Vec<Remark> {
        let old = Remark::new(
            "file.old-format",
            "The file is in the old format of Excel 97–2003 (.xls), which has no room for more than 65,536 rows.",
            "Save it as an Excel workbook (.xlsx) next time, so that nothing can be cut off.",
        );
        let macros = self.has_macros.then(remarks::macros);
        macros.into_iter().chain([old]).collect()
    }

    pub(crate) fn read(mut self, gate: &mut Gate<'_>) -> Result<(), Refusal> {
        for (sheet_idx, SheetInfo { name, beside, .. }) in self.sheets().iter().enumerate() {
            gate.start_sheet(sheet_idx);
            let listed = self.workbook.sheets_metadata().iter();
            let place = listed.enumerate().find(|(_, sheet)| sheet.name == *name);
            let place = place.map(|(place, _)| place);
            let places = place.and_then(|place| self.places.remove(&place));
            let seen = place.and_then(|place| self.seen.remove(&place));
            let own = seen.map(|seen| seen.own).unwrap_or_default();
            let range = self
                .workbook
                .worksheet_range(name)
                .map_err(|_| Refusal::broken(&format!("The sheet \"{name}\"")))?;
            let (first_row, first_column) = range.start().unwrap_or_default();
            let cells = range.used_cells().map(|(row_idx, column_idx, data)| {
                let row_idx = first_row + small(row_idx);
                let column_idx = first_column + small(column_idx);
                let place = match &places {
                    Some(places) => places.of(row_idx, column_idx),
                    None => (row_idx, column_idx),
                };
                (place, data)
            });
            let missing = missing(&own, cells.clone().map(|(place, _)| place));
            let mut cells = cells
                .map(|(place, data)| {
                    let own = own.get(&place).filter(|own| !own.is_for_want_of_another());
                    let given = match own {
                        _ if beside.given_twice.contains(&place) => Given::Raw(Raw::GivenTwice),
                        Some(own) => Given::Raw(own.raw()),
                        None => excel::to_given(borrow(data)),
                    };
                    (place.0, place.1, given)
                })
                .chain(
                    missing
                        .iter()
                        .map(|(place, own)| (place.0, place.1, Given::Raw(own.raw()))),
                );
            let next = || Ok(cells.next());
            if missing.is_empty() {
                gather(gate, next).map_err(Stop::into_refusal)?;
            } else {
                gate.sorted(next).map_err(Stop::into_refusal)?;
            }
        }
        Ok(())
    }
}

/// The cells that the reader does not have at all.
fn missing(
    own: &BTreeMap<(u32, u32), Own>,
    read: impl Iterator<Item = (u32, u32)>,
) -> Vec<((u32, u32), &Own)> {
    if own.is_empty() {
        return Vec::new();
    }
    let read: BTreeSet<(u32, u32)> = read.filter(|place| own.contains_key(place)).collect();
    own.iter()
        .filter(|(place, _)| !read.contains(place))
        .map(|(place, own)| (*place, own))
        .collect()
}

/// A place in a range, which has at most 2^16 rows and 2^8 columns.
fn small(idx: usize) -> u32 {
    u32::try_from(idx).unwrap_or(u32::MAX / 2)
}

fn borrow(data: &Data) -> DataRef<'_> {
    match data {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(truth) => DataRef::Bool(*truth),
        Data::DateTime(moment) => DataRef::DateTime(*moment),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

#[cfg(test)]
mod tests {
    use handmade::xls;

    use super::*;
    use crate::Limits;

    #[test]
    fn hidden_rows_and_columns_and_merged_cells_are_seen() {
        let bytes = xls::workbook(
            "A",
            &[
                xls::hidden_columns(1, 2),
                xls::hidden_columns(7, 255),
                xls::hidden_row(1),
                xls::hidden_row(5),
                xls::number(0, 0, 1.0),
                xls::number(1, 1, 2.0),
                xls::text(1, 2, "x"),
                xls::merged((3, 4), (0, 1)),
            ],
        );
        let limits = Limits::default();
        let opened = crate::open(&bytes, "a.xls", &limits).unwrap();
        let area = Area {
            rows: (3, 4),
            columns: (0, 1),
        };
        assert_eq!(opened.sheets()[0].beside.merged, [area]);
        let remarks = crate::read(&bytes, "a.xls", &limits).unwrap().remarks;
        let said: Vec<_> = remarks
            .iter()
            .map(|remark| {
                (
                    remark.rule,
                    remark.message.split_once(" (").map(|(_, n)| &n[..1]),
                )
            })
            .collect();
        assert_eq!(said[1], ("file.hidden-rows", Some("1")));
        assert_eq!(said[2], ("file.hidden-columns", Some("2")));
    }

    #[test]
    fn a_cell_given_twice_has_no_value() {
        let short = |column: u16, value: u32| {
            let head = [0, column, 0].map(u16::to_le_bytes).concat();
            (
                0x027e,
                [&head[..], &(value << 2 | 2).to_le_bytes()].concat(),
            )
        };
        let shorts = {
            let cells =
                [1_u32, 2].map(|value| [&[0, 0][..], &(value << 2 | 2).to_le_bytes()].concat());
            let head = [0_u16, 2].map(u16::to_le_bytes).concat();
            (0x00bd, [head, cells.concat(), vec![3, 0]].concat())
        };
        let records = [
            xls::number(0, 0, 1.0),
            short(1, 4),
            xls::text(0, 1, "x"),
            shorts,
            short(3, 2),
        ];
        let shown = |records: &[xls::Record]| {
            let bytes = xls::workbook("A", records);
            let read = crate::read(&bytes, "a.xls", &Limits::default()).unwrap();
            crate::fixture::show(&read.sheets[0])
        };
        assert_eq!(
            shown(&records),
            "A1=1, B1=given twice, C1=1, D1=given twice"
        );
        // A chart on the sheet has a copy of the figures that it shows.
        let start = [0x0600_u16, 0x0020, 0, 0, 0, 0, 0, 0]
            .map(u16::to_le_bytes)
            .concat();
        let chart = [(0x0809, start), xls::number(0, 0, 9.0), (0x000a, vec![])];
        let after = xls::merged((5, 6), (0, 0));
        let with_chart = [&[xls::number(0, 0, 1.0)][..], &chart, &[after]].concat();
        assert_eq!(shown(&with_chart), "A1=1");
    }

    #[test]
    fn cells_far_apart_take_no_more_room_than_others() {
        let extent = |n_rows: u32, n_columns: u16| {
            let rows = [0, n_rows].map(u32::to_le_bytes).concat();
            let columns = [0, n_columns, 0].map(u16::to_le_bytes).concat();
            (0x0200, [rows, columns].concat())
        };
        let shorts = {
            let cell = |value: u32| [&[0, 0][..], &(value << 2 | 2).to_le_bytes()].concat();
            let head = [40_000_u16, 7].map(u16::to_le_bytes).concat();
            let last = 8_u16.to_le_bytes().to_vec();
            (0x00bd, [head, cell(5), cell(6), last].concat())
        };
        let shown = |records: &[xls::Record]| {
            let bytes = xls::workbook("A", records);
            let read = crate::read(&bytes, "a.xls", &Limits::default()).unwrap();
            crate::fixture::show(&read.sheets[0])
        };
        let corners = [
            xls::number(0, 0, 1.0),
            xls::text(0, 255, "x"),
            shorts,
            xls::day(65_535, 0, 46_127.0),
            xls::number(65_535, 255, 2.0),
        ];
        let expected = "A1=1, IV1=\"x\", H40001=5, I40001=6, A65536=2026-04-15 00:00:00, IV65536=2";
        assert_eq!(shown(&corners), expected);
        let declared = [&[extent(65_536, 256)][..], &corners].concat();
        assert_eq!(shown(&declared), expected);
        let few = [extent(65_536, 256), xls::number(3, 2, 7.0)];
        assert_eq!(shown(&few), "C4=7");
        // Longer than a short stream.
        let mut many = vec![extent(65_536, 256)];
        many.extend((0..500).map(|row| xls::number(row * 100, 2, 7.0)));
        let bytes = xls::workbook("A", &many);
        let stream = Stream::of(&bytes).unwrap();
        let squeezed = squeezed::squeeze(&stream).unwrap().unwrap();
        assert!(calamine::Xls::new(Cursor::new(squeezed.bytes)).is_ok());
        assert!(shown(&many).ends_with("C49801=7, C49901=7"));
        // Two sheets that say that they start at the same place.
        let again = |start: usize| {
            let start = u32::try_from(start).unwrap().to_le_bytes();
            (0x0085, [&start[..], &[0, 0, 1, 0, b'B']].concat())
        };
        let with = |start| xls::workbook_with(&[again(start)], "A", &declared);
        let stream = Stream::of(&with(0)).unwrap();
        let starts = beside::listed_sheets(&stream.content).map(|(_, start)| start);
        let bytes = with(starts.max().unwrap());
        let read = crate::read(&bytes, "a.xls", &Limits::default()).unwrap();
        let both: Vec<_> = read.sheets.iter().map(crate::fixture::show).collect();
        assert_eq!(both, [expected, expected]);
        // A record that the reader does not understand, wherever the cells are.
        let cut = (0x0203, vec![0; 5]);
        for (n_columns, rule) in [(2, "file.broken"), (256, "file.far-apart")] {
            let records = [extent(65_536, n_columns), cut.clone()];
            let bytes = xls::workbook("A", &records);
            let refusal = crate::read(&bytes, "a.xls", &Limits::default()).unwrap_err();
            assert_eq!(refusal.rule, rule);
        }
        // A file that says wrongly in which order its bytes are.
        let mut bytes = xls::workbook("A", &many);
        bytes[28..30].copy_from_slice(&[0xff, 0xfe]);
        let read = crate::read(&bytes, "a.xls", &Limits::default()).unwrap();
        assert!(crate::fixture::show(&read.sheets[0]).ends_with("C49801=7, C49901=7"));
    }

    #[test]
    fn a_formula_of_an_earlier_version_has_its_result() {
        let formula = |kind: u16, column: u16| {
            let place = [0, column, 0].map(u16::to_le_bytes).concat();
            (kind, [&place[..], &2.5_f64.to_le_bytes(), &[0; 8]].concat())
        };
        let records = [formula(0x0006, 0), formula(0x0206, 1), formula(0x0406, 2)];
        let bytes = xls::workbook("A", &records);
        let read = crate::read(&bytes, "a.xls", &Limits::default()).unwrap();
        assert_eq!(
            crate::fixture::show(&read.sheets[0]),
            "A1=2.5, B1=2.5, C1=2.5"
        );
        // Of a short stream almost too long to be one.
        let many: Vec<_> = (0..110).map(|column| formula(0x0406, column)).collect();
        assert!(shown(&xls::workbook("A", &many)).ends_with("DF1=2.5"));
    }

    fn shown(bytes: &[u8]) -> String {
        match crate::read(bytes, "a.xls", &Limits::default()) {
            Ok(read) => crate::fixture::show(&read.sheets[0]),
            Err(refusal) => refusal.rule.to_owned(),
        }
    }

    #[test]
    fn a_number_format_counts_whatever_its_number() {
        let globals = [
            xls::format(59, "mmm d, yyyy"),
            xls::look(59),
            xls::format(400, "[h]:mm"),
            xls::look(400),
            xls::format(164, "0.00"),
            xls::look(164),
            // A date in every program's own list, and here a figure.
            xls::format(15, "0.0"),
            xls::look(15),
            // Of no format in the file: a date in every program's own list.
            xls::look(16),
        ];
        let cells: Vec<_> = (2..7)
            .map(|look| xls::number_looking(0, look, look, 38_352.5))
            .collect();
        assert_eq!(
            shown(&xls::workbook_with(&globals, "A", &cells)),
            "C1=2004-12-31 12:00:00, D1=\"920460:00:00\", E1=38352.5, F1=38352.5, G1=2004-12-31 12:00:00"
        );
        let many: Vec<_> = (400..700).map(|id| xls::format(id, "0.0")).collect();
        assert_eq!(
            shown(&xls::workbook_with(&many, "A", &cells)),
            "file.broken"
        );
    }

    #[test]
    fn a_number_format_of_excel_5_has_its_first_letter() {
        let globals = [
            xls::earlier_format(164, "[h]:mm"),
            xls::look(164),
            xls::earlier_format(165, "\"days\" 0"),
            xls::look(165),
            xls::earlier_format(30, "d"),
            xls::look(30),
        ];
        let cells: Vec<_> = (2..5)
            .map(|look| xls::number_looking(0, look, look, 38_352.5))
            .collect();
        assert_eq!(
            shown(&xls::earlier_workbook_with(&globals, "A", &cells)),
            "C1=\"920460:00:00\", D1=38352.5, E1=2004-12-31 12:00:00"
        );
    }

    #[test]
    fn a_formula_s_text_goes_on_in_the_next_records() {
        let narrow = |length: u16, text: &str| {
            let body = [&length.to_le_bytes()[..], &[0], text.as_bytes()].concat();
            (0x0207, body)
        };
        let more = |text: &str| {
            let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
            (0x003c, std::iter::once(1).chain(wide).collect())
        };
        let formula = xls::formula_with_text(0, 0);
        let after = xls::number(0, 1, 7.0);
        let of = |records: &[xls::Record]| {
            let all = [
                std::slice::from_ref(&formula),
                records,
                std::slice::from_ref(&after),
            ]
            .concat();
            shown(&xls::workbook("A", &all))
        };
        assert_eq!(of(&[narrow(3, "abc")]), "A1=\"abc\", B1=7");
        let whole = [narrow(6, "abc"), more("£"), (0x003c, b"\0deZ".to_vec())];
        assert_eq!(of(&whole), "A1=\"abc£de\", B1=7");
        // What another program shows of a shared formula stands between the formula and its text.
        assert_eq!(
            of(&[(0x04bc, vec![0; 10]), narrow(1, "x")]),
            "A1=\"x\", B1=7"
        );
        assert_eq!(of(&whole[..2]), "A1=error #ERROR!, B1=7");
        assert_eq!(of(&[]), "A1=not calculated, B1=7");
        let (kind, mut cut) = xls::text(1, 0, "abcdef");
        cut.truncate(10);
        assert_eq!(
            of(&[narrow(1, "x"), (kind, cut)]),
            "A1=\"x\", B1=7, A2=error #ERROR!"
        );
    }

    #[test]
    fn a_shared_text_that_is_not_there_is_no_blank() {
        let texts = {
            let counts = [2_u32, 2].map(u32::to_le_bytes).concat();
            (0x00fc, [&counts[..], b"\x01\0\0x", b"\0\0\0"].concat())
        };
        let cell = |column: u16, text: u32| {
            let head = [0, column, 0].map(u16::to_le_bytes).concat();
            (0x00fd, [&head[..], &text.to_le_bytes()].concat())
        };
        let cells = [cell(0, 0), cell(1, 1), cell(2, 2), cell(3, 0)];
        assert_eq!(
            shown(&xls::workbook_with(&[texts], "A", &cells)),
            "A1=\"x\", C1=error #ERROR!, D1=\"x\""
        );
    }

    #[test]
    fn compound_files_are_told_apart() {
        let compound = |name: &str, n_bytes: usize| {
            let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
            bytes.resize(2048, 0);
            bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            bytes.resize(4096, 0);
            bytes.truncate(n_bytes);
            crate::read(&bytes, "return.xls", &Limits::default()).unwrap_err()
        };
        assert_eq!(compound("EncryptedPackage", 4096).rule, "file.password");
        assert_eq!(compound("Workbook", 4096).rule, "file.broken");
        assert_eq!(compound("Workbook", 1000).rule, "file.cut-off");
        let word = compound("WordDocument", 4096);
        assert_eq!(word.rule, "file.not-a-spreadsheet");
        assert_eq!(
            word.message,
            "The file is a Word document, not a spreadsheet."
        );
    }
}
