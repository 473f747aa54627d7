//! Every cell that is read, one a line: sheet, address, kind and value, with tabs, line ends and backslashes written as `\t`, `\n`, `\r` and `\\`.
//!
//! `cells FILE…` prints each file's name before its cells; what independent readers find in the same file is compared with it by `fuzz/compare`.

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use finding::CellRef;
use sheet::{Limits, Value, Workbook};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(io::stdout().lock());
    for path in std::env::args().skip(1) {
        writeln!(out, "file\t{path}")?;
        let name = Path::new(&path).file_name().unwrap_or_default();
        match sheet::read(
            &std::fs::read(&path)?,
            &name.to_string_lossy(),
            &Limits::default(),
        ) {
            Ok(workbook) => print(&mut out, &workbook)?,
            Err(refusal) => writeln!(out, "refused\t{}\t{}", refusal.rule, refusal.message)?,
        }
    }
    out.flush()?;
    Ok(())
}

fn print(out: &mut impl Write, workbook: &Workbook) -> io::Result<()> {
    for sheet in &workbook.sheets {
        writeln!(out, "sheet\t{}", escaped(&sheet.name))?;
        for cell in &sheet.cells {
            let place = CellRef::new("", cell.row_idx, cell.column_idx).address();
            let (kind, value) = match &cell.value {
                Value::Text(text) => ("text", escaped(text)),
                Value::Number(number) => ("number", number.to_string()),
                Value::Boolean(truth) => ("boolean", truth.to_string()),
                Value::DateTime(moment) => ("moment", moment.to_string()),
                Value::Error(name) => ("error", escaped(name)),
                Value::NotCalculated => ("not calculated", String::new()),
                Value::GivenTwice => ("given twice", String::new()),
            };
            writeln!(out, "{place}\t{kind}\t{value}")?;
        }
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}
