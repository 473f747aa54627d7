//! Whatever is changed in a version's files, a difference is told.
//!
//! A version that says all that the format knows is changed in each place, one at a time: another value, or nothing.
//! What comes of it is a difference, unless the version was understood just as before.
//! Places that can't be changed alone are named here with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::load::format_schemas;
use serde_json::{Value, json};

/// Places that say nothing of what is asked for.
const SAY_NOTHING: [&str; 2] = ["$comment", "$schema"];

/// Places that can't be changed alone, and why.
const FIXED: [(&str, &str); 16] = [
    (
        "return.schema.json#/properties/disclosure/properties/sum/items/properties/table",
        "there is one form",
    ),
    (
        "return.schema.json#/properties/disclosure/properties/together/items/properties/table",
        "there is one form",
    ),
    ("return.schema.json#/properties/format", "there is one"),
    (
        "return.schema.json#/properties/return/properties/id",
        "it is the folder's name",
    ),
    (
        "return.schema.json#/properties/return/properties/version",
        "it is the folder's name",
    ),
    (
        "return.schema.json#/properties/return/properties/tables/items",
        "a table has files of its own",
    ),
    (
        "return.schema.json#/properties/period/properties/kind",
        "the examples are of such periods",
    ),
    (
        "record.schema.json#/properties/type",
        "a record is an object",
    ),
    (
        "record.schema.json#/properties/additionalProperties",
        "a record has no other items",
    ),
    (
        "rules.schema.json#/$defs/rule/properties/kind",
        "each has its own parameters",
    ),
    (
        "rules.schema.json#/$defs/rule/properties/stage",
        "each has its own tables",
    ),
    (
        "rules.schema.json#/$defs/rule/properties/table",
        "the rule's id says it too",
    ),
    (
        "rules.schema.json#/$defs/rule/properties/parent",
        "its items are the parent's",
    ),
    (
        "table.schema.json#/properties/layout",
        "each has its own properties",
    ),
    (
        "table.schema.json#/properties/lines/properties/item",
        "every other item has a column",
    ),
    (
        "table.schema.json#/properties/lines/properties/column/items/properties/item",
        "every item has one column",
    ),
];

const RECORD: &str = "record.schema.json";
const TABLE: &str = "table.schema.json";

/// A place in a file that may be changed.
struct Place {
    /// Which place of the format it is, and in what: a rule's kind, a table's layout.
    slot: String,
    within: String,
    pointer: String,
    /// Of the format.
    schema: Value,
}

/// A file as it can be taken apart and written again.
struct File {
    path: PathBuf,
    kind: &'static str,
    value: Value,
}

impl File {
    fn read(path: PathBuf, kind: &'static str) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let value = if kind == RECORD {
            serde_json::from_str(&text).unwrap()
        } else {
            let read: toml::Value = toml::from_str(&text).unwrap();
            in_json(read)
        };
        Self { path, kind, value }
    }

    fn write(&self, value: &Value) {
        let text = if self.kind == RECORD {
            value.to_string()
        } else {
            toml::to_string(value).unwrap()
        };
        fs::write(&self.path, text).unwrap();
    }
}

fn in_json(value: toml::Value) -> Value {
    match value {
        // A date in quotes is the same to a spec.
        toml::Value::Datetime(day) => json!(day.to_string()),
        toml::Value::Table(members) => members
            .into_iter()
            .map(|(name, member)| (name, in_json(member)))
            .collect(),
        toml::Value::Array(elements) => elements.into_iter().map(in_json).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}

fn files(dir: &Path) -> Vec<File> {
    let mut files = vec![
        File::read(dir.join("return.toml"), "return.schema.json"),
        File::read(dir.join("rules.toml"), "rules.schema.json"),
    ];
    for entry in fs::read_dir(dir.join("tables")).unwrap() {
        let path = entry.unwrap().path();
        let is_schema = path.extension().is_some_and(|ending| ending == "json");
        let kind = if is_schema { RECORD } else { TABLE };
        files.push(File::read(path, kind));
    }
    files
}

fn schema_of(kind: &str) -> Value {
    let schemas = format_schemas();
    let (_, text) = schemas.iter().find(|(name, _)| *name == kind).unwrap();
    serde_json::from_str(text).unwrap()
}

/// A node of the format with what it refers to: its own place, and the place of what describes it.
fn resolved(root: &Value, pointer: &str) -> (String, Value) {
    let node = root.pointer(pointer).unwrap().clone();
    match node.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolved(root, reference.trim_start_matches('#')),
        None => (pointer.to_owned(), node),
    }
}

fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// Every place of a file, with the place of the format that describes it.
fn places(file: &File) -> Vec<Place> {
    let root = schema_of(file.kind);
    let mut places = Vec::new();
    let mut walk = vec![(String::new(), String::new(), String::new())];
    while let Some((pointer, described_at, within)) = walk.pop() {
        let (at, schema) = resolved(&root, &described_at);
        let value = file.value.pointer(&pointer).unwrap();
        let within = match value.get("kind").or_else(|| value.get("layout")) {
            Some(Value::String(kind)) => kind.clone(),
            _ => within,
        };
        places.push(Place {
            slot: format!("{}#{described_at}", file.kind),
            within: within.clone(),
            pointer: pointer.clone(),
            schema: schema.clone(),
        });
        match value {
            Value::Object(members) => {
                for name in members.keys() {
                    if SAY_NOTHING.contains(&name.as_str()) {
                        continue;
                    }
                    let named = format!("{at}/properties/{}", escaped(name));
                    let slot = match root.pointer(&named) {
                        Some(_) => named,
                        None => format!("{at}/additionalProperties"),
                    };
                    let inner = format!("{pointer}/{}", escaped(name));
                    walk.push((inner, slot, within.clone()));
                }
            }
            Value::Array(elements) => {
                for idx in 0..elements.len() {
                    let has_items = root.pointer(&format!("{at}/items")).is_some();
                    if has_items {
                        let inner = format!("{pointer}/{idx}");
                        walk.push((inner, format!("{at}/items"), within.clone()));
                    }
                }
            }
            _ => {}
        }
    }
    places
}

/// Every place of the format that holds a value and not other places.
fn slots(kind: &str) -> BTreeSet<String> {
    let root = schema_of(kind);
    let mut slots = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut walk = vec![String::new()];
    while let Some(described_at) = walk.pop() {
        let (at, schema) = resolved(&root, &described_at);
        let mut inner = Vec::new();
        if let Some(Value::Object(members)) = schema.get("properties") {
            for name in members.keys() {
                if !SAY_NOTHING.contains(&name.as_str()) {
                    inner.push(format!("{at}/properties/{}", escaped(name)));
                }
            }
        }
        for step in ["additionalProperties", "items"] {
            if schema.get(step).is_some_and(Value::is_object) {
                inner.push(format!("{at}/{step}"));
            }
        }
        if inner.is_empty() {
            slots.insert(format!("{kind}#{described_at}"));
        } else if seen.insert(at) {
            walk.extend(inner);
        }
    }
    slots
}

/// Names that the full version knows.
const OTHERS: [&str; 19] = [
    "statute",
    "REF",
    "REASON",
    "ADULTS",
    "CLOSED",
    "NOTED",
    "CASEREF",
    "part_time",
    "extra",
    "site",
    "S2",
    "board",
    "wrong",
    "worse",
    "2",
    "4",
    "5",
    "2.0",
    "third",
];

