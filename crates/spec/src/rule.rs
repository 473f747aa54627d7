//! Rules across items, rows, tables and periods.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use finding::Severity;
use serde::Deserialize;

use crate::Provenance;

/// One rule of `rules.toml`.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: String,
    /// The table its findings point into.
    pub table: String,
    pub severity: Severity,
    /// The items its findings point at; the first is the main one. Empty: the row.
    pub items: Vec<String>,
    /// With `{placeholders}`.
    pub message: String,
    pub fix: String,
    /// In force for periods that end on or after this day.
    pub valid_from: Option<NaiveDate>,
    /// In force for periods that end on or before this day.
    pub valid_to: Option<NaiveDate>,
    /// Reported as a note only.
    pub trial: bool,
    pub stage: Stage,
    /// Literals as written, by name.
    pub thresholds: BTreeMap<String, f64>,
    pub kind: RuleKind,
    pub provenance: Provenance,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// One organisation's return, with what is known beside it.
    #[default]
    Return,
    /// The standing returns of all organisations of a round. Its findings are for the team that asks for the return.
    Collection,
}

/// The column of a collection's tables that says whose a record is, as a GSS code.
pub const ORGANISATION: &str = "_organisation";

/// The columns that a collection rule has to return: whose record it is, and which.
pub const ADDRESS: [&str; 2] = [ORGANISATION, "_row"];

/// The table of who there is: `_organisation`, `kind`, `sg_code`, `phs_code`, `owes`, `returned`.
pub const ALL_ORGANISATIONS: &str = "all_organisations";

/// How a collection rule names a table of all organisations: `all_case`.
pub fn all_name(table: &str) -> String {
    format!("all_{table}")
}

/// What a rule checks. One file per kind in `check/src/rules/`.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// An SQL expression over one row; unknown passes.
    Assert { expression: String },
    /// One SELECT; each row it returns is a violation. `reads` are the tables it names.
    Query { select: String, reads: Vec<String> },
    /// A combination of the rule's items occurs once.
    Unique,
    /// A parent record has these values.
    References {
        parent: String,
        parent_items: Vec<String>,
    },
    /// A total across a record.
    SumAcross { total: String, parts: Vec<Part> },
    /// A total line of a matrix, in each of the rule's items.
    SumDown {
        total_line: String,
        part_lines: Vec<Part>,
    },
    /// A figure moved by more than `percent` and by at least `minimum` (thresholds).
    Change { against: Against },
    /// An earlier record is there again, matched on the rule's items.
    Present {
        against: Against,
        condition: Option<String>,
    },
}

/// A summand: an item or a line code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub subtract: bool,
}

/// An earlier period's submission of the same organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Against {
    Previous,
    YearAgo,
}

impl Against {
    /// How SQL names an earlier table: `previous_case`.
    pub fn prefix(self) -> &'static str {
        match self {
            Against::Previous => "previous_",
            Against::YearAgo => "year_ago_",
        }
    }
}
