//! What calamine alone takes to give every cell of a workbook: the measure of `bench/run`.
//!
//! `calamine_cells FILE` prints how many cells it was given.

#![expect(clippy::print_stdout, reason = "a program that prints its answer")]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use calamine::{DataRef, Reader as _, Xlsx};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("say which file")?;
    let mut workbook = Xlsx::new(BufReader::new(File::open(path)?))?;
    let mut n_cells = 0_u64;
    for name in workbook.sheet_names() {
        let mut cells = workbook.worksheet_cells_reader(&name)?;
        while let Some(cell) = cells.next_cell()? {
            n_cells += u64::from(!matches!(cell.get_value(), DataRef::Empty));
        }
    }
    println!("{n_cells}");
    Ok(())
}
