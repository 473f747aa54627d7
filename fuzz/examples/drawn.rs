//! Writes the file that a target draws from an input, to look at it and to make a fixture of it.
//!
//! `cargo +nightly run --release --example drawn xlsx INPUT OUT` within `fuzz/`.

use std::error::Error;
use std::fs;

use arbitrary::Unstructured;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, input, out] = arguments.as_slice() else {
        return Err("say which target, which input and where to write the file".into());
    };
    let data = fs::read(input)?;
    let u = &mut Unstructured::new(&data);
    let bytes = match target.as_str() {
        "xlsx" => fuzz::workbook::draw(u)?.bytes,
        "ods" => fuzz::opendocument::draw(u)?.bytes,
        "csv" => fuzz::separated::draw(u)?.bytes,
        other => return Err(format!("{other} draws no files").into()),
    };
    Ok(fs::write(out, bytes)?)
}
