//! A small good folder for tests, one of each layout, that a test can break in one place.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

/// A version folder in a temporary `return-specs/`.
pub(crate) struct Sample {
    root: TempDir,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let sample = Self {
            root: tempfile::tempdir().unwrap(),
        };
        for (file, text) in FILES {
            sample.write(file, text);
        }
        sample
    }

    /// The version folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("demo/1.0")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.dir().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.dir().join(file)).unwrap();
    }

    /// Replaces the first `from` in a file; it has to be there.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.dir().join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, &text.replacen(from, to, 1));
    }
}

const FILES: [(&str, &str); 16] = [
    ("return.toml", RETURN),
    ("tables/case.toml", CASE_TOML),
    ("tables/case.schema.json", CASE_SCHEMA),
    ("tables/form.toml", FORM_TOML),
    ("tables/form.schema.json", FORM_SCHEMA),
    ("tables/site.toml", SITE_TOML),
    ("tables/site.schema.json", SITE_SCHEMA),
    ("codes/reason.csv", REASON),
    ("rules.toml", RULES),
    ("CHANGES.md", "# 1.0\n"),
    ("examples/valid.example", VALID),
    ("examples/valid.report", "ready\n"),
    ("examples/wrong.example", WRONG),
    ("examples/worse.example", WORSE),
    ("../../organisations.csv", ORGANISATIONS),
    ("../../code-lists/area/1.csv", AREA),
];

const RETURN: &str = r#"format = 1

[return]
id = "demo"
version = "1.0"
title = "Demonstration"
acronym = "DEMO"
summary = "One of each."
valid_from = 2026-04-01
valid_to = 2027-03-31
tables = ["case", "form", "site"]

[owner]
organisation = "Scottish Government"
team = "Statistics"

[respondents]
types = ["council"]
only = ["S1"]

[period]
kind = "financial-quarter"

[collection]
accumulation = "cumulative"
extra_columns = "refuse"

[sensitivity]
personal_data = true
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

[demo]
base = "valid"
copies = 3
vary = ["REF"]
"#;

const CASE_TOML: &str = r#"layout = "records"
title = "Cases"
keys = ["AREA", "REF"]

[sheet]
names = ["Cases"]
only_sheet = true

[[identity]]
kind = "organisation"
item = "AREA"

[header]
search_rows = 20

[columns.AREA]
aliases = ["Local authority code"]
blank = ["n/a"]

[[ignore]]
item = "AREA"
starts_with = ["Total"]
reason = "a total row"
"#;

const CASE_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Case",
  "description": "One case.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "AREA": { "title": "Area", "description": "Whose.", "type": "string",
      "x-codes": { "list": "shared/area@1" }, "x-source": "guide", "x-confidence": "published" },
    "REF": { "title": "Reference", "description": "Which.", "type": "string", "pattern": "^[A-Z0-9]+$",
      "x-form": { "words": "capitals and digits", "example": "A1" }, "maxLength": 10, "x-source": "guide", "x-confidence": "published" },
    "OPENED": { "title": "Opened on", "description": "When.", "type": "string", "format": "date",
      "x-date-formats": ["DDMMYYYY"], "x-source": "guide", "x-confidence": "published" },
    "REASON": { "title": "Reason", "description": "Why.", "type": "string",
      "x-codes": { "list": "reason", "as_at": "OPENED" }, "x-aliases-of-values": { "one": "1" },
      "x-source": "guide", "x-confidence": "published" },
    "ADULTS": { "title": "Adults", "description": "How many.", "type": "integer", "minimum": 0,
      "maximum": 99, "x-source": "guide", "x-confidence": "published" },
    "COST": { "title": "Cost", "description": "How much.", "type": "number", "multipleOf": 0.01,
      "x-unit": "£", "x-source": "guide", "x-confidence": "published" },
    "REPEAT": { "title": "Repeat case", "description": "Again.", "type": "boolean",
      "x-source": "guide", "x-confidence": "published" }
  },
  "required": ["AREA", "REF"],
  "allOf": [
    { "x-rule": "case.cost-missing", "x-severity": "error", "x-items": ["COST"],
      "x-message": "Cost is blank, but the reason is {REASON}.", "x-fix": "Enter the cost.",
      "x-source": "guide", "x-confidence": "published",
      "if": { "properties": { "REASON": { "enum": ["1", "2"] } }, "required": ["REASON"] },
      "then": { "required": ["COST"] } }
  ]
}
"#;

const FORM_TOML: &str = r#"layout = "matrix"
title = "Form"
code_column = "A"

[sheet]
names = ["Form"]
required = false

[[identity]]
kind = "period"
cell = "C3"

[[anchors]]
cell = "A1"
text = "The form"

[lines]
item = "line"

[[lines.line]]
code = "1"
row = 9
label = "Men"
description = "Men."
source = "guide"
confidence = "published"

[[lines.line]]
code = "2"
row = 10
label = "Women"
description = "Women."
source = "guide"
confidence = "published"
not_applicable = ["part_time"]

[[lines.line]]
code = "3"
row = 11
label = "Total"
description = "Both."
source = "guide"
confidence = "published"
computed = true

