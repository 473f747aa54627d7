//! `rules.toml`: rules across items, rows, tables and periods.

mod change;
mod interval;
mod query;
mod sum;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use finding::Severity;
use serde::Deserialize;
use serde_json::Value;

use super::bodies::Bodies;
use super::document::Document;
use super::fault::Faults;
use super::folder::Folder;
use super::format::FileKind;
use super::links::Links;
use super::message::{self, Placeholders};
use super::property::{describe, is_numeric};
use super::returns::Sources;
use super::table::TableDraft;
use super::{rule_ids, toml_document};
use crate::rule::{Against, Direction, GapPlace, OwnThresholds, Stage, Thresholds, When};
use crate::{Confidence, InForce, Layout, OnlyFor, Provenance, Rule, RuleKind, Threshold};

const FILE: &str = "rules.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleDocument {
    id: String,
    table: String,
    kind: KindName,
    severity: Severity,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    only_for: OnlyFor,
    #[serde(default)]
    items: Vec<String>,
    message: String,
    fix: String,
    source: String,
    confidence: Confidence,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    #[serde(default)]
    trial: bool,
    #[serde(default)]
    thresholds: BTreeMap<String, Threshold>,
    #[serde(default)]
    thresholds_of: BTreeMap<String, OwnThresholdsDocument>,
    assert: Option<String>,
    query: Option<String>,
    parent: Option<String>,
    #[serde(default)]
    parent_items: Vec<String>,
    total: Option<String>,
    #[serde(default)]
    parts: Vec<String>,
    total_line: Option<String>,
    #[serde(default)]
    part_lines: Vec<String>,
    against: Option<AgainstName>,
    #[serde(rename = "where")]
    condition: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    touching: bool,
    #[serde(default)]
    same_start: bool,
    parent_from: Option<String>,
    parent_to: Option<String>,
    parent_where: Option<String>,
    #[serde(default)]
    gaps: Vec<GapPlace>,
    #[serde(default)]
    direction: Direction,
    when: Option<When>,
}

#[derive(Debug, Deserialize)]
struct OwnThresholdsDocument {
    source: String,
    confidence: Confidence,
    #[serde(flatten)]
    values: BTreeMap<String, Threshold>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Assert,
    Query,
    Unique,
    References,
    Within,
    NoOverlap,
    Continuous,
    Sum,
    Change,
    Unchanged,
    Present,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AgainstName {
    Previous,
    YearAgo,
}

impl From<AgainstName> for Against {
    fn from(name: AgainstName) -> Self {
        match name {
            AgainstName::Previous => Against::Previous,
            AgainstName::YearAgo => Against::YearAgo,
        }
    }
}

pub(crate) fn read(
    folder: &mut Folder,
    sources: &Sources,
    bodies: &Bodies,
    tables: &[TableDraft],
    links: &Links,
    faults: &mut Faults,
) -> Vec<Rule> {
    let document = toml_document(folder, FILE, FileKind::Rules, faults);
    let mut rules = Vec::new();
    if let Some(document) = &document {
        for pointer in document.elements("/rule") {
            let Some(said) = document.part::<RuleDocument>(&pointer, faults) else {
                continue;
            };
            let reading = Reading {
                document,
                pointer,
                sources,
                bodies,
                tables,
                links,
            };
            rules.extend(reading.rule(said, faults));
        }
    }
    rule_ids::check(document.as_ref(), tables, faults);
    rules
}

/// One rule being read, with what it may refer to.
struct Reading<'a> {
    document: &'a Document,
    pointer: String,
    sources: &'a Sources,
    bodies: &'a Bodies,
    tables: &'a [TableDraft],
    links: &'a Links,
}

