//! A version folder of `return-specs/` to a resolved [`ReturnSpec`], or exactly why not.
//!
//! Owns the format and its JSON Schema; `docs/return-spec-format.md` is its page.
//! Everything is verified here, so that checking a return can't meet a bad spec.
//! It knows nothing of spreadsheets' bytes, frames or databases.

pub mod code_list;
pub mod diff;
pub mod disclosure;
pub mod example;
pub mod known;
pub mod layout;
mod lineage;
pub mod link;
pub mod organisation;
mod organisation_sources;
pub mod period;
pub mod reference_values;
pub mod rule;
pub mod stamp;

mod load;
mod only_for;
mod threshold;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use code_list::{Code, CodeList};
pub use example::{Example, ExampleWorkbook, load_examples};
pub use known::Returns;
pub use layout::Layout;
pub use lineage::{Ancestry, Before, ItemLineage, Lineage, Relation, TableLineage, are_comparable};
pub use link::{ComparedWith, Link, OtherPeriod, Read};
pub use load::{
    Fault, Known, LoadError, Rows, Vetted, format_schemas, load, load_all, load_versions,
    vet_expression, vet_query,
};
pub use only_for::{Applies, OnlyFor};
pub use organisation::{Organisation, Organisations};
pub use organisation_sources::{OrganisationSource, OrganisationSources};
pub use period::{Period, PeriodKind};
pub use reference_values::{
    ReferenceSet, ReferenceValues, SetOfPeriod, ValuePeriod, load_reference_values,
};
pub use rule::{Against, InForce, Part, Rule, RuleKind, Stage};
pub use threshold::Threshold;

/// One version of a return, with everything it refers to resolved and verified.
#[derive(Debug, Clone)]
pub struct ReturnSpec {
    /// The return: `hl1`.
    pub id: String,
    /// The version: `1.4`.
    pub version: String,
    pub title: String,
    pub acronym: String,
    pub summary: String,
    /// SHA-256 in hex over every file of the folder but the examples, and the shared lists it refers to.
    pub hash: String,
    pub dir: PathBuf,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub owner: Owner,
    pub respondents: Respondents,
    pub period_kind: PeriodKind,
    pub accumulation: Accumulation,
    pub extra_columns: ExtraColumns,
    /// What the headings of the sender's own columns start with; `None`: there are none.
    pub own_columns: Option<String>,
    pub sensitivity: Sensitivity,
    /// Facts for the register, by name.
    pub facts: BTreeMap<String, Fact>,
    /// By id, as `x-source` and `source` name them.
    pub sources: BTreeMap<String, Source>,
    /// In the order they are read.
    pub tables: Vec<TableSpec>,
    /// How the published copies are protected, where it says so.
    pub disclosure_said: Option<disclosure::Disclosure>,
    /// What became of the tables and items of the version before, where it says so.
    pub lineage: Option<Lineage>,
    pub rules: Vec<Rule>,
    /// Other returns of the same organisation that the rules may read.
    pub compared_with: Vec<ComparedWith>,
    /// Central figures that the rules may read.
    pub reference_values: Vec<ReferenceSet>,
    pub demo: Option<Demo>,
}

impl ReturnSpec {
    pub fn table(&self, name: &str) -> Option<&TableSpec> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Whether a heading is of a column that the sender brings along for itself.
    pub fn is_own_heading(&self, heading: &str) -> bool {
        self.own_columns
            .as_deref()
            .is_some_and(|prefix| starts_with(heading, prefix))
    }

    /// Whether this version serves a period.
    pub fn serves(&self, period: &Period) -> bool {
        period.kind == self.period_kind
            && self.valid_from <= period.end
            && self.valid_to.is_none_or(|last| period.end <= last)
    }
}

/// Trimmed and without case.
pub(crate) fn starts_with(heading: &str, prefix: &str) -> bool {
    heading
        .trim()
        .to_lowercase()
        .starts_with(&prefix.to_lowercase())
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    pub organisation: String,
    pub team: String,
}

/// Who must answer: organisations of these types, or just the named ones (GSS codes) where `only` is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respondents {
    pub types: Vec<String>,
    #[serde(default)]
    pub only: Vec<String>,
}

impl Respondents {
    pub fn include(&self, organisation: &Organisation) -> bool {
        self.types.contains(&organisation.kind)
            && (self.only.is_empty() || self.only.contains(&organisation.code))
    }
}

/// Whether a file is the whole period, or updates records by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accumulation {
    Replace,
    Cumulative,
}

/// What happens to a column that the spec does not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtraColumns {
    /// A blocker: personal data that nobody asked for must not be sent.
    Refuse,
    /// Left out, with a note.
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensitivity {
    pub personal_data: bool,
    pub special_category: bool,
}

/// A fact about the return, with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub value: String,
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Where a statement about a return comes from and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// An id in [`ReturnSpec::sources`].
    pub source: String,
    pub confidence: Confidence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Stated in the source.
    Published,
    /// The source states it in part; the rest is inferred.
    Partial,
    /// Proposed by whoever wrote the spec.
    Inferred,
}

