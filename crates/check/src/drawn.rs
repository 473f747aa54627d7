//! For tests: a small return drawn as text, and its findings as lines.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use finding::{Finding, Findings};
use frame::{Expected, Framed};
use spec::{Organisation, Organisations, Period, ReturnSpec};

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
tables = ["site", "visit", "episode", "stay", "form"]
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

/// A record schema of these properties: name, title, description and what its type needs.
fn schema(title: &str, items: &[(&str, &str, &str, &str)], more: &str) -> String {
    let properties: Vec<String> = items
        .iter()
        .map(|(name, title, description, kind)| {
            format!(
                r#""{name}": {{"title": "{title}", "description": "{description}", {kind}, "x-source": "s", "x-confidence": "inferred"}}"#
            )
        })
        .collect();
    format!(
        r#"{{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "{title}", "description": "A {title}.", "type": "object", "additionalProperties": false,
  "properties": {{
    {}
  }}{more}
}}"#,
        properties.join(",\n    ")
    )
}

const TEXT: &str = r#""type": "string""#;
const DATE: &str = r#""type": "string", "format": "date""#;
const WHOLE: &str = r#""type": "integer""#;

fn site() -> String {
    let items = [
        ("ID", "Site", "Its number.", TEXT),
        (
            "TOTAL",
            "Total",
            "All.",
            r#""type": "integer", "minimum": 0"#,
        ),
        ("A", "A", "Some.", WHOLE),
        (
            "B",
            "B",
            "Others.",
            r#""type": "number", "multipleOf": 0.01"#,
        ),
        (
            "KIND",
            "Kind",
            "Its kind.",
            r#""type": "string", "enum": ["x", "y"]"#,
        ),
    ];
    let more = r#",
  "required": ["ID"],
  "allOf": [{
    "x-rule": "site.a-for-x", "x-severity": "error", "x-items": ["A"],
    "x-message": "A is blank, but the kind is {KIND}.", "x-fix": "Enter A.",
    "x-source": "s", "x-confidence": "inferred",
    "if": {"properties": {"KIND": {"const": "x"}}, "required": ["KIND"]},
    "then": {"required": ["A"]}
  }]"#;
    schema("Site", &items, more)
}

fn visit() -> String {
    let items = [("SITE", "Site", "Where.", TEXT)];
    schema("Visit", &items, r#", "required": ["SITE"]"#)
}

fn episode() -> String {
    let items = [
        ("ID", "Episode", "Its number.", TEXT),
        ("START", "Start", "Its first day.", DATE),
        ("END", "End", "Its last day.", DATE),
    ];
    schema("Episode", &items, "")
}

fn stay() -> String {
    let items = [
        ("EPISODE", "Episode", "Its episode.", TEXT),
        ("KIND", "Kind", "Its kind.", TEXT),
        ("START", "Start", "Its first day.", DATE),
        ("END", "End", "Its last day.", DATE),
    ];
    schema("Stay", &items, "")
}

fn form() -> String {
    let items = [
        ("line", "Line", "Its code.", TEXT),
        ("roads", "Roads", "Roads.", WHOLE),
        ("bridges", "Bridges", "Bridges.", WHOLE),
        ("total", "Total", "Both.", WHOLE),
    ];
    schema(
        "Line",
        &items,
        r#", "required": ["line", "roads", "bridges", "total"]"#,
    )
}

/// Two lines of figures and one that the form calculates: rows 2 to 4 of the sheet, columns B to D.
const FORM_LAYOUT: &str = r#"
layout = "matrix"
title = "Form"
code_column = "A"
[sheet]
names = ["form"]
required = false
[[anchors]]
cell = "A1"
text = "The form"
[lines]
item = "line"
[[lines.line]]
code = "pay"
row = 2
label = "Pay"
description = "Pay."
source = "s"
confidence = "inferred"
[[lines.line]]
code = "dues"
row = 3
label = "Dues"
description = "Dues."
source = "s"
confidence = "inferred"
[[lines.line]]
code = "all"
row = 4
label = "All"
description = "Both."
source = "s"
confidence = "inferred"
computed = true
[[lines.column]]
item = "roads"
column = "B"
[[lines.column]]
item = "bridges"
column = "C"
[[lines.column]]
item = "total"
column = "D"
computed = true
"#;

/// The findings of a drawing under these rules, a line each: `severity rule cell: message`.
pub(crate) fn findings(rules: &str, drawing: &str, previous: Option<&str>) -> Vec<String> {
    Drawn {
        rules,
        previous,
        ..Drawn::default()
    }
    .findings(drawing)
}

/// What a drawing is checked under.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drawn<'a> {
    pub(crate) rules: &'a str,
    pub(crate) previous: Option<&'a str>,
    pub(crate) year_ago: Option<&'a str>,
    /// Whose return it is: its kind. The code is `S1` and the name One.
    pub(crate) kind: Option<&'a str>,
    /// A file, a text in it and what stands there instead.
    pub(crate) edits: &'a [(&'a str, &'a str, &'a str)],
}

