//! What is looked at in a worksheet's records (xlsb) before the reader gets it.
//!
//! The reader passes over a formula whose result is an error, and over cells in their short form, as if they were blank.
//! It gives up a whole sheet at an error value it does not know, and ends quietly at an impossible row.

use encoding_rs::UTF_16LE;

use crate::Refusal;
use crate::beside::{Area, Beside};
use crate::worksheet::MARK;

const ROW: u16 = 0;
const BLANK: u16 = 1;
const ERROR: u16 = 3;
const TEXT: u16 = 6;
const FORMULA_ERROR: u16 = 11;
/// A cell in its short form, from blank to shared text, stands next to the cell before and does not name its column.
const SHORT_BLANK: u16 = 12;
const SHORT_SHARED_TEXT: u16 = 18;
/// A text with formatting within it.
const RICH_TEXT: u16 = 62;
const FORMULAS: std::ops::RangeInclusive<u16> = 8..=11;
const COLUMNS: u16 = 60;
const END_OF_CELLS: u16 = 146;
const MERGED: u16 = 176;
const LISTED_SHEET: u16 = 156;

/// The bytes that a cell of each kind has at least, from blank to formula with an error.
const LEAST: [usize; 11] = [8, 12, 9, 9, 16, 12, 12, 12, 16, 9, 9];

/// The error values that the reader knows.
const KNOWN_ERRORS: [u8; 8] = [0x00, 0x07, 0x0f, 0x17, 0x1d, 0x24, 0x2a, 0x2b];

/// What was seen in a worksheet.
#[derive(Default)]
pub(crate) struct Seen {
    /// The part with every cell in a form that the reader knows; `None` where they are already.
    pub(crate) mended: Option<Vec<u8>>,
    /// By hand or by a filter.
    pub(crate) n_hidden_rows: usize,
    pub(crate) beside: Beside,
}

/// Whatever does not consist of records is left to the reader.
pub(crate) fn mend(part: &[u8]) -> Result<Seen, Refusal> {
    let mut seen = Seen::default();
    let mut copied = 0;
    let mut column = None;
    let mut row_idx = 0;
    let mut rest = part;
    loop {
        let start = part.len() - rest.len();
        let Some((kind, body)) = next_record(&mut rest) else {
            break;
        };
        let mended = match kind {
            END_OF_CELLS => break,
            ROW => {
                seen.n_hidden_rows += usize::from(is_hidden(body)?);
                row_idx = number(body, 0)?;
                column = None;
                continue;
            }
            COLUMNS => {
                seen.beside.hidden_columns.extend(hidden_columns(body));
                continue;
            }
            SHORT_BLANK..=SHORT_SHARED_TEXT => {
                let next = column.map_or(0, |column: u32| column.saturating_add(1));
                column = Some(next);
                let kind = kind - SHORT_BLANK + BLANK;
                let body = [&next.to_le_bytes(), body].concat();
                Some(plain(kind, &body)?.unwrap_or((kind, body)))
            }
            BLANK..=FORMULA_ERROR | RICH_TEXT => {
                let column_idx = number(body, 0)?;
                column = Some(column_idx);
                if FORMULAS.contains(&kind) {
                    seen.beside.add_formula(row_idx, column_idx);
                }
                plain(kind, body)?
            }
            _ => continue,
        };
        if let Some((kind, body)) = mended {
            let copy = seen.mended.get_or_insert_default();
            copy.extend_from_slice(&part[copied..start]);
            push_record(copy, kind, &body);
            copied = part.len() - rest.len();
        }
    }
    if let Some(copy) = &mut seen.mended {
        copy.extend_from_slice(&part[copied..]);
    }
    let after = std::iter::from_fn(|| next_record(&mut rest));
    let merged = after.filter(|(kind, _)| *kind == MERGED);
    seen.beside.merged = merged.filter_map(|(_, body)| area(body)).collect();
    Ok(seen)
}

