//! No return, council or period is named in Rust outside tests: a new year is a new folder, and so is a new return.

use std::collections::BTreeSet;
use std::fs;

use crate::rust_text::{line_of, shipped, words};
use crate::tree::{self, TextFile};

/// Lower-case words that only data may say.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(tree::root().join("return-specs")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !["code-lists", "reference-values"].contains(&name.as_str()) {
            names.insert(name.to_lowercase());
        }
    }
    assert!(!names.is_empty(), "return-specs has no return");
    names.extend(organisations(&tree::read("return-specs/organisations.csv")));
    names
}

/// Names, and codes that could be nothing else (a number could).
fn organisations(csv: &str) -> BTreeSet<String> {
    let fields = csv.lines().skip(1).flat_map(|line| line.split(','));
    let fields = fields.map(|field| field.trim().trim_matches('"').to_lowercase());
    fields
        .filter(|field| {
            let code = field.len() >= 8 && field.starts_with('s');
            let name =
                field.len() >= 4 && !field.contains(|c: char| c.is_ascii_digit() || c == '@');
            code || name
        })
        .filter(|field| !is_kind(field))
        .collect()
}

/// Words of the file's other columns, which are ours.
fn is_kind(field: &str) -> bool {
    field
        .split([' ', '-', '_'])
        .any(|word| matches!(word, "council" | "councils" | "true" | "false"))
}

/// A financial or school year, as `2030-31` or `2030/2031`.
fn years(text: &str) -> Vec<usize> {
    let number = |from: usize, length: usize| -> Option<u32> {
        let digits = text.get(from..from + length)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    text.match_indices("20")
        .map(|(at, _)| at)
        .filter(|&at| {
            let Some(first) = number(at, 4) else {
                return false;
            };
            if at > 0 && text.as_bytes()[at - 1].is_ascii_alphanumeric() {
                return false;
            }
            let separated = matches!(text.as_bytes().get(at + 4), Some(b'-' | b'/'));
            let ends = |after: usize| !text.as_bytes().get(after).is_some_and(u8::is_ascii_digit);
            let short = number(at + 5, 2) == Some((first + 1) % 100) && ends(at + 7);
            let long = number(at + 5, 4) == Some(first + 1) && ends(at + 9);
            separated && (short || long)
        })
        .collect()
}

fn complaints(file: &TextFile, names: &BTreeSet<String>) -> Vec<String> {
    let text = file.text.to_lowercase();
    let mut found: Vec<String> = names
        .iter()
        .flat_map(|name| {
            // In an identifier a name has underscores where its folder has hyphens or spaces.
            let spelt = [name.clone(), name.replace(['-', ' '], "_")];
            let spelt: BTreeSet<String> = spelt.into_iter().collect();
            spelt
                .iter()
                .flat_map(|name| words(&text, name))
                .map(|at| format!("{}:{}: names {name}", file.path, line_of(&text, at)))
                .collect::<Vec<_>>()
        })
        .collect();
    found.extend(
        years(&text)
            .into_iter()
            .map(|at| format!("{}:{}: names a period", file.path, line_of(&text, at))),
    );
    found
}

#[test]
fn a_named_return_council_or_year_is_refused() {
    let file = TextFile {
        path: "crates/web/src/lib.rs".to_owned(),
        text: "if return_id == \"HL1\" {}\nlet glasgow_city = 1;\nlet p = \"2030-31\";\nlet draft = \"2020-12\";"
            .to_owned(),
    };
    let names = organisations("code,name,kind\nS12000049,Glasgow City,council\n190,Fife,council");
    assert_eq!(names.len(), 3);
    let names = names.into_iter().chain(["hl1".to_owned()]).collect();
    assert_eq!(
        complaints(&file, &names),
        [
            "crates/web/src/lib.rs:2: names glasgow city",
            "crates/web/src/lib.rs:1: names hl1",
            "crates/web/src/lib.rs:3: names a period",
        ]
    );
}

#[test]
fn no_return_council_or_period_is_named_in_rust() {
    let names = names();
    let found: Vec<String> = shipped()
        .iter()
        .flat_map(|file| complaints(file, &names))
        .collect();
    tree::no_complaints(&found);
}
