//! Rust source as far as the rules need it: without comments, without strings, without its tests.
//!
//! Not a parser: it knows comments, strings and brackets, which is enough to tell code from talk about code.
//! What is taken out is replaced by spaces, so that a line number in the result is one in the file.

use crate::tree::{self, TextFile};

/// Source files whose code ships: no tests, benchmarks, fuzz targets or examples, nothing under `#[cfg(test)]`.
/// Comments are gone as well; strings remain.
pub(crate) fn shipped() -> Vec<TextFile> {
    let mut files = tree::files(&[".rs"]);
    let for_tests: Vec<String> = files.iter().flat_map(modules_for_tests).collect();
    files.retain(|file| {
        let module = file.path.trim_end_matches(".rs");
        let of_tests = |tests: &String| {
            module
                .strip_prefix(tests.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !is_test_path(&file.path) && !for_tests.iter().any(of_tests)
    });
    for file in &mut files {
        file.text = without_tests(&without_comments(&file.text));
    }
    files
}

/// Modules in files of their own that a file has in its tests alone: their paths, without `.rs`.
fn modules_for_tests(file: &TextFile) -> Vec<String> {
    let module = file.path.trim_end_matches(".rs");
    let folder = module
        .strip_suffix("/lib")
        .or_else(|| module.strip_suffix("/main"))
        .unwrap_or(module);
    let code = code_only(&file.text);
    let items = code.split("#[cfg(test)]").skip(1);
    let declarations = items.filter_map(|rest| {
        let declaration = rest.split([';', '{']).next()?;
        let is_file = rest[declaration.len()..].starts_with(';');
        let name = declaration.trim().rsplit_once("mod ")?.1;
        is_file.then(|| format!("{folder}/{name}"))
    });
    declarations.collect()
}

pub(crate) fn is_test_path(path: &str) -> bool {
    path.starts_with("crates/testkit/")
        || path.starts_with("crates/handmade/")
        || path.starts_with("crates/xtask/")
        || path.starts_with("fuzz/")
        || path
            .split('/')
            .any(|part| ["tests", "tests.rs", "benches", "examples"].contains(&part))
}

/// The crate that a path belongs to: `crates/<name>/…`.
pub(crate) fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}

pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Offsets of `word` in `text` where it stands alone: no letter or digit on either side.
pub(crate) fn words(text: &str, word: &str) -> Vec<usize> {
    let alone = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    text.match_indices(word)
        .filter(|(at, _)| {
            alone(text[..*at].chars().next_back()) && alone(text[at + word.len()..].chars().next())
        })
        .map(|(at, _)| at)
        .collect()
}

/// What a stretch of source is.
#[derive(Clone, Copy, PartialEq)]
enum Stretch {
    Code,
    Comment,
    String,
}

/// Cuts source into stretches of code, comments and literals.
fn stretches(source: &str) -> Vec<(Stretch, &str)> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let (mut code_from, mut at) = (0, 0);
    while at < bytes.len() {
        let rest = &source[at..];
        let previous = source[..at].chars().next_back();
        let in_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (stretch, length) = if rest.starts_with("//") {
            (Stretch::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Stretch::Comment, block_comment(rest))
        } else if rest.starts_with('"') {
            (Stretch::String, string(rest))
        } else if let Some(length) = raw_string(rest).filter(|_| !in_word) {
            (Stretch::String, length)
        } else if let Some(length) = character(rest) {
            (Stretch::String, length)
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        found.push((Stretch::Code, &source[code_from..at]));
        found.push((stretch, &source[at..at + length]));
        at += length;
        code_from = at;
    }
    found.push((Stretch::Code, &source[code_from..]));
    found
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let opening = rest.len() - after.len() + hashes + 1;
    let closing = rest[opening..].find(&end)?;
    Some(opening + closing + end.len())
}

/// A character literal, which a lifetime is not.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    let mut chars = inner.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let from = inner.char_indices().nth(2)?.0;
        return Some(1 + from + inner[from..].find('\'')? + 1);
    }
    match chars.next()? {
        (at, '\'') => Some(1 + at + 1),
        _ => None,
    }
}

fn blank(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect()
}

fn keep(source: &str, kept: &[Stretch]) -> String {
    stretches(source)
        .into_iter()
        .map(|(stretch, text)| {
            if kept.contains(&stretch) {
                text.to_owned()
            } else {
                blank(text)
            }
        })
        .collect()
}

pub(crate) fn without_comments(source: &str) -> String {
    keep(source, &[Stretch::Code, Stretch::String])
}

pub(crate) fn code_only(source: &str) -> String {
    keep(source, &[Stretch::Code])
}

/// Blanks each item under `#[cfg(test)]`, to its closing brace or semicolon.
pub(crate) fn without_tests(source: &str) -> String {
    // Brackets are counted where strings are blank; the two texts need not have the same length
    // in bytes, so positions are counted in characters.
    let code: Vec<char> = code_only(source).chars().collect();
    let mut kept: Vec<char> = source.chars().collect();
    let attribute: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut at = 0;
    while at + attribute.len() <= code.len() {
        if code[at..at + attribute.len()] != attribute[..] {
            at += 1;
            continue;
        }
        let end = end_of_item(&code, at + attribute.len());
        for c in &mut kept[at..end] {
            if *c != '\n' {
                *c = ' ';
            }
        }
        at = end;
    }
    kept.into_iter().collect()
}

fn end_of_item(code: &[char], from: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code.iter().enumerate().skip(from) {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn comments_go_and_strings_stay() {
    let source =
        "let a = \"// not one\"; // one\nlet b = '\"'; /* a /* nested */ one */ let c = 'x';\n";
    let kept = without_comments(source);
    assert!(kept.contains("\"// not one\""));
    assert!(!kept.contains("// one"));
    assert!(!kept.contains("nested"));
    assert!(kept.contains("let c = 'x';"));
    assert_eq!(kept.matches('\n').count(), 2);
}

#[test]
fn strings_go_and_lifetimes_stay() {
    let kept = code_only("fn f<'a>(x: &'a str) { g(r#\"env::var \"quoted\" \"#, '\\'', \"Àn\"); }");
    assert!(kept.contains("<'a>(x: &'a str)"));
    assert!(!kept.contains("env"));
    assert!(!kept.contains("quoted"));
    assert!(kept.ends_with("); }"));
}

#[test]
fn test_items_go_and_what_follows_stays() {
    let source = "fn a() {}\n#[cfg(test)]\nmod tests { fn t() { \"}\"; } }\n#[cfg(test)]\nmod more;\nfn b() {}\n";
    let kept = without_tests(source);
    assert!(!kept.contains("mod"));
    assert!(kept.contains("fn a() {}"));
    assert!(kept.contains("fn b() {}"));
    assert_eq!(line_of(&kept, kept.find("fn b").unwrap()), 6);
}

#[test]
fn a_module_for_tests_in_a_file_of_its_own_is_found() {
    let file = |path: &str| {
        TextFile {
        path: path.to_owned(),
        text: "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\npub(crate) mod c;\n#[cfg(test)]\nmod tests {}\n"
            .to_owned(),
    }
    };
    assert_eq!(
        modules_for_tests(&file("crates/x/src/lib.rs")),
        ["crates/x/src/b", "crates/x/src/c"]
    );
    assert_eq!(
        modules_for_tests(&file("crates/x/src/y.rs")),
        ["crates/x/src/y/b", "crates/x/src/y/c"]
    );
}

#[test]
fn a_word_stands_alone() {
    assert_eq!(words("fife, fifer, a_fife_b", "fife").len(), 2);
}
