//! The items of a dataset over the versions of its return, and how each version fills their columns.

use std::collections::HashMap;

use spec::{Ancestry, Before, Code, Item, ItemKind, Layout, ReturnSpec, TableSpec};

use super::{Filling, Label, is_every_datasets};
use crate::manifest::Codes;

/// An item of the dataset: as the newest version that has it says it, and in which versions it is called what.
pub(crate) struct Series<'a> {
    /// What its column is called: as the item, or where another one is called so already, with the version.
    pub(crate) name: String,
    /// The newest version that has it.
    pub(crate) version: &'a ReturnSpec,
    pub(crate) table: &'a TableSpec,
    pub(crate) item: &'a Item,
    /// For each version that is used, the newest first, what it was.
    pub(crate) before: Vec<Option<Before<'a>>>,
    pub(crate) kind: ItemKind,
    pub(super) labelled: bool,
    pub(super) is_of_organisations: bool,
}

/// The newest version's items, then what only older ones have, the newer first.
pub(crate) fn series<'a>(
    ancestry: &Ancestry<'a>,
    newest: (&'a ReturnSpec, &'a TableSpec),
    tables: &[(&'a ReturnSpec, &'a TableSpec)],
    codes: &[Codes],
) -> Vec<Series<'a>> {
    let mut all: Vec<Series<'a>> = Vec::new();
    for (place, (version, table)) in std::iter::once(&newest).chain(tables).enumerate() {
        for item in &table.items {
            // The first place is the newest version's, whether or not it is used.
            let is_it = |series: &Series<'_>| match place.checked_sub(1) {
                Some(idx) => {
                    let before = series.before.get(idx).and_then(Option::as_ref);
                    before.is_some_and(|before| before.item.name == item.name)
                }
                None => false,
            };
            if !all.iter().any(is_it) {
                let series = Series::of(ancestry, (version, table, item), tables, codes);
                let name = free_name(&all, (table, item), version);
                all.push(Series { name, ..series });
            }
        }
    }
    all
}

/// What the column of an item is called: as the item, and where every dataset has a column of that name, with the table's
/// name before it.
pub fn column_name(table: &TableSpec, item: &Item) -> String {
    if is_every_datasets(&item.name) {
        format!("{}_{}", table.name, item.name)
    } else {
        item.name.clone()
    }
}

