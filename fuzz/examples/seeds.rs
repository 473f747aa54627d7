//! Fills the corpora with files to start from: drawn ones, the fixtures of `sheet`, and the rules of the returns.
//!
//! `cargo +nightly run --release --example seeds` within `fuzz/`; the same tree gives the same files.

use std::error::Error;
use std::fs;
use std::path::Path;

use arbitrary::Unstructured;
use spec::RuleKind;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = here.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    for entry in fs::read_dir(here.join("../crates/sheet/fixtures"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        write("bytes", &name, &fs::read(&path)?)?;
    }
    for n in 0..200 {
        let data = noise(n);
        for target in ["xlsx", "plain", "ods", "csv"] {
            write(target, &format!("noise-{n}"), &data)?;
        }
        let u = || Unstructured::new(&data);
        if let Ok(drawn) = fuzz::workbook::draw(&mut u()) {
            write("bytes", &format!("drawn-{n}.xlsx"), &drawn.bytes)?;
        }
        if let Ok(drawn) = fuzz::opendocument::draw(&mut u()) {
            write("bytes", &format!("drawn-{n}.ods"), &drawn.bytes)?;
        }
        if let Ok(drawn) = fuzz::separated::draw(&mut u()) {
            write("bytes", &format!("drawn-{n}.csv"), &drawn.bytes)?;
        }
    }
    for spec in spec::load_all(&here.join("../return-specs"))? {
        for (n, rule) in spec.rules.iter().enumerate() {
            let sql = match &rule.kind {
                RuleKind::Assert { expression } => expression,
                RuleKind::Query { select, .. } => select,
                _ => continue,
            };
            // An even first byte says that the rest is text.
            let seed = [b"0", sql.as_bytes()].concat();
            write(
                "spec_sql",
                &format!("{}-{}-{n}", spec.id, spec.version),
                &seed,
            )?;
        }
    }
    Ok(())
}

/// Bytes without a pattern, the same for the same number (xorshift).
fn noise(n: u64) -> Vec<u8> {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..40)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect()
}
