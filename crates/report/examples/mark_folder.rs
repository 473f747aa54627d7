//! Marks some cells of every workbook in a folder and says where a marked one does not hold the same cells.
//!
//! For folders of real workbooks: `cargo run --release -p report --example mark_folder -- FROM TO`.

#![expect(clippy::unwrap_used, reason = "a tool for whoever works on this")]
#![expect(clippy::print_stdout, reason = "it prints what it finds")]

use std::collections::BTreeMap;
use std::path::Path;

use finding::{CellRef, Finding, Outcome, Severity};
use report::listing::Cover;
use sheet::{Limits, Workbook};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        println!("FROM and TO, please");
        return;
    };
    std::fs::create_dir_all(to).unwrap();
    let mut paths: Vec<_> = std::fs::read_dir(from)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in paths {
        let said = try_one(&path, Path::new(to));
        println!("{}: {said}", path.display());
        *counts.entry(said).or_default() += 1;
    }
    println!("{counts:#?}");
}

fn try_one(path: &Path, to: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let limits = Limits::default();
    let before = match sheet::read(&bytes, "a.xlsx", &limits) {
        Ok(workbook) => workbook,
        Err(refusal) => return format!("not read, {}", refusal.rule),
    };
    let findings = findings(&before);
    let mut counts = BTreeMap::new();
    for finding in &findings {
        *counts.entry(finding.severity).or_insert(0) += 1;
    }
    let cover = Cover {
        file_name: "a.xlsx".to_owned(),
        about: "a folder's workbook".to_owned(),
        outcome: Outcome::of(findings.iter().map(|finding| finding.severity)),
        counts,
    };
    let marked = match report::marked::mark(&bytes, &cover, &findings, &limits) {
        Ok(marked) => marked,
        Err(why) => return format!("not marked, {why}"),
    };
    std::fs::write(to.join(path.file_name().unwrap()), &marked).unwrap();
    let again = report::marked::mark(&marked, &cover, &findings[..findings.len() / 2], &limits);
    for (what, bytes) in [("once", Ok(marked)), ("again", again)] {
        let Ok(bytes) = bytes else {
            return format!("not marked {what}");
        };
        match sheet::read(&bytes, "a.xlsx", &limits) {
            Ok(after) if is_same(&before, &after) => {}
            Ok(_) => return format!("marked {what} and not the same"),
            Err(refusal) => return format!("marked {what} and not read, {}", refusal.rule),
        }
    }
    "marked".to_owned()
}

/// A few cells of each sheet, and some that are blank.
fn findings(workbook: &Workbook) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sheet in &workbook.sheets {
        let there = sheet.cells.iter().step_by(3).take(8);
        let places =
            there
                .map(|cell| (cell.row_idx, cell.column_idx))
                .chain([(0, 7), (4, 2), (30, 1)]);
        for ((row_idx, column_idx), severity) in places.zip(Severity::ALL.into_iter().cycle()) {
            findings.push(
                Finding::new("table.rule", severity, "=1+1 is wrong here.", "Mend it.")
                    .at_cell(CellRef::new(&sheet.name, row_idx, column_idx))
                    .with_value("@value"),
            );
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn is_same(before: &Workbook, after: &Workbook) -> bool {
    let own = after
        .sheets
        .iter()
        .filter(|sheet| !sheet::is_ours(&sheet.name));
    before.sheets.iter().eq(own) && before.remarks == after.remarks
}
