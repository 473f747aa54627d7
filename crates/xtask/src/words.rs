//! Words that stand for work left undone, tests left out, and places that only one machine has.

use crate::rust_text::{line_of, words};
use crate::tree::{self, TextFile};

/// Spelt in two halves here, so that this file keeps its own rule.
const UNDONE: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("db", "g!("),
    concat!("unimpl", "emented!("),
    concat!("#[ign", "ore"),
];

/// Somebody's own folder.
const HOMES: [&str; 2] = [concat!("/ho", "me/"), concat!("/Us", "ers/")];

const ENDINGS: [&str; 10] = [
    ".rs",
    ".md",
    ".toml",
    ".sql",
    ".html",
    ".txt",
    ".yaml",
    ".service",
    ".csv",
    "Containerfile",
];

fn complaints(file: &TextFile, root: &str) -> Vec<String> {
    let undone = UNDONE.iter().flat_map(|word| {
        // A word of letters must stand alone; the others end in what makes them what they are.
        let found = if word.chars().all(char::is_alphabetic) {
            words(&file.text, word)
        } else {
            file.text.match_indices(word).map(|(at, _)| at).collect()
        };
        found.into_iter().map(move |at| (at, *word))
    });
    let places = HOMES.into_iter().chain([root]);
    let places = places.flat_map(|place| file.text.match_indices(place));
    undone
        .chain(places)
        .map(|(at, word)| format!("{}:{}: {word}", file.path, line_of(&file.text, at)))
        .collect()
}

#[test]
fn undone_work_and_private_places_are_refused() {
    let text = format!(
        "// {}: later\nlet x = {}x);\n\"/opt/here/file\" {}me/file",
        UNDONE[0], UNDONE[3], HOMES[0]
    );
    let file = TextFile {
        path: "a.rs".to_owned(),
        text,
    };
    assert_eq!(complaints(&file, "/opt/here").len(), 4);
}

#[test]
fn nothing_is_left_undone_and_no_place_is_named() {
    let root = tree::root().to_string_lossy().into_owned();
    let files = tree::files(&ENDINGS);
    let found = files.iter().flat_map(|file| complaints(file, &root));
    tree::no_complaints(&found.collect::<Vec<_>>());
}
