//! A schema of a record, checked on a whole frame.

use frame::Frame;
use serde_json::{Map, Value as Json};
use spec::TableSpec;

use super::mask::{Mask, exactly_one};
use super::rows::Crate;
use super::value::Check;
use super::{Unbuildable, is_ignored};

/// What is checked of each record; a blank item is an absent property.
#[derive(Debug)]
pub(super) enum Test {
    Always(bool),
    Filled(usize),
    Value(usize, Check),
    All(Vec<Test>),
    Any(Vec<Test>),
    One(Vec<Test>),
    Not(Box<Test>),
    If(Box<[Test; 3]>),
    /// By the jsonschema crate, record for record.
    Crate(Crate),
}

/// Keywords that say nothing of an object.
const OF_OTHERS: [&str; 19] = [
    "contains",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "prefixItems",
    "unevaluatedItems",
    "uniqueItems",
    // Say something only beside `if`.
    "then",
    "else",
];

impl Test {
    /// `schema` refers to no other place of its document.
    pub(super) fn compile(schema: &Json, table: &TableSpec) -> Result<Self, Unbuildable> {
        let object = match schema {
            Json::Bool(truth) => return Ok(Test::Always(*truth)),
            Json::Object(object) => object,
            _ => return Crate::new(schema).map(Test::Crate),
        };
        let mut all = Vec::new();
        for (keyword, value) in object {
            if OF_OTHERS.contains(&keyword.as_str()) || is_ignored(keyword) {
                continue;
            }
            match Self::keyword(object, keyword, value, table)? {
                Some(test) => all.push(test),
                None => return Crate::new(schema).map(Test::Crate),
            }
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Test::All(all),
        })
    }

    /// One keyword of a schema; `None` where that is left to the jsonschema crate.
    fn keyword(
        schema: &Map<String, Json>,
        keyword: &str,
        value: &Json,
        table: &TableSpec,
    ) -> Result<Option<Self>, Unbuildable> {
        let each = || -> Result<Vec<Self>, Unbuildable> {
            let schemas = value.as_array().into_iter().flatten();
            schemas.map(|schema| Self::compile(schema, table)).collect()
        };
        let members = || value.as_object().into_iter().flatten();
        Ok(Some(match keyword {
            "properties" => Test::All(
                members()
                    .filter_map(|(name, schema)| Some((table.item_idx(name)?, schema)))
                    .map(|(item_idx, schema)| {
                        let check = Check::compile(schema, table.items[item_idx].kind)?;
                        Ok(Test::Value(item_idx, check))
                    })
                    .collect::<Result<_, Unbuildable>>()?,
            ),
            "required" => filled(value, table),
            "dependentRequired" => Test::All(
                members()
                    .map(|(name, others)| implies(name, filled(others, table), table))
                    .collect(),
            ),
            "dependentSchemas" => Test::All(
                members()
                    .map(|(name, schema)| Ok(implies(name, Self::compile(schema, table)?, table)))
                    .collect::<Result<_, Unbuildable>>()?,
            ),
            "allOf" => Test::All(each()?),
            "anyOf" => Test::Any(each()?),
            "oneOf" => Test::One(each()?),
            "not" => Test::Not(Box::new(Self::compile(value, table)?)),
            "if" => {
                let branch = |name| match schema.get(name) {
                    Some(schema) => Self::compile(schema, table),
                    None => Ok(Test::Always(true)),
                };
                let cases = [
                    Self::compile(value, table)?,
                    branch("then")?,
                    branch("else")?,
                ];
                Test::If(Box::new(cases))
            }
            "type" => Test::Always(match value {
                Json::Array(names) => names.contains(&Json::from("object")),
                name => name == "object",
            }),
            _ => return Ok(None),
        }))
    }

    /// Where the records pass; of those that are not needed it may say anything.
    pub(super) fn passes(&self, table: &TableSpec, frame: &Frame, needed: &Mask) -> Mask {
        let len = frame.n_records();
        let each = |tests: &[Test]| {
            let passed = tests.iter().map(|test| test.passes(table, frame, needed));
            passed.collect::<Vec<_>>()
        };
        match self {
            Test::Always(truth) => Mask::all(*truth, len),
            Test::Filled(item_idx) => {
                super::filled(&frame.values[*item_idx]).unwrap_or_else(|| Mask::all(true, len))
            }
            Test::Value(item_idx, check) => check.passes(&frame.values[*item_idx], needed),
            Test::All(tests) => {
                let all = Mask::all(true, len);
                each(tests).iter().fold(all, Mask::and)
            }
            Test::Any(tests) => {
                let none = Mask::all(false, len);
                each(tests).iter().fold(none, Mask::or)
            }
            Test::One(tests) => exactly_one(each(tests).into_iter(), len),
            Test::Not(test) => test.passes(table, frame, needed).not(),
            Test::If(cases) => {
                let [condition, then, otherwise] = cases.as_ref();
                let holds = condition.passes(table, frame, needed);
                let then = then.passes(table, frame, &holds.clone().and(needed));
                let otherwise = otherwise.passes(table, frame, &needed.clone().without(&holds));
                then.and(&holds).or(&otherwise.without(&holds))
            }
            Test::Crate(crate_) => crate_.records_pass(table, frame, needed),
        }
    }
}

/// Each of these names is there.
fn filled(names: &Json, table: &TableSpec) -> Test {
    let names = names.as_array().into_iter().flatten();
    let test = |name: &Json| {
        let item_idx = name.as_str().and_then(|name| table.item_idx(name));
        item_idx.map_or(Test::Always(false), Test::Filled)
    };
    Test::All(names.map(test).collect())
}

/// If this name is there, so it is.
fn implies(name: &str, then: Test, table: &TableSpec) -> Test {
    match table.item_idx(name) {
        Some(item_idx) => Test::Any(vec![Test::Not(Box::new(Test::Filled(item_idx))), then]),
        None => Test::Always(true),
    }
}
