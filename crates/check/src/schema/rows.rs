//! What is left to the jsonschema crate, row for row.

use frame::{Frame, Values};
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value as Json};
use spec::TableSpec;

use super::Unbuildable;
use super::mask::Mask;

/// A schema as the crate compiles it.
#[derive(Debug)]
pub(super) struct Crate(Validator);

impl Crate {
    pub(super) fn new(schema: &Json) -> Result<Self, Unbuildable> {
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map(Self)
            .map_err(|error| Unbuildable(error.to_string()))
    }

    /// Which of the needed values pass.
    pub(super) fn values_pass(&self, values: &Values, needed: &Mask) -> Mask {
        let mut passes = Mask::all(true, values.len());
        for idx in needed.idxs() {
            let fails = to_json(values, idx).is_some_and(|value| !self.0.is_valid(&value));
            passes.set(idx, !fails);
        }
        passes
    }

    /// Which of the needed records pass.
    pub(super) fn records_pass(&self, table: &TableSpec, frame: &Frame, needed: &Mask) -> Mask {
        let mut passes = Mask::all(true, frame.n_records());
        for idx in needed.idxs() {
            passes.set(idx, self.0.is_valid(&record(table, frame, idx)));
        }
        passes
    }
}

/// A record as JSON: a blank cell is an absent property.
pub(super) fn record(table: &TableSpec, frame: &Frame, record_idx: usize) -> Json {
    let items = table.items.iter().zip(&frame.values);
    let properties =
        items.filter_map(|(item, values)| Some((item.name.clone(), to_json(values, record_idx)?)));
    Json::Object(properties.collect::<Map<_, _>>())
}

/// A value as JSON: a date as ISO text, a decimal as the double nearest to it.
pub(super) fn to_json(values: &Values, idx: usize) -> Option<Json> {
    use frame::Value;
    Some(match values.get(idx)? {
        Value::Text(text) => Json::String(text.into_owned()),
        Value::Integer(integer) => Json::from(integer),
        Value::Boolean(boolean) => Json::Bool(boolean),
        date @ Value::Date(_) => Json::String(date.plain(0)),
        decimal @ Value::Decimal(_) => decimal
            .plain(values.scale())
            .parse::<f64>()
            .map_or(Json::Null, Json::from),
    })
}
