//! A file and what a child answers of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use child::{Child, ChildLimits, InputFile, Part, Task};
use chrono::NaiveDate;

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Ardbeg's home visits of 2026-27, a return of `assess`'s tests.
pub(super) fn answer(name: &str, bytes: &[u8]) -> Vec<Part> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    let child = Child {
        program: env!("CARGO_BIN_EXE_lgdp").into(),
        limits: ChildLimits::default(),
    };
    let task = Task {
        spec_dir: crates().join("assess/fixtures/returns/visits/1"),
        organisation: Some("S12000001".to_owned()),
        period: Some("2026-27".to_owned()),
        received_on: NaiveDate::from_ymd_opt(2027, 4, 20).unwrap(),
        file: InputFile {
            name: name.to_owned(),
            path,
            version: None,
        },
        previous: None,
        year_ago: None,
        others: BTreeMap::new(),
        values: BTreeMap::new(),
        records: true,
    };
    child.run(&task).unwrap().map(Result::unwrap).collect()
}

pub(super) fn fixture(name: &str) -> PathBuf {
    crates().join("sheet/fixtures/visits").join(name)
}
