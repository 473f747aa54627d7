//! JSON Schemas of records and of their values, compiled to checks over whole columns.
//!
//! # Why it matters
//! The same JSON Schema that a council's supplier builds against decides here, and it decides a million records in a second.
//!
//! The verdicts are those of the jsonschema crate on every record.
//! What is not checked on columns is left to that crate, on the rows that need it.

mod mask;
mod number;
mod record;
mod rows;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;
mod texts;
mod value;

use frame::{Frame, Values};
use serde_json::Value as Json;
use spec::{ItemKind, TableSpec};

pub(crate) use mask::Mask;

/// Why a schema is none: the jsonschema crate's words.
#[derive(Debug)]
pub(crate) struct Unbuildable(pub(crate) String);

/// A schema of one value of an item.
#[derive(Debug)]
pub(crate) struct ValueSchema(value::Check);

impl ValueSchema {
    pub(crate) fn compile(schema: &Json, kind: ItemKind) -> Result<Self, Unbuildable> {
        let check = if refers(schema) {
            value::Check::Crate(rows::Crate::new(schema)?)
        } else {
            value::Check::compile(schema, kind)?
        };
        Ok(Self(check))
    }

    /// Where the values of a column pass. A blank one passes.
    pub(crate) fn passes(&self, values: &Values) -> Mask {
        self.0.passes(values, &Mask::all(true, values.len()))
    }
}

/// A schema of a table's records.
#[derive(Debug)]
pub(crate) struct RecordSchema(record::Test);

impl RecordSchema {
    pub(crate) fn compile(schema: &Json, table: &TableSpec) -> Result<Self, Unbuildable> {
        let test = if refers(schema) {
            record::Test::Crate(rows::Crate::new(schema)?)
        } else {
            record::Test::compile(schema, table)?
        };
        Ok(Self(test))
    }

    /// Where the records pass; of those that are not needed it may say anything.
    pub(crate) fn passes(&self, table: &TableSpec, frame: &Frame, needed: &Mask) -> Mask {
        self.0.passes(table, frame, needed)
    }
}

/// Where a column holds something; `None` where it always does.
pub(crate) fn filled(values: &Values) -> Option<Mask> {
    if values.n_nulls() == 0 {
        return None;
    }
    let filled = match values {
        Values::Text(values) => values.is_not_null(),
        Values::Integer(values) => values.is_not_null(),
        Values::Decimal { values, .. } => values.is_not_null(),
        Values::Date(values) => values.is_not_null(),
        Values::Boolean(values) => values.is_not_null(),
    };
    let bits = filled.downcast_as_array().values();
    let mut words = bits.fast_iter_u64();
    let mut all: Vec<u64> = words.by_ref().collect();
    all.extend(words.remainder().0);
    Some(Mask::of_words(all, values.len()))
}

/// What is compiled here; a schema of another draft means other things by the same words.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Whether anything in a schema refers to another place, so that no part of it can be taken by itself.
fn refers(schema: &Json) -> bool {
    const REFERENCES: [&str; 4] = ["$ref", "$dynamicRef", "$recursiveRef", "$id"];
    match schema {
        Json::Object(object) => object.iter().any(|(keyword, value)| {
            REFERENCES.contains(&keyword.as_str())
                || keyword == "$schema" && value != DRAFT
                || refers(value)
        }),
        Json::Array(schemas) => schemas.iter().any(refers),
        _ => false,
    }
}

/// Keywords that assert nothing: words for readers, and ours.
fn is_ignored(keyword: &str) -> bool {
    const WORDS: [&str; 12] = [
        "$anchor",
        "$comment",
        "$defs",
        "$schema",
        "default",
        "deprecated",
        "description",
        "examples",
        // Draft 2020-12 asserts no format unless that is asked for.
        "format",
        "readOnly",
        "title",
        "writeOnly",
    ];
    WORDS.contains(&keyword) || keyword.starts_with("x-")
}
