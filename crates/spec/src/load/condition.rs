//! The members of a record schema's `allOf`: rules that JSON Schema expresses.

use chrono::NaiveDate;
use finding::Severity;
use serde::Deserialize;
use serde_json::Value;

use super::document::{Document, step};
use super::fault::Faults;
use super::message;
use super::property::{describe, is_value_of};
use super::record::RecordDraft;
use super::returns::Sources;
use crate::{Condition, Confidence, InForce, Item, Provenance};

/// A member's annotations; the schema beside them stays as it is.
#[derive(Debug, Deserialize)]
struct ConditionDocument {
    #[serde(rename = "x-rule")]
    rule: String,
    #[serde(rename = "x-severity")]
    severity: Severity,
    #[serde(rename = "x-items")]
    items: Vec<String>,
    #[serde(rename = "x-message")]
    message: String,
    #[serde(rename = "x-fix")]
    fix: String,
    #[serde(rename = "x-source")]
    source: String,
    #[serde(rename = "x-confidence")]
    confidence: Confidence,
    #[serde(rename = "x-valid-from")]
    valid_from: Option<NaiveDate>,
    #[serde(rename = "x-valid-to")]
    valid_to: Option<NaiveDate>,
    #[serde(rename = "x-trial", default)]
    trial: bool,
}

pub(crate) fn read(
    table: &str,
    record: &RecordDraft,
    sources: &Sources,
    faults: &mut Faults,
) -> Vec<Condition> {
    let document = &record.document;
    let members = document.value.get("allOf").and_then(Value::as_array);
    let mut conditions = Vec::new();
    for (idx, schema) in members.into_iter().flatten().enumerate() {
        let pointer = format!("/allOf/{idx}");
        let Some(said) = document.part::<ConditionDocument>(&pointer, faults) else {
            continue;
        };
        sources.check(
            &said.source,
            document,
            &format!("{pointer}/x-source"),
            faults,
        );
        if said.rule.split('.').next() != Some(table) {
            let why = format!("\"{}\" has to start with \"{table}.\"", said.rule);
            document.fault(faults, &format!("{pointer}/x-rule"), why);
        }
        if let (Some(first), Some(last)) = (said.valid_from, said.valid_to)
            && last < first
        {
            let why = format!("{last} is before x-valid-from, {first}");
            document.fault(faults, &format!("{pointer}/x-valid-to"), why);
        }
        for (item_idx, item) in said.items.iter().enumerate() {
            check_item(
                record,
                item,
                &format!("{pointer}/x-items/{item_idx}"),
                faults,
            );
        }
        for (name, text) in [("x-message", &said.message), ("x-fix", &said.fix)] {
            let is_item = |name: &str| record.names.iter().any(|item| item == name);
            for why in message::faults_of(text, is_item) {
                document.fault(faults, &format!("{pointer}/{name}"), why);
            }
        }
        let mut reads = Vec::new();
        walk(record, schema, &pointer, &mut reads, faults);
        if reads.is_empty() {
            let why = "mentions no item, so it says nothing";
            document.fault(faults, &pointer, why);
        }
        conditions.push(Condition {
            rule: said.rule,
            severity: said.severity,
            items: said.items,
            reads,
            message: said.message,
            fix: said.fix,
            in_force: InForce {
                from: said.valid_from,
                to: said.valid_to,
            },
            trial: said.trial,
            schema: schema.clone(),
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        });
    }
    conditions
}

fn check_item(record: &RecordDraft, item: &str, pointer: &str, faults: &mut Faults) -> bool {
    let known = record.names.iter().any(|name| name == item);
    if !known {
        let why = format!("there is no item \"{item}\"");
        record.document.fault(faults, pointer, why);
    }
    known
}

/// Collects every item that a schema of the record mentions.
fn walk(
    record: &RecordDraft,
    schema: &Value,
    pointer: &str,
    reads: &mut Vec<String>,
    faults: &mut Faults,
) {
    let mut read = |item: &str, pointer: &str, faults: &mut Faults| {
        if check_item(record, item, pointer, faults) && !reads.iter().any(|known| known == item) {
            reads.push(item.to_owned());
        }
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (item, value) in properties.into_iter().flatten() {
        let inner = step(&format!("{pointer}/properties"), item);
        read(item, &inner, faults);
        if let Some(item) = record.items.iter().find(|known| known.name == *item) {
            check_values(item, value, &record.document, &inner, faults);
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for (idx, item) in required.into_iter().flatten().enumerate() {
        let item = item.as_str().unwrap_or_default();
        read(item, &format!("{pointer}/required/{idx}"), faults);
    }
    let dependent = schema.get("dependentRequired").and_then(Value::as_object);
    for (item, needs) in dependent.into_iter().flatten() {
        let inner = step(&format!("{pointer}/dependentRequired"), item);
        read(item, &inner, faults);
        for (idx, need) in needs.as_array().into_iter().flatten().enumerate() {
            let need = need.as_str().unwrap_or_default();
            read(need, &format!("{inner}/{idx}"), faults);
        }
    }
    for keyword in ["if", "then", "else", "not"] {
        if let Some(part) = schema.get(keyword) {
            walk(record, part, &format!("{pointer}/{keyword}"), reads, faults);
        }
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get(keyword).and_then(Value::as_array);
        for (idx, part) in parts.into_iter().flatten().enumerate() {
            walk(
                record,
                part,
                &format!("{pointer}/{keyword}/{idx}"),
                reads,
                faults,
            );
        }
    }
}

/// A value that the item never has would make the condition silently mean nothing.
fn check_values(
    item: &Item,
    schema: &Value,
    document: &Document,
    pointer: &str,
    faults: &mut Faults,
) {
    let mut check = |value: &Value, pointer: &str| {
        let is_code = |code: &str| item.codes.as_ref().is_none_or(|codes| codes.list.has(code));
        let is_option = item
            .schema
            .get("enum")
            .and_then(Value::as_array)
            .is_none_or(|options| options.contains(value));
        if !is_value_of(item.kind, value) {
            let why = format!(
                "{value} is not {}, as {} is",
                describe(item.kind),
                item.name
            );
            document.fault(faults, pointer, why);
        } else if !value.as_str().is_none_or(is_code) || !is_option {
            let why = format!("{value} is not a value of {}", item.name);
            document.fault(faults, pointer, why);
        }
    };
    if let Some(value) = schema.get("const") {
        check(value, &format!("{pointer}/const"));
    }
    let options = schema.get("enum").and_then(Value::as_array);
    for (idx, value) in options.into_iter().flatten().enumerate() {
        check(value, &format!("{pointer}/enum/{idx}"));
    }
    if let Some(inner) = schema.get("not") {
        check_values(item, inner, document, &format!("{pointer}/not"), faults);
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get(keyword).and_then(Value::as_array);
        for (idx, part) in parts.into_iter().flatten().enumerate() {
            let inner = format!("{pointer}/{keyword}/{idx}");
            check_values(item, part, document, &inner, faults);
        }
    }
}
