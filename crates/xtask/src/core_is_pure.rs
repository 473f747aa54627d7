//! The core takes values and returns values: no clock, no runtime, no network, no database; and only the binary reads the environment.

use crate::rust_text::{code_only, crate_of, line_of, shipped};
use crate::tree::{self, Member, TextFile};

/// Lines 0 and 1 of the picture.
const CORE: [&str; 9] = [
    "finding", "sheet", "spec", "frame", "check", "assess", "report", "cycle", "access",
];

const NOT_IN_THE_CORE: [&str; 10] = [
    "actix-web",
    "diesel",
    "diesel-async",
    "futures-util",
    "lettre",
    "object_store",
    "reqwest",
    "rustls",
    "tokio",
    "tokio-postgres",
];

const CLOCKS: [&str; 4] = ["SystemTime::now", "Instant::now", "Utc::now", "Local::now"];

/// Not `env::consts`, which are the compiler's.
const ENVIRONMENT: [&str; 8] = [
    "env::args",
    "env::current_dir",
    "env::current_exe",
    "env::home_dir",
    "env::set_var",
    "env::split_paths",
    "env::temp_dir",
    "env::var",
];

/// The environment is read in one place, the binary.
const READS_THE_ENVIRONMENT: &str = "lgdp";

fn libraries(members: &[Member]) -> Vec<String> {
    let core = members
        .iter()
        .filter(|member| CORE.contains(&member.name.as_str()));
    core.flat_map(|member| {
        member
            .uses
            .iter()
            .filter(|used| NOT_IN_THE_CORE.contains(&used.as_str()))
            .map(|used| format!("{} is of the core and may not use {used}", member.name))
    })
    .collect()
}

fn calls(file: &TextFile) -> Vec<String> {
    let Some(owner) = crate_of(&file.path) else {
        return Vec::new();
    };
    let code = code_only(&file.text);
    let mut refused: Vec<&str> = Vec::new();
    if CORE.contains(&owner) {
        refused.extend(CLOCKS);
    }
    // What cargo tells a build script is in its environment.
    if owner != READS_THE_ENVIRONMENT && !file.path.ends_with("/build.rs") {
        refused.extend(ENVIRONMENT);
    }
    refused
        .into_iter()
        .flat_map(|call| {
            code.match_indices(call)
                .map(|(at, _)| format!("{}:{}: {call}", file.path, line_of(&code, at)))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_runtime_in_the_core_is_refused() {
    let member = Member {
        name: "check".to_owned(),
        uses: vec!["polars".to_owned(), "tokio".to_owned()],
        uses_in_tests: Vec::new(),
        manifest: String::new(),
    };
    assert_eq!(
        libraries(&[member]),
        ["check is of the core and may not use tokio"]
    );
}

#[test]
fn a_clock_in_the_core_and_the_environment_outside_the_binary_are_refused() {
    let file = |path: &str| TextFile {
        path: path.to_owned(),
        text: "fn f() {\n    let now = Utc::now();\n    let home = std::env::var(\"HOME\");\n}"
            .to_owned(),
    };
    assert_eq!(
        calls(&file("crates/cycle/src/lib.rs")),
        [
            "crates/cycle/src/lib.rs:2: Utc::now",
            "crates/cycle/src/lib.rs:3: env::var",
        ]
    );
    assert_eq!(calls(&file("crates/worker/src/lib.rs")).len(), 1);
    assert!(calls(&file("crates/lgdp/src/main.rs")).is_empty());
    assert_eq!(
        calls(&file("crates/cycle/build.rs")),
        ["crates/cycle/build.rs:2: Utc::now"]
    );
}

#[test]
fn the_core_uses_no_runtime_and_no_network() {
    tree::no_complaints(&libraries(&tree::members()));
}

#[test]
fn the_core_has_no_clock_and_only_the_binary_an_environment() {
    let found: Vec<String> = shipped().iter().flat_map(calls).collect();
    tree::no_complaints(&found);
}
