//! Excel 97–2003 workbooks (xls), by their records.

use std::io::{Cursor, Write};

/// A record's kind and body.
pub type Record = (u16, Vec<u8>);

/// A workbook of one visible sheet.
pub fn workbook(sheet_name: &str, records: &[Record]) -> Vec<u8> {
    compound("Workbook", &stream(VERSION, sheet_name, &[], records))
}

/// The same with more records for all sheets, such as number formats and what cells look like: the first of these is the third, 2.
pub fn workbook_with(globals: &[Record], sheet_name: &str, records: &[Record]) -> Vec<u8> {
    compound("Workbook", &stream(VERSION, sheet_name, globals, records))
}

/// The same of Excel 5 or 95.
pub fn earlier_workbook_with(globals: &[Record], sheet_name: &str, records: &[Record]) -> Vec<u8> {
    compound(
        "Book",
        &stream(EARLIER_VERSION, sheet_name, globals, records),
    )
}

const VERSION: u16 = 0x0600;
const EARLIER_VERSION: u16 = 0x0500;

/// The same, said to be encrypted.
pub fn protected_workbook(sheet_name: &str, records: &[Record]) -> Vec<u8> {
    let protection = (0x002f, vec![0; 6]);
    compound(
        "Workbook",
        &stream(VERSION, sheet_name, &[protection], records),
    )
}

/// A compound file with one stream.
pub fn compound(stream_name: &str, content: &[u8]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    let mut stream = file.create_stream(format!("/{stream_name}")).unwrap();
    stream.write_all(content).unwrap();
    drop(stream);
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// The workbook's globals and then its sheet, each from its start to its end.
fn stream(version: u16, sheet_name: &str, more: &[Record], records: &[Record]) -> Vec<u8> {
    let is_earlier = version == EARLIER_VERSION;
    let start = |kind: u16| {
        let body = [version, kind, 0x0dbb, 0x07cc, 0, 0, 6, 0].map(u16::to_le_bytes);
        (0x0809, body.concat())
    };
    let end = (0x000a, Vec::new());
    let length = u8::try_from(sheet_name.len()).unwrap();
    let length = if is_earlier {
        vec![length]
    } else {
        vec![length, 0]
    };
    let name: Vec<u8> = [&length[..], sheet_name.as_bytes()].concat();
    let globals = |place: u32| {
        let listed = [&place.to_le_bytes()[..], &[0, 0], &name].concat();
        let code_page: u16 = if is_earlier { 1252 } else { 1200 };
        let mut all = vec![start(0x0005)];
        all.push((0x0042, code_page.to_le_bytes().to_vec()));
        all.extend([look(0), look(14)]);
        all.extend_from_slice(more);
        all.extend([(0x0085, listed), end.clone()]);
        bytes(&all)
    };
    let place = u32::try_from(globals(0).len()).unwrap();
    let mut sheet = vec![start(0x0010)];
    sheet.extend_from_slice(records);
    sheet.push(end.clone());
    [globals(place), bytes(&sheet)].concat()
}

fn bytes(records: &[Record]) -> Vec<u8> {
    let mut all = Vec::new();
    for (kind, body) in records {
        all.extend(kind.to_le_bytes());
        all.extend(u16::try_from(body.len()).unwrap().to_le_bytes());
        all.extend_from_slice(body);
    }
    all
}

/// What cells of a number format look like.
pub fn look(format: u16) -> Record {
    let body = [&[0, 0][..], &format.to_le_bytes(), &[0; 16]].concat();
    (0x00e0, body)
}

/// A number format in letters of ASCII.
pub fn format(id: u16, code: &str) -> Record {
    let length = u16::try_from(code.len()).unwrap();
    let head = [id, length].map(u16::to_le_bytes).concat();
    (0x041e, [&head[..], &[0], code.as_bytes()].concat())
}

/// The same of Excel 5 or 95.
pub fn earlier_format(id: u16, code: &str) -> Record {
    let length = u8::try_from(code.len()).unwrap();
    let body = [&id.to_le_bytes()[..], &[length], code.as_bytes()].concat();
    (0x041e, body)
}

/// A row by itself: only what is hidden needs one.
pub fn hidden_row(row_idx: u16) -> Record {
    let hidden = 0x20_u16;
    let body = [row_idx, 0, 256, 255, 0, 0, hidden | 0x0100, 0x000f].map(u16::to_le_bytes);
    (0x0208, body.concat())
}

/// Columns from the first to the last, hidden.
pub fn hidden_columns(first: u16, last: u16) -> Record {
    let hidden = 1_u16;
    let body = [first, last, 2304, 0, hidden, 0].map(u16::to_le_bytes);
    (0x007d, body.concat())
}

pub fn number(row_idx: u16, column_idx: u16, number: f64) -> Record {
    let head = [row_idx, column_idx, 0].map(u16::to_le_bytes).concat();
    (0x0203, [&head[..], &number.to_le_bytes()].concat())
}

/// A number that is shown as a date.
pub fn day(row_idx: u16, column_idx: u16, serial: f64) -> Record {
    number_looking(row_idx, column_idx, 1, serial)
}

/// A number that looks like the workbook's first, second, third … kind of cell, counted from 0.
pub fn number_looking(row_idx: u16, column_idx: u16, look: u16, number: f64) -> Record {
    let head = [row_idx, column_idx, look].map(u16::to_le_bytes).concat();
    (0x0203, [&head[..], &number.to_le_bytes()].concat())
}

/// A formula that has come to a text, which is in the record after it.
pub fn formula_with_text(row_idx: u16, column_idx: u16) -> Record {
    let head = [row_idx, column_idx, 0].map(u16::to_le_bytes).concat();
    let result = [0, 0, 0, 0, 0, 0, 0xff, 0xff];
    (0x0006, [&head[..], &result, &[0; 8]].concat())
}

/// A short text in its own cell, letters of ASCII alone.
pub fn text(row_idx: u16, column_idx: u16, text: &str) -> Record {
    assert!(text.is_ascii(), "{text}");
    let length = u16::try_from(text.len()).unwrap();
    let head = [row_idx, column_idx, 0, length]
        .map(u16::to_le_bytes)
        .concat();
    (0x0204, [&head[..], &[0], text.as_bytes()].concat())
}

/// Cells that are shown as one.
pub fn merged(rows: (u16, u16), columns: (u16, u16)) -> Record {
    let body = [1, rows.0, rows.1, columns.0, columns.1].map(u16::to_le_bytes);
    (0x00e5, body.concat())
}
