//! What rules say in SQL: `assert`, `query` and the conditions of other kinds.

use std::collections::BTreeSet;

use super::super::fault::Faults;
use super::super::message::Placeholders;
use super::super::sql;
use super::super::table::TableDraft;
use super::{Reading, RuleDocument};
use crate::rule::{
    ADDRESS, ALL_ORGANISATIONS, Against, ORGANISATION, Stage, all_name, is_of_each_item, of_item,
};
use crate::{Item, ItemKind, Layout, RuleKind};

impl Reading<'_> {
    pub(super) fn check_expression(
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

    /// SQL as it is run, for the first item where it is run for each.
    pub(super) fn for_an_item(
        &self,
        sql: &str,
        member: &str,
        said: &RuleDocument,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> String {
        if !is_of_each_item(sql) {
            return sql.to_owned();
        }
        known.add(&["title", "value"]);
        if let Some(item) = said.items.first() {
            of_item(sql, item)
        } else {
            self.fault(
                member,
                "$value is each of \"items\", and there are none",
                faults,
            );
            of_item(sql, "_row")
        }
    }

    pub(super) fn query(
        &self,
        said: &mut RuleDocument,
        known: &mut Placeholders<'_>,
        faults: &mut Faults,
    ) -> Option<RuleKind> {
        let select = said.query.take()?;
        let tables = |name: &str| {
            if said.stage == Stage::Collection {
                let of_all = self.tables.iter();
                return of_all
                    .filter(|table| all_name(&table.name) == name)
                    .map(|table| {
                        let mut known = as_known(table);
                        known.weak.push(ORGANISATION.to_owned());
                        known
                    })
                    .next()
                    .or_else(|| (name == ALL_ORGANISATIONS).then(organisations));
            }
            let plain = [Against::Previous, Against::YearAgo]
                .iter()
                .find_map(|against| name.strip_prefix(against.prefix()))
                .unwrap_or(name);
            self.tables
                .iter()
                .find(|table| table.name == name)
                .or_else(|| self.tables.iter().find(|table| table.name == plain))
                .map(as_known)
                .or_else(|| self.links.table(name).map(as_known))
                .or_else(|| self.links.has(name).then(figures))
        };
        let thresholds: BTreeSet<&str> = said.thresholds.keys().map(String::as_str).collect();
        let vetted = if said.stage == Stage::Collection {
            select.clone()
        } else {
            self.for_an_item(&select, "query", said, known, faults)
        };
        match sql::vet_query(&vetted, &tables, &thresholds) {
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
}

/// A list of organisations: short, and each of them once.
fn organisations() -> sql::Known {
    sql::Known {
        rows: sql::Rows::Lines,
        weak: vec!["kind".to_owned(), "owes".to_owned(), "returned".to_owned()],
    }
}

/// The central figures of one organisation: a short list.
fn figures() -> sql::Known {
    sql::Known {
        rows: sql::Rows::Lines,
        weak: Vec::new(),
    }
}

/// A table as far as it matters for how long a query takes.
fn as_known(table: &TableDraft) -> sql::Known {
    let rows = match table.layout {
        Some(Layout::Matrix(_)) => sql::Rows::Lines,
        _ => sql::Rows::Records,
    };
    let has_few_values = |item: &Item| {
        item.kind == ItemKind::Boolean
            || item.codes.is_some()
            || item.schema.get("enum").is_some()
            || table.identity_items.contains(&item.name)
    };
    let few = table.items.iter().filter(|item| has_few_values(item));
    sql::Known {
        rows,
        weak: few.map(|item| item.name.clone()).collect(),
    }
}
