//! What a return says of disclosure control: which figures are counts, how small is too small, and what adds up.

use std::collections::BTreeMap;

use crate::{Item, ItemKind, Layout, Part, ReturnSpec, RuleKind, TableSpec};

/// Counts above zero and below this are not published, where a return says no other threshold.
pub const USUAL_THRESHOLD: u32 = 5;

/// `[disclosure]` of `return.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    pub threshold: u32,
    /// Whether a release is drafted with it unless somebody says otherwise.
    pub suggested: bool,
    /// By table; `None`: whole numbers that have no unit of money.
    pub counts: Option<BTreeMap<String, Vec<String>>>,
    /// Beside those that rules state.
    pub sums: Vec<DeclaredSum>,
}

impl Default for Disclosure {
    fn default() -> Self {
        Self {
            threshold: USUAL_THRESHOLD,
            suggested: false,
            counts: None,
            sums: Vec::new(),
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
}

impl ReturnSpec {
    /// How its published figures are protected; `None` where a table of it has a row for each record and no form:
    /// leaving out single figures of such rows protects nobody.
    pub fn disclosure(&self) -> Option<Disclosure> {
        let is_form = |table: &TableSpec| matches!(table.layout, Layout::Matrix(_));
        let has_forms = self.tables.iter().all(is_form);
        has_forms.then(|| self.disclosure_said.clone().unwrap_or_default())
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
        match &self.counts {
            Some(counts) => counts
                .get(table)
                .is_some_and(|items| items.contains(&item.name)),
            None => {
                let is_money = |unit: &String| unit.contains('£') || unit.contains("pence");
                item.kind == ItemKind::Integer && !item.unit.as_ref().is_some_and(is_money)
            }
        }
    }
}
