//! A third-party version stands once, in the workspace's own `Cargo.toml`, and every crate has the workspace's lints.

use toml::{Table, Value};

use crate::tree;

fn complaints(path: &str, manifest: &str) -> Vec<String> {
    let manifest: Table = manifest.parse().unwrap();
    let mut complaints = Vec::new();
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(Value::Table(dependencies)) = manifest.get(kind) else {
            continue;
        };
        for (name, dependency) in dependencies {
            let inherited = dependency.get("workspace").and_then(Value::as_bool);
            if inherited != Some(true) {
                complaints.push(format!("{path}: {name} must be `workspace = true`"));
            }
        }
    }
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    if lints.and_then(Value::as_bool) != Some(true) {
        complaints.push(format!("{path}: needs `[lints] workspace = true`"));
    }
    complaints
}

#[test]
fn a_version_of_its_own_is_refused() {
    let manifest = "[dependencies]\nserde = \"1\"\ntoml = { workspace = true }\n[dev-dependencies]\ninsta.workspace = true";
    assert_eq!(
        complaints("a/Cargo.toml", manifest),
        [
            "a/Cargo.toml: serde must be `workspace = true`",
            "a/Cargo.toml: needs `[lints] workspace = true`",
        ]
    );
}

#[test]
fn versions_stand_once() {
    let found: Vec<String> = tree::members()
        .iter()
        .flat_map(|member| complaints(&member.manifest, &tree::read(&member.manifest)))
        .collect();
    tree::no_complaints(&found);
}
