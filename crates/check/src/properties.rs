//! What the schema says of one value: enum, pattern, length, range.
//!
//! # Why it matters
//! The schema is the single source of what a value may be; the jsonschema crate gives the verdict.

use std::collections::HashMap;

use finding::{Finding, Severity};
use frame::{Frame, Value, item_rule};
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use spec::{Item, ItemKind, TableSpec};

use crate::{CheckError, line_prefix, placed};

/// Keywords that decide something beyond the type, which the frame already holds.
const DECIDING: [&str; 9] = [
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

/// The findings of an item's column, each with its item and record position.
pub(crate) fn check(
    table: &TableSpec,
    item: &Item,
    item_idx: usize,
    frame: &Frame,
) -> Result<Vec<(usize, usize, Finding)>, CheckError> {
    let Some(validator) = compile(table, item)? else {
        return Ok(Vec::new());
    };
    let mut verdicts: HashMap<Value<'_>, Option<(&'static str, String, String)>> = HashMap::new();
    let mut findings = Vec::new();
    for record_idx in 0..frame.n_records() {
        let Some(value) = frame.values[item_idx].get(record_idx) else {
            continue;
        };
        let verdict = verdicts.entry(value).or_insert_with_key(|value| {
            let json = to_json(value, frame.values[item_idx].scale());
            let shown = frame.shown(item, item_idx, record_idx).unwrap_or_default();
            validator
                .iter_errors(&json)
                .next()
                .map(|error| words(item, &shown, &error))
        });
        let Some((what, message, fix)) = verdict else {
            continue;
        };
        let finding = Finding::new(
            item_rule(table, item, what),
            Severity::Error,
            format!("{}{message}", line_prefix(table, frame, record_idx)),
            fix.as_str(),
        );
        findings.push((
            item_idx,
            record_idx,
            placed(finding, table, frame, item, item_idx, record_idx),
        ));
    }
    Ok(findings)
}

fn compile(table: &TableSpec, item: &Item) -> Result<Option<Validator>, CheckError> {
    let Some(schema) = item.schema.as_object() else {
        return Ok(None);
    };
    let deciding: serde_json::Map<_, _> = schema
        .iter()
        .filter(|(keyword, _)| DECIDING.contains(&keyword.as_str()))
        .map(|(keyword, value)| (keyword.clone(), value.clone()))
        .collect();
    if deciding.is_empty() {
        return Ok(None);
    }
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(&serde_json::Value::Object(deciding))
        .map(Some)
        .map_err(|error| CheckError::Schema {
            place: format!("{}.{}", table.name, item.name),
            why: error.to_string(),
        })
}

/// A typed value as JSON sees it: dates as ISO text, decimals as numbers.
pub(crate) fn to_json(value: &Value<'_>, scale: u8) -> serde_json::Value {
    match value {
        Value::Text(text) => serde_json::Value::String(text.clone().into_owned()),
        Value::Integer(integer) => serde_json::Value::from(*integer),
        Value::Decimal(_) => value
            .plain(scale)
            .parse::<f64>()
            .map_or(serde_json::Value::Null, serde_json::Value::from),
        Value::Date(_) => serde_json::Value::String(value.plain(scale)),
        Value::Boolean(boolean) => serde_json::Value::Bool(*boolean),
    }
}

/// Rule, message and fix for a value the schema refuses.
fn words(item: &Item, shown: &str, error: &ValidationError<'_>) -> (&'static str, String, String) {
    let title = &item.title;
    let is = format!("{title} is {}", quoted(item, shown));
    match error.kind() {
        Kind::Minimum { limit } => (
            "too-small",
            format!("{is}, which is less than {limit}."),
            format!("Enter a figure of {limit} or more."),
        ),
        Kind::ExclusiveMinimum { limit } => (
            "too-small",
            format!("{is}, which is not more than {limit}."),
            format!("Enter a figure above {limit}."),
        ),
        Kind::Maximum { limit } => (
            "too-large",
            format!("{is}, which is more than {limit}."),
            format!("Enter a figure of {limit} or less."),
        ),
        Kind::ExclusiveMaximum { limit } => (
            "too-large",
            format!("{is}, which is not less than {limit}."),
            format!("Enter a figure below {limit}."),
        ),
        Kind::MinLength { limit } => (
            "too-short",
            format!("{is}, which has fewer than {limit} characters."),
            format!("Enter at least {limit} characters."),
        ),
        Kind::MaxLength { limit } => (
            "too-long",
            format!("{title} has more than {limit} characters."),
            format!("Shorten it to {limit} characters."),
        ),
        Kind::Enum { options } => (
            "not-allowed",
            format!("{is}, which is not one of the values that are allowed."),
            format!("Use one of: {}.", listed(options)),
        ),
        Kind::Constant { expected_value } => (
            "not-allowed",
            format!("{is}, but has to be {expected_value}."),
            format!("Enter {expected_value}."),
        ),
        _ => (
            "wrong-format",
            format!("{is}, which is not in the form that is expected."),
            form_wanted(item),
        ),
    }
}

fn form_wanted(item: &Item) -> String {
    let example = item
        .schema
        .get("examples")
        .and_then(|examples| examples.get(0))
        .and_then(serde_json::Value::as_str);
    match example {
        Some(example) => format!("Enter it in the form of {example}."),
        None => {
            let sentence = item
                .description
                .split_once(". ")
                .map_or(item.description.trim_end_matches('.'), |(sentence, _)| {
                    sentence
                });
            format!("Enter it as described: {sentence}.")
        }
    }
}

fn quoted(item: &Item, shown: &str) -> String {
    match item.kind {
        ItemKind::Text => format!("\"{shown}\""),
        _ => shown.to_owned(),
    }
}

fn listed(options: &serde_json::Value) -> String {
    options
        .as_array()
        .into_iter()
        .flatten()
        .map(|option| match option {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}