impl Drawn<'_> {
    pub(crate) fn findings(&self, drawing: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let spec = self.spec(dir.path());
        let organisation = self.kind.map(|kind| Organisation {
            code: "S1".to_owned(),
            name: "One".to_owned(),
            kind: kind.to_owned(),
            sg_code: None,
            phs_code: None,
            superseded_codes: Vec::new(),
            aliases: Vec::new(),
            valid_from: None,
            valid_to: None,
        });
        let mut framed = framed_for(&spec, organisation.as_ref(), drawing);
        let earlier = |drawing: Option<&str>| drawing.map(|drawing| self::framed(&spec, drawing));
        let (previous, year_ago) = (earlier(self.previous), earlier(self.year_ago));
        let period = Period::parse(spec.period_kind, "2025-26").unwrap();
        let mut all = std::mem::take(&mut framed.findings);
        let reference = Reference {
            previous: previous.as_ref(),
            year_ago: year_ago.as_ref(),
            others: &[],
            values: &[],
            organisation: organisation.as_ref(),
            period: Some(&period),
            received_on: NaiveDate::from_ymd_opt(2026, 5, 1).unwrap(),
        };
        all.append(check(&spec, &mut framed, &reference).unwrap_or_else(|error| panic!("{error}")));
        all.sort();
        lines(&all)
    }

    /// What can't be run of the rules, whatever is drawn.
    pub(crate) fn tried_out(&self) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let spec = self.spec(dir.path());
        let errors = crate::try_out(&spec, &[]).unwrap_or_else(|error| panic!("{error}"));
        errors.iter().map(ToString::to_string).collect()
    }

    fn spec(&self, root: &Path) -> ReturnSpec {
        let folder = write_edited(root, "demo", "", self.rules, self.edits);
        spec::load(&folder).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A line each: `severity rule cell: message`.
pub(crate) fn lines(findings: &Findings) -> Vec<String> {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let cell = finding
        .cell
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    format!(
        "{} {} {cell}: {}",
        finding.severity, finding.rule, finding.message
    )
}

/// Writes the small return under a name, with more of `return.toml` and these rules; gives its version folder.
pub(crate) fn write_return(root: &Path, id: &str, more: &str, rules: &str) -> PathBuf {
    write_edited(root, id, more, rules, &[])
}

fn write_edited(
    root: &Path,
    id: &str,
    more: &str,
    rules: &str,
    edits: &[(&str, &str, &str)],
) -> PathBuf {
    let folder = root.join(id).join("1");
    fs::create_dir_all(folder.join("tables")).unwrap();
    fs::create_dir_all(folder.join("codes")).unwrap();
    let write = |name: &str, text: &str| {
        let edits = edits.iter().filter(|(file, _, _)| *file == name);
        let text = edits.fold(text.to_owned(), |text, (_, from, to)| {
            assert!(text.contains(from), "{name} has no {from}");
            text.replace(from, to)
        });
        fs::write(folder.join(name), text).unwrap();
    };
    let about = RETURN.replace("id = \"demo\"", &format!("id = \"{id}\""));
    write("return.toml", &format!("{about}{more}"));
    write("CHANGES.md", "# Changes\n");
    for (table, schema, keys) in [
        ("site", site(), r#"keys = ["ID"]"#),
        ("visit", visit(), ""),
        ("episode", episode(), r#"keys = ["ID"]"#),
        ("stay", stay(), r#"keys = ["EPISODE", "KIND", "START"]"#),
    ] {
        write(&format!("tables/{table}.schema.json"), &schema);
        let layout = format!(
            "layout = \"records\"\ntitle = \"{table}\"\n{keys}\n[sheet]\nnames = [\"{table}\"]\nrequired = false\n[header]\nsearch_rows = 5\n"
        );
        write(&format!("tables/{table}.toml"), &layout);
    }
    write("tables/form.schema.json", &form());
    write("tables/form.toml", FORM_LAYOUT);
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
    framed_for(spec, None, drawing)
}

fn framed_for(spec: &ReturnSpec, organisation: Option<&Organisation>, drawing: &str) -> Framed {
    let grid = sheet::grid::Grid::parse(drawing).unwrap();
    let expected = Expected {
        organisation,
        period: None,
        organisations: &Organisations::default(),
    };
    frame::frame(&grid.to_workbook(), spec, expected)
}
