//! What is wrong with a return, where, and how badly.
//!
//! The vocabulary that every stage of the flow shares.
//! It knows nothing of specs, files or databases.

mod asks;
mod cell;
mod findings;
mod group;
mod key;
mod name;
mod outcome;
pub mod words;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use asks::Asks;
pub use cell::{CellRef, ParseCellRefError, column_letters, parse_column_letters};
pub use findings::Findings;
pub use group::{Group, Groups, groups};
pub use key::FindingKey;
pub use name::Name;
pub use outcome::Outcome;

/// One thing wrong with a return, in words for the person who has to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: RuleId,
    pub severity: Severity,
    /// The spec's table the finding is about; `None` for the file as a whole.
    pub table: Option<Name>,
    /// The cell to look at; `None` where no one cell is at fault.
    pub cell: Option<CellRef>,
    /// The sheet's row, 1-based as the sender sees it.
    pub row_number: Option<u32>,
    /// The data item's name.
    pub item: Option<Name>,
    /// The value as the sender sees it, or as close as the file allows.
    pub value: Option<String>,
    /// One plain sentence: what is wrong.
    pub message: String,
    /// One plain sentence: how to mend it.
    pub fix: Name,
    /// What it would be if its rule were not on trial; a trial never blocks.
    #[serde(default)]
    pub trial: Option<Severity>,
    /// The same in the sender's next file as long as the same rule finds fault with the same record.
    #[serde(default)]
    pub key: Option<FindingKey>,
    /// The sender's own columns of the row, by heading: theirs to map the finding back to where the row came from.
    #[serde(default)]
    pub own: BTreeMap<String, String>,
}

impl Finding {
    /// A finding about the file as a whole; narrow it with the `at_…` and `with_…` methods.
    pub fn new(
        rule: impl Into<RuleId>,
        severity: Severity,
        message: impl Into<String>,
        fix: impl Into<Name>,
    ) -> Self {
        Self {
            rule: rule.into(),
            severity,
            table: None,
            cell: None,
            row_number: None,
            item: None,
            value: None,
            message: message.into(),
            fix: fix.into(),
            trial: None,
            key: None,
            own: BTreeMap::new(),
        }
    }

    pub fn in_table(mut self, table: impl Into<Name>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// Points at a cell, and so at its row.
    pub fn at_cell(mut self, cell: CellRef) -> Self {
        self.row_number = Some(cell.row_idx + 1);
        self.cell = Some(cell);
        self
    }

    pub fn at_row(mut self, row_number: u32) -> Self {
        self.row_number = Some(row_number);
        self
    }

    pub fn on_item(mut self, item: impl Into<Name>) -> Self {
        self.item = Some(item.into());
        self
    }

    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Says what the sender's own columns of the row hold.
    pub fn with_own(mut self, own: BTreeMap<String, String>) -> Self {
        self.own = own;
        self
    }

    /// Its cell, else its row; `None` where neither is at fault.
    pub fn place(&self) -> Option<String> {
        match (&self.cell, self.row_number) {
            (Some(cell), _) => Some(cell.to_string()),
            (None, Some(row_number)) => Some(format!("row {row_number}")),
            (None, None) => None,
        }
    }

    /// Keeps what another finding says too only once: findings come in long runs of one rule on one column.
    pub fn share(&mut self, other: &Self) {
        self.rule.0.share(&other.rule.0);
        self.fix.share(&other.fix);
        let names = [
            (self.table.as_mut(), other.table.as_ref()),
            (self.item.as_mut(), other.item.as_ref()),
            (
                self.cell.as_mut().map(|cell| &mut cell.sheet),
                other.cell.as_ref().map(|cell| &cell.sheet),
            ),
        ];
        for (own, other) in names {
            if let (Some(own), Some(other)) = (own, other) {
                own.share(other);
            }
        }
    }

    /// Says it without its weight: for information now, `severity` once the rule counts.
    pub fn on_trial(mut self) -> Self {
        self.trial = Some(self.severity);
        self.severity = Severity::Note;
        self
    }
}

/// How badly. The order is from worst to least, which is also the order of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file, or a whole table of it, can't be used.
    Blocker,
    /// Must be mended.
    Error,
    /// May stand with an explanation.
    Query,
    /// For information.
    Note,
}

impl Severity {
    pub const ALL: [Severity; 4] = [
        Severity::Blocker,
        Severity::Error,
        Severity::Query,
        Severity::Note,
    ];

    /// The word in specs, JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Blocker => "blocker",
            Severity::Error => "error",
            Severity::Query => "query",
            Severity::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule's name, `<table>.<what-is-wrong>`, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Name);

impl RuleId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Name>> From<T> for RuleId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