impl Reading<'_> {
    fn fault(&self, member: &str, why: impl Into<String>, faults: &mut Faults) {
        let pointer = format!("{}/{member}", self.pointer);
        self.document.fault(faults, &pointer, why);
    }

    /// `None` where the rule's table or a parameter is not there.
    fn rule(&self, mut said: RuleDocument, faults: &mut Faults) -> Option<Rule> {
        if let Some(why) = self.sources.unknown(&said.source) {
            self.fault("source", why, faults);
        }
        if let (Some(first), Some(last)) = (said.valid_from, said.valid_to)
            && last < first
        {
            let why = format!("{last} is before valid_from, {first}");
            self.fault("valid_to", why, faults);
        }
        let Some(table) = self.tables.iter().find(|table| table.name == said.table) else {
            let why = format!("there is no table \"{}\"", said.table);
            self.fault("table", why, faults);
            return None;
        };
        if said.id.split('.').next() != Some(&table.name) {
            let why = format!("\"{}\" has to start with \"{}.\"", said.id, table.name);
            self.fault("id", why, faults);
        }
        for (idx, name) in said.only_for.0.iter().enumerate() {
            if let Some(why) = self.bodies.unknown(name) {
                self.fault(&format!("only_for/{idx}"), why, faults);
            }
        }
        if said.stage == Stage::Collection {
            self.check_collection(&said, faults);
        }
        self.check_items(table, &said.items, "items", faults);
        let thresholds = self.thresholds(&mut said, faults);
        let mut known = Placeholders::of_items(table);
        let kind = self.kind(&mut said, table, &mut known, faults)?;
        for (member, text) in [("message", &said.message), ("fix", &said.fix)] {
            for why in message::faults_of(text, |name| known.has(name)) {
                self.fault(member, why, faults);
            }
        }
        Some(Rule {
            id: said.id,
            table: said.table,
            severity: said.severity,
            stage: said.stage,
            only_for: said.only_for,
            items: said.items,
            message: said.message,
            fix: said.fix,
            in_force: InForce {
                from: said.valid_from,
                to: said.valid_to,
            },
            trial: said.trial,
            thresholds,
            kind,
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        })
    }

    fn kind(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        let kind = match said.kind {
            KindName::Assert => {
                let expression = said.assert.take()?;
                let vetted = self.for_an_item(&expression, "assert", said, known, faults);
                self.check_expression(&vetted, "assert", table, said, faults);
                RuleKind::Assert { expression }
            }
            KindName::Query => self.query(said, known, faults)?,
            KindName::Unique => {
                known.add(&["first"]);
                RuleKind::Unique
            }
            KindName::References => {
                let parent = said.parent.take()?;
                let parent_items = std::mem::take(&mut said.parent_items);
                self.check_parent(&said.items, table, &parent, &parent_items, faults);
                RuleKind::References {
                    parent,
                    parent_items,
                }
            }
            KindName::Within => self.within(said, table, known, faults)?,
            KindName::NoOverlap => self.no_overlap(said, table, known, faults)?,
            KindName::Continuous => self.continuous(said, table, known, faults)?,
            KindName::Sum => {
                if let Some(total_line) = said.total_line.take() {
                    known.add(&["value", "expected", "title"]);
                    self.sum_down(said, table, total_line, faults)
                } else {
                    known.add(&["total", "expected"]);
                    self.sum_across(said, table, faults)?
                }
            }
            KindName::Change => self.change(said, table, known, faults)?,
            KindName::Unchanged => {
                known.add(&["title", "value", "before"]);
                let is_matrix = matches!(table.layout, Some(Layout::Matrix(_)));
                self.check_items(table, &said.by, "by", faults);
                if table.layout.is_some() && !is_matrix && !table.has_keys && said.by.is_empty() {
                    let why = format!("{} has no keys to match records by", table.name);
                    self.fault("table", why, faults);
                }
                let condition = said.condition.take();
                if let Some(expression) = &condition {
                    self.check_expression(expression, "where", table, said, faults);
                }
                RuleKind::Unchanged {
                    against: said.against?.into(),
                    by: std::mem::take(&mut said.by),
                    condition,
                }
            }
            KindName::Present => {
                let condition = said.condition.take();
                if let Some(expression) = &condition {
                    self.check_expression(expression, "where", table, said, faults);
                }
                RuleKind::Present {
                    against: said.against?.into(),
                    condition,
                }
            }
        };
        Some(kind)
    }

    fn thresholds(&self, said: &mut RuleDocument, faults: &mut Faults) -> Thresholds {
        for name in said.thresholds.keys() {
            if ["period_start", "period_end", "received_on", "value"].contains(&name.as_str()) {
                let why = format!("${name} is taken");
                self.fault(&format!("thresholds/{name}"), why, faults);
            }
        }
        let mut of = BTreeMap::new();
        for (code, own) in std::mem::take(&mut said.thresholds_of) {
            let at = format!("thresholds_of/{code}");
            if let Some(why) = self.bodies.unknown_code(&code) {
                self.fault(&at, why, faults);
            }
            if let Some(why) = self.sources.unknown(&own.source) {
                self.fault(&format!("{at}/source"), why, faults);
            }
            if own.values.is_empty() {
                self.fault(&at, "says no threshold", faults);
            }
            for name in own.values.keys() {
                if !said.thresholds.contains_key(name) {
                    let why = format!("the rule has no threshold \"{name}\"");
                    self.fault(&format!("{at}/{name}"), why, faults);
                }
            }
            let provenance = Provenance {
                source: own.source,
                confidence: own.confidence,
            };
            let values = own.values;
            of.insert(code, OwnThresholds { values, provenance });
        }
        Thresholds {
            of_all: said.thresholds.clone(),
            of,
        }
    }

    fn check_items(&self, table: &TableDraft, items: &[String], member: &str, faults: &mut Faults) {
        for (idx, item) in items.iter().enumerate() {
            if let Some(why) = table.lacks(item) {
                self.fault(&format!("{member}/{idx}"), why, faults);
            }
        }
    }

    fn check_numeric(
        &self,
        table: &TableDraft,
        items: &[String],
        member: &str,
        faults: &mut Faults,
    ) {
        for (idx, name) in items.iter().enumerate() {
            if let Some(item) = table.item(name)
                && !is_numeric(item.kind)
            {
                let why = format!("{name} is {}, not a number", describe(item.kind));
                self.fault(&format!("{member}/{idx}"), why, faults);
            }
        }
    }

    fn check_collection(&self, said: &RuleDocument, faults: &mut Faults) {
        if said.kind != KindName::Query {
            let why = "only a query can look at the returns of all organisations";
            self.fault("kind", why, faults);
        }
        if said.severity == Severity::Blocker {
            let why = "\"blocker\" is for files, and this rule looks at returns that stand";
            self.fault("severity", why, faults);
        }
    }

    fn check_parent(
        &self,
        items: &[String],
        table: &TableDraft,
        parent: &str,
        parent_items: &[String],
        faults: &mut Faults,
    ) {
        let Some(parent) = self.tables.iter().find(|known| known.name == parent) else {
            let why = format!("there is no table \"{parent}\"");
            return self.fault("parent", why, faults);
        };
        self.check_items(parent, parent_items, "parent_items", faults);
        if items.len() != parent_items.len() {
            let why = format!("{} items against {}", parent_items.len(), items.len());
            return self.fault("parent_items", why, faults);
        }
        for (idx, (child, other)) in items.iter().zip(parent_items).enumerate() {
            if let (Some(child), Some(other)) = (table.item(child), parent.item(other))
                && child.kind != other.kind
            {
                let why = format!(
                    "{} is {}, but {} is {}",
                    other.name,
                    describe(other.kind),
                    child.name,
                    describe(child.kind)
                );
                self.fault(&format!("parent_items/{idx}"), why, faults);
            }
        }
    }
}

/// The rules' ids as written, for the check over the whole folder.
pub(super) fn ids(document: &Document) -> Vec<(String, String)> {
    document
        .elements("/rule")
        .into_iter()
        .filter_map(|pointer| {
            let at = format!("{pointer}/id");
            let id = document.value.pointer(&at).and_then(Value::as_str)?;
            Some((at, id.to_owned()))
        })
        .collect()
}