/// An item that is asked for otherwise now keeps its column, which says until when.
fn free_name(
    taken: &[Series<'_>],
    (table, item): (&TableSpec, &Item),
    version: &ReturnSpec,
) -> String {
    let is_taken = |name: &str| {
        let mut taken = taken.iter();
        taken.any(|series| series.name.eq_ignore_ascii_case(name))
            || table
                .items
                .iter()
                .any(|other| other.name == name && other.name != item.name)
    };
    let mut name = column_name(table, item);
    let mut suffix = format!("_until_{}", version.version.replace('.', "_"));
    while is_taken(&name) {
        name.push_str(&suffix);
        "_".clone_into(&mut suffix);
    }
    name
}

impl<'a> Series<'a> {
    fn of(
        ancestry: &Ancestry<'a>,
        (version, table, item): (&'a ReturnSpec, &'a TableSpec, &'a Item),
        tables: &[(&'a ReturnSpec, &'a TableSpec)],
        codes: &[Codes],
    ) -> Self {
        let before: Vec<Option<Before<'a>>> = tables
            .iter()
            .map(|(older, _)| ancestry.before((version, table, item), older))
            .collect();
        let all = || {
            let older = before.iter().flatten();
            std::iter::once((table, item)).chain(older.map(|before| (before.table, before.item)))
        };
        Self {
            name: item.name.clone(),
            version,
            table,
            item,
            kind: all().fold(item.kind, |kind, (_, it)| wider(kind, it.kind)),
            labelled: all().any(|(table, it)| !labels_of(table, it).is_empty()),
            is_of_organisations: all().any(|(_, it)| !gss_of(it, codes).is_empty()),
            before,
        }
    }
}

/// A kind that holds every value of both.
fn wider(a: ItemKind, b: ItemKind) -> ItemKind {
    match (a, b) {
        (a, b) if a == b => a,
        (ItemKind::Integer, ItemKind::Decimal { scale })
        | (ItemKind::Decimal { scale }, ItemKind::Integer) => ItemKind::Decimal { scale },
        (ItemKind::Decimal { scale: a }, ItemKind::Decimal { scale: b }) => {
            ItemKind::Decimal { scale: a.max(b) }
        }
        // Items of other kinds are columns of their own.
        (a, _) => a,
    }
}

/// Codes and what they mean, with their days: an item's list, or a form's lines.
pub(super) fn labels_of(table: &TableSpec, item: &Item) -> Vec<Code> {
    if let Some(codes) = &item.codes {
        return codes.list.codes.clone();
    }
    match &table.layout {
        Layout::Matrix(matrix) if matrix.line_item == item.name => matrix
            .lines
            .iter()
            .map(|line| Code {
                code: line.code.clone(),
                label: line.label.clone(),
                valid_from: None,
                valid_to: None,
                source: line.provenance.source.clone(),
                confidence: line.provenance.confidence,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The GSS codes of an item's codes, where these are organisations' local ones: code and label are those of one.
fn gss_of(item: &Item, codes: &[Codes]) -> HashMap<String, String> {
    let Some(of_item) = &item.codes else {
        return HashMap::new();
    };
    let mut gss = HashMap::new();
    for code in &of_item.list.codes {
        let is_it = |known: &&Codes| {
            known.name == code.label
                && [&known.sg_code, &known.phs_code]
                    .into_iter()
                    .flatten()
                    .any(|local| *local == code.code)
        };
        if let Some(known) = codes.iter().find(is_it) {
            gss.insert(code.code.clone(), known.code.clone());
        }
    }
    gss
}

impl Filling {
    /// `idx` is the version's place among those that are used.
    pub(super) fn of(
        (all, newest): (&[Series<'_>], &TableSpec),
        (idx, old): (usize, &TableSpec),
        wanted: &[&Series<'_>],
        codes: &[Codes],
    ) -> Self {
        let items: Vec<Option<Before<'_>>> = wanted
            .iter()
            .map(|series| series.before.get(idx)?.clone())
            .collect();
        let keys = newest.keys.iter().map(|key| {
            let series = all.iter().find(|series| series.item.name == *key)?;
            Some(series.before.get(idx)?.as_ref()?.item.name.clone())
        });
        let labels = wanted.iter().zip(&items).map(|(series, item)| {
            let mut labels: HashMap<String, Vec<Label>> = HashMap::new();
            let Some(Before { item, codes, .. }) = item else {
                return labels;
            };
            let of = |table: &TableSpec, item: &Item| {
                let mut of: HashMap<String, Vec<Label>> = HashMap::new();
                for code in labels_of(table, item) {
                    of.entry(code.code).or_default().push(Label {
                        from: code.valid_from,
                        to: code.valid_to,
                        text: code.label,
                    });
                }
                of
            };
            labels = of(old, item);
            // What is called otherwise now is told as it is told now.
            let newest = of(series.table, series.item);
            for (was, now) in codes {
                labels.remove(was);
                if let Some(now) = newest.get(now) {
                    labels.insert(was.clone(), now.clone());
                }
            }
            labels
        });
        let gss = items.iter().map(|before| {
            let item = before.as_ref().map(|before| before.item);
            item.map(|item| gss_of(item, codes)).unwrap_or_default()
        });
        let not_asked: Vec<&str> = wanted
            .iter()
            .zip(&items)
            .filter(|(_, before)| before.is_none())
            .map(|(series, _)| series.name.as_str())
            .collect();
        Self {
            labels: labels.collect(),
            gss: gss.collect(),
            keys: keys.collect(),
            codes: items
                .iter()
                .map(|before| before.as_ref().map(|before| before.codes.clone()))
                .map(Option::unwrap_or_default)
                .collect(),
            items: items
                .iter()
                .map(|before| Some(before.as_ref()?.item.name.clone()))
                .collect(),
            not_asked: (!not_asked.is_empty()).then(|| not_asked.join("; ")),
            table: old.name.clone(),
        }
    }
}
