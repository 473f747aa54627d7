//! What a return is compared with beyond its own file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::rule::{Against, Stage};
use crate::{ReferenceSet, ReturnSpec, Rule, RuleKind};

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
