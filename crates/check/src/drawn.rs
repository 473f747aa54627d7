//! For tests: a small return drawn as text, and its findings as lines.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use finding::Findings;
use frame::{Expected, Framed};
use spec::{Organisations, Period, ReturnSpec};

use crate::{Reference, check};

const RETURN: &str = r#"
format = 1
[return]
id = "demo"
version = "1"
title = "Demo"
acronym = "DEMO"
summary = "A return for tests."
valid_from = 2020-04-01
tables = ["site", "visit"]
[owner]
organisation = "Testers"
team = "Testers"
[respondents]
types = ["council"]
[period]
kind = "financial-year"
[collection]
accumulation = "replace"
extra_columns = "ignore"
[sensitivity]
personal_data = false
special_category = false
[sources.s]
title = "Test"
url = "https://example.org/"
read_on = 2026-11-23
[register.duty]
value = "none"
source = "s"
confidence = "inferred"
[register.purpose]
value = "testing"
source = "s"
confidence = "inferred"
[register.frequency]
value = "yearly"
source = "s"
confidence = "inferred"
[register.retention]
value = "none"
source = "s"
confidence = "inferred"
"#;

const SITE: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Site", "description": "A site.", "type": "object", "additionalProperties": false,
  "properties": {
    "ID": {"title": "Site", "description": "Its number.", "type": "string", "x-source": "s", "x-confidence": "inferred"},
    "TOTAL": {"title": "Total", "description": "All.", "type": "integer", "minimum": 0, "x-source": "s", "x-confidence": "inferred"},
    "A": {"title": "A", "description": "Some.", "type": "integer", "x-source": "s", "x-confidence": "inferred"},
    "B": {"title": "B", "description": "Others.", "type": "number", "multipleOf": 0.01, "x-source": "s", "x-confidence": "inferred"},
    "KIND": {"title": "Kind", "description": "Its kind.", "type": "string", "enum": ["x", "y"], "x-source": "s", "x-confidence": "inferred"}
  },
  "required": ["ID"],
  "allOf": [{
    "x-rule": "site.a-for-x", "x-severity": "error", "x-items": ["A"],
    "x-message": "A is blank, but the kind is {KIND}.", "x-fix": "Enter A.",
    "x-source": "s", "x-confidence": "inferred",
    "if": {"properties": {"KIND": {"const": "x"}}, "required": ["KIND"]},
    "then": {"required": ["A"]}
  }]
}"#;

const VISIT: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Visit", "description": "A visit.", "type": "object", "additionalProperties": false,
  "properties": {
    "SITE": {"title": "Site", "description": "Where.", "type": "string", "x-source": "s", "x-confidence": "inferred"}
  },
  "required": ["SITE"]
}"#;

/// The findings of a drawing under these rules, a line each: `severity rule cell: message`.
pub(crate) fn findings(rules: &str, drawing: &str, previous: Option<&str>) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let folder = write_return(dir.path(), "demo", "", rules);
    let spec = spec::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let mut framed = framed(&spec, drawing);
    let previous = previous.map(|drawing| self::framed(&spec, drawing));
    let period = Period::parse(spec.period_kind, "2025-26").unwrap();
    let mut all = std::mem::take(&mut framed.findings);
    let reference = Reference {
        previous: previous.as_ref(),
        year_ago: None,
        others: &[],
        values: &[],
        period: Some(&period),
        received_on: NaiveDate::from_ymd_opt(2026, 5, 1).unwrap(),
    };
    all.append(check(&spec, &mut framed, &reference).unwrap_or_else(|error| panic!("{error}")));
    all.sort();
    lines(&all)
}

/// A line each: `severity rule cell: message`.
pub(crate) fn lines(findings: &Findings) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let cell = finding
                .cell
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string);
            format!(
                "{} {} {cell}: {}",
                finding.severity, finding.rule, finding.message
            )
        })
        .collect()
}

/// Writes the small return under a name, with more of `return.toml` and these rules; gives its version folder.
pub(crate) fn write_return(root: &Path, id: &str, more: &str, rules: &str) -> PathBuf {
    let folder = root.join(id).join("1");
    fs::create_dir_all(folder.join("tables")).unwrap();
    fs::create_dir_all(folder.join("codes")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let about = RETURN.replace("id = \"demo\"", &format!("id = \"{id}\""));
    write("return.toml", &format!("{about}{more}"));
    write("CHANGES.md", "# Changes\n");
    for (table, schema, keys) in [("site", SITE, r#"keys = ["ID"]"#), ("visit", VISIT, "")] {
        write(&format!("tables/{table}.schema.json"), schema);
        let layout = format!(
            "layout = \"records\"\ntitle = \"{table}\"\n{keys}\n[sheet]\nnames = [\"{table}\"]\nrequired = false\n[header]\nsearch_rows = 5\n"
        );
        write(&format!("tables/{table}.toml"), &layout);
    }
    write("rules.toml", &with_words(rules));
    folder
}

/// Every rule has a fix, a source and a confidence; tests need not repeat them.
fn with_words(rules: &str) -> String {
    rules.replace(
        "[[rule]]",
        "[[rule]]\nfix = \"Mend it.\"\nsource = \"s\"\nconfidence = \"inferred\"",
    )
}

pub(crate) fn framed(spec: &ReturnSpec, drawing: &str) -> Framed {
    let grid = sheet::grid::Grid::parse(drawing).unwrap();
    let expected = Expected {
        organisation: None,
        period: None,
        organisations: &Organisations::default(),
    };
    frame::frame(&grid.to_workbook(), spec, expected)
}
