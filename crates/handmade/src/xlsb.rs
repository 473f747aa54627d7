//! Excel binary workbooks (xlsb), by their records: no program here writes them.

use std::fmt::Write as _;

use crate::Parts;
use crate::xlsx::{OFFICE, RELATIONS};

/// A record's kind and body.
pub type Record = (u16, Vec<u8>);

/// The cell formats of every workbook made here.
pub const GENERAL: u8 = 0;
pub const DATE: u8 = 1;
pub const MOMENT: u8 = 2;

impl Parts {
    /// One visible sheet `A` with these records.
    pub fn xlsb(cells: &[Record]) -> Self {
        Self::xlsb_sheets(&[("A", 0, records(cells))])
    }

    /// Sheets as (name, state, records between the first row and the end of the cells).
    pub fn xlsb_sheets(sheets: &[(&str, u32, Vec<u8>)]) -> Self {
        let mut parts = Self::empty().with(
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
        );
        let mut related = String::new();
        let mut listed = Vec::new();
        for (idx, (name, state, cells)) in (1_u32..).zip(sheets) {
            let _ = write!(
                related,
                "<Relationship Id=\"rId{idx}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{idx}.bin\"/>"
            );
            let id = wide(&format!("rId{idx}"));
            let body = [
                &state.to_le_bytes()[..],
                &idx.to_le_bytes(),
                &id,
                &wide(name),
            ]
            .concat();
            listed.push((0x9c, body));
            let mut part = records(&[(0x81, vec![]), (0x94, vec![0; 16]), (0x91, vec![])]);
            part.extend_from_slice(cells);
            part.extend(records(&[(0x92, vec![]), (0x82, vec![])]));
            parts = parts.with_bytes(&format!("xl/worksheets/sheet{idx}.bin"), part);
        }
        let mut workbook = records(&[(0x83, vec![]), (0x99, vec![0; 12]), (0x8f, vec![])]);
        workbook.extend(records(&listed));
        workbook.extend(records(&[
            (0x90, vec![]),
            (0x9d, vec![0; 26]),
            (0x84, vec![]),
        ]));
        parts
            .with(
                "xl/_rels/workbook.bin.rels",
                &format!("<Relationships xmlns=\"{RELATIONS}\">{related}</Relationships>"),
            )
            .with_bytes("xl/workbook.bin", workbook)
            .with_bytes("xl/styles.bin", styles())
    }
}

/// The start of a row.
pub fn row(row_idx: u32) -> Record {
    (0, [&row_idx.to_le_bytes()[..], &[0; 13]].concat())
}

/// A cell in its long form: column and format, then its value.
pub fn cell(kind: u16, column_idx: u32, format: u8, value: &[u8]) -> Record {
    let body = [&column_idx.to_le_bytes(), &[format, 0, 0, 0], value].concat();
    (kind, body)
}

/// A text with its length before it.
pub fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = u32::try_from(units.len()).unwrap().to_le_bytes();
    length
        .into_iter()
        .chain(units.into_iter().flat_map(u16::to_le_bytes))
        .collect()
}

/// Records as they stand in a part: kind and length in seven bits a byte, then the body.
pub fn records(all: &[Record]) -> Vec<u8> {
    let mut part = Vec::new();
    for (kind, body) in all {
        push_number(&mut part, usize::from(*kind));
        push_number(&mut part, body.len());
        part.extend_from_slice(body);
    }
    part
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

fn styles() -> Vec<u8> {
    let format = |id: u16| (0x2f, [&[0, 0][..], &id.to_le_bytes(), &[0; 12]].concat());
    let moment = [&164_u16.to_le_bytes()[..], &wide("dd/mm/yyyy hh:mm:ss")].concat();
    records(&[
        (0x116, vec![]),
        (0x267, 1_u32.to_le_bytes().to_vec()),
        (0x2c, moment),
        (0x268, vec![]),
        (0x269, 3_u32.to_le_bytes().to_vec()),
        format(0),
        format(14),
        format(164),
        (0x26a, vec![]),
        (0x117, vec![]),
    ])
}
