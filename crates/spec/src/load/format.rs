//! The format's own JSON Schemas: the loader's first look at every file, in plain words.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, JsonType, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::document::{Document, step};
use super::fault::Faults;

/// The kinds of file that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Return,
    Table,
    Rules,
    Record,
    Lineage,
}

impl FileKind {
    pub(crate) const ALL: [FileKind; 5] = [
        FileKind::Return,
        FileKind::Table,
        FileKind::Rules,
        FileKind::Record,
        FileKind::Lineage,
    ];

    fn file_name(self) -> &'static str {
        match self {
            FileKind::Return => "return.schema.json",
            FileKind::Table => "table.schema.json",
            FileKind::Rules => "rules.schema.json",
            FileKind::Record => "record.schema.json",
            FileKind::Lineage => "lineage.schema.json",
        }
    }

    fn text(self) -> &'static str {
        match self {
            FileKind::Return => include_str!("../../format/return.schema.json"),
            FileKind::Table => include_str!("../../format/table.schema.json"),
            FileKind::Rules => include_str!("../../format/rules.schema.json"),
            FileKind::Record => include_str!("../../format/record.schema.json"),
            FileKind::Lineage => include_str!("../../format/lineage.schema.json"),
        }
    }
}

/// The format's schemas as published: file name and JSON text.
pub fn format_schemas() -> [(&'static str, &'static str); 5] {
    FileKind::ALL.map(|kind| (kind.file_name(), kind.text()))
}

struct FormatSchema {
    schema: Value,
    validator: Validator,
}

static SCHEMAS: LazyLock<[Result<FormatSchema, String>; 5]> =
    LazyLock::new(|| FileKind::ALL.map(compile));

fn compile(kind: FileKind) -> Result<FormatSchema, String> {
    let schema: Value = serde_json::from_str(kind.text()).map_err(|error| error.to_string())?;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .offline()
        .build(&schema)
        .map_err(|error| error.to_string())?;
    Ok(FormatSchema { schema, validator })
}

/// Reports what is not in the format, and marks those places so that nothing looks at them again.
pub(crate) fn check(kind: FileKind, document: &mut Document, faults: &mut Faults) {
    let format = match &SCHEMAS[kind as usize] {
        Ok(format) => format,
        Err(why) => {
            let why = format!("the format's own {} is broken: {why}", kind.file_name());
            document.fault(faults, "", why);
            return;
        }
    };
    let errors: Vec<ValidationError<'_>> = format.validator.iter_errors(&document.value).collect();
    // Where the kind or layout itself is wrong, nothing can be said of what belongs to it.
    let without_kind: Vec<String> = errors
        .iter()
        .filter_map(|error| {
            let pointer = error.instance_path().as_str();
            let parent = ["/kind", "/layout"]
                .iter()
                .find_map(|kind| pointer.strip_suffix(kind))?;
            Some(format!("{parent}/"))
        })
        .collect();
    let wrongs: Vec<(String, String)> = errors
        .iter()
        .filter(|error| {
            let pointer = error.instance_path().as_str();
            !matches!(error.kind(), ValidationErrorKind::FalseSchema)
                || !without_kind
                    .iter()
                    .any(|parent| pointer.starts_with(parent))
        })
        .flat_map(|error| in_words(error, &format.schema))
        .collect();
    for (pointer, why) in wrongs {
        document.fault(faults, &pointer, why);
        document.mark_faulty(pointer);
    }
}

/// Each thing wrong with its pointer.
fn in_words(error: &ValidationError<'_>, schema: &Value) -> Vec<(String, String)> {
    let pointer = error.instance_path().as_str().to_owned();
    let value = shown(error.instance());
    let why = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_members(error, schema);
            return unexpected
                .iter()
                .map(|name| {
                    let why = format!("\"{name}\" is not known here; expected one of {known}");
                    (step(&pointer, name), why)
                })
                .collect();
        }
        ValidationErrorKind::PropertyNames { error } => {
            return in_words(error, schema)
                .into_iter()
                .map(|(_, why)| {
                    let name = error.instance().as_str().unwrap_or_default();
                    (step(&pointer, name), why)
                })
                .collect();
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("\"{name}\" is missing")
        }
        ValidationErrorKind::Type { kind } => {
            format!("{value} is not {}", expected_type(kind))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let options: Vec<String> = options.iter().map(shown).collect();
            format!("{value} is not one of {}", options.join(", "))
        }
        ValidationErrorKind::Constant { expected_value } => {
            format!("has to be {}, not {value}", shown(expected_value))
        }
        ValidationErrorKind::Pattern { pattern } if pattern == "\\S" => {
            "has to say something".to_owned()
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!("{value} does not have the form {pattern}")
        }
        ValidationErrorKind::Format { .. } => {
            format!("{value} is not a date; write it as 2026-04-01")
        }
        ValidationErrorKind::FalseSchema => {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            format!("\"{name}\" does not belong here; it is for another kind or layout")
        }
        ValidationErrorKind::MinItems { limit } => format!("needs at least {limit} element"),
        ValidationErrorKind::MinProperties { limit } => format!("needs at least {limit} member"),
        ValidationErrorKind::UniqueItems => "names something twice".to_owned(),
        ValidationErrorKind::Minimum { limit } => format!("{value} is below {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{value} is above {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("{value} has to be above {limit}")
        }
        _ => error.to_string(),
    };
    vec![(pointer, why)]
}

/// The members that stand beside the `additionalProperties` that failed.
fn known_members(error: &ValidationError<'_>, schema: &Value) -> String {
    let keyword = error.schema_path().as_str();
    let parent = keyword.rfind('/').map_or("", |end| &keyword[..end]);
    let members = schema
        .pointer(&format!("{parent}/properties"))
        .and_then(Value::as_object);
    let names: Vec<&str> = members
        .map(|members| members.keys().map(String::as_str).collect())
        .unwrap_or_default();
    names.join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        Value::Null => "null".to_owned(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => value.to_string(),
    }
}

fn expected_type(kind: &TypeKind) -> String {
    let word = |kind: JsonType| match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a table",
        JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(kind) => word(*kind).to_owned(),
        TypeKind::Multiple(kinds) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_schemas_are_schemas_with_titles() {
        for (name, text) in format_schemas() {
            let schema: Value = serde_json::from_str(text).expect(name);
            jsonschema::draft202012::meta::validate(&schema).expect(name);
            assert!(schema["title"].is_string(), "{name}");
            assert!(schema["description"].is_string(), "{name}");
        }
        for kind in FileKind::ALL {
            assert!(compile(kind).is_ok(), "{kind:?}");
        }
    }
}
