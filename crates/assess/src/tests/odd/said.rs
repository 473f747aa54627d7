//! What is said of a file, and files that have nothing odd yet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use sheet::Limits;
use sheet::grid::Grid;
use spec::{Organisations, Period, ReturnSpec, Returns};

use crate::{Assessment, Request, SourceFile, assess};

/// A return of these tests, with whose and when.
pub(in crate::tests) struct Asked {
    pub(in crate::tests) spec: ReturnSpec,
    organisations: Organisations,
    pub(in crate::tests) limits: Limits,
    returns: Returns,
}

fn returns() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/returns")
}

impl Asked {
    /// Records, one to a row, on the sheet `Visits`.
    pub(in crate::tests) fn visits() -> Self {
        Self::of("visits/1")
    }

    /// A form with three lines.
    pub(in crate::tests) fn stock() -> Self {
        Self::of("stock/2026")
    }

    fn of(version: &str) -> Self {
        Self {
            spec: spec::load(&returns().join(version)).unwrap(),
            organisations: Organisations::load(&returns().join("organisations.csv")).unwrap(),
            limits: Limits::default(),
            returns: Returns::gather(&returns()),
        }
    }

    /// Ardbeg's file for 2026-27.
    pub(in crate::tests) fn assessed(&self, file: &File) -> Assessment {
        self.assessed_after(file, None)
    }

    pub(in crate::tests) fn assessed_after(
        &self,
        file: &File,
        previous: Option<&File>,
    ) -> Assessment {
        let period = Period::parse(self.spec.period_kind, "2026-27").unwrap();
        assess(&Request {
            spec: &self.spec,
            organisations: &self.organisations,
            organisation: self.organisations.find("S12000001"),
            period: Some(&period),
            received_on: NaiveDate::from_ymd_opt(2027, 4, 20).unwrap(),
            file: file.source(),
            previous: previous.map(File::source),
            year_ago: None,
            earlier: crate::EarlierVersions::default(),
            others: &[],
            values: &[],
            limits: &self.limits,
            returns: &self.returns,
        })
        .unwrap()
    }

    /// What each of some files is told, one after another.
    pub(in crate::tests) fn said(&self, files: &[(&str, File)]) -> String {
        let mut all = String::new();
        for (what, file) in files {
            let _ = writeln!(
                all,
                "== {what} ({})\n{}",
                file.name,
                said(&self.assessed(file))
            );
        }
        all
    }
}

/// A file as it comes in.
pub(in crate::tests) struct File {
    name: &'static str,
    bytes: Vec<u8>,
}

impl File {
    pub(in crate::tests) fn new(name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name,
            bytes: bytes.into(),
        }
    }

    fn source(&self) -> SourceFile<'_> {
        SourceFile {
            name: self.name,
            bytes: &self.bytes,
        }
    }
}

/// The outcome, the rows and every finding.
pub(in crate::tests) fn said(assessment: &Assessment) -> String {
    let mut all = format!("{:?}\n", assessment.head.outcome);
    for table in &assessment.head.tables {
        let reasons: Vec<String> = table
            .ignored_rows
            .iter()
            .map(|rows| format!("{} {}", rows.n_rows, rows.reason))
            .collect();
        assert_eq!(table.n_rows, table.loaded + table.rejected + table.ignored);
        let _ = writeln!(
            all,
            "{} on {}: {} rows, {} loaded, {} rejected, {} ignored ({})",
            table.name,
            table.sheet,
            table.n_rows,
            table.loaded,
            table.rejected,
            table.ignored,
            reasons.join(", "),
        );
    }
    for finding in &assessment.findings {
        let place = finding
            .cell
            .as_ref()
            .map(|cell| format!(" at {cell}"))
            .or(finding.row_number.map(|row| format!(" on row {row}")));
        let _ = writeln!(
            all,
            "{} {}{}\n    {}\n    {}",
            finding.severity,
            finding.rule,
            place.unwrap_or_default(),
            finding.message.escape_debug(),
            finding.fix,
        );
    }
    all
}

/// A drawing as a real workbook.
pub(in crate::tests) fn xlsx(drawing: &str) -> Vec<u8> {
    report::workbook::write_xlsx(&Grid::parse(drawing).unwrap()).unwrap()
}

/// The heading row of `Visits`, as handmade rows have it.
pub(in crate::tests) const HEADINGS: [&str; 9] = [
    "COUNCIL", "REF", "SEEN", "OFFICE", "HOURS", "VISITORS", "URGENT", "SHARE", "NOTE",
];

/// Two visits that have nothing wrong with them, drawn.
pub(in crate::tests) const VISITS: &str = "[Visits]
| COUNCIL | REF | SEEN | OFFICE | HOURS | VISITORS | URGENT | SHARE | NOTE |
| Ardbeg | V0001 | 2026-04-15 | '01 | 1.5 | 2 | TRUE | 50 | none |
| Ardbeg | V0002 | 2026-04-16 | '02 | 0.25 | 1 | FALSE | 12.5 | |
";

/// Two visits that have nothing wrong with them, as CSV.
pub(in crate::tests) const CSV: &str = "COUNCIL,REF,SEEN,OFFICE,HOURS,VISITORS,URGENT,SHARE,NOTE
Ardbeg,V0001,2026-04-15,01,1.5,2,yes,50,none
Ardbeg,V0002,2026-04-16,02,0.25,1,no,12.5,
";

/// A visit as a handmade row: what has a style or a type of its own is given as a whole cell.
pub(in crate::tests) fn row(row_number: u32, cells: &[&str]) -> String {
    let mut row = format!("<row r=\"{row_number}\">");
    for (column, cell) in ('A'..).zip(cells) {
        if cell.starts_with("<c") {
            row.push_str(cell);
        } else if !cell.is_empty() {
            let _ = write!(
                row,
                "<c r=\"{column}{row_number}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{cell}</t></is></c>"
            );
        }
    }
    row + "</row>"
}

/// The headings and one visit that has nothing wrong with it, as handmade rows.
pub(in crate::tests) fn rows() -> String {
    row(1, &HEADINGS) + &visit(2)
}

pub(in crate::tests) fn visit(row_number: u32) -> String {
    let reference = format!("V{row_number:04}");
    let seen = format!("<c r=\"C{row_number}\" s=\"1\"><v>46127</v></c>");
    let hours = format!("<c r=\"E{row_number}\"><v>1.5</v></c>");
    row(row_number, &["Ardbeg", &reference, &seen, "01", &hours])
}

/// A form that has nothing wrong with it, drawn.
pub(in crate::tests) const STOCK: &str = "[Stock]
| Library stock return 2026 |
| Council | Ardbeg |
| Year | 2026-27 |
|
| Line | Books | Maps | Total |
| '1 | 10 | 2 | =B6+C6 -> 12 |
| '2 | 5 | 1 | =B7+C7 -> 6 |
| '3 | =B6+B7 -> 15 | =C6+C7 -> 3 | =D6+D7 -> 18 |
";
