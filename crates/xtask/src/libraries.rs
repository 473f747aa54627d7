//! Which of our crates alone uses a library: what a library can do to us stays in one place.

use crate::tree::{self, Member};

/// A library, and the only crates that may depend on it outside their tests.
const OWNERS: [(&str, &[&str]); 30] = [
    ("actix-multipart", &["web"]),
    ("actix-web", &["web"]),
    ("arrow-array", &["dataset", "lake"]),
    ("arrow-schema", &["dataset", "lake"]),
    ("calamine", &["sheet"]),
    ("cfb", &["sheet"]),
    ("clap", &["lgdp"]),
    ("cron", &["cycle"]),
    // Reading a sender's csv is sheet's alone; the others read code lists and write ours.
    ("csv", &["sheet", "spec", "report", "dataset"]),
    ("delta_kernel", &["lake"]),
    ("delta_kernel_default_engine", &["lake"]),
    ("diesel", &["db", "queue"]),
    ("diesel-async", &["db", "queue"]),
    ("diesel_migrations", &["db"]),
    ("governor", &["web"]),
    ("icalendar", &["cycle"]),
    ("indicatif", &["client"]),
    ("jsonschema", &["spec", "check"]),
    ("lettre", &["mail"]),
    ("openidconnect", &["oidc"]),
    ("object_store", &["files"]),
    ("parquet", &["dataset"]),
    ("polars", &["frame", "check", "assess", "dataset", "report"]),
    ("quick-xml", &["sheet", "report"]),
    ("rust_xlsxwriter", &["report"]),
    ("rustix", &["child", "postgres", "web", "lgdp"]),
    ("seccompiler", &["child"]),
    ("sqlparser", &["spec"]),
    ("tokio-postgres", &["db"]),
    ("utoipa", &["web"]),
];

/// Errors with context are for those who only report them.
const MAY_USE_ANYHOW: [&str; 2] = ["worker", "lgdp"];

/// Never part of the product (see `layers`), so free to reach into any corner of it.
const FOR_TESTS: [&str; 4] = ["handmade", "journeys", "testkit", "xtask"];

fn complaints(members: &[Member]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        if FOR_TESTS.contains(&member.name.as_str()) {
            continue;
        }
        for used in &member.uses {
            let owners = OWNERS
                .iter()
                .find(|(library, _)| library == used)
                .map(|(_, owners)| *owners)
                .or((used == "anyhow").then_some(&MAY_USE_ANYHOW[..]));
            if owners.is_some_and(|owners| !owners.contains(&member.name.as_str())) {
                complaints.push(format!("{} may not use {used}", member.name));
            }
        }
    }
    complaints
}

#[test]
fn a_library_outside_its_crate_is_refused() {
    let member = Member {
        name: "workflow".to_owned(),
        uses: ["serde", "diesel", "anyhow"].map(str::to_owned).to_vec(),
        uses_in_tests: vec!["lettre".to_owned()],
        manifest: String::new(),
    };
    assert_eq!(
        complaints(&[member]),
        ["workflow may not use diesel", "workflow may not use anyhow"]
    );
}

#[test]
fn each_library_stays_where_it_belongs() {
    tree::no_complaints(&complaints(&tree::members()));
}
