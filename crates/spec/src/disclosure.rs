//! What a return says of disclosure control: which figures are counts, how small is too small, and what adds up.

use std::collections::BTreeMap;

use crate::{Item, Layout, Part, ReturnSpec, RuleKind, TableSpec};

/// Counts above zero and below this are not published, where a return says no other threshold.
pub const USUAL_THRESHOLD: u32 = 5;

/// `[disclosure]` of `return.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    pub threshold: u32,
    /// Whether a release is drafted with it unless somebody says otherwise.
    pub suggested: bool,
    /// By table, the items that count people or cases.
    pub counts: BTreeMap<String, Vec<String>>,
    /// Beside those that rules state.
    pub sums: Vec<DeclaredSum>,
    pub together: Vec<Together>,
}

impl Default for Disclosure {
    fn default() -> Self {
        Self {
            threshold: USUAL_THRESHOLD,
            suggested: false,
            counts: BTreeMap::new(),
            sums: Vec::new(),
            together: Vec::new(),
        }
    }
}

/// A sum within a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSum {
    pub table: String,
    pub of: SumOf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SumOf {
    /// Items of each line.
    Across { total: String, parts: Vec<Part> },
    /// Lines, in each of the items.
    Down {
        total_line: String,
        part_lines: Vec<Part>,
        items: Vec<String>,
    },
    /// Cells of any lines; what is subtracted has `true`.
    Cells {
        total: CellOf,
        parts: Vec<(CellOf, bool)>,
    },
}

/// A cell of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellOf {
    pub line: String,
    pub item: String,
}

/// Figures of a form of which one tells the others: they are left out together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    pub table: String,
    pub of: TogetherOf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TogetherOf {
    /// Of each line.
    Items(Vec<String>),
    /// Of each item.
    Lines(Vec<String>),
}

/// What stands in the place of a figure that is not published.
pub const MARK: &str = "[c]";

/// Why small counts of a return can't be left out of what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unprotected {
    /// Leaving out single figures of such rows protects nobody.
    #[error("the return has a table with a row for each record")]
    Records,
    #[error("the return does not say which of its figures are counts")]
    CountsNotSaid,
    #[error("the return says that none of its figures is a count")]
    NoCounts,
}

impl ReturnSpec {
    /// How its published figures are protected.
    pub fn disclosure(&self) -> Result<&Disclosure, Unprotected> {
        let is_form = |table: &TableSpec| matches!(table.layout, Layout::Matrix(_));
        if !self.tables.iter().all(is_form) {
            return Err(Unprotected::Records);
        }
        let said = self.disclosure_said.as_ref();
        let said = said.ok_or(Unprotected::CountsNotSaid)?;
        if said.counts.values().all(Vec::is_empty) {
            return Err(Unprotected::NoCounts);
        }
        Ok(said)
    }

    /// All sums of a table, of rules in and out of force alike: who reads the figures may know any of them.
    pub fn sums_of(&self, table: &str) -> Vec<SumOf> {
        let of_rules = self.rules.iter().filter(|rule| rule.table == table);
        let of_rules = of_rules.filter_map(|rule| match &rule.kind {
            RuleKind::SumAcross { total, parts } => Some(SumOf::Across {
                total: total.clone(),
                parts: parts.clone(),
            }),
            RuleKind::SumDown {
                total_line,
                part_lines,
            } => Some(SumOf::Down {
                total_line: total_line.clone(),
                part_lines: part_lines.clone(),
                items: rule.items.clone(),
            }),
            _ => None,
        });
        let declared = self.disclosure_said.iter().flat_map(|said| &said.sums);
        let declared = declared.filter(|sum| sum.table == table);
        of_rules.chain(declared.map(|sum| sum.of.clone())).collect()
    }
}

impl Disclosure {
    /// Whether an item of a table counts people or cases.
    pub fn is_count(&self, table: &str, item: &Item) -> bool {
        let counts = self.counts.get(table);
        counts.is_some_and(|items| items.contains(&item.name))
    }
}
