//! What holds of every reading, whatever the file.

use std::collections::BTreeSet;

use sheet::{Cell, Limits, Raw, RawCell, Refusal, Sheet, SheetInfo, Sink};

/// Reads a file and holds what comes out to what `sheet` promises.
pub fn read(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Vec<Sheet>, Refusal> {
    let read = read_once(bytes, file_name, limits);
    match &read {
        Ok(_) => {}
        Err(refusal) => check_refusal(refusal),
    }
    read
}

fn read_once(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Vec<Sheet>, Refusal> {
    let opened = sheet::open(bytes, file_name, limits)?;
    check_sheets(opened.sheets(), limits);
    let mut held = Held::new(opened.sheets(), limits);
    let remarks = opened.read(&mut held)?;
    for remark in &remarks {
        check_words(remark.rule, &remark.message, &remark.fix);
    }
    assert_eq!(
        held.started,
        held.sheets.len(),
        "not every sheet came exactly once"
    );
    assert!(held.n_cells > 0, "a file without a cell is refused");
    Ok(held.sheets)
}

fn check_sheets(sheets: &[SheetInfo], limits: &Limits) {
    assert!(sheets.len() <= limits.sheets);
    let mut names = BTreeSet::new();
    for sheet in sheets {
        assert!(
            names.insert(sheet.name.to_lowercase()),
            "two sheets have one name"
        );
        check_text(&sheet.name);
    }
}

fn check_refusal(refusal: &Refusal) {
    check_words(refusal.rule, &refusal.message, &refusal.fix);
}

/// A sentence for a person, of a length that a page and a table can hold.
fn check_words(rule: &str, message: &str, fix: &str) {
    assert!(rule.starts_with("file."), "{rule}");
    for text in [message, fix] {
        assert!(text.ends_with('.'), "{text:?}");
        assert!(text.len() < 2_000, "{rule}: {} bytes", text.len());
        check_text(text);
    }
}

/// What no database or page can hold does not come out.
fn check_text(text: &str) {
    assert!(!text.contains('\0'), "{text:?}");
}

/// Keeps the cells and holds their order and number to what [`Sink`] says.
struct Held<'l> {
    limits: &'l Limits,
    sheets: Vec<Sheet>,
    /// How many sheets have started.
    started: usize,
    last_row_idx: Option<u32>,
    n_cells: usize,
}

/// More are counted and not kept, so that the largest file that is allowed fits in memory.
const KEPT: usize = 100_000;

impl<'l> Held<'l> {
    fn new(sheets: &[SheetInfo], limits: &'l Limits) -> Self {
        let sheets = sheets.iter().map(|info| Sheet {
            name: info.name.clone(),
            visible: info.visible,
            cells: Vec::new(),
        });
        Self {
            limits,
            sheets: sheets.collect(),
            started: 0,
            last_row_idx: None,
            n_cells: 0,
        }
    }
}

impl Sink for Held<'_> {
    fn start_sheet(&mut self, sheet_idx: usize) {
        let again = sheet_idx + 1 == self.started;
        assert!(again || sheet_idx == self.started, "sheets out of order");
        self.started = sheet_idx + 1;
        self.last_row_idx = None;
        if again {
            let void = std::mem::take(&mut self.sheets[sheet_idx].cells);
            self.n_cells = self.n_cells.saturating_sub(void.len());
        }
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        assert!(self.started > 0);
        assert!(!cells.is_empty(), "a row without cells");
        assert!(row_idx < self.limits.rows);
        assert!(self.last_row_idx < Some(row_idx), "rows out of order");
        self.last_row_idx = Some(row_idx);
        let mut next = 0;
        for cell in cells {
            assert!(cell.column_idx >= next, "cells out of order, or one twice");
            assert!(cell.column_idx < self.limits.columns);
            next = cell.column_idx + 1;
            match cell.raw {
                Raw::Text(text) => {
                    assert!(!text.is_empty());
                    check_text(text);
                    assert!(text.chars().count() <= self.limits.characters);
                }
                Raw::Number(number) => assert!(number.is_finite()),
                Raw::Error(name) => {
                    assert!(!name.is_empty());
                    check_text(name);
                }
                Raw::Boolean(_) | Raw::DateTime(_) | Raw::NotCalculated | Raw::GivenTwice => {}
            }
        }
        self.n_cells += cells.len();
        assert!(self.n_cells <= self.limits.cells + KEPT);
        let kept = &mut self.sheets[self.started - 1].cells;
        if kept.len() < KEPT {
            kept.extend(cells.iter().map(|cell| Cell {
                row_idx,
                column_idx: cell.column_idx,
                value: cell.raw.into(),
            }));
        }
    }
}

/// All that is told of a file, as text, in which nought and minus nought differ.
pub fn told(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<String, Refusal> {
    let opened = sheet::open(bytes, file_name, limits)?;
    let infos = opened.sheets().to_vec();
    let mut held = Held::new(&infos, limits);
    let remarks = opened.read(&mut held)?;
    Ok(format!("{infos:?} {:?} {remarks:?}", held.sheets))
}

/// A sheet as it is meant: its name, whether it shows, its cells.
pub type Meant = (String, bool, Vec<Cell>);

/// Reads a file; where it is known what was meant, that is what comes out.
pub fn compare(bytes: &[u8], file_name: &str, limits: &Limits, meant: Option<&[Meant]>) {
    let read = read(bytes, file_name, limits);
    let Some(meant) = meant else {
        return;
    };
    match read {
        Ok(sheets) => {
            let sheets: Vec<Meant> = sheets
                .into_iter()
                .map(|sheet| (sheet.name, sheet.visible, sheet.cells))
                .collect();
            assert_eq!(sheets, meant);
        }
        Err(refusal) => {
            let is_empty = meant.iter().all(|(_, _, cells)| cells.is_empty());
            assert!(is_empty && refusal.rule == "file.no-data", "{refusal:?}");
        }
    }
}
