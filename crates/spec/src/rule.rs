//! Rules across items, rows, tables and periods.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use finding::Severity;
use serde::Deserialize;

use crate::{OnlyFor, Organisation, Period, Provenance, Threshold};

/// One rule of `rules.toml`.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: String,
    /// The table its findings point into.
    pub table: String,
    pub severity: Severity,
    pub stage: Stage,
    pub only_for: OnlyFor,
    /// The items its findings point at; the first is the main one. Empty: the row.
    pub items: Vec<String>,
    /// With `{placeholders}`.
    pub message: String,
    pub fix: String,
    pub in_force: InForce,
    /// Reported as a note only.
    pub trial: bool,
    pub thresholds: Thresholds,
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

/// What a rule measures by, by name.
#[derive(Debug, Clone, Default)]
pub struct Thresholds {
    pub of_all: BTreeMap<String, Threshold>,
    /// Those that an organisation has for itself, by its code.
    pub of: BTreeMap<String, OwnThresholds>,
}

impl Thresholds {
    /// An organisation's own or, where it has none or is not known, everybody's.
    pub fn get(&self, name: &str, organisation: Option<&Organisation>) -> Option<Threshold> {
        organisation
            .and_then(|organisation| self.of.get(&organisation.code)?.values.get(name))
            .or_else(|| self.of_all.get(name))
            .copied()
    }
}

/// The thresholds that differ for one organisation, and who says so.
#[derive(Debug, Clone)]
pub struct OwnThresholds {
    pub values: BTreeMap<String, Threshold>,
    pub provenance: Provenance,
}

/// The periods that a rule is in force for, by their last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InForce {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl InForce {
    /// Where the period is not known, every rule is in force.
    pub fn includes(&self, period: Option<&Period>) -> bool {
        period.is_none_or(|period| {
            self.from.is_none_or(|first| first <= period.end)
                && self.to.is_none_or(|last| period.end <= last)
        })
    }
}

/// What a rule checks. One file per kind in `check/src/rules/`.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// An SQL expression over one row, or over one value of a row; unknown passes.
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
    /// Of the records of a group, no two are going on at once.
    NoOverlap {
        days: Days,
        touching: Touching,
        same_start: SameStart,
    },
    /// A record's days lie within those of its parent; `by` of the record are `items` of the parent.
    Within { days: Days, parent: ParentDays },
    /// The records of a group follow each other without a gap.
    Continuous {
        days: Days,
        parent: Option<ParentDays>,
        gaps: Vec<GapPlace>,
    },
    /// A figure moved further than the thresholds `percent`, `minimum` and `base` allow.
    Change(Change),
    /// Each of the rule's items is what it was in the same earlier record.
    Unchanged {
        against: Against,
        /// The items that match a record with its earlier one; empty: the table's keys.
        by: Vec<String>,
        /// An SQL expression over the earlier row: records for which it does not hold are left out.
        condition: Option<String>,
    },
    /// An earlier record is there again, matched on the rule's items.
    Present {
        against: Against,
        condition: Option<String>,
    },
}

/// The SELECT of the rows of an earlier table for which a condition holds.
pub fn earlier_rows(against: Against, table: &str, condition: &str) -> String {
    format!(
        "SELECT _row FROM {}{table} WHERE {condition}",
        against.prefix()
    )
}

/// What stands in a rule's SQL for the item that it is run for, each of the rule's items in turn.
const EACH: &str = "$value";

/// Whether SQL is run for each of the rule's items, and not once for all.
pub fn is_of_each_item(sql: &str) -> bool {
    places_of_value(sql).next().is_some()
}

/// A rule's SQL as it is run: once, or for each of the rule's items.
pub fn runs<'r>(rule: &'r Rule, sql: &str) -> Vec<(Option<&'r str>, String)> {
    if !is_of_each_item(sql) {
        return vec![(None, sql.to_owned())];
    }
    let items = rule.items.iter();
    items
        .map(|item| (Some(item.as_str()), of_item(sql, item)))
        .collect()
}

/// SQL of each item as it is run for one.
pub fn of_item(sql: &str, item: &str) -> String {
    let mut of_item = String::with_capacity(sql.len());
    let mut from = 0;
    for at in places_of_value(sql) {
        of_item.push_str(&sql[from..at]);
        of_item.push('"');
        of_item.push_str(item);
        of_item.push('"');
        from = at + EACH.len();
    }
    of_item.push_str(&sql[from..]);
    of_item
}

/// Not those of a longer name that begins so.
fn places_of_value(sql: &str) -> impl Iterator<Item = usize> + '_ {
    sql.match_indices(EACH).map(|(at, _)| at).filter(|at| {
        let after = sql[at + EACH.len()..].chars().next();
        after.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
    })
}

/// How far a figure may move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub against: Against,
    /// The items that match a record with its earlier one; empty: the table's keys.
    pub by: Vec<String>,
    pub figure: Figure,
    pub direction: Direction,
    /// Of `percent` and `minimum`, where the rule has both.
    pub when: When,
}

/// What is compared with the earlier period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Each of the rule's items, record by record.
    Items,
    /// The number of the table's records.
    Records,
}

/// Which movements are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Either,
    Up,
    Down,
}

/// Whether both thresholds have to be passed, or one is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    #[default]
    Both,
    Either,
}

/// The days that a record covers, first and last included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    /// A date item. Where it is blank the days are not known.
    pub from: String,
    /// A date item; blank while it goes on. `None`: the record is of one day.
    pub to: Option<String>,
    /// Records with the same values here are a group.
    pub by: Vec<String>,
    /// An SQL expression over a row: records for which it does not hold are left out.
    pub condition: Option<String>,
}

/// The days that a parent record covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentDays {
    pub table: String,
    /// In parallel with [`Days::by`].
    pub items: Vec<String>,
    /// `None`, or blank: from the beginning of time.
    pub from: Option<String>,
    /// `None`, or blank: to its end.
    pub to: Option<String>,
    /// An SQL expression over a row of the parent's table.
    pub condition: Option<String>,
}

/// Whether one record may begin on the day on which another ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touching {
    Allowed,
    Overlap,
}

/// Whether records of a group that begin on the same day overlap, or are one thing told in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameStart {
    One,
    Overlap,
}

/// Where in a group a gap is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapPlace {
    /// The parent begins and no record does.
    Before,
    /// A record ends and the next has not begun.
    Between,
    /// The last record ends and the parent goes on.
    After,
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
