//! One workbook in every format gives the same cells.

use crate::fixture::show;
use crate::fixture::xlsb::xlsb_of;
use crate::grid::Grid;
use crate::{Format, Limits, Workbook, read};

const DRAWN: &str = include_str!("../fixtures/same.drawing");

/// Sheet by sheet, to see what differs.
fn shown(workbook: &Workbook) -> Vec<String> {
    let sheet = |sheet| show(sheet).replace(", ", "\n");
    let sheets = workbook.sheets.iter();
    sheets
        .map(|s| format!("{} {}\n{}", s.name, s.visible, sheet(s)))
        .collect()
}

fn check(bytes: &[u8], name: &str, format: Format) {
    let workbook = read(bytes, name, &Limits::default()).unwrap();
    let drawn = Grid::parse(DRAWN).unwrap().to_workbook();
    assert_eq!(shown(&workbook), shown(&drawn));
    assert_eq!(workbook.sheets, drawn.sheets);
    assert_eq!(workbook.format, format);
    let remarks: Vec<_> = workbook.remarks.iter().map(|remark| remark.rule).collect();
    let is_old = format == Format::Xls;
    assert_eq!(remarks, ["file.old-format"][..usize::from(is_old)]);
}

#[test]
fn an_old_binary_workbook_reads_as_drawn() {
    check(
        include_bytes!("../fixtures/same.xls"),
        "same.xls",
        Format::Xls,
    );
}

#[test]
fn an_open_document_reads_as_drawn() {
    check(
        include_bytes!("../fixtures/same.ods"),
        "same.ods",
        Format::Ods,
    );
}

#[test]
fn a_binary_workbook_reads_as_drawn() {
    let parts = xlsb_of(&Grid::parse(DRAWN).unwrap());
    check(&parts.zip(), "same.xlsb", Format::Xlsb);
}