[[lines.column]]
item = "full_time"
column = "C"

[[lines.column]]
item = "part_time"
column = "D"

[[lines.column]]
item = "total"
column = "E"
computed = true
"#;

const FORM_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Line",
  "description": "One line of the form.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "line": { "title": "Line", "description": "Its code.", "type": "string", "enum": ["1", "2", "3"],
      "x-source": "guide", "x-confidence": "published" },
    "full_time": { "title": "Full time", "description": "Staff.", "type": "integer",
      "x-source": "guide", "x-confidence": "published" },
    "part_time": { "title": "Part time", "description": "Staff.", "type": "integer",
      "x-source": "guide", "x-confidence": "published" },
    "total": { "title": "Total", "description": "Staff.", "type": "integer",
      "x-source": "guide", "x-confidence": "published" }
  },
  "required": ["line", "full_time"]
}
"#;

const SITE_TOML: &str = r#"layout = "turn-around"
title = "Sites"
keys = ["SITE"]

[sheet]
names = ["Sites"]
required = false

[header]
search_rows = 5

[turn_around]
key = "SITE"
"#;

const SITE_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Site",
  "description": "One site.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "SITE": { "title": "Site", "description": "Its number.", "type": "string",
      "x-source": "guide", "x-confidence": "published" },
    "CASEREF": { "title": "Case", "description": "Its case.", "type": "string",
      "x-source": "guide", "x-confidence": "published" },
    "UNITS": { "title": "Units", "description": "How many.", "type": "integer", "enum": [1, 2, 3],
      "x-source": "guide", "x-confidence": "published" }
  }
}
"#;

const REASON: &str = "code,label,valid_from,valid_to,source,confidence\n\
    1,First,,2026-06-30,guide,published\n\
    1,First again,2026-07-01,,guide,published\n\
    2,Second,,,guide,inferred\n";

const AREA: &str = "code,label,valid_from,valid_to,source,confidence\n\
    100,Here,,,The list itself,published\n";

const ORGANISATIONS: &str = "code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to\n\
    S1,One,council,100,01,,,,\n\
    S2,Board,board,,,,,,\n";

const RULES: &str = r#"[[rule]]
id = "case.adults-without-cost"
table = "case"
kind = "assert"
severity = "query"
items = ["ADULTS", "COST"]
message = "{ADULTS} adults cost {COST}."
fix = "Check it."
source = "guide"
confidence = "inferred"
valid_from = 2026-04-01
valid_to = 2027-03-31
assert = "ADULTS <= $most OR COST > 0 AND OPENED >= $period_start"
thresholds = { most = 5 }

[[rule]]
id = "case.too-many"
table = "case"
kind = "query"
severity = "error"
message = "{n} cases of {REASON}."
fix = "Check it."
source = "guide"
confidence = "inferred"
query = """
WITH counted AS (SELECT REASON, COUNT(*) AS n FROM case GROUP BY REASON)
SELECT now._row, counted.n FROM case AS now
JOIN counted ON counted.REASON = now.REASON
LEFT JOIN previous_case AS before ON before.REF = now.REF
WHERE before.REF IS NULL AND counted.n > 100
"""

[[rule]]
id = "case.same-cost"
table = "case"
kind = "unique"
severity = "note"
items = ["OPENED", "COST"]
message = "The same stands at {first}."
fix = "Check it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "site.case-unknown"
table = "site"
kind = "references"
severity = "error"
items = ["CASEREF"]
parent = "case"
parent_items = ["REF"]
message = "There is no case {CASEREF}."
fix = "Check it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "form.total-is-not-the-sum"
table = "form"
kind = "sum"
severity = "error"
total = "total"
parts = ["full_time", "part_time"]
message = "The total is {total}, but the parts make {expected}."
fix = "Check it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "form.lines-do-not-add-up"
table = "form"
kind = "sum"
severity = "error"
items = ["full_time"]
total_line = "3"
part_lines = ["1", "2"]
message = "{title} is {value}, but the lines make {expected}."
fix = "Check it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "form.changed"
table = "form"
kind = "change"
severity = "query"
items = ["total"]
against = "year_ago"
thresholds = { percent = 5, minimum = 10 }
message = "{title} moved from {before} to {value} ({percent} %)."
fix = "Explain it."
source = "guide"
confidence = "inferred"

[[rule]]
id = "site.gone"
table = "site"
kind = "present"
severity = "error"
items = ["SITE"]
against = "previous"
where = "UNITS > 1 AND NOT _new"
message = "{SITE} is gone."
fix = "Put it back."
source = "guide"
confidence = "inferred"
trial = true
"#;

const VALID: &str = "title: All is well
organisation: S1
period: 2026-27-Q1
received: 2026-07-20

[Cases]
| AREA | REF |
| '100 | A1 |
";

const WRONG: &str = "title: A wrong reference
organisation: S1
period: 2026-27-Q1
received: 2026-07-20
from: valid
previous: valid
set Cases!B2: a-1
";

const WORSE: &str = "title: A wrong area too
organisation: S1
period: 2026-27-Q1
received: 2026-07-20
from: wrong
year-ago: valid
set Cases!A2: '999
";
