//! A TOML or JSON file as one value in which every place is known.
//!
//! Both become `serde_json` values, so that one JSON Schema per file kind can look at them first.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;

/// A file's content, with the line and column of every pointer where the format tells them.
#[derive(Debug)]
pub(crate) struct Document {
    /// Relative to the version folder.
    pub(crate) file: PathBuf,
    pub(crate) value: Value,
    /// Of a TOML file, which tells where its places are only when something is wrong with it.
    toml: Option<String>,
    positions: OnceCell<Positions>,
    /// Pointers that the file's own schema found wrong.
    faulty: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    line: usize,
    column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Document {
    /// `None`, with the faults, where the text is not TOML.
    pub(crate) fn parse_toml(file: &Path, text: &str, faults: &mut Faults) -> Option<Self> {
        let lines = Lines::of(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let place = error
                .span()
                .map(|span| lines.position(span.start).to_string())
                .unwrap_or_default();
            faults.add(
                file,
                place,
                format!("not TOML: {}", one_line(error.message())),
            );
        }
        if !errors.is_empty() {
            return None;
        }
        Some(Self {
            file: file.to_owned(),
            value: table_value(table.get_ref()),
            toml: Some(text.to_owned()),
            positions: OnceCell::new(),
            faulty: Vec::new(),
        })
    }

    /// `None`, with the fault, where the text is not JSON or an object names a member twice.
    pub(crate) fn parse_json(file: &Path, text: &str, faults: &mut Faults) -> Option<Self> {
        match serde_json::from_str::<Distinct>(text) {
            Ok(Distinct(value)) => Some(Self {
                file: file.to_owned(),
                value,
                toml: None,
                positions: OnceCell::new(),
                faulty: Vec::new(),
            }),
            Err(error) => {
                let place = format!("line {}, column {}", error.line(), error.column());
                let why = error.to_string();
                let why = why.split(" at line ").next().unwrap_or(&why);
                faults.add(file, place, format!("not JSON: {why}"));
                None
            }
        }
    }

    /// Where a pointer stands: its line and column, or the pointer itself.
    pub(crate) fn place(&self, pointer: &str) -> String {
        let Some(toml) = &self.toml else {
            return pointer.to_owned();
        };
        let positions = self.positions.get_or_init(|| positions(toml));
        let mut known = pointer;
        loop {
            if let Some(position) = positions.get(known) {
                return position.to_string();
            }
            match known.rfind('/') {
                Some(end) => known = &known[..end],
                None => return String::new(),
            }
        }
    }

    pub(crate) fn fault(&self, faults: &mut Faults, pointer: &str, why: impl Into<String>) {
        faults.add(&self.file, self.place(pointer), why);
    }

    pub(super) fn mark_faulty(&mut self, pointer: String) {
        self.faulty.push(pointer);
    }

    /// Whether the schema found something wrong at or below a pointer.
    pub(crate) fn is_faulty(&self, pointer: &str) -> bool {
        self.faulty.iter().any(|faulty| {
            faulty
                .strip_prefix(pointer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The pointers of a list's elements; none where there is no list.
    pub(crate) fn elements(&self, pointer: &str) -> Vec<String> {
        let elements = self.value.pointer(pointer).and_then(Value::as_array);
        (0..elements.map_or(0, Vec::len))
            .map(|idx| format!("{pointer}/{idx}"))
            .collect()
    }

    /// The part at a pointer as a document struct; `None` where it is absent or was found wrong before.
    pub(crate) fn part<T: de::DeserializeOwned>(
        &self,
        pointer: &str,
        faults: &mut Faults,
    ) -> Option<T> {
        let part = self.value.pointer(pointer)?;
        if self.is_faulty(pointer) {
            return None;
        }
        match T::deserialize(part) {
            Ok(part) => Some(part),
            Err(error) => {
                self.fault(faults, pointer, error.to_string());
                None
            }
        }
    }
}

/// A text with the byte at which each line starts.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    fn position(&self, byte: usize) -> Position {
        let line = self.starts.partition_point(|&start| start <= byte).max(1);
        let before = self.text.get(self.starts[line - 1]..byte);
        Position {
            line,
            column: before.map_or(0, |before| before.chars().count()) + 1,
        }
    }
}

/// A pointer's next step, escaped as RFC 6901 says.
pub(crate) fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn table_value(table: &DeTable<'_>) -> Value {
    let members = table
        .iter()
        .map(|(name, value)| (name.get_ref().to_string(), toml_value(value)));
    Value::Object(members.collect())
}

fn toml_value(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map_or_else(|_| Value::String(digits.to_string()), Value::from),
        DeValue::Float(digits) => digits
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Value::String(digits.to_string()), Value::Number),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(values) => values.iter().map(toml_value).collect(),
        DeValue::Table(table) => table_value(table),
    }
}

/// Where each place of a TOML file stands, by its pointer.
fn positions(text: &str) -> Positions {
    let lines = Lines::of(text);
    let (table, _) = DeTable::parse_recoverable(text);
    let mut positions = BTreeMap::new();
    in_table(&lines, table.get_ref(), "", &mut positions);
    positions
}

type Positions = BTreeMap<String, Position>;

fn in_table(lines: &Lines<'_>, table: &DeTable<'_>, pointer: &str, positions: &mut Positions) {
    for (name, value) in table {
        let inner = step(pointer, name.get_ref());
        positions.insert(inner.clone(), lines.position(name.span().start));
        in_value(lines, value, &inner, positions);
    }
}

fn in_value(
    lines: &Lines<'_>,
    value: &Spanned<DeValue<'_>>,
    pointer: &str,
    positions: &mut Positions,
) {
    match value.get_ref() {
        DeValue::Table(table) => in_table(lines, table, pointer, positions),
        DeValue::Array(values) => {
            for (idx, value) in values.iter().enumerate() {
                let inner = format!("{pointer}/{idx}");
                positions.insert(inner.clone(), lines.position(value.span().start));
                in_value(lines, value, &inner, positions);
            }
        }
        _ => {}
    }
}

/// A JSON value whose objects name each member once: `serde_json` alone would keep the last.
struct Distinct(Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DistinctSeed.deserialize(deserializer).map(Distinct)
    }
}

#[derive(Clone, Copy)]
struct DistinctSeed;

impl<'de> DeserializeSeed<'de> for DistinctSeed {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DistinctSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(de::Error::custom(format!("\"{name}\" is there twice")));
            }
            let value = entries.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}
