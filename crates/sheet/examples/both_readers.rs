//! Whether both readers of Excel workbooks tell the same of every file: calamine, and the scanner that reads large plain worksheets.
//!
//! `both_readers FILE…` prints each file of which they differ, and how many there were; it fails if any differ.
//! For collections of workbooks from elsewhere (see `fuzz/README.md`).

#![expect(clippy::print_stdout, reason = "a program that prints its answer")]

use std::error::Error;

use sheet::{Limits, RawCell, Refusal, SheetInfo, Sink, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut n_files, mut n_refused, mut n_different) = (0, 0, 0);
    let (mut n_sheets, mut n_left, mut n_cells) = (0, 0, 0);
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let (scanned, read) = (told(&bytes, 0), told(&bytes, u64::MAX));
        n_files += 1;
        match (scanned, read) {
            (Ok(scanned), Ok(read)) => {
                n_sheets += scanned.infos.len();
                n_left += scanned.n_starts - scanned.infos.len();
                n_cells += scanned
                    .cells
                    .iter()
                    .map(|cells| cells.lines().count())
                    .sum::<usize>();
                if scanned.all() != read.all() {
                    n_different += 1;
                    println!("different: {path}");
                }
            }
            (Err(scanned), Err(read)) if scanned == read => n_refused += 1,
            (scanned, read) => {
                n_different += 1;
                println!("different: {path}: {:?} {:?}", scanned.err(), read.err());
            }
        }
    }
    println!(
        "{n_files} files, {n_refused} of them refused; {n_sheets} sheets with {n_cells} cells, {n_left} of them left to calamine when they were found not to be plain; {n_different} files different"
    );
    if n_different > 0 {
        return Err("the readers differ".into());
    }
    Ok(())
}

/// All that is told of a file, as text, in which nought and minus nought differ.
#[derive(Default)]
struct Told {
    infos: Vec<SheetInfo>,
    remarks: String,
    /// By sheet.
    cells: Vec<String>,
    sheet_idx: usize,
    n_starts: usize,
}

impl Told {
    fn all(&self) -> (&[SheetInfo], &str, &[String]) {
        (&self.infos, &self.remarks, &self.cells)
    }
}

impl Sink for Told {
    fn start_sheet(&mut self, sheet_idx: usize) {
        self.sheet_idx = sheet_idx;
        self.cells[sheet_idx].clear();
        self.n_starts += 1;
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        let told = &mut self.cells[self.sheet_idx];
        for cell in cells {
            let value = Value::from(cell.raw);
            told.push_str(&format!("{row_idx} {} {value:?}\n", cell.column_idx));
        }
    }
}

fn told(bytes: &[u8], large_bytes: u64) -> Result<Told, Refusal> {
    let limits = Limits {
        large_bytes,
        ..Limits::default()
    };
    let opened = sheet::open(bytes, "a.xlsx", &limits)?;
    let infos = opened.sheets().to_vec();
    let mut told = Told {
        cells: vec![String::new(); infos.len()],
        infos,
        ..Told::default()
    };
    let remarks = opened.read(&mut told)?;
    told.remarks = format!("{remarks:?}");
    Ok(told)
}
