//! The kind `change`: how far a figure may move.

use super::super::fault::Faults;
use super::super::message::Placeholders;
use super::super::table::TableDraft;
use super::{Reading, RuleDocument};
use crate::rule::{Change, Figure};
use crate::{Layout, RuleKind};

/// The thresholds that the kind knows; others would mean nothing.
const THRESHOLDS: [&str; 3] = ["percent", "minimum", "base"];

impl Reading<'_> {
    pub(super) fn change(
        &self,
        said: &mut RuleDocument,
        table: &TableDraft,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        known.add(&["title", "value", "before", "difference", "percent"]);
        self.check_numeric(table, &said.items, "items", faults);
        let is_matrix = matches!(table.layout, Some(Layout::Matrix(_)));
        let figure = if said.items.is_empty() {
            if is_matrix {
                let why = "is missing: a form has the same number of lines in every period";
                self.fault("items", why, faults);
            }
            Figure::Records
        } else {
            self.check_items(table, &said.by, "by", faults);
            let is_matched = is_matrix || table.has_keys || !said.by.is_empty();
            if table.layout.is_some() && !is_matched {
                let why = format!("{} has no keys to match records by", table.name);
                self.fault("table", why, faults);
            }
            Figure::Items
        };
        let has = |name: &str| said.thresholds.contains_key(name);
        for name in said.thresholds.keys() {
            if !THRESHOLDS.contains(&name.as_str()) {
                let why = format!("a change has no threshold \"{name}\"");
                self.fault(&format!("thresholds/{name}"), why, faults);
            }
        }
        for (name, threshold) in &said.thresholds {
            if threshold.fraction().0 < 0 {
                let why = format!("{threshold} is below 0");
                self.fault(&format!("thresholds/{name}"), why, faults);
            }
        }
        if !has("percent") && !has("minimum") {
            let why = "needs \"percent\", \"minimum\" or both";
            self.fault("thresholds", why, faults);
        }
        if said.when.is_some() && !(has("percent") && has("minimum")) {
            let why = "needs both \"percent\" and \"minimum\"";
            self.fault("when", why, faults);
        }
        Some(RuleKind::Change(Change {
            against: said.against?.into(),
            by: std::mem::take(&mut said.by),
            figure,
            direction: said.direction,
            when: said.when.unwrap_or_default(),
        }))
    }
}