impl Confidence {
    /// The word in files and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Published => "published",
            Confidence::Partial => "partial",
            Confidence::Inferred => "inferred",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [
            Confidence::Published,
            Confidence::Partial,
            Confidence::Inferred,
        ]
        .into_iter()
        .find(|confidence| confidence.as_str() == word)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub title: String,
    pub url: String,
    pub read_on: NaiveDate,
}

/// How the demo makes a council's workbook from an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    pub base: String,
    /// Another base for a kind of organisation, or for one by its code.
    #[serde(default)]
    pub base_of: BTreeMap<String, String>,
    #[serde(default = "one")]
    pub copies: u32,
    #[serde(default)]
    pub vary: Vec<String>,
    #[serde(default)]
    pub scale: bool,
}

impl Demo {
    /// The example that an organisation's workbook is made from.
    pub fn base_for(&self, organisation: &Organisation) -> &str {
        self.base_of
            .get(&organisation.code)
            .or_else(|| self.base_of.get(&organisation.kind))
            .unwrap_or(&self.base)
    }
}

fn one() -> u32 {
    1
}

/// One table of a return: where it stands in the workbook and what a record of it is.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// `case`; the file names in `tables/`.
    pub name: String,
    pub title: String,
    pub description: String,
    pub sheet: SheetMatch,
    pub layout: Layout,
    /// In the schema's order.
    pub items: Vec<Item>,
    /// Items that tell a record from every other within a file.
    pub keys: Vec<String>,
    pub identities: Vec<Identity>,
    /// The members of the schema's `allOf`.
    pub conditions: Vec<Condition>,
    /// The whole record schema, as read.
    pub schema: serde_json::Value,
}

impl TableSpec {
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }

    /// Whether every record has a value of this item, whoever sends it.
    pub fn is_always_filled(&self, item: &Item) -> bool {
        let is_for_all = match &self.layout {
            Layout::Matrix(matrix) => matrix.is_for_all(&item.name),
            Layout::Records(_) | Layout::TurnAround { .. } => true,
        };
        item.required && is_for_all
    }

    /// The position of an item in `items`.
    pub fn item_idx(&self, name: &str) -> Option<usize> {
        self.items.iter().position(|item| item.name == name)
    }
}

/// Which sheet a table stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetMatch {
    /// The first is what a template calls it; compared trimmed and without case.
    pub names: Vec<String>,
    #[serde(default = "yes")]
    pub required: bool,
    /// A workbook with just one visible sheet may call it anything.
    #[serde(default)]
    pub only_sheet: bool,
}

fn yes() -> bool {
    true
}

/// Where the file says whose it is, or which period it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub kind: IdentityKind,
    pub place: IdentityPlace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityKind {
    Organisation,
    Period,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityPlace {
    /// An item of every record.
    Item(String),
    /// A cell of the table's sheet, 0-based.
    Cell { row_idx: u32, column_idx: u32 },
}

/// A data item: one property of the record schema.
#[derive(Debug, Clone)]
pub struct Item {
    pub name: String,
    pub title: String,
    pub description: String,
    pub kind: ItemKind,
    /// The property's own schema, annotations included.
    pub schema: serde_json::Value,
    /// In the schema's `required`.
    pub required: bool,
    pub codes: Option<CodeRef>,
    pub unit: Option<String>,
    /// The text forms of a date that are right for this item; empty: ISO, and as people here write it.
    pub date_formats: Vec<DateFormat>,
    /// Texts read as another value, with a note.
    pub value_aliases: BTreeMap<String, String>,
    /// Other headings this item's column may have, beside its name and title.
    pub headings: Vec<String>,
    /// Texts that stand for "blank", read with a note.
    pub blank_markers: Vec<String>,
    pub provenance: Provenance,
}

/// An item's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    Text,
    Integer,
    /// An exact decimal with this many places, at most 9.
    Decimal {
        scale: u8,
    },
    Date,
    Boolean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFormat {
    /// `DDMMYYYY`
    Digits,
    /// `YYYY-MM-DD`
    Iso,
    /// `DD/MM/YYYY`
    Slashed,
}

/// An item's codes.
#[derive(Debug, Clone)]
pub struct CodeRef {
    pub list: CodeList,
    /// The item whose date decides which codes are in force; `None`: the period's last day.
    pub as_at: Option<String>,
}

/// One member of the schema's `allOf`: a rule that the JSON Schema expresses.
#[derive(Debug, Clone)]
pub struct Condition {
    pub rule: String,
    pub severity: finding::Severity,
    /// The items the finding points at; the first is the main one.
    pub items: Vec<String>,
    /// Every item the schema mentions: it runs only where each is readable.
    pub reads: Vec<String>,
    pub message: String,
    pub fix: String,
    pub in_force: InForce,
    /// Reported as a note only.
    pub trial: bool,
    pub schema: serde_json::Value,
    pub provenance: Provenance,
}
