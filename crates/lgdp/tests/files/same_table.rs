//! The same table, whichever program saved it, gives the same records and the same findings.

use std::path::Path;
use std::process::Command;

use child::Part;
use serde_json::Value;
use sheet::grid::{Grid, GridCell, GridSheet};

use super::child::{answer, fixture};

/// What of an answer must not depend on the program: outcome, rows and columns, findings, records.
fn comparable(name: &str, bytes: &[u8]) -> String {
    let mut lines = Vec::new();
    for part in answer(name, bytes) {
        match part {
            Part::Head(head) => {
                lines.push(format!("{:?}", head.outcome));
                for table in head.tables {
                    lines.push(format!(
                        "{} on {}: {} rows, {} loaded, {} rejected, {:?}, {:?}",
                        table.name,
                        table.sheet,
                        table.n_rows,
                        table.loaded,
                        table.rejected,
                        table.ignored_rows,
                        table.columns,
                    ));
                }
            }
            Part::Findings(findings) => {
                // What is said of the file as a whole is said of its format.
                lines.extend(
                    findings
                        .iter()
                        .filter(|finding| finding.table.is_some())
                        .map(|finding| {
                            let place = finding.cell.as_ref().map(ToString::to_string);
                            format!(
                                "{} {} {} {:?}",
                                finding.severity,
                                finding.rule,
                                place.unwrap_or_default(),
                                finding.value.as_deref().unwrap_or_default()
                            )
                        }),
                );
            }
            Part::Rows(block) => {
                lines.push(format!("rows {:?}", block.row_numbers));
                let columns = block.columns.iter();
                lines.extend(columns.map(|column| format!("{} {:?}", column.item, column.values)));
            }
        }
    }
    lines.join("\n")
}

/// `table.json`, drawn.
fn drawn() -> Grid {
    let text = std::fs::read_to_string(fixture("table.json")).unwrap();
    let rows: Vec<Vec<Value>> = serde_json::from_str(&text).unwrap();
    let mut sheet = GridSheet::new("Visits");
    for (row_idx, row) in (0..).zip(&rows) {
        for (column_idx, cell) in (0..).zip(row) {
            sheet.set_cell(row_idx, column_idx, cell_of(cell));
        }
    }
    Grid {
        sheets: vec![sheet],
    }
}

fn cell_of(value: &Value) -> GridCell {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    match value {
        Value::Null => GridCell::Blank,
        Value::Bool(truth) => GridCell::Boolean(*truth),
        Value::Number(number) => GridCell::Number(number.to_string()),
        Value::String(text) if text.is_empty() => GridCell::Blank,
        Value::String(text) => GridCell::Text(text.clone()),
        Value::Object(_) => {
            if let Some(day) = text("day") {
                GridCell::Date(day.parse().unwrap())
            } else if let Some(moment) = text("moment") {
                GridCell::DateTime(moment.parse().unwrap())
            } else if let Some(name) = text("error") {
                GridCell::Error(name)
            } else {
                GridCell::Formula {
                    formula: text("formula").unwrap(),
                    result: Some(Box::new(cell_of(&value["result"]))),
                }
            }
        }
        Value::Array(_) => panic!("{value}"),
    }
}

fn expected() -> String {
    comparable(
        "visits.xlsx",
        &report::workbook::write_xlsx(&drawn()).unwrap(),
    )
}

#[test]
fn rust_xlsxwriter() {
    insta::assert_snapshot!("the_table_however_it_was_saved", expected());
}

#[test]
fn libreoffice() {
    for (file, name) in [
        ("libreoffice.xlsx", "Visits.xlsx"),
        ("libreoffice.xls", "Visits.xls"),
        ("libreoffice.ods", "Visits.ods"),
        ("libreoffice.csv", "Visits.csv"),
        ("libreoffice-1904.xlsx", "Visits.xlsx"),
        ("libreoffice-1904.xls", "Visits.xls"),
    ] {
        let bytes = std::fs::read(fixture(file)).unwrap();
        assert_eq!(comparable(name, &bytes), expected(), "{file}");
    }
}

#[test]
fn openpyxl() {
    check_python(&["openpyxl"]);
    check_python(&["openpyxl", "1904"]);
}

#[test]
fn xlsxwriter() {
    check_python(&["xlsxwriter"]);
    check_python(&["xlsxwriter", "1904"]);
}

fn check_python(arguments: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.xlsx");
    let written = Command::new(testkit::python())
        .args([fixture("write.py").as_path(), Path::new(arguments[0]), &out])
        .args(&arguments[1..])
        .output()
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    let bytes = std::fs::read(&out).unwrap();
    assert_eq!(
        comparable("Visits.xlsx", &bytes),
        expected(),
        "{arguments:?}"
    );
}
