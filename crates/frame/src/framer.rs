//! A workbook's rows to the tables that stand on its sheets, in one pass.

use std::collections::HashSet;

use finding::Findings;
use sheet::{Beside, Line, Properties, RawCell, SheetInfo, Sink};
use spec::stamp::{self, Stamp};
use spec::{Layout, ReturnSpec, TableSpec};

use crate::locate::Seen;
use crate::matrix::Need;
use crate::{Expected, Framed, empty, identity, locate, matrix, records};

/// Frames every table of a return while its workbook is read. Never fails: what is wrong is a finding.
pub struct Framer<'a> {
    spec: &'a ReturnSpec,
    expected: Expected<'a>,
    sheets: Vec<Seen>,
    /// In the spec's order.
    tables: Vec<Standing<'a>>,
    /// The sheet whose rows are coming.
    sheet_idx: usize,
    findings: Findings,
}

/// A table, and where it stands.
struct Standing<'a> {
    table: &'a TableSpec,
    /// `None` where the workbook has no sheet for it.
    sheet_idx: Option<usize>,
    reading: Reading<'a>,
}

/// A table while its rows come.
enum Reading<'a> {
    Records(records::Reading<'a>),
    Matrix(matrix::Reading<'a>),
}

impl<'a> Framer<'a> {
    /// For a workbook with these sheets and properties.
    pub fn new(
        sheets: &[SheetInfo],
        properties: &Properties,
        spec: &'a ReturnSpec,
        expected: Expected<'a>,
    ) -> Self {
        let mut findings = Findings::new();
        // A template's own sheets say how to fill it in.
        let is_template = properties
            .get(stamp::PROPERTY)
            .and_then(|text| Stamp::parse(text))
            .is_some_and(|stamp| stamp.is_of(spec));
        let seen: Vec<Seen> = sheets
            .iter()
            .map(|info| Seen {
                info: info.clone(),
                n_rows: 0,
                guides: is_template && stamp::is_own_sheet(&info.name),
            })
            .collect();
        let tables = spec
            .tables
            .iter()
            .map(|table| {
                let sheet_idx = locate::sheet(&seen, spec, table, &mut findings);
                let info = sheet_idx.and_then(|sheet_idx| sheets.get(sheet_idx));
                Standing {
                    table,
                    sheet_idx,
                    reading: Reading::new(spec, table, info),
                }
            })
            .collect();
        Self {
            spec,
            expected,
            sheets: seen,
            tables,
            sheet_idx: 0,
            findings,
        }
    }

    pub fn finish(self) -> Framed {
        let mut framed = Framed {
            findings: self.findings,
            ..Framed::default()
        };
        let required = |standing: &&Standing<'_>| standing.table.sheet.required;
        let needed: HashSet<usize> = self
            .tables
            .iter()
            .filter(required)
            .filter_map(|standing| standing.sheet_idx)
            .collect();
        let mut taken = HashSet::new();
        let mut noted = HashSet::new();
        let mut all_located = true;
        for standing in self.tables {
            let table = standing.table;
            let Some(sheet_idx) = standing.sheet_idx else {
                if table.sheet.required {
                    all_located = false;
                } else {
                    framed.frames.push(empty(table));
                }
                continue;
            };
            taken.insert(sheet_idx);
            let n_rows = self.sheets[sheet_idx].n_rows;
            let findings = &mut framed.findings;
            let (sheet, frame) = match standing.reading {
                Reading::Records(reading) => reading.finish(n_rows, findings),
                Reading::Matrix(reading) => {
                    let need = if needed.contains(&sheet_idx) {
                        Need::Required
                    } else {
                        Need::MayBeLeftOut
                    };
                    reading.finish(n_rows, need, self.expected.organisation, findings)
                }
            };
            let Some(frame) = frame else { continue };
            if noted.insert(sheet_idx) {
                let info = &self.sheets[sheet_idx].info;
                findings.extend(locate::otherwise_named(info, table));
            }
            identity::verify(&sheet, table, &frame, self.spec, self.expected, findings);
            framed.frames.push(frame);
        }
        framed.ignored_sheets = locate::ignored(&self.sheets, &taken);
        // A sheet that was looked for in vain is most likely among these, and its finding names them all.
        if all_located {
            framed
                .findings
                .extend(locate::ignored_notes(&self.sheets, &taken));
        }
        framed
    }
}

impl Sink for Framer<'_> {
    fn start_sheet(&mut self, sheet_idx: usize) {
        self.sheet_idx = sheet_idx;
        self.sheets[sheet_idx].n_rows = 0;
        for standing in &mut self.tables {
            if standing.sheet_idx == Some(sheet_idx) {
                let info = &self.sheets[sheet_idx].info;
                standing.reading = Reading::new(self.spec, standing.table, Some(info));
            }
        }
    }

    fn line(&mut self, line: Line) {
        for standing in &mut self.tables {
            if standing.sheet_idx == Some(self.sheet_idx) {
                match &mut standing.reading {
                    Reading::Records(reading) => reading.line(line),
                    Reading::Matrix(reading) => reading.line(line),
                }
            }
        }
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        self.sheets[self.sheet_idx].n_rows = u64::from(row_idx) + 1;
        for standing in &mut self.tables {
            if standing.sheet_idx == Some(self.sheet_idx) {
                match &mut standing.reading {
                    Reading::Records(reading) => reading.row(row_idx, cells),
                    Reading::Matrix(reading) => reading.row(row_idx, cells),
                }
            }
        }
    }
}

impl<'a> Reading<'a> {
    fn new(spec: &'a ReturnSpec, table: &'a TableSpec, info: Option<&SheetInfo>) -> Self {
        let sheet = sheet::Sheet {
            name: info.map_or_else(String::new, |info| info.name.clone()),
            visible: info.is_none_or(|info| info.visible),
            cells: Vec::new(),
        };
        let merged = info.map_or_else(Vec::new, |info| info.beside.merged.clone());
        match &table.layout {
            Layout::Records(layout) => Reading::Records(records::Reading::new(
                sheet, merged, spec, table, layout, None,
            )),
            Layout::TurnAround { records, key, .. } => Reading::Records(records::Reading::new(
                sheet,
                merged,
                spec,
                table,
                records,
                Some(key),
            )),
            Layout::Matrix(layout) => {
                let beside = info.map_or_else(Beside::default, |info| info.beside.clone());
                Reading::Matrix(matrix::Reading::new(sheet, beside, table, layout))
            }
        }
    }
}

/// A row's cells, kept.
pub(crate) fn kept<'c>(
    row_idx: u32,
    cells: &'c [RawCell<'_>],
) -> impl Iterator<Item = sheet::Cell> + 'c {
    cells.iter().map(move |cell| sheet::Cell {
        row_idx,
        column_idx: cell.column_idx,
        value: cell.raw.into(),
    })
}
