//! Python, with the servers of `tests/requirements.txt`.

use std::path::{Path, PathBuf};

/// The interpreter that `./run test` makes. Without it a test fails: none is skipped.
pub fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/testkit lies two folders down");
    let python = root.join(".venv/bin/python");
    assert!(
        python.is_file(),
        "there is no .venv: start the tests with ./run test"
    );
    python
}