fn hidden_columns(body: &[u8]) -> Option<(u32, u32)> {
    let is_hidden = body.get(16).is_some_and(|flags| flags & 1 != 0);
    is_hidden.then(|| Some((number(body, 0).ok()?, number(body, 4).ok()?)))?
}

fn area(body: &[u8]) -> Option<Area> {
    let at = |at| number(body, at).ok();
    let area = Area {
        rows: (at(0)?, at(4)?),
        columns: (at(8)?, at(12)?),
    };
    area.is_several().then_some(area)
}

/// The name of each worksheet by the relation that leads to its part.
pub(crate) fn names_by_relation(workbook: &[u8]) -> Vec<(String, String)> {
    let mut rest = workbook;
    std::iter::from_fn(|| next_record(&mut rest))
        .filter(|(kind, _)| *kind == LISTED_SHEET)
        .filter_map(|(_, body)| {
            let (relation, after) = text(body.get(8..)?)?;
            let (name, _) = text(after)?;
            Some((relation, name))
        })
        .collect()
}

/// A text after its length in two bytes a letter, and what follows.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let n_bytes = usize::try_from(number(bytes, 0).ok()?)
        .ok()?
        .checked_mul(2)?;
    let (text, after) = bytes.get(4..)?.split_at_checked(n_bytes)?;
    Some((
        UTF_16LE.decode_without_bom_handling(text).0.into_owned(),
        after,
    ))
}

/// Whether a workbook's list of sheets has more in it than the format: the trial versions of the program that brought it wrote that.
pub(crate) fn lists_sheets_otherwise(workbook: &[u8]) -> bool {
    let mut rest = workbook;
    std::iter::from_fn(|| next_record(&mut rest))
        .filter(|(kind, _)| *kind == LISTED_SHEET)
        .any(|(_, body)| {
            // A relation and a name, each after its length in two bytes a letter.
            let texts = |at: usize| {
                let relation = number(body, at).ok()? as usize * 2;
                let name = number(body, at + 4 + relation).ok()? as usize * 2;
                (body.len() == at + 8 + relation + name).then_some(())
            };
            texts(8).is_none() && texts(12).is_some()
        })
}

/// The cell as another kind of record, where the reader does not know its own.
fn plain(kind: u16, body: &[u8]) -> Result<Option<(u16, Vec<u8>)>, Refusal> {
    let least = LEAST.get(usize::from(kind) - 1).copied().unwrap_or(13);
    // The reader would fill a cell that is too short from the one before.
    if body.len() < least {
        return Err(broken());
    }
    let (head, value) = body.split_at(8);
    Ok(match kind {
        ERROR | FORMULA_ERROR if !KNOWN_ERRORS.contains(&value[0]) => {
            let name: Vec<u16> = format!("{MARK}#ERROR!").encode_utf16().collect();
            let length = u32::try_from(name.len()).map_err(|_| broken())?;
            let name: Vec<u8> = name.into_iter().flat_map(u16::to_le_bytes).collect();
            Some((TEXT, [head, &length.to_le_bytes(), &name].concat()))
        }
        FORMULA_ERROR => Some((ERROR, body[..9].to_vec())),
        RICH_TEXT => Some((TEXT, [head, &value[1..]].concat())),
        _ => None,
    })
}

/// Refuses a row that no worksheet has.
fn is_hidden(row: &[u8]) -> Result<bool, Refusal> {
    let row_idx = number(row, 0)?;
    if row_idx >= 1_048_576 {
        let row_number = u64::from(row_idx) + 1;
        return Err(Refusal::outside_the_grid(&format!("row {row_number}")));
    }
    Ok(row.get(11).is_some_and(|flags| flags & 0x10 != 0))
}

fn number(body: &[u8], at: usize) -> Result<u32, Refusal> {
    let bytes = body.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.copied().map(u32::from_le_bytes).ok_or_else(broken)
}

fn broken() -> Refusal {
    Refusal::broken("The workbook")
}

