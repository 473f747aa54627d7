//! The shape of a source file: no `mod.rs`, an opening paragraph, no more lines than one thing needs, nowhere to hide things.

use crate::rust_text::{is_test_path, without_tests};
use crate::tree::{self, TextFile};

/// Lines outside tests. The house aims at 400; past this, one more case has found no home of its own.
const MOST_LINES: usize = 600;

/// Names that say nothing, and so gather everything.
const NOWHERE: [&str; 5] = ["utils", "util", "common", "helpers", "misc"];

fn complaints(file: &TextFile) -> Vec<String> {
    let mut complaints = Vec::new();
    let stem = file
        .path
        .rsplit('/')
        .next()
        .and_then(|name| name.strip_suffix(".rs"));
    let stem = stem.unwrap_or_default();
    if stem == "mod" {
        complaints.push(format!("{}: name it for its folder, beside it", file.path));
    }
    if NOWHERE.contains(&stem) {
        complaints.push(format!("{}: name it for what it holds", file.path));
    }
    let is_crate_for_tests =
        file.path.starts_with("crates/testkit/") || file.path.starts_with("crates/handmade/");
    if is_test_path(&file.path) && !is_crate_for_tests {
        return complaints;
    }
    if !file.text.starts_with("//!") {
        complaints.push(format!(
            "{}: does not open with //! and a paragraph",
            file.path
        ));
    }
    // What is blank now was blank, or was a test.
    let n_lines = without_tests(&file.text).trim_end().lines().count();
    if n_lines > MOST_LINES {
        complaints.push(format!(
            "{}: {n_lines} lines, {MOST_LINES} at most",
            file.path
        ));
    }
    complaints
}

#[test]
fn a_shapeless_file_is_refused() {
    let file = |path: &str, text: String| TextFile {
        path: path.to_owned(),
        text,
    };
    let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(MOST_LINES));
    let tested = format!(
        "//! Tested.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        "\n".repeat(MOST_LINES)
    );
    assert_eq!(
        complaints(&file("crates/a/src/b/mod.rs", "//! B.".into())).len(),
        1
    );
    assert_eq!(
        complaints(&file("crates/a/src/utils.rs", "fn f() {}".into())).len(),
        2
    );
    assert_eq!(complaints(&file("crates/a/src/long.rs", long)).len(), 1);
    assert!(complaints(&file("crates/a/src/tested.rs", tested)).is_empty());
}

#[test]
fn every_source_file_has_its_shape() {
    let files = tree::files(&[".rs"]);
    tree::no_complaints(&files.iter().flat_map(complaints).collect::<Vec<_>>());
}
