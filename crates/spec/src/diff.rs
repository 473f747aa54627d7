//! What changed between two versions of a return, one thing at a time.
//!
//! Everything that a version says is compared by name: items by table and name, codes by list, lines by code, rules by id.
//! What a version only looks like (the order of its files' sections, comments, examples) is no change.

mod facets;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Layout, ReturnSpec, TableSpec};
use facets::Facets;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub subject: Subject,
    /// The table it belongs to.
    pub table: Option<String>,
    /// What it is called in the newer version, or in the older one where it is gone: an item, code, line, rule id or fact.
    pub name: String,
    #[serde(flatten)]
    pub what: What,
}

/// What a difference is about, in the order in which differences are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Return,
    Table,
    Item,
    Line,
    Code,
    Rule,
    Fact,
    Source,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Added {
        /// What it is, in a few words.
        after: String,
    },
    Removed {
        before: String,
    },
    /// The same under another name; how it was known to be is in `why`.
    Renamed {
        before: String,
        why: &'static str,
    },
    Changed {
        property: String,
        before: Option<String>,
        after: Option<String>,
    },
}

/// Every difference, in the order of [`Subject`], then by table and place.
pub fn diff(before: &ReturnSpec, after: &ReturnSpec) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = Compare {
        changes: &mut changes,
    };
    compare.facets(
        Subject::Return,
        None,
        &after.id,
        &facets::of_return(before),
        &facets::of_return(after),
    );
    compare.all(
        Subject::Table,
        None,
        &facets::tables(before),
        &facets::tables(after),
        |_, _| None,
    );
    for table in &after.tables {
        if let Some(earlier) = before.table(&table.name) {
            compare.table(earlier, table);
        }
    }
    compare.codes(&facets::codes(before), &facets::codes(after));
    compare.all(
        Subject::Rule,
        None,
        &facets::rules(before),
        &facets::rules(after),
        |_, _| None,
    );
    compare.all(
        Subject::Fact,
        None,
        &facets::facts(before),
        &facets::facts(after),
        |_, _| None,
    );
    compare.all(
        Subject::Source,
        None,
        &facets::sources(before),
        &facets::sources(after),
        |_, _| None,
    );
    changes.sort_by_key(|change| change.subject);
    changes
}

/// Something with a name, and all that is said of it.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    /// What it is, in a few words.
    summary: String,
    facets: Facets,
}

struct Compare<'c> {
    changes: &'c mut Vec<Change>,
}

impl Compare<'_> {
    fn push(&mut self, subject: Subject, table: Option<&str>, name: &str, what: What) {
        self.changes.push(Change {
            subject,
            table: table.map(str::to_owned),
            name: name.to_owned(),
            what,
        });
    }

    fn facets(
        &mut self,
        subject: Subject,
        table: Option<&str>,
        name: &str,
        before: &Facets,
        after: &Facets,
    ) {
        let mut names: Vec<&String> = after.keys().collect();
        names.extend(before.keys().filter(|name| !after.contains_key(*name)));
        for property in names {
            let (was, is) = (before.get(property), after.get(property));
            if was != is {
                let what = What::Changed {
                    property: property.clone(),
                    before: was.cloned(),
                    after: is.cloned(),
                };
                self.push(subject, table, name, what);
            }
        }
    }

    /// `same` says why a thing that is gone and a new one are the same.
    fn all(
        &mut self,
        subject: Subject,
        table: Option<&str>,
        before: &[Named],
        after: &[Named],
        same: impl Fn(&Named, &Named) -> Option<&'static str>,
    ) {
        let has = |things: &[Named], name: &str| things.iter().any(|thing| thing.name == name);
        let mut gone: Vec<&Named> = before
            .iter()
            .filter(|thing| !has(after, &thing.name))
            .collect();
        for thing in after {
            if let Some(earlier) = before.iter().find(|earlier| earlier.name == thing.name) {
                self.facets(subject, table, &thing.name, &earlier.facets, &thing.facets);
                continue;
            }
            let renamed = gone
                .iter()
                .enumerate()
                .find_map(|(idx, earlier)| Some((idx, same(earlier, thing)?)));
            if let Some((idx, why)) = renamed {
                let earlier = gone.remove(idx);
                let what = What::Renamed {
                    before: earlier.name.clone(),
                    why,
                };
                self.push(subject, table, &thing.name, what);
                self.facets(subject, table, &thing.name, &earlier.facets, &thing.facets);
            } else {
                let after = thing.summary.clone();
                self.push(subject, table, &thing.name, What::Added { after });
            }
        }
        for thing in gone {
            let before = thing.summary.clone();
            self.push(subject, table, &thing.name, What::Removed { before });
        }
    }

    fn table(&mut self, before: &TableSpec, after: &TableSpec) {
        let table = Some(after.name.as_str());
        self.all(
            Subject::Item,
            table,
            &facets::items(before),
            &facets::items(after),
            same_item,
        );
        let lines = |table: &TableSpec| match &table.layout {
            Layout::Matrix(matrix) => facets::lines(matrix),
            Layout::Records(_) | Layout::TurnAround { .. } => Vec::new(),
        };
        self.all(
            Subject::Line,
            table,
            &lines(before),
            &lines(after),
            |earlier, line| {
                (earlier.facets.get("label") == line.facets.get("label")).then_some("same label")
            },
        );
    }

    /// By list; a list that only one version has is told by its items.
    fn codes(
        &mut self,
        before: &BTreeMap<String, Vec<Named>>,
        after: &BTreeMap<String, Vec<Named>>,
    ) {
        for (list, codes) in after {
            if let Some(earlier) = before.get(list) {
                self.all(Subject::Code, Some(list), earlier, codes, |_, _| None);
            }
        }
    }
}