/// The next record's kind and body; `None` at the end, and where it is cut off.
fn next_record<'p>(rest: &mut &'p [u8]) -> Option<(u16, &'p [u8])> {
    let mut after = *rest;
    let kind = next_number(&mut after, 2)?;
    let length = next_number(&mut after, 4)?;
    let (body, after) = after.split_at_checked(length)?;
    *rest = after;
    Some((u16::try_from(kind).ok()?, body))
}

/// Seven bits in each byte, the lowest first; the eighth says that there is more.
fn next_number(rest: &mut &[u8], at_most: u32) -> Option<usize> {
    let mut number = 0;
    for idx in 0..at_most {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= usize::from(byte & 0x7f) << (7 * idx);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

/// A record as it stands in a part.
pub(crate) fn push_record(part: &mut Vec<u8>, kind: u16, body: &[u8]) {
    push_number(part, usize::from(kind));
    push_number(part, body.len());
    part.extend_from_slice(body);
}

fn push_number(part: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = (number & 0x7f).to_le_bytes()[0];
        number >>= 7;
        if number == 0 {
            part.push(low);
            return;
        }
        part.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handmade::Parts;
    use handmade::xlsb::{cell, row, wide};

    use crate::fixture::Reading as _;

    fn shown(cells: &[(u16, Vec<u8>)]) -> String {
        Parts::xlsb(cells).shown()
    }

    fn short((kind, body): (u16, Vec<u8>)) -> (u16, Vec<u8>) {
        (kind + 11, body[4..].to_vec())
    }

    #[test]
    fn a_formula_whose_result_is_an_error_is_no_blank() {
        let error = cell(11, 1, 0, &[0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let one = cell(5, 0, 0, &1_f64.to_le_bytes());
        let after = cell(4, 2, 0, &[1]);
        assert_eq!(
            shown(&[row(0), one, error, after]),
            "A1=1, B1=error #N/A, C1=true"
        );
    }

    #[test]
    fn an_unknown_error_value_is_one_cell_and_the_rest_is_read() {
        let cells = [
            cell(3, 0, 0, &[0x2c]),
            cell(11, 1, 0, &[0x31]),
            cell(3, 2, 0, &[0x2b]),
        ];
        let mut all = vec![row(4)];
        all.extend(cells);
        assert_eq!(
            shown(&all),
            "A5=error #ERROR!, B5=error #ERROR!, C5=error #GETTING_DATA"
        );
    }

    #[test]
    fn cells_in_their_short_form_stand_next_to_the_one_before() {
        let whole = |number: i32| (number << 2 | 2).to_le_bytes();
        let all = [
            row(0),
            short(cell(6, 0, 0, &wide("first"))),
            short(cell(1, 0, 0, &[])),
            short(cell(2, 0, 1, &whole(46_127))),
            cell(2, 7, 0, &whole(5)),
            short(cell(5, 0, 0, &0.1_f64.to_le_bytes())),
            short(cell(4, 0, 0, &[0])),
            short(cell(3, 0, 0, &[0x17])),
            row(2),
            short(cell(3, 0, 0, &[0x99])),
        ];
        assert_eq!(
            shown(&all),
            "A1=\"first\", C1=2026-04-15 00:00:00, H1=5, I1=0.1, J1=false, K1=error #REF!, A3=error #ERROR!"
        );
    }

    #[test]
    fn a_text_with_formatting_is_its_text() {
        let rich = [&[1][..], &wide("£ é"), &[1, 0, 0, 0, 0, 0, 1, 0]].concat();
        assert_eq!(shown(&[row(0), cell(62, 3, 0, &rich)]), "D1=\"£ é\"");
    }

    #[test]
    fn a_cell_that_is_cut_short_is_not_filled_from_the_one_before() {
        let real = cell(5, 0, 0, &7_f64.to_le_bytes());
        for (kind, n_bytes) in [(2, 3), (3, 0), (5, 7), (6, 0), (9, 4), (11, 0), (62, 4)] {
            let cut = cell(kind, 1, 0, &vec![0; n_bytes]);
            assert_eq!(shown(&[row(0), real.clone(), cut]), "file.broken", "{kind}");
        }
        assert_eq!(shown(&[row(0), (12, vec![0])]), "file.broken");
        assert_eq!(shown(&[(0, vec![0])]), "file.broken");
    }

    #[test]
    fn a_row_that_no_sheet_has_is_refused_and_does_not_end_the_sheet() {
        let one = cell(4, 0, 0, &[1]);
        let at = |row_idx| shown(&[row(row_idx), one.clone(), row(1), one.clone()]);
        assert_eq!(at(1_048_575), "A2=true, A1048576=true");
        assert_eq!(at(1_048_576), "file.outside-the-grid");
        assert_eq!(at(u32::MAX), "file.outside-the-grid");
    }

    #[test]
    fn hidden_rows_are_counted() {
        let (kind, mut hidden) = row(0);
        hidden[11] = 0x10;
        let one = cell(4, 0, 0, &[1]);
        let parts = Parts::xlsb(&[(kind, hidden), one.clone(), row(1), one]);
        let remarks = parts.read().unwrap().remarks;
        assert_eq!(remarks[0].rule, "file.hidden-rows");
        assert!(remarks[0].message.contains("(1)"), "{remarks:?}");
    }

    #[test]
    fn hidden_columns_merged_cells_and_formulas_are_seen() {
        let columns = |first: u32, last: u32, flags: u8| {
            let body = [first, last, 0, 0].map(u32::to_le_bytes).concat();
            (COLUMNS, [&body[..], &[flags, 0]].concat())
        };
        let merged = [1_u32, 2, 0, 1].map(u32::to_le_bytes).concat();
        let formula = cell(9, 1, 0, &[&2_f64.to_le_bytes()[..], &[0; 10]].concat());
        let part = handmade::xlsb::records(&[
            columns(1, 1, 1),
            columns(5, 9, 0),
            row(0),
            cell(5, 0, 0, &1_f64.to_le_bytes()),
            formula,
            (END_OF_CELLS, vec![]),
            (MERGED, merged),
        ]);
        let seen = mend(&part).unwrap().beside;
        assert_eq!(seen.hidden_columns, [(1, 1)]);
        assert!(seen.is_calculated(0, 1) && !seen.is_calculated(0, 0));
        let area = Area {
            rows: (1, 2),
            columns: (0, 1),
        };
        assert_eq!(seen.merged, [area]);
        let remarks = Parts::xlsb_sheets(&[("A", 0, part)])
            .read()
            .unwrap()
            .remarks;
        assert_eq!(remarks[0].rule, "file.hidden-columns");
    }

    #[test]
    fn hidden_sheets_are_marked() {
        let cells = handmade::xlsb::records(&[row(0), cell(4, 0, 0, &[1])]);
        let sheets = [
            ("A", 0, cells.clone()),
            ("B", 1, cells.clone()),
            ("C", 2, cells),
        ];
        let workbook = Parts::xlsb_sheets(&sheets).read().unwrap();
        let visible: Vec<_> = workbook.sheets.iter().map(|s| s.visible).collect();
        assert_eq!(visible, [true, false, false]);
    }

    #[test]
    fn a_list_of_sheets_from_before_the_format_is_known() {
        let listed = |more: &[u8]| {
            let body = [&[0; 8][..], more, &wide("rId1"), &wide("A")].concat();
            handmade::xlsb::records(&[(LISTED_SHEET, body)])
        };
        assert!(!lists_sheets_otherwise(&listed(&[])));
        assert!(lists_sheets_otherwise(&listed(&[0; 4])));
        let one = [row(0), cell(4, 0, 0, &[1])];
        let parts = Parts::xlsb(&one).with_bytes("xl/workbook.bin", listed(&[0; 4]));
        assert_eq!(parts.shown(), "file.other-format");
    }

    #[test]
    fn what_is_no_record_is_left_as_it_is() {
        for part in [
            &b""[..],
            b"\x05",
            b"\xff\xff\xff\xff\xff\xff",
            b"\x05\x10\x00",
        ] {
            assert!(mend(part).unwrap().mended.is_none(), "{part:?}");
        }
    }
}
