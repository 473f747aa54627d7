//! `tables/<table>.schema.json`: what one record is.

use std::path::Path;

use jsonschema::{Draft, PatternOptions};
use serde_json::{Value, json};

use super::codes::Lists;
use super::document::{Document, step};
use super::fault::Faults;
use super::folder::Folder;
use super::format::{self, FileKind};
use super::property;
use super::returns::Sources;
use crate::{Condition, Item, ItemKind};

/// What a record schema says, as far as it could be read.
#[derive(Debug)]
pub(crate) struct RecordDraft {
    pub(crate) document: Document,
    /// Every property's name, whether or not it could be read.
    pub(crate) names: Vec<String>,
    /// Those that could be read.
    pub(crate) items: Vec<Item>,
    pub(crate) conditions: Vec<Condition>,
}

pub(crate) fn read(
    folder: &mut Folder,
    lists: &mut Lists,
    table: &str,
    sources: &Sources,
    faults: &mut Faults,
) -> Option<RecordDraft> {
    let file = format!("tables/{table}.schema.json");
    let text = folder.text(&file, faults)?;
    let mut document = Document::parse_json(Path::new(&file), &text, faults)?;
    let n_before = faults.len();
    format::check(FileKind::Record, &mut document, faults);
    if faults.len() == n_before {
        check_meta_schema(&document, faults);
    }
    check_patterns(&document, &document.value, "", faults);
    let names: Vec<String> = document
        .value
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    check_names(&names, &document, faults);
    let required: Vec<String> = document.part("/required", faults).unwrap_or_default();
    for (idx, item) in required.iter().enumerate() {
        if !names.contains(item) {
            let why = format!("there is no item \"{item}\"");
            document.fault(faults, &format!("/required/{idx}"), why);
        }
    }
    let mut items = Vec::new();
    for name in &names {
        if let Some(item) = property::read(name, &document, folder, lists, sources, faults) {
            items.push(Item {
                required: required.contains(name),
                ..item
            });
        }
    }
    check_as_at(&items, &names, &document, faults);
    let mut draft = RecordDraft {
        document,
        names,
        items,
        conditions: Vec::new(),
    };
    draft.conditions = super::condition::read(table, &draft, sources, faults);
    Some(draft)
}

/// The format's schema is narrower than the meta-schema; this is the word of the standard itself.
fn check_meta_schema(document: &Document, faults: &mut Faults) {
    let validator = jsonschema::draft202012::meta::validator();
    for error in validator.iter_errors(&document.value) {
        let why = format!("not JSON Schema 2020-12: {error}");
        document.fault(faults, error.instance_path().as_str(), why);
    }
}

/// Every pattern compiles with the engine that is used when checking, which never backtracks.
fn check_patterns(document: &Document, value: &Value, pointer: &str, faults: &mut Faults) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let inner = step(pointer, name);
                match member.as_str() {
                    Some(pattern) if name == "pattern" => {
                        let example = value.pointer("/x-form/example");
                        check_pattern(document, pattern, example, &inner, faults);
                    }
                    _ => check_patterns(document, member, &inner, faults),
                }
            }
        }
        Value::Array(elements) => {
            for (idx, element) in elements.iter().enumerate() {
                check_patterns(document, element, &format!("{pointer}/{idx}"), faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `example` is what the item shows to whoever got it wrong.
fn check_pattern(
    document: &Document,
    pattern: &str,
    example: Option<&Value>,
    pointer: &str,
    faults: &mut Faults,
) {
    let compiled = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(&json!({ "pattern": pattern }));
    let why = match (compiled, example) {
        (Err(_), _) => format!(
            "{} is not a pattern; look-around and back-references can't be used",
            Value::from(pattern)
        ),
        (Ok(compiled), Some(example)) if !compiled.is_valid(example) => {
            format!("the example of its form, {example}, does not have it")
        }
        (Ok(_), _) => return,
    };
    document.fault(faults, pointer, why);
}

fn check_names(names: &[String], document: &Document, faults: &mut Faults) {
    for (idx, name) in names.iter().enumerate() {
        if let Some(earlier) = names[..idx]
            .iter()
            .find(|earlier| earlier.eq_ignore_ascii_case(name))
        {
            let why = format!("differs from \"{earlier}\" only by case");
            document.fault(faults, &step("/properties", name), why);
        }
    }
}

fn check_as_at(items: &[Item], names: &[String], document: &Document, faults: &mut Faults) {
    for item in items {
        let Some(as_at) = item.codes.as_ref().and_then(|codes| codes.as_at.as_ref()) else {
            continue;
        };
        let why = match items.iter().find(|other| other.name == *as_at) {
            Some(other) if other.kind == ItemKind::Date => continue,
            Some(_) => format!("\"{as_at}\" is not a date"),
            None if names.contains(as_at) => continue,
            None => format!("there is no item \"{as_at}\""),
        };
        let pointer = format!("{}/x-codes/as_at", step("/properties", &item.name));
        document.fault(faults, &pointer, why);
    }
}
