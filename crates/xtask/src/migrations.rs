//! No two migrations have one version: of two, the second would silently never run.

use std::collections::BTreeMap;

use crate::tree;

/// The version is what diesel takes for it: what stands before the first `_`, without its hyphens.
fn complaints(paths: &[&str]) -> Vec<String> {
    let mut by_version: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let folder = path.rsplit('/').nth(1).unwrap_or_default();
        let version = folder
            .split('_')
            .next()
            .unwrap_or_default()
            .replace('-', "");
        by_version.entry(version).or_default().push(folder);
    }
    by_version
        .into_iter()
        .filter(|(_, folders)| folders.len() > 1)
        .map(|(version, folders)| format!("version {version}: {}", folders.join(", ")))
        .collect()
}

#[test]
fn two_of_one_version_are_told() {
    let paths = [
        "migrations/2026-11-26-190100_a/up.sql",
        "migrations/2026-11-26-190100_b/up.sql",
        "migrations/2026-11-26-190101_c/up.sql",
    ];
    assert_eq!(
        complaints(&paths),
        ["version 20261126190100: 2026-11-26-190100_a, 2026-11-26-190100_b"]
    );
}

#[test]
fn every_migration_has_a_version_of_its_own() {
    let files = tree::files(&["up.sql"]);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    tree::no_complaints(&complaints(&paths));
}
