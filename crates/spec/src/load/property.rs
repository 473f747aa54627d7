//! One property of a record schema: a data item.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::codes::{Listed, Lists};
use super::document::{Document, step};
use super::fault::Faults;
use super::folder::Folder;
use super::returns::Sources;
use crate::{CodeList, CodeRef, Confidence, DateFormat, Item, ItemKind, Provenance};

/// The keywords that the format allows; ranges and lengths are looked at in the JSON itself.
#[derive(Debug, Deserialize)]
struct PropertyDocument {
    title: String,
    description: String,
    #[serde(rename = "type")]
    kind: TypeName,
    format: Option<String>,
    #[serde(rename = "multipleOf")]
    multiple_of: Option<f64>,
    #[serde(rename = "x-codes")]
    codes: Option<CodesDocument>,
    #[serde(rename = "x-unit")]
    unit: Option<String>,
    #[serde(rename = "x-date-formats", default)]
    date_formats: Vec<DateFormatName>,
    #[serde(rename = "x-aliases-of-values", default)]
    value_aliases: BTreeMap<String, String>,
    #[serde(rename = "x-source")]
    source: String,
    #[serde(rename = "x-confidence")]
    confidence: Confidence,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TypeName {
    String,
    Integer,
    Number,
    Boolean,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesDocument {
    list: String,
    as_at: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum DateFormatName {
    #[serde(rename = "DDMMYYYY")]
    Digits,
    #[serde(rename = "YYYY-MM-DD")]
    Iso,
    #[serde(rename = "DD/MM/YYYY")]
    Slashed,
}

/// `None` where something is wrong with it.
pub(crate) fn read(
    name: &str,
    document: &Document,
    folder: &mut Folder,
    lists: &mut Lists,
    sources: &Sources,
    faults: &mut Faults,
) -> Option<Item> {
    let pointer = step("/properties", name);
    let n_before = faults.len();
    let said: PropertyDocument = document.part(&pointer, faults)?;
    let schema = document.value.pointer(&pointer)?;
    sources.check(
        &said.source,
        document,
        &format!("{pointer}/x-source"),
        faults,
    );
    let kind = kind(&said, document, &pointer, faults);
    let codes = codes(
        said.codes,
        document,
        &pointer,
        (folder, lists),
        sources,
        faults,
    );
    if let Some(kind) = kind {
        check_fit(kind, schema, document, &pointer, faults);
        let list = codes.as_ref().map(|codes| &codes.list);
        check_aliases(kind, &said.value_aliases, schema, list, |alias, why| {
            let at = step(&format!("{pointer}/x-aliases-of-values"), alias);
            document.fault(faults, &at, why);
        });
    }
    check_limits(schema, document, &pointer, faults);
    (faults.len() == n_before).then(|| {
        Some(Item {
            name: name.to_owned(),
            title: said.title,
            description: said.description,
            kind: kind?,
            schema: schema.clone(),
            required: false,
            codes,
            unit: said.unit,
            date_formats: said.date_formats.into_iter().map(date_format).collect(),
            value_aliases: said.value_aliases,
            headings: Vec::new(),
            blank_markers: Vec::new(),
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        })
    })?
}

fn date_format(name: DateFormatName) -> DateFormat {
    match name {
        DateFormatName::Digits => DateFormat::Digits,
        DateFormatName::Iso => DateFormat::Iso,
        DateFormatName::Slashed => DateFormat::Slashed,
    }
}

fn kind(
    said: &PropertyDocument,
    document: &Document,
    pointer: &str,
    faults: &mut Faults,
) -> Option<ItemKind> {
    let kind = match (said.kind, &said.format) {
        (TypeName::String, Some(_)) => ItemKind::Date,
        (_, Some(_)) => {
            let why = "\"format\" is for a string";
            document.fault(faults, &format!("{pointer}/format"), why);
            return None;
        }
        (TypeName::String, None) => ItemKind::Text,
        (TypeName::Integer, None) => ItemKind::Integer,
        (TypeName::Boolean, None) => ItemKind::Boolean,
        (TypeName::Number, None) => {
            let Some(step) = said.multiple_of else {
                let why = "a number needs \"multipleOf\" (0.1, 0.01 …), which says how many places it has";
                document.fault(faults, pointer, why);
                return None;
            };
            let Some(scale) = scale_of(step) else {
                let why = format!("{step} is not one of 1, 0.1, 0.01 … 0.000000001");
                document.fault(faults, &format!("{pointer}/multipleOf"), why);
                return None;
            };
            ItemKind::Decimal { scale }
        }
    };
    Some(kind)
}

/// The places of 1, 0.1, 0.01 …, at most 9.
fn scale_of(step: f64) -> Option<u8> {
    (0..=9_u8).find(|scale| {
        format!("1e-{scale}")
            .parse::<f64>()
            .is_ok_and(|power| power.to_bits() == step.to_bits())
    })
}

fn codes(
    said: Option<CodesDocument>,
    document: &Document,
    pointer: &str,
    (folder, lists): (&mut Folder, &mut Lists),
    sources: &Sources,
    faults: &mut Faults,
) -> Option<CodeRef> {
    let said = said?;
    match lists.get(folder, &said.list, sources, faults) {
        Listed::Read(list) => Some(CodeRef {
            list,
            as_at: said.as_at,
        }),
        Listed::Faulty => None,
        Listed::Missing(file) => {
            let why = format!("there is no {file}");
            document.fault(faults, &format!("{pointer}/x-codes/list"), why);
            None
        }
    }
}

/// Keywords that mean nothing for the item's type.
fn check_fit(
    kind: ItemKind,
    schema: &Value,
    document: &Document,
    pointer: &str,
    faults: &mut Faults,
) {
    for keyword in schema
        .as_object()
        .into_iter()
        .flat_map(|schema| schema.keys())
    {
        let (fits, fitting) = match keyword.as_str() {
            "pattern" | "x-form" | "minLength" | "maxLength" | "x-codes" => {
                (kind == ItemKind::Text, "a text")
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "x-unit" => {
                (is_numeric(kind), "an integer or number")
            }
            "multipleOf" => (matches!(kind, ItemKind::Decimal { .. }), "a number"),
            "x-date-formats" => (kind == ItemKind::Date, "a date"),
            "x-aliases-of-values" => (kind != ItemKind::Date, "anything but a date"),
            "enum" => (
                kind == ItemKind::Text || is_numeric(kind),
                "a text, integer or number",
            ),
            _ => continue,
        };
        if !fits {
            let why = format!("\"{keyword}\" is for {fitting}");
            document.fault(faults, &format!("{pointer}/{keyword}"), why);
        }
    }
    if schema.get("enum").is_some() && schema.get("x-codes").is_some() {
        let why = "\"enum\" and \"x-codes\" both say which values there are; keep one";
        document.fault(faults, &format!("{pointer}/enum"), why);
    }
    let options = schema.get("enum").and_then(Value::as_array);
    for (idx, option) in options.into_iter().flatten().enumerate() {
        if !is_value_of(kind, option) {
            let why = format!("{option} is not {}", describe(kind));
            document.fault(faults, &format!("{pointer}/enum/{idx}"), why);
        }
    }
}

pub(crate) fn is_numeric(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Integer | ItemKind::Decimal { .. })
}

/// Whether a JSON value can be the value of an item of this kind.
pub(crate) fn is_value_of(kind: ItemKind, value: &Value) -> bool {
    match kind {
        ItemKind::Text => value.is_string(),
        ItemKind::Integer => value.is_i64() || value.is_u64(),
        ItemKind::Decimal { .. } => value.is_number(),
        ItemKind::Date => value
            .as_str()
            .is_some_and(|text| crate::code_list::iso_date(text).is_some()),
        ItemKind::Boolean => value.is_boolean(),
    }
}

pub(crate) fn describe(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Text => "a text",
        ItemKind::Integer => "a whole number",
        ItemKind::Decimal { .. } => "a number",
        ItemKind::Date => "an ISO date",
        ItemKind::Boolean => "true or false",
    }
}

/// An alias stands for a right value, and is none itself.
fn check_aliases(
    kind: ItemKind,
    aliases: &BTreeMap<String, String>,
    schema: &Value,
    list: Option<&CodeList>,
    mut fault: impl FnMut(&str, String),
) {
    let options: Option<Vec<&str>> = schema
        .get("enum")
        .and_then(Value::as_array)
        .map(|options| options.iter().filter_map(Value::as_str).collect());
    let is_right = |value: &str| match kind {
        ItemKind::Text => match (list, &options) {
            (Some(list), _) => Some(list.has(value)),
            (None, Some(options)) => Some(options.contains(&value)),
            (None, None) => None,
        },
        ItemKind::Integer => Some(value.parse::<i64>().is_ok()),
        ItemKind::Decimal { .. } => Some(value.parse::<f64>().is_ok()),
        ItemKind::Boolean => Some(matches!(value, "true" | "false")),
        ItemKind::Date => None,
    };
    for (alias, value) in aliases {
        if is_right(value) == Some(false) {
            fault(alias, format!("\"{value}\" is not a value of this item"));
        } else if aliases.contains_key(value) {
            fault(alias, format!("\"{value}\" is an alias itself"));
        }
        if is_right(alias) == Some(true) {
            fault(
                alias,
                format!("\"{alias}\" is a value of this item, not an alias"),
            );
        }
    }
}

/// Limits that no value can keep.
fn check_limits(schema: &Value, document: &Document, pointer: &str, faults: &mut Faults) {
    for (low, high) in [
        ("minLength", "maxLength"),
        ("minimum", "maximum"),
        ("exclusiveMinimum", "maximum"),
        ("minimum", "exclusiveMaximum"),
        ("exclusiveMinimum", "exclusiveMaximum"),
    ] {
        let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
        if let (Some(least), Some(most)) = (limit(low), limit(high))
            && most < least
        {
            let why = format!("\"{high}\" is below \"{low}\"");
            document.fault(faults, &format!("{pointer}/{high}"), why);
        }
    }
}
