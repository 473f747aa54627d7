//! The 74 kinds of odd spreadsheet, each with a file of its kind and what its sender is told of it.
//!
//! A test is named by the kind's number and matter, and its snapshot holds the outcome, the rows and every finding.
//! Four outcomes are right, and each kind has one: the file is refused in one sentence; a finding points at the cell and the rest is checked;
//! a value is read otherwise than it stands, with a note; or the file stands once its sender has explained it.
//! Kinds that could end the process that reads them go through a real child process besides, in `crates/lgdp/tests/odd.rs`.

mod cells;
mod csv;
mod file;
mod layout;
pub(super) mod said;

/// What each kind's test is looked for in.
const GROUPS: [&str; 4] = [
    include_str!("odd/file.rs"),
    include_str!("odd/layout.rs"),
    include_str!("odd/cells.rs"),
    include_str!("odd/csv.rs"),
];

#[test]
fn every_kind_has_a_test() {
    let tests: Vec<&str> = GROUPS
        .iter()
        .flat_map(|group| group.split("#[test]\nfn ").skip(1))
        .filter_map(|test| test.split('(').next())
        .collect();
    let missing: Vec<String> = (1..=74)
        .map(|number| format!("n{number:02}_"))
        .filter(|start| !tests.iter().any(|test| test.starts_with(start)))
        .collect();
    assert_eq!(missing, [""; 0]);
}
