//! `rules.toml`: rules across items, rows, tables and periods.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use finding::Severity;
use serde::Deserialize;
use serde_json::Value;

use super::document::Document;
use super::fault::Faults;
use super::folder::Folder;
use super::format::FileKind;
use super::links::Links;
use super::message::{self, Placeholders};
use super::property::{describe, is_numeric};
use super::returns::Sources;
use super::table::TableDraft;
use super::{rule_ids, sql, toml_document};
use crate::rule::{ADDRESS, ALL_ORGANISATIONS, Against, Part, Stage, all_name};
use crate::{Confidence, Layout, Provenance, Rule, RuleKind};

const FILE: &str = "rules.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleDocument {
    id: String,
    table: String,
    kind: KindName,
    severity: Severity,
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
    stage: Stage,
    #[serde(default)]
    thresholds: BTreeMap<String, f64>,
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Assert,
    Query,
    Unique,
    References,
    Sum,
    Change,
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
        self.check_items(table, &said.items, "items", faults);
        for name in said.thresholds.keys() {
            if ["period_start", "period_end", "received_on"].contains(&name.as_str()) {
                let why = format!("${name} is taken");
                self.fault(&format!("thresholds/{name}"), why, faults);
            }
        }
        if said.stage == Stage::Collection {
            self.check_collection(&said, faults);
        }
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
            items: said.items,
            message: said.message,
            fix: said.fix,
            valid_from: said.valid_from,
            valid_to: said.valid_to,
            trial: said.trial,
            stage: said.stage,
            thresholds: said.thresholds,
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
                self.check_expression(&expression, "assert", table, said, faults);
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
                self.check_parent(said, table, &parent, &parent_items, faults);
                RuleKind::References {
                    parent,
                    parent_items,
                }
            }
            KindName::Sum => {
                if let Some(total_line) = said.total_line.take() {
                    known.add(&["value", "expected", "title"]);
                    self.sum_down(said, table, total_line, faults)
                } else {
                    known.add(&["total", "expected"]);
                    self.sum_across(said, table, faults)?
                }
            }
            KindName::Change => {
                known.add(&["title", "value", "before", "difference", "percent"]);
                self.check_numeric(table, &said.items, "items", faults);
                let is_matrix = matches!(table.layout, Some(Layout::Matrix(_)));
                if table.layout.is_some() && !is_matrix && !table.has_keys {
                    let why = format!("{} has no keys to match records by", table.name);
                    self.fault("table", why, faults);
                }
                RuleKind::Change {
                    against: said.against?.into(),
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

    fn check_expression(
        &self,
        expression: &str,
        member: &str,
        table: &TableDraft,
        said: &RuleDocument,
        faults: &mut Faults,
    ) {
        let is_turn_around = matches!(table.layout, Some(Layout::TurnAround { .. }));
        let column = |name: &str| match name {
            "_row" => None,
            "_new" if is_turn_around || table.layout.is_none() => None,
            name => table.lacks(name),
        };
        let thresholds = said.thresholds.keys().map(String::as_str).collect();
        for why in sql::vet_expression(expression, &column, &thresholds) {
            self.fault(member, why, faults);
        }
    }

    fn query(
        &self,
        said: &mut RuleDocument,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        let select = said.query.take()?;
        let is_table = |name: &str| {
            if said.stage == Stage::Collection {
                return name == ALL_ORGANISATIONS
                    || self
                        .tables
                        .iter()
                        .any(|table| all_name(&table.name) == name);
            }
            let plain = [Against::Previous, Against::YearAgo]
                .iter()
                .find_map(|against| name.strip_prefix(against.prefix()))
                .unwrap_or(name);
            self.tables
                .iter()
                .any(|table| table.name == name || table.name == plain)
                || self.links.has(name)
        };
        let thresholds: BTreeSet<&str> = said.thresholds.keys().map(String::as_str).collect();
        match sql::vet_query(&select, &is_table, &thresholds) {
            Ok(vetted) => {
                if said.stage == Stage::Collection {
                    // Its words hold values of the record that it points at, and no column that the query made
                    // of another organisation's.
                    self.check_address(vetted.columns.as_deref(), faults);
                    return Some(RuleKind::Query {
                        select,
                        reads: vetted.reads,
                    });
                }
                match vetted.columns {
                    Some(columns) => known.names.extend(columns),
                    None => known.is_open = true,
                }
                Some(RuleKind::Query {
                    select,
                    reads: vetted.reads,
                })
            }
            Err(whys) => {
                for why in whys {
                    self.fault("query", why, faults);
                }
                None
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

    /// Whose record a finding is about has to be plain.
    fn check_address(&self, columns: Option<&[String]>, faults: &mut Faults) {
        let Some(columns) = columns else {
            let why = "has to name its columns, _organisation and _row among them";
            return self.fault("query", why, faults);
        };
        for name in ADDRESS {
            if !columns.iter().any(|column| column == name) {
                self.fault("query", format!("does not return {name}"), faults);
            }
        }
    }

    fn check_parent(
        &self,
        said: &RuleDocument,
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
        if said.items.len() != parent_items.len() {
            let why = format!("{} items against {}", parent_items.len(), said.items.len());
            return self.fault("parent_items", why, faults);
        }
        for (idx, (child, other)) in said.items.iter().zip(parent_items).enumerate() {
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

    fn sum_across(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        let total = said.total.take()?;
        if let Some(why) = table.lacks(&total) {
            self.fault("total", why, faults);
        }
        if let Some(item) = table.item(&total)
            && !is_numeric(item.kind)
        {
            let why = format!("{total} is {}, not a number", describe(item.kind));
            self.fault("total", why, faults);
        }
        let parts: Vec<Part> = said.parts.iter().map(|text| part(text)).collect();
        let names: Vec<String> = parts.iter().map(|part| part.name.clone()).collect();
        self.check_items(table, &names, "parts", faults);
        self.check_numeric(table, &names, "parts", faults);
        if names.contains(&total) {
            self.fault("parts", "the total is one of its own parts", faults);
        }
        if said.items.is_empty() {
            said.items.push(total.clone());
        }
        Some(RuleKind::SumAcross { total, parts })
    }

    fn sum_down(
        &self,
        said: &RuleDocument,
        table: &TableDraft,
        total_line: String,
        faults: &mut Faults,
    ) -> RuleKind {
        self.check_numeric(table, &said.items, "items", faults);
        let mut part_lines = Vec::new();
        match &table.layout {
            Some(Layout::Matrix(matrix)) => {
                let has = |code: &str| matrix.lines.iter().any(|line| line.code == code);
                if !has(&total_line) {
                    let why = format!("{} has no line \"{total_line}\"", table.name);
                    self.fault("total_line", why, faults);
                }
                for (idx, text) in said.part_lines.iter().enumerate() {
                    // A code that itself starts with a minus stands for itself.
                    let line = if has(text) { plain(text) } else { part(text) };
                    let at = format!("part_lines/{idx}");
                    if line.name == total_line {
                        self.fault(&at, "the total is one of its own parts", faults);
                    } else if !has(&line.name) {
                        let why = format!("{} has no line \"{}\"", table.name, line.name);
                        self.fault(&at, why, faults);
                    }
                    part_lines.push(line);
                }
            }
            Some(_) => {
                let why = format!("{} is not a matrix", table.name);
                self.fault("total_line", why, faults);
            }
            None => {}
        }
        RuleKind::SumDown {
            total_line,
            part_lines,
        }
    }
}

fn plain(name: &str) -> Part {
    Part {
        name: name.to_owned(),
        subtract: false,
    }
}

fn part(text: &str) -> Part {
    text.strip_prefix('-').map_or_else(
        || plain(text),
        |name| Part {
            name: name.to_owned(),
            subtract: true,
        },
    )
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
