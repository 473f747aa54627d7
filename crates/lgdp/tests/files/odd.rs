//! Odd files that could end the process that reads them: what comes back is an answer about the file.

use std::io::{Cursor, Write};

use child::Part;
use handmade::{Parts, xls};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::child::answer;

/// The outcome and the one finding's rule.
fn said(name: &str, bytes: &[u8]) -> (String, String) {
    let parts = answer(name, bytes);
    let [Part::Head(head), Part::Findings(findings)] = &parts[..] else {
        panic!("{parts:?}");
    };
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    (
        format!("{:?}", head.outcome),
        finding.rule.as_str().to_owned(),
    )
}

fn refused(name: &str, bytes: &[u8]) -> String {
    let (outcome, rule) = said(name, bytes);
    assert_eq!(outcome, "Refused", "{rule}");
    rule
}

/// A workbook whose one sheet is written piece by piece.
fn large(write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let small = Parts::xlsx_sheets(&[("Visits", "", "")]).zip();
    let mut zip = ZipWriter::new_append(Cursor::new(small)).unwrap();
    zip.start_file("xl/worksheets/sheet2.xml", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"<worksheet><sheetData>").unwrap();
    write(&mut zip);
    zip.write_all(b"</sheetData></worksheet>").unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn n11_one_huge_cell() {
    let bytes = large(|zip| {
        zip.write_all(b"<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>")
            .unwrap();
        let piece = vec![b'a'; 1 << 20];
        for _ in 0..300 {
            zip.write_all(&piece).unwrap();
        }
        zip.write_all(b"</t></is></c></row>").unwrap();
    });
    assert!(bytes.len() < 2_000_000, "{}", bytes.len());
    assert_eq!(refused("visits.xlsx", &bytes), "file.expands-too-far");
}

#[test]
fn n12_too_many_cells() {
    let row = format!("<row>{}</row>", "<c><v>1</v></c>".repeat(10_000));
    let rows = row.repeat(610);
    let bytes = Parts::xlsx_sheets(&[("Visits", "", &rows)]).zip();
    assert!(bytes.len() < 2_000_000, "{}", bytes.len());
    assert_eq!(refused("visits.xlsx", &bytes), "file.too-many-cells");
}

#[test]
fn n13_overlapping_parts() {
    // 200 entries of the directory, all of which say that their bytes are those of the first: 200 MB each.
    let part = large(|zip| zip.write_all(&vec![b' '; 200_000_000]).unwrap());
    let end = part.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let number = |at: usize| u32::from_le_bytes(part[at..at + 4].try_into().unwrap());
    let (size, start) = (number(end + 12), number(end + 16));
    let directory = &part[start as usize..end];
    let last = directory
        .windows(4)
        .rposition(|w| w == b"PK\x01\x02")
        .unwrap();
    let mut bytes = part[..end].to_vec();
    let mut added = 0;
    for n in 100..300_u32 {
        let mut entry = directory[last..].to_vec();
        let name = entry.windows(6).position(|w| w == b"sheet2").unwrap();
        entry[name + 3..name + 6].copy_from_slice(&n.to_string().as_bytes()[..3]);
        added += u32::try_from(entry.len()).unwrap();
        bytes.extend(entry);
    }
    let mut tail = part[end..].to_vec();
    let n_entries = u16::from_le_bytes([tail[8], tail[9]]) + 200;
    tail[8..10].copy_from_slice(&n_entries.to_le_bytes());
    tail[10..12].copy_from_slice(&n_entries.to_le_bytes());
    tail[12..16].copy_from_slice(&(size + added).to_le_bytes());
    bytes.extend(tail);
    assert_eq!(refused("visits.xlsx", &bytes), "file.expands-too-far");
}

#[test]
fn n19_broken_compound_files() {
    let sound = xls::workbook("Visits", &[xls::number(0, 0, 1.0)]);
    let with = |changes: &[(usize, u32)]| {
        let mut bytes = sound.clone();
        for (at, number) in changes {
            bytes[*at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    };
    // Read: what is wrong is said of nothing that is used, and its one cell, which is no return, is what comes out.
    let read = "visit.headings-missing";
    for (what, bytes, expected) in [
        ("a header alone", sound[..512].to_vec(), "file.cut-off"),
        (
            "more sector tables than there are",
            with(&[(44, u32::MAX)]),
            read,
        ),
        (
            "more tables of tables than there are",
            with(&[(68, 0), (72, u32::MAX)]),
            "file.broken",
        ),
        (
            "a directory that is nowhere",
            with(&[(48, u32::MAX - 9)]),
            "file.cut-off",
        ),
        (
            "small sectors that are nowhere",
            with(&[(60, 7_000), (64, u32::MAX)]),
            "file.cut-off",
        ),
        (
            "sectors of 2^31 bytes",
            with(&[(28, 31 << 16 | 0xfffe)]),
            "file.broken",
        ),
    ] {
        let parts = answer("visits.xls", &bytes);
        let [Part::Head(head), Part::Findings(findings)] = &parts[..] else {
            panic!("{what}: {parts:?}");
        };
        assert_eq!(format!("{:?}", head.outcome), "Refused", "{what}");
        assert_eq!(findings[0].rule.as_str(), expected, "{what}");
        if expected == read {
            let cells = |bytes: &[u8]| {
                let workbook = sheet::read(bytes, "visits.xls", &sheet::Limits::default());
                workbook.unwrap().sheets
            };
            assert_eq!(cells(&bytes), cells(&sound), "{what}");
        }
    }
}

#[test]
fn n22_absurd_extent() {
    let rows = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    let bytes = Parts::xlsx_sheets(&[("Visits", "", rows)]).zip();
    assert_eq!(refused("visits.xlsx", &bytes), "visit.headings-missing");
}

#[test]
fn n24_lying_shared_texts() {
    let bytes = Parts::xlsx_sheets(&[("Visits", "", "<row><c t=\"s\"><v>0</v></c></row>")])
        .with(
            "xl/sharedStrings.xml",
            "<sst uniqueCount=\"4294967295\"><si><t>a</t></si></sst>",
        )
        .zip();
    assert_eq!(refused("visits.xlsx", &bytes), "file.broken");
}
