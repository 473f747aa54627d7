//! Rule ids are kept for ever, so no two rules of a folder share one, written or following from a property.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::document::Document;
use super::fault::Faults;
use super::rules;
use super::table::TableDraft;
#[cfg(test)]
use crate::ReturnSpec;
use crate::{Item, ItemKind};

pub(super) fn check(rules: Option<&Document>, tables: &[TableDraft], faults: &mut Faults) {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for table in tables {
        let duplicate = format!("{}.duplicate", table.name);
        taken.insert(duplicate, format!("the keys of {}", table.name));
        for item in &table.items {
            for what in whats(item) {
                let id = rule_id(&table.name, item, what);
                taken.insert(id, format!("the item {}", item.name));
            }
        }
    }
    let mut claim = |id: &str, file: PathBuf, place: String, faults: &mut Faults| {
        let here = if place.is_empty() {
            file.display().to_string()
        } else {
            format!("{}, {place}", file.display())
        };
        if let Some(owner) = taken.get(id) {
            faults.add(
                file,
                place,
                format!("the rule id \"{id}\" is taken by {owner}"),
            );
        } else {
            taken.insert(id.to_owned(), here);
        }
    };
    for table in tables {
        for (idx, condition) in table.conditions.iter().enumerate() {
            let file = PathBuf::from(format!("tables/{}.schema.json", table.name));
            let place = format!("/allOf/{idx}/x-rule");
            claim(&condition.rule, file, place, faults);
        }
    }
    if let Some(document) = rules {
        for (pointer, id) in rules::ids(document) {
            claim(&id, document.file.clone(), document.place(&pointer), faults);
        }
    }
}

/// Every rule id of a version, written or following from a property.
#[cfg(test)]
pub(super) fn of(spec: &ReturnSpec) -> std::collections::BTreeSet<String> {
    let mut ids: std::collections::BTreeSet<String> =
        spec.rules.iter().map(|rule| rule.id.clone()).collect();
    for table in &spec.tables {
        ids.insert(format!("{}.duplicate", table.name));
        ids.extend(
            table
                .conditions
                .iter()
                .map(|condition| condition.rule.clone()),
        );
        for item in &table.items {
            let whats = whats(item).into_iter();
            ids.extend(whats.map(|what| rule_id(&table.name, item, what)));
        }
    }
    ids
}

/// `case.appdate-not-a-date`.
fn rule_id(table: &str, item: &Item, what: &str) -> String {
    let item = item.name.to_lowercase().replace('_', "-");
    format!("{table}.{item}-{what}")
}

/// What can be wrong with a value by itself.
fn whats(item: &Item) -> Vec<&'static str> {
    let mut whats = vec![
        "cell-error",
        "not-calculated",
        "given-twice",
        "changed-into-a-date",
        "normalised",
        "not-applicable",
    ];
    whats.extend(match item.kind {
        ItemKind::Text => ["not-text"].as_slice(),
        ItemKind::Integer => ["not-a-number", "not-a-whole-number"].as_slice(),
        ItemKind::Decimal { .. } => ["not-a-number", "too-many-decimals"].as_slice(),
        ItemKind::Date => ["not-a-date"].as_slice(),
        ItemKind::Boolean => ["not-yes-or-no"].as_slice(),
    });
    if item.required {
        whats.push("missing");
    }
    if item.codes.is_some() {
        whats.extend(["not-in-list", "code-not-in-force"]);
    }
    let keywords = item
        .schema
        .as_object()
        .into_iter()
        .flat_map(|schema| schema.keys());
    whats.extend(keywords.filter_map(|keyword| match keyword.as_str() {
        "enum" => Some("not-allowed"),
        "pattern" => Some("wrong-format"),
        "minLength" => Some("too-short"),
        "maxLength" => Some("too-long"),
        "minimum" | "exclusiveMinimum" => Some("too-small"),
        "maximum" | "exclusiveMaximum" => Some("too-large"),
        _ => None,
    }));
    whats
}
