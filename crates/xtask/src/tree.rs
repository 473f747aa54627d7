//! The tree as it lies on disk: its files, its crates and what each depends on.
//!
//! Read from disk and not from git, because a clone without git must pass its tests too.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// A text file, by its path from the root of the workspace.
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A workspace member and what it depends on outside its tests.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) uses: Vec<String>,
    pub(crate) uses_in_tests: Vec<String>,
    /// The `Cargo.toml`, from the root of the workspace.
    pub(crate) manifest: String,
}

/// Folders that hold what was built or fetched, never what we wrote.
const NOT_OURS: [&str; 7] = [
    "target",
    ".git",
    ".venv",
    "node_modules",
    "var",
    "corpus",
    "artifacts",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Every text file whose name ends so, in a stable order.
pub(crate) fn files(endings: &[&str]) -> Vec<TextFile> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root, endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file ends in {endings:?}");
    found
}

fn collect(root: &Path, folder: &Path, endings: &[&str], found: &mut Vec<TextFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                collect(root, &path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            // Neither a workbook nor a file that went away while another test was writing is text.
            if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root).unwrap();
                found.push(TextFile {
                    path: path.to_string_lossy().into_owned(),
                    text,
                });
            }
        }
    }
}

/// The text of one file, by its path from the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn members() -> Vec<Member> {
    let root = root();
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let of = |in_tests: bool| {
                package
                    .dependencies
                    .iter()
                    .filter(|dependency| {
                        (dependency.kind == DependencyKind::Development) == in_tests
                    })
                    .map(|dependency| dependency.name.clone())
                    .collect()
            };
            Member {
                name: package.name.to_string(),
                uses: of(false),
                uses_in_tests: of(true),
                manifest: package
                    .manifest_path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_string(),
            }
        })
        .collect()
}

/// Fails with every complaint, one a line, so that one run shows them all.
pub(crate) fn no_complaints(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