/// What may stand in a place instead; the first that makes a version is taken.
fn instead(value: &Value, schema: &Value, others: &BTreeSet<String>) -> Vec<Value> {
    if let Some(Value::Array(options)) = schema.get("enum") {
        return options.iter().filter(|o| *o != value).cloned().collect();
    }
    match value {
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(number) => match number.as_i64() {
            Some(n) => vec![json!(n + 1), json!(n - 1), json!(n + 1000)],
            None => [0.1, 0.001, 7.5].map(|n| json!(n)).into(),
        },
        Value::String(text) => {
            let mut texts: Vec<String> = others.iter().cloned().collect();
            texts.extend(OTHERS.map(str::to_owned));
            // A date.
            texts.extend(text.strip_suffix("-01").map(|month| format!("{month}-02")));
            texts.extend(text.strip_suffix("-31").map(|month| format!("{month}-30")));
            texts.extend(text.strip_suffix("-23").map(|month| format!("{month}-22")));
            for more in ["x", "9", " x", " AND 1 = 2", " LIMIT 5", "_"] {
                texts.push(format!("{text}{more}"));
            }
            texts.push(format!("(?:{text})?"));
            texts.extend(["BZ", "BZ1", "AZ60"].map(str::to_owned));
            let texts = texts.into_iter().filter(|other| other != text);
            texts.map(Value::String).collect()
        }
        Value::Array(_) | Value::Object(_) | Value::Null => Vec::new(),
    }
}

fn without(value: &Value, pointer: &str) -> Option<Value> {
    let (parent, last) = pointer.rsplit_once('/')?;
    let last = last.replace("~1", "/").replace("~0", "~");
    let mut value = value.clone();
    match value.pointer_mut(parent)? {
        Value::Object(members) => {
            members.shift_remove(&last);
        }
        Value::Array(elements) => {
            elements.remove(last.parse().ok()?);
        }
        _ => return None,
    }
    Some(value)
}

fn with(value: &Value, pointer: &str, new: Value) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(pointer).unwrap() = new;
    value
}

/// All that was understood of a version, but for its files.
fn whole(spec: &ReturnSpec) -> String {
    let spec = ReturnSpec {
        hash: String::new(),
        ..spec.clone()
    };
    format!("{spec:?}")
}

/// How often a place of the format is tried, whether or not what comes of it is a version.
const MOST_TRIES: usize = 150;

/// A version that says all that there is to say.
fn full() -> Sample {
    let sample = Sample::new();
    for (file, from, to) in MORE {
        sample.edit(file, from, to);
    }
    let plain = Sample::new();
    // Other returns, to compare with.
    for (id, version) in [("other", "1.0"), ("other", "2.0"), ("third", "1.0")] {
        let name = |file: &str| format!("../../{id}/{version}/{file}");
        for file in ["CHANGES.md", "tables/site.toml", "tables/site.schema.json"] {
            let text = fs::read_to_string(plain.dir().join(file)).unwrap();
            sample.write(&name(file), &text);
        }
        let about = OTHER.replace("ID", id).replace("VERSION", version);
        sample.write(&name("return.toml"), &about);
        sample.write(&name("rules.toml"), "");
    }
    sample
}

#[test]
fn every_part_of_a_version_that_changes_is_told() {
    let sample = full();
    let dir = sample.dir();
    let before = load(&dir).unwrap_or_else(|error| panic!("{error}"));
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut done: BTreeSet<(String, String, &str)> = BTreeSet::new();
    let mut tries: BTreeMap<(String, String, &str), usize> = BTreeMap::new();
    let fixed: BTreeSet<&str> = FIXED.iter().map(|(slot, _)| *slot).collect();
    for file in files(&dir) {
        let original = fs::read_to_string(&file.path).unwrap();
        let path = file.path.display();
        file.write(&file.value);
        let same = load(&dir).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(diff(&before, &same), [], "{path}");
        let places = places(&file);
        let mut texts: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for place in &places {
            if let Some(Value::String(text)) = file.value.pointer(&place.pointer) {
                texts.entry(&place.slot).or_default().insert(text.clone());
            }
        }
        for place in &places {
            let value = file.value.pointer(&place.pointer).unwrap();
            let others = texts.get(place.slot.as_str()).cloned().unwrap_or_default();
            let changed = instead(value, &place.schema, &others)
                .into_iter()
                .map(|new| with(&file.value, &place.pointer, new));
            let removed = without(&file.value, &place.pointer);
            let edits: [(&str, Vec<Value>); 2] = [
                ("changed", changed.collect()),
                ("removed", removed.into_iter().collect()),
            ];
            for (how, values) in edits {
                let key = (place.slot.clone(), place.within.clone(), how);
                let tried = tries.entry(key.clone()).or_default();
                if done.contains(&key) || fixed.contains(place.slot.as_str()) {
                    continue;
                }
                for value in values {
                    *tried += 1;
                    if *tried > MOST_TRIES {
                        break;
                    }
                    file.write(&value);
                    let Ok(after) = load(&dir) else {
                        continue;
                    };
                    if diff(&before, &after).is_empty() {
                        // Saying what is taken for granted anyway is no change.
                        let same = whole(&before) == whole(&after);
                        assert!(same, "{path}: {} {how}", place.pointer);
                        continue;
                    }
                    done.insert(key);
                    told.insert(place.slot.clone());
                    break;
                }
            }
        }
        fs::write(&file.path, original).unwrap();
    }
    // What a version says of the one before it is held against that one: see load/tests/lineage.
    let all: BTreeSet<String> = format_schemas()
        .iter()
        .filter(|(kind, _)| *kind != "lineage.schema.json")
        .flat_map(|(kind, _)| slots(kind))
        .collect();
    let untold: Vec<&String> = all
        .difference(&told)
        .filter(|slot| !fixed.contains(slot.as_str()))
        .collect();
    assert_eq!(untold, Vec::<&String>::new());
}

