//! Documents name what exists: `ARCHITECTURE.md` every crate and no other, functions that are there, and links that lead somewhere.

use std::collections::BTreeSet;

use crate::rust_text::{code_only, crate_of, shipped, words};
use crate::tree::{self, TextFile};

/// What stands between backticks.
fn quoted(markdown: &str) -> BTreeSet<String> {
    // Blocks of code first: their fences are backticks too, and their text names nothing.
    let outside: Vec<&str> = markdown.split("```").step_by(2).collect();
    let quoted = outside
        .iter()
        .flat_map(|text| text.split('`').skip(1).step_by(2));
    quoted.map(str::to_owned).collect()
}

fn crates_named(architecture: &str, crates: &[String]) -> Vec<String> {
    let quoted = quoted(architecture);
    let mut complaints: Vec<String> = crates
        .iter()
        .filter(|name| !quoted.contains(*name))
        .map(|name| format!("ARCHITECTURE.md does not name the crate {name}"))
        .collect();
    for path in quoted
        .iter()
        .filter_map(|text| text.strip_prefix("crates/"))
    {
        let name = path.split('/').next().unwrap_or_default();
        if !crates.iter().any(|known| known == name) {
            complaints.push(format!(
                "ARCHITECTURE.md names crates/{name}, which does not exist"
            ));
        }
    }
    complaints
}

/// `` `crate::function` `` must be a name in that crate's code.
fn functions_named(architecture: &str, crates: &[String], sources: &[TextFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for text in quoted(architecture) {
        let text = text.trim_end_matches("()");
        let Some((owner, rest)) = text.split_once("::") else {
            continue;
        };
        if !crates.iter().any(|known| known == owner) {
            complaints.push(format!(
                "ARCHITECTURE.md names {text}, and {owner} is no crate"
            ));
            continue;
        }
        for name in rest.split("::") {
            let there = sources
                .iter()
                .filter(|file| crate_of(&file.path) == Some(owner))
                .any(|file| is_defined(&file.text, name));
            if !there {
                complaints.push(format!(
                    "ARCHITECTURE.md names {text}, and {owner} has no {name}"
                ));
            }
        }
    }
    complaints
}

fn is_defined(code: &str, name: &str) -> bool {
    let code = code_only(code);
    words(&code, name).into_iter().any(|at| {
        let before = code[..at].trim_end();
        ["fn", "struct", "enum", "trait", "mod", "type", "const"]
            .iter()
            .any(|keyword| before.ends_with(keyword))
    })
}

/// Where the links of a page lead, as paths from the root; links out of the tree are not ours to keep.
fn links(page: &TextFile) -> Vec<String> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let targets = page
        .text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']))
        .filter(|target| !target.starts_with("mailto:"))
        .map(|target| target.split('#').next().unwrap_or(target))
        .map(|target| {
            format!("{folder}/{target}")
                .trim_start_matches('/')
                .to_owned()
        })
        .collect()
}

fn names_of(members: Vec<tree::Member>) -> Vec<String> {
    let members = members.into_iter();
    let members = members.filter(|member| member.manifest.starts_with("crates/"));
    members.map(|member| member.name).collect()
}

#[test]
fn a_crate_that_is_not_there_or_not_named_is_refused() {
    let crates = ["web".to_owned(), "mail".to_owned()];
    assert_eq!(
        crates_named("`web` and `crates/wob`.\n```\n`mail`\n```\n", &crates),
        [
            "ARCHITECTURE.md does not name the crate mail",
            "ARCHITECTURE.md names crates/wob, which does not exist",
        ]
    );
}

#[test]
fn a_function_that_is_not_there_is_refused() {
    let source = TextFile {
        path: "crates/web/src/lib.rs".to_owned(),
        text: "pub async fn serve(config: Config) {}\n// fn stop".to_owned(),
    };
    let crates = ["web".to_owned()];
    let complaints = functions_named("`web::serve`, `web::stop()`, `wob::go`", &crates, &[source]);
    assert_eq!(
        complaints,
        [
            "ARCHITECTURE.md names web::stop, and web has no stop",
            "ARCHITECTURE.md names wob::go, and wob is no crate",
        ]
    );
}

#[test]
fn links_are_read_from_the_pages_folder() {
    let page = TextFile {
        path: "docs/page.md".to_owned(),
        text: "[a](other.md#part) [b](https://example.org) [c](../README.md) [d](#here)".to_owned(),
    };
    assert_eq!(links(&page), ["docs/other.md", "docs/../README.md"]);
}

#[test]
fn architecture_names_every_crate_and_only_what_exists() {
    let architecture = tree::read("ARCHITECTURE.md");
    let crates = names_of(tree::members());
    let mut found = crates_named(&architecture, &crates);
    found.extend(functions_named(&architecture, &crates, &shipped()));
    tree::no_complaints(&found);
}

#[test]
fn every_link_leads_somewhere() {
    let root = tree::root();
    let pages = tree::files(&[".md"]);
    let found = pages.iter().flat_map(|page| {
        let dead = links(page)
            .into_iter()
            .filter(|link| !root.join(link).exists());
        dead.map(|link| format!("{}: {link} is not there", page.path))
            .collect::<Vec<_>>()
    });
    tree::no_complaints(&found.collect::<Vec<_>>());
}
