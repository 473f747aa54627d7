//! Which crate may use which: any lower line of the picture, and on its own line only what an arrow brings to it.

use crate::tree::{self, Member};

/// The picture of `ARCHITECTURE.md`, from the core outwards.
const LINES: [&[&str]; 6] = [
    &["finding", "sheet", "spec", "frame", "check"],
    &["assess", "report", "cycle", "access"],
    &[
        "child", "postgres", "db", "files", "queue", "mail", "oidc", "dataset", "lake", "webhook",
    ],
    &["workflow"],
    &["web", "worker", "client"],
    &["lgdp"],
];

/// Along these, and further along them, a crate may use its own line.
const ARROWS: [(&str, &str); 8] = [
    ("finding", "sheet"),
    ("sheet", "spec"),
    ("spec", "frame"),
    ("frame", "check"),
    ("assess", "report"),
    ("db", "queue"),
    ("db", "dataset"),
    ("files", "lake"),
];

/// For tests only: nothing else may use them.
const BESIDE: [&str; 4] = ["testkit", "handmade", "xtask", "journeys"];

/// Of these, what everything may use in its tests.
const FOR_TESTS: [&str; 2] = ["testkit", "handmade"];

/// Crates that know nothing of the product: one starts a machine's parts, one asks a platform from outside.
const ALONE: [&str; 2] = ["postgres", "client"];

fn line_of(name: &str) -> Option<usize> {
    LINES.iter().position(|line| line.contains(&name))
}

fn arrow_leads(from: &str, to: &str) -> bool {
    ARROWS
        .iter()
        .any(|(start, end)| *end == to && (*start == from || arrow_leads(from, start)))
}

fn complaints(members: &[Member]) -> Vec<String> {
    let ours = |name: &String| members.iter().any(|member| member.name == *name);
    let mut complaints = Vec::new();
    for member in members {
        let name = member.name.as_str();
        if BESIDE.contains(&name) {
            continue;
        }
        let Some(line) = line_of(name) else {
            complaints.push(format!("{name} has no line in the picture"));
            continue;
        };
        for used in member.uses.iter().filter(|used| ours(used)) {
            let lower = line_of(used).is_some_and(|its| its < line);
            if ALONE.contains(&name) || !(lower || arrow_leads(used, name)) {
                complaints.push(format!("{name} may not use {used}"));
            }
        }
        for used in member.uses_in_tests.iter().filter(|used| ours(used)) {
            let may =
                FOR_TESTS.contains(&used.as_str()) || line_of(used).is_some_and(|its| its <= line);
            if !may {
                complaints.push(format!("{name} may not use {used}, not even in its tests"));
            }
        }
    }
    complaints
}

fn member(name: &str, uses: &[&str]) -> Member {
    Member {
        name: name.to_owned(),
        uses: uses.iter().map(|&used| used.to_owned()).collect(),
        uses_in_tests: Vec::new(),
        manifest: String::new(),
    }
}

#[test]
fn lower_lines_and_arrows_may_be_used() {
    let members = [
        member("finding", &[]),
        member("sheet", &["finding"]),
        member("check", &["finding", "sheet"]),
        member("web", &["finding"]),
    ];
    tree::no_complaints(&complaints(&members));
}

#[test]
fn upwards_sideways_and_unknown_are_refused() {
    let mut members = vec![
        member("finding", &["sheet"]),
        member("sheet", &["web"]),
        member("mail", &["db"]),
        member("db", &["testkit"]),
        member("postgres", &["finding"]),
        member("web", &["worker"]),
        member("worker", &[]),
        member("testkit", &[]),
        member("novelty", &[]),
    ];
    members[6].uses_in_tests.push("lgdp".to_owned());
    members.push(member("lgdp", &[]));
    assert_eq!(
        complaints(&members),
        [
            "finding may not use sheet",
            "sheet may not use web",
            "mail may not use db",
            "db may not use testkit",
            "postgres may not use finding",
            "web may not use worker",
            "worker may not use lgdp, not even in its tests",
            "novelty has no line in the picture",
        ]
    );
}

#[test]
fn this_tree_keeps_its_layers() {
    tree::no_complaints(&complaints(&tree::members()));
}