/// An item that has another name now: it says the same, or stands where the other stood.
fn same_item(before: &Named, after: &Named) -> Option<&'static str> {
    let same = |facet: &str| {
        let was = before.facets.get(facet);
        was.is_some() && was == after.facets.get(facet)
    };
    if same("title") {
        Some("same title")
    } else if same("description") {
        Some("same description")
    } else if same("column") && same("type") {
        Some("same column")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;
    use crate::load::sample::Sample;

    /// A changed copy of the sample against the sample itself, a line for each change.
    fn told(edits: &[(&str, &str, &str)]) -> Vec<String> {
        let (before, after) = (Sample::new(), Sample::new());
        for (file, from, to) in edits {
            after.edit(file, from, to);
        }
        let load = |sample: &Sample| load(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
        diff(&load(&before), &load(&after))
            .iter()
            .map(|change| serde_json::to_string(change).unwrap())
            .collect()
    }

    #[test]
    fn a_version_does_not_differ_from_itself_whatever_its_files_look_like() {
        assert_eq!(told(&[]), Vec::<String>::new());
        assert_eq!(
            told(&[
                ("CHANGES.md", "1.0", "1.0 again"),
                (
                    "rules.toml",
                    "[[rule]]\nid = \"case.too-many\"",
                    "# Counted.\n[[rule]]\nid = \"case.too-many\""
                ),
                (
                    "examples/valid.example",
                    "All is well",
                    "Everything is well"
                ),
            ]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_change_of_an_item_is_one_difference() {
        let schema = "tables/case.schema.json";
        for (from, to, expected) in [
            (
                "\"title\": \"Adults\"",
                "\"title\": \"Grown-ups\"",
                r#"{"subject":"item","table":"case","name":"ADULTS","what":"changed","property":"title","before":"Adults","after":"Grown-ups"}"#,
            ),
            (
                "\"maximum\": 99",
                "\"maximum\": 50",
                r#"{"subject":"item","table":"case","name":"ADULTS","what":"changed","property":"maximum","before":"99","after":"50"}"#,
            ),
            (
                "\"multipleOf\": 0.01",
                "\"multipleOf\": 0.1",
                r#"{"subject":"item","table":"case","name":"COST","what":"changed","property":"type","before":"number with 2 decimals","after":"number with 1 decimal"}"#,
            ),
            (
                "[\"AREA\", \"REF\"]",
                "[\"AREA\", \"REF\", \"COST\"]",
                r#"{"subject":"item","table":"case","name":"COST","what":"changed","property":"required","before":"no","after":"yes"}"#,
            ),
            (
                "\"maxLength\": 10, ",
                "",
                r#"{"subject":"item","table":"case","name":"REF","what":"changed","property":"maxLength","before":"10","after":null}"#,
            ),
        ] {
            assert_eq!(told(&[(schema, from, to)]), [expected], "{to}");
        }
    }

    #[test]
    fn items_come_go_and_are_renamed() {
        let schema = "tables/site.schema.json";
        let units = "\"UNITS\": { \"title\": \"Units\", \"description\": \"How many.\", \"type\": \"integer\", \"enum\": [1, 2, 3],\n      \"x-source\": \"guide\", \"x-confidence\": \"published\" }";
        assert_eq!(
            told(&[(
                schema,
                units,
                &format!(
                    "{units},\n    \"NOTE\": {{ \"title\": \"Note\", \"description\": \"Any.\", \"type\": \"string\", \"x-source\": \"guide\", \"x-confidence\": \"inferred\" }}"
                )
            )]),
            [
                r#"{"subject":"item","table":"site","name":"NOTE","what":"added","after":"Note, text"}"#
            ]
        );
        assert_eq!(
            told(&[
                (schema, "\"CASEREF\": {", "\"CASENO\": {"),
                (
                    "rules.toml",
                    "items = [\"CASEREF\"]",
                    "items = [\"CASENO\"]"
                ),
                ("rules.toml", "{CASEREF}", "{CASENO}"),
            ]),
            [
                r#"{"subject":"item","table":"site","name":"CASENO","what":"renamed","before":"CASEREF","why":"same title"}"#,
                r#"{"subject":"rule","table":null,"name":"site.case-unknown","what":"changed","property":"items","before":"CASEREF","after":"CASENO"}"#,
                r#"{"subject":"rule","table":null,"name":"site.case-unknown","what":"changed","property":"message","before":"There is no case {CASEREF}.","after":"There is no case {CASENO}."}"#,
            ]
        );
    }

    #[test]
    fn codes_lines_rules_and_facts_are_compared_by_name() {
        for (file, from, to, expected) in [
            (
                "codes/reason.csv",
                "2,Second,,,",
                "2,Second,,2026-12-31,",
                r#"{"subject":"code","table":"reason","name":"2","what":"changed","property":"in force","before":"always","after":"until 2026-12-31"}"#,
            ),
            (
                "codes/reason.csv",
                "2,Second,,,guide,inferred\n",
                "2,Second,,,guide,inferred\n3,Third,,,guide,inferred\n",
                r#"{"subject":"code","table":"reason","name":"3","what":"added","after":"Third"}"#,
            ),
            (
                "tables/form.toml",
                "row = 10",
                "row = 12",
                r#"{"subject":"line","table":"form","name":"2","what":"changed","property":"row","before":"10","after":"12"}"#,
            ),
            (
                "tables/form.toml",
                "column = \"D\"",
                "column = \"F\"",
                r#"{"subject":"item","table":"form","name":"part_time","what":"changed","property":"column","before":"D","after":"F"}"#,
            ),
            (
                "tables/case.toml",
                "names = [\"Cases\"]",
                "names = [\"Applications\", \"Cases\"]",
                r#"{"subject":"table","table":null,"name":"case","what":"changed","property":"sheets","before":"Cases","after":"Applications, Cases"}"#,
            ),
            (
                "rules.toml",
                "severity = \"query\"",
                "severity = \"error\"",
                r#"{"subject":"rule","table":null,"name":"case.adults-without-cost","what":"changed","property":"severity","before":"query","after":"error"}"#,
            ),
            (
                "rules.toml",
                "most = 5",
                "most = 7.5",
                r#"{"subject":"rule","table":null,"name":"case.adults-without-cost","what":"changed","property":"threshold most","before":"5","after":"7.5"}"#,
            ),
            (
                "rules.toml",
                "trial = true",
                "",
                r#"{"subject":"rule","table":null,"name":"site.gone","what":"changed","property":"trial","before":"yes","after":null}"#,
            ),
            (
                "tables/case.schema.json",
                "\"x-severity\": \"error\"",
                "\"x-severity\": \"query\"",
                r#"{"subject":"rule","table":null,"name":"case.cost-missing","what":"changed","property":"severity","before":"error","after":"query"}"#,
            ),
            (
                "return.toml",
                "value = \"Ten years.\"",
                "value = \"Five years.\"",
                r#"{"subject":"fact","table":null,"name":"retention","what":"changed","property":"value","before":"Ten years.","after":"Five years."}"#,
            ),
            (
                "return.toml",
                "extra_columns = \"refuse\"",
                "extra_columns = \"ignore\"",
                r#"{"subject":"return","table":null,"name":"demo","what":"changed","property":"extra columns","before":"refuse","after":"ignore"}"#,
            ),
        ] {
            assert_eq!(told(&[(file, from, to)]), [expected], "{file}: {to}");
        }
    }

    #[test]
    fn a_rule_that_is_gone_is_told_with_what_it_said() {
        let (before, after) = (Sample::new(), Sample::new());
        let text = std::fs::read_to_string(after.dir().join("rules.toml")).unwrap();
        let at = text.find("[[rule]]\nid = \"site.gone\"").unwrap();
        after.write("rules.toml", &text[..at]);
        let changes = diff(&load(&before.dir()).unwrap(), &load(&after.dir()).unwrap());
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].name, "site.gone");
        assert_eq!(
            changes[0].what,
            What::Removed {
                before: "error: {SITE} is gone.".to_owned()
            }
        );
    }
}
