//! What the schema says of one value: enum, pattern, length, range.
//!
//! # Why it matters
//! The schema is the single source of what a value may be; it is checked column by column.

use finding::{Finding, Severity};
use frame::{Frame, item_rule};
use serde_json::Value as Json;
use spec::{Item, ItemKind, TableSpec};

use crate::schema::{Unbuildable, ValueSchema};
use crate::{CheckError, Wrong, line_prefix, placed};

/// Keywords that decide something beyond the type, which the frame already holds.
/// A value that several refuse is told of the first.
const DECIDING: [&str; 9] = [
    "const",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
];

/// What is wrong in an item's column.
pub(crate) fn check(
    table: &TableSpec,
    item: &Item,
    item_idx: usize,
    frame: &Frame,
) -> Result<Wrong, CheckError> {
    // By record, each with the first keyword that refuses its value.
    let mut refused = Vec::new();
    for (nth, keyword) in DECIDING.into_iter().enumerate() {
        if let Some(asked) = item.schema.get(keyword) {
            let schema = compile(table, item, keyword, asked)?;
            let passes = schema.passes(&frame.values[item_idx]);
            refused.extend(passes.not().idxs().map(|record_idx| (record_idx, nth)));
        }
    }
    refused.sort_unstable();
    refused.dedup_by_key(|(record_idx, _)| *record_idx);
    let mut wrong = Wrong::default();
    for (record_idx, nth) in refused {
        let keyword = DECIDING[nth];
        let shown = frame.shown(item, item_idx, record_idx).unwrap_or_default();
        let (what, message, fix) = words(item, &shown, keyword, &item.schema[keyword]);
        let finding = Finding::new(
            item_rule(table, item, what),
            Severity::Error,
            format!("{}{message}", line_prefix(table, frame, record_idx)),
            fix,
        );
        let finding = placed(finding, table, frame, item, item_idx, record_idx);
        wrong.push(record_idx, finding);
    }
    Ok(wrong)
}

fn compile(
    table: &TableSpec,
    item: &Item,
    keyword: &str,
    asked: &Json,
) -> Result<ValueSchema, CheckError> {
    let schema = serde_json::json!({ keyword: asked });
    ValueSchema::compile(&schema, item.kind).map_err(|Unbuildable(why)| CheckError::Schema {
        place: format!("{}.{}", table.name, item.name),
        why,
    })
}

/// Rule, message and fix for a value that a keyword refuses.
fn words(item: &Item, shown: &str, keyword: &str, asked: &Json) -> (&'static str, String, String) {
    let title = &item.title;
    let is = format!("{title} is {}", quoted(item, shown));
    match keyword {
        "minimum" => (
            "too-small",
            format!("{is}, which is less than {asked}."),
            format!("Enter a figure of {asked} or more."),
        ),
        "exclusiveMinimum" => (
            "too-small",
            format!("{is}, which is not more than {asked}."),
            format!("Enter a figure above {asked}."),
        ),
        "maximum" => (
            "too-large",
            format!("{is}, which is more than {asked}."),
            format!("Enter a figure of {asked} or less."),
        ),
        "exclusiveMaximum" => (
            "too-large",
            format!("{is}, which is not less than {asked}."),
            format!("Enter a figure below {asked}."),
        ),
        "minLength" => (
            "too-short",
            format!("{is}, which has fewer than {asked} characters."),
            format!("Enter at least {asked} characters."),
        ),
        "maxLength" => (
            "too-long",
            format!("{title} has more than {asked} characters."),
            format!("Shorten it to {asked} characters."),
        ),
        "enum" => (
            "not-allowed",
            format!("{is}, which is not one of the values that are allowed."),
            format!("Use one of: {}.", listed(asked)),
        ),
        "const" => (
            "not-allowed",
            format!("{is}, but has to be {asked}."),
            format!("Enter {asked}."),
        ),
        _ => {
            let form = |part| {
                item.schema
                    .pointer(part)
                    .and_then(Json::as_str)
                    .unwrap_or_default()
            };
            (
                "wrong-format",
                format!("{is}, but has to be {}.", form("/x-form/words")),
                format!(
                    "Enter it in that form, such as {}.",
                    form("/x-form/example")
                ),
            )
        }
    }
}

fn quoted(item: &Item, shown: &str) -> String {
    match item.kind {
        ItemKind::Text => format!("\"{shown}\""),
        _ => shown.to_owned(),
    }
}

fn listed(options: &Json) -> String {
    options
        .as_array()
        .into_iter()
        .flatten()
        .map(|option| match option {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}
