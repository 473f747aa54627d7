//! What a return is compared with beyond its own file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::load::columns_in_sql;
use crate::rule::{Against, Figure, Stage, earlier_rows, runs};
use crate::{Item, ReferenceSet, ReturnSpec, Rule, RuleKind, TableSpec};

/// Another return of the same organisation whose tables the rules may read, as `<return>_<table>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedWith {
    pub return_id: String,
    /// The version that the rules were written against; a file of another version is not read.
    pub version: String,
    /// What it is called in sentences: its acronym.
    pub acronym: String,
    /// The SHA-256 of its spec, in hex.
    pub hash: String,
    pub period: OtherPeriod,
    /// Its tables' names, in its order.
    pub tables: Vec<String>,
}

/// Which of the other return's rounds is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherPeriod {
    /// The one with the same first and last day.
    Same,
    /// The last one that ends before this period starts, and not more than a year before.
    Before,
}

impl ComparedWith {
    /// How SQL names one of its tables.
    pub fn table_name(&self, table: &str) -> String {
        format!("{}_{table}", self.return_id)
    }

    /// Its version folder, beside that of the return that is compared with it.
    pub fn dir(&self, spec_dir: &Path) -> PathBuf {
        version_dir(spec_dir, &self.return_id, &self.version)
    }
}

/// A version's folder, beside another one.
pub(crate) fn version_dir(beside: &Path, return_id: &str, version: &str) -> PathBuf {
    beside.join("../..").join(return_id).join(version)
}

/// Something beyond the file itself that a rule reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// The same organisation's return of the period before.
    Previous,
    /// The same organisation's return of a year before.
    YearAgo,
    /// Another return of the same organisation, by its id.
    Return(String),
    /// Central figures, by the name of their table.
    Values(String),
}

/// Items of a table in an earlier file that a rule reads.
#[derive(Debug, Clone)]
pub struct Read<'a> {
    pub table: &'a TableSpec,
    pub items: Vec<&'a Item>,
    /// SQL can't tell what was left blank from what was not asked for.
    pub is_in_sql: bool,
}

impl From<Against> for Link {
    fn from(against: Against) -> Self {
        match against {
            Against::Previous => Link::Previous,
            Against::YearAgo => Link::YearAgo,
        }
    }
}

impl ReturnSpec {
    /// The other return of this id, as it is compared with.
    pub fn compared_with(&self, return_id: &str) -> Option<&ComparedWith> {
        self.compared_with
            .iter()
            .find(|other| other.return_id == return_id)
    }

    /// The central figures that SQL knows by this table's name.
    pub fn reference_set(&self, table: &str) -> Option<&ReferenceSet> {
        self.reference_values.iter().find(|set| set.table == table)
    }

    /// Everything beyond the file that a rule reads: without it the rule does not run.
    pub fn links_of(&self, rule: &Rule) -> BTreeSet<Link> {
        if rule.stage == Stage::Collection {
            return BTreeSet::new();
        }
        match &rule.kind {
            RuleKind::Change(change) => BTreeSet::from([Link::from(change.against)]),
            RuleKind::Present { against, .. } | RuleKind::Unchanged { against, .. } => {
                BTreeSet::from([Link::from(*against)])
            }
            RuleKind::Query { reads, .. } => {
                reads.iter().filter_map(|name| self.link_of(name)).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// What a rule reads of the same return's file of an earlier period.
    pub fn read_of_earlier(&self, rule: &Rule, against: Against) -> Vec<Read<'_>> {
        let own = self.table(&rule.table);
        let by_key = |by: &[String]| match own {
            Some(table) if by.is_empty() => table.keys.clone(),
            _ => by.to_vec(),
        };
        let (compared, sql) = match &rule.kind {
            RuleKind::Change(change) if change.against == against => match change.figure {
                Figure::Items => (Some(by_key(&change.by)), None),
                Figure::Records => (Some(Vec::new()), None),
            },
            RuleKind::Unchanged {
                against: earlier,
                by,
                condition,
            } if *earlier == against => (Some(by_key(by)), condition.as_deref()),
            RuleKind::Present {
                against: earlier,
                condition,
            } if *earlier == against => (Some(Vec::new()), condition.as_deref()),
            RuleKind::Query { select, .. } => {
                let runs = runs(rule, select).into_iter();
                return runs
                    .flat_map(|(_, query)| self.named_of_earlier(&query, against))
                    .collect();
            }
            _ => (None, None),
        };
        let mut reads = Vec::new();
        if let (Some(keys), Some(table)) = (compared, own) {
            let is_read =
                |item: &&Item| rule.items.contains(&item.name) || keys.contains(&item.name);
            reads.push(Read {
                table,
                items: table.items.iter().filter(is_read).collect(),
                is_in_sql: false,
            });
        }
        if let Some(condition) = sql {
            let query = earlier_rows(against, &rule.table, condition);
            reads.extend(self.named_of_earlier(&query, against));
        }
        reads
    }

    /// The earlier tables that a query names, and of each the items.
    fn named_of_earlier(&self, query: &str, against: Against) -> Vec<Read<'_>> {
        let columns = columns_in_sql(query);
        let tables = self.tables.iter();
        tables
            .filter_map(|table| {
                let columns = columns.get(&format!("{}{}", against.prefix(), table.name))?;
                let items = table.items.iter();
                Some(Read {
                    table,
                    items: items.filter(|item| columns.has(&item.name)).collect(),
                    is_in_sql: true,
                })
            })
            .collect()
    }

    /// What a table that SQL names belongs to; `None`: to the file itself.
    fn link_of(&self, name: &str) -> Option<Link> {
        if self.table(name).is_some() {
            return None;
        }
        let of_other = |other: &ComparedWith| {
            let is_its = |table: &String| other.table_name(table) == name;
            other.tables.iter().any(is_its)
        };
        if let Some(other) = self.compared_with.iter().find(|other| of_other(other)) {
            return Some(Link::Return(other.return_id.clone()));
        }
        if self.reference_set(name).is_some() {
            return Some(Link::Values(name.to_owned()));
        }
        [Against::Previous, Against::YearAgo]
            .into_iter()
            .find(|against| name.starts_with(against.prefix()))
            .map(Link::from)
    }
}