#[test]
fn every_cell_of_a_code_list_that_changes_is_told() {
    let sample = full();
    let before = load(&sample.dir()).unwrap();
    for list in ["codes/reason.csv", "../../code-lists/area/1.csv"] {
        let text = fs::read_to_string(sample.dir().join(list)).unwrap();
        let (others, last) = text.trim_end().rsplit_once('\n').unwrap();
        let instead = [
            "9",
            "Elsewhere",
            "2020-01-01",
            "2030-01-01",
            "statute",
            "partial",
        ];
        for (idx, new) in instead.into_iter().enumerate() {
            let mut cells: Vec<&str> = last.split(',').collect();
            cells[idx] = new;
            sample.write(list, &format!("{others}\n{}\n", cells.join(",")));
            let after = load(&sample.dir()).unwrap_or_else(|error| panic!("{list} {new}: {error}"));
            assert!(!diff(&before, &after).is_empty(), "{list}: {new}");
        }
        sample.write(list, &text);
    }
    // Their order is that of the drop-down.
    let text = fs::read_to_string(sample.dir().join("codes/reason.csv")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(3, 4);
    sample.write("codes/reason.csv", &lines.join("\n"));
    let changes = diff(&before, &load(&sample.dir()).unwrap());
    assert_eq!(changes.len(), 1);
    assert_eq!(
        serde_json::to_value(&changes[0]).unwrap()["property"],
        "order of codes"
    );
}

/// What the sample does not say.
const MORE: [(&str, &str, &str); 18] = [
    (
        "return.toml",
        "extra_columns = \"refuse\"\n",
        r#"extra_columns = "refuse"
own_columns = "own_"

[disclosure]
threshold = 7
suggested = true

[disclosure.counts]
form = ["full_time", "part_time"]

[[disclosure.sum]]
table = "form"
total = "total"
parts = ["full_time", "-part_time"]

[[disclosure.sum]]
table = "form"
total = "part_time"
parts = ["total"]

[[disclosure.sum]]
table = "form"
total_line = "3"
part_lines = ["1", "2"]
items = ["total", "full_time"]

[[disclosure.sum]]
table = "form"
total_line = "1"
part_lines = ["3"]

[[disclosure.sum]]
table = "form"
total_cell = "3.total"
part_cells = ["1.total", "-2.full_time"]

[[disclosure.sum]]
table = "form"
total_cell = "1.total"
part_cells = ["2.total"]

[[disclosure.together]]
table = "form"
items = ["full_time", "part_time"]

[[disclosure.together]]
table = "form"
lines = ["1", "2"]

[[compared_with]]
return = "other"
version = "1.0"
period = "same"

[[reference_values]]
set = "circular"
title = "the circular"
table = "circular"
period = "same"
figures = ["GRANT", "RATES"]
decimals = 2
"#,
    ),
    (
        "return.toml",
        "[demo]\nbase = \"valid\"",
        "[sources.statute]\ntitle = \"Statute\"\nurl = \"https://example.org/statute\"\nread_on = 2026-11-23\n\n[demo]\nbase = \"valid\"\nscale = true",
    ),
    (
        "return.toml",
        "vary = [\"REF\"]",
        "vary = [\"REF\", \"OPENED\"]\n\n[demo.base_of]\ncouncil = \"wrong\"",
    ),
    (
        "tables/case.schema.json",
        "\"maximum\": 99,",
        "\"maximum\": 99, \"exclusiveMinimum\": -5, \"exclusiveMaximum\": 150,",
    ),
    (
        "tables/case.schema.json",
        "\"maxLength\": 10,",
        "\"minLength\": 2, \"maxLength\": 10,",
    ),
    (
        "tables/case.schema.json",
        "    \"REASON\": {",
        r#"    "NOTED": { "title": "Noted on", "description": "When.", "type": "string", "format": "date",
      "x-source": "guide", "x-confidence": "published" },
    "CLOSED": { "title": "Closed on", "description": "When.", "type": "string", "format": "date",
      "x-source": "guide", "x-confidence": "published" },
    "REASON": {"#,
    ),
    (
        "tables/case.schema.json",
        "\"x-fix\": \"Enter the cost.\",",
        "\"x-fix\": \"Enter the cost.\", \"x-valid-from\": \"2026-04-01\", \"x-valid-to\": \"2027-03-31\", \"x-trial\": true,",
    ),
    (
        "tables/case.schema.json",
        "      \"then\": { \"required\": [\"COST\"] } }\n",
        r#"      "then": { "required": ["COST"] } },
    { "x-rule": "case.odd", "x-severity": "error", "x-items": ["COST"],
      "x-message": "Odd.", "x-fix": "Mend it.", "x-source": "guide", "x-confidence": "published",
      "properties": { "ADULTS": { "minimum": 0, "maximum": 90, "exclusiveMinimum": -1, "exclusiveMaximum": 91 } },
      "required": ["ADULTS"],
      "dependentRequired": { "COST": ["ADULTS", "REF"] },
      "if": { "properties": { "REPEAT": { "const": true } },
              "dependentRequired": { "COST": ["ADULTS", "REF"] },
              "if": { "required": ["COST", "REF"] }, "then": { "required": ["COST", "REF"] }, "else": { "required": ["COST", "REF"] },
              "not": { "required": ["COST", "REF"] }, "allOf": [{ "required": ["COST", "REF"] }],
              "anyOf": [{ "required": ["COST", "REF"] }], "oneOf": [{ "required": ["COST", "REF"] }] },
      "then": { "properties": { "REF": { "pattern": "^A", "minLength": 1, "maxLength": 9 }, "COST": { "multipleOf": 0.5 } } },
      "else": { "properties": { "REF": { "not": { "const": "A" }, "allOf": [{ "minLength": 1 }],
                                         "anyOf": [{ "minLength": 1 }], "oneOf": [{ "minLength": 1 }] } } },
      "not": { "required": ["COST", "REF"] },
      "allOf": [{ "required": ["COST", "REF"] }],
      "anyOf": [{ "required": ["COST", "REF"] }],
      "oneOf": [{ "required": ["COST", "REF"] }] }
"#,
    ),
    (
        "codes/reason.csv",
        "2,Second,,,guide,inferred\n",
        "2,Second,,,guide,inferred\n3,Third,,,guide,inferred\n",
    ),
    (
        "tables/form.toml",
        "not_applicable = [\"part_time\"]",
        "not_applicable = [\"part_time\"]\nonly_for = [\"council\", \"S1\"]",
    ),
    (
        "tables/form.schema.json",
        "[\"1\", \"2\", \"3\"]",
        "[\"1\", \"2\", \"3\", \"4\", \"5\"]",
    ),
    (
        "tables/form.schema.json",
        "    \"total\": {",
        r#"    "extra": { "title": "Extra", "description": "Staff.", "type": "integer",
      "x-source": "guide", "x-confidence": "published" },
    "total": {"#,
    ),
    (
        "tables/form.toml",
        "[[lines.column]]\nitem = \"full_time\"",
        r#"[[lines.line]]
code = "4"
row = 12
label = "Others"
description = "Others."
source = "guide"
confidence = "published"

[[lines.column]]
item = "extra"
column = "F"

[[lines.column]]
item = "full_time""#,
    ),
    (
        "tables/form.toml",
        "column = \"D\"",
        r#"column = "D"
only_for = ["council", "S1"]

[[lines.cells]]
lines = ["1", "2"]
items = ["full_time", "total"]
only_for = ["council", "S1"]
source = "guide"
confidence = "inferred""#,
    ),
    (
        "tables/site.toml",
        "key = \"SITE\"",
        "key = \"SITE\"\nasked_anew = [\"UNITS\"]",
    ),
    (
        "rules.toml",
        "thresholds = { most = 5 }\n",
        r#"thresholds = { most = 5 }
only_for = ["council", "S1"]
trial = true

[rule.thresholds_of.S1]
most = 6
source = "guide"
confidence = "inferred"
"#,
    ),
    (
        "rules.toml",
        "against = \"year_ago\"\n",
        "against = \"year_ago\"\nby = [\"line\"]\ndirection = \"up\"\nwhen = \"either\"\n",
    ),
    (
        "rules.toml",
        "[[rule]]\nid = \"site.gone\"",
        r#"[[rule]]
id = "case.of-others"
table = "case"
kind = "query"
severity = "query"
stage = "collection"
items = ["REF"]
message = "{REF} is another's too."
fix = "Ask."
source = "guide"
confidence = "inferred"
query = "SELECT _organisation, _row FROM all_case WHERE ADULTS > 5"

[[rule]]
id = "case.overlaps"
table = "case"
kind = "no_overlap"
severity = "error"
by = ["AREA", "REF"]
from = "OPENED"
to = "CLOSED"
touching = true
same_start = true
where = "ADULTS > 0"
message = "{dates} overlaps {other_dates}."
fix = "Mend it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "case.outside"
table = "case"
kind = "within"
severity = "error"
by = ["REF"]
from = "OPENED"
to = "CLOSED"
where = "ADULTS > 0"
parent = "case"
parent_items = ["REF"]
parent_from = "OPENED"
parent_to = "CLOSED"
parent_where = "ADULTS > 1"
message = "{dates} is outside {parent_dates}."
fix = "Mend it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "case.gap"
table = "case"
kind = "continuous"
severity = "error"
by = ["REF"]
from = "OPENED"
to = "CLOSED"
where = "ADULTS > 0"
parent = "case"
parent_items = ["REF"]
parent_from = "OPENED"
parent_to = "CLOSED"
parent_where = "ADULTS > 1"
gaps = ["before", "between"]
thresholds = { days = 3 }
message = "{gap}: {gap_days} days."
fix = "Mend it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "site.gone""#,
    ),
];

const OTHER: &str = r#"format = 1

[return]
id = "ID"
version = "VERSION"
title = "Other"
acronym = "OTHER"
summary = "Another."
valid_from = 2026-04-01
tables = ["site"]

[owner]
organisation = "Scottish Government"
team = "Statistics"

[respondents]
types = ["council"]

[period]
kind = "financial-quarter"

[collection]
accumulation = "replace"
extra_columns = "ignore"

[sensitivity]
personal_data = false
special_category = false

[register.duty]
value = "Voluntary."
source = "guide"
confidence = "inferred"

[register.purpose]
value = "Statistics."
source = "guide"
confidence = "published"

[register.frequency]
value = "Quarterly."
source = "guide"
confidence = "published"

[register.retention]
value = "Ten years."
source = "guide"
confidence = "inferred"

[sources.guide]
title = "Guide"
url = "https://example.org/guide"
read_on = 2026-11-23
"#;
