//! What became of a version's tables and items in the next, so that a series over several versions is one table.
//!
//! A thing that is called the same and means the same is the same; everything else a version says in its `lineage.toml`.
//! Values go on under a new name, and codes as they are said to; nothing is ever converted, added up or divided.

use std::collections::BTreeMap;

use crate::{Item, ItemKind, Layout, Provenance, ReturnSpec, TableSpec};

/// What a version says of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The version before.
    pub version: String,
    pub tables: Vec<TableLineage>,
    pub items: Vec<ItemLineage>,
}

/// A table that has another name now, or is not asked for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLineage {
    pub was: String,
    pub now: Option<String>,
    pub note: Option<String>,
    pub provenance: Provenance,
}

/// What became of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemLineage {
    /// As it is called now.
    pub table: String,
    pub was: Vec<String>,
    pub now: Vec<String>,
    /// One became one, and yet the values before can't be compared with those after.
    pub breaks: bool,
    /// What a code of before is now; every other code stays what it is.
    pub codes: BTreeMap<String, String>,
    pub note: Option<String>,
    pub provenance: Provenance,
}

/// What an item's values are joined by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The values go on: `skos:exactMatch`.
    Same,
    /// Another thing is counted, or otherwise.
    Break,
    /// One became several (`xkos`: a correspondence of one to many).
    Split,
    /// Several became one.
    Merged,
    Dropped,
}

impl ItemLineage {
    pub fn relation(&self) -> Relation {
        match (self.was.len(), self.now.len()) {
            (_, 0) => Relation::Dropped,
            (1, 1) if self.breaks => Relation::Break,
            (1, 1) => Relation::Same,
            (1, _) => Relation::Split,
            _ => Relation::Merged,
        }
    }

    /// The one item of before whose values go on in this one.
    fn continues(&self, item: &str) -> Option<&str> {
        match (self.was.as_slice(), self.now.as_slice()) {
            ([was], [now]) if now == item && !self.breaks => Some(was),
            _ => None,
        }
    }
}

impl Lineage {
    /// What a table of this version was called.
    pub fn table_was<'a>(&'a self, table: &'a str) -> Option<&'a str> {
        let said = self
            .tables
            .iter()
            .find(|said| said.now.as_deref() == Some(table));
        match said {
            Some(said) => Some(&said.was),
            None if self.tables.iter().any(|said| said.was == table) => None,
            None => Some(table),
        }
    }

    /// What is said of an item of this version, or of the item of before that was called so.
    pub(crate) fn mentions(&self, table: &str, item: &str) -> bool {
        let names = |said: &ItemLineage| said.was.iter().chain(&said.now).any(|name| name == item);
        self.of_table(table).any(names)
    }

    fn of_table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ItemLineage> {
        self.items.iter().filter(move |said| said.table == table)
    }

    /// The item of before whose values go on in an item of this version, and what its codes are now.
    pub(crate) fn item_was<'a>(
        &'a self,
        table: &'a str,
        item: &'a str,
    ) -> Option<(&'a str, Option<&'a BTreeMap<String, String>>)> {
        for said in self.of_table(table) {
            if let Some(was) = said.continues(item) {
                return Some((was, Some(&said.codes)));
            }
        }
        (!self.mentions(table, item)).then_some((item, None))
    }
}

/// Whether values of both can stand in one column as they are: the same kind, or both numbers, and the same unit.
pub fn are_comparable(before: &Item, after: &Item) -> bool {
    let is_number = |kind| matches!(kind, ItemKind::Integer | ItemKind::Decimal { .. });
    before.unit == after.unit
        && (before.kind == after.kind || is_number(before.kind) && is_number(after.kind))
}

/// Every code that an item can have, where it has a list of them.
pub(crate) fn codes_of(layout: Option<&Layout>, item: &Item) -> Option<Vec<String>> {
    if let Some(codes) = &item.codes {
        return Some(
            codes
                .list
                .codes
                .iter()
                .map(|code| code.code.clone())
                .collect(),
        );
    }
    match layout {
        Some(Layout::Matrix(matrix)) if matrix.line_item == item.name => {
            return Some(matrix.lines.iter().map(|line| line.code.clone()).collect());
        }
        _ => {}
    }
    let allowed = item.schema.get("enum")?.as_array()?;
    Some(
        allowed
            .iter()
            .filter_map(|code| Some(code.as_str()?.to_owned()))
            .collect(),
    )
}

/// An item as an older version has it.
#[derive(Debug, Clone)]
pub struct Before<'a> {
    pub table: &'a TableSpec,
    pub item: &'a Item,
    /// What its codes are now; every other code is what it was.
    pub codes: BTreeMap<String, String>,
}

/// A return's versions, each followed by the one before it.
#[derive(Debug, Clone)]
pub struct Ancestry<'a> {
    versions: Vec<&'a ReturnSpec>,
}

impl<'a> Ancestry<'a> {
    /// From a version back, among all that are published. A version that names none before it comes after the one that
    /// served last before it does.
    pub fn of(published: &'a [ReturnSpec], newest: &'a ReturnSpec) -> Self {
        let mut versions = vec![newest];
        let mut after = newest;
        loop {
            let earlier = published
                .iter()
                .filter(|other| other.id == newest.id && other.valid_from < after.valid_from);
            let before = match &after.lineage {
                Some(said) => earlier.clone().find(|other| other.version == said.version),
                None => earlier.max_by_key(|other| other.valid_from),
            };
            let Some(before) = before else { break };
            versions.push(before);
            after = before;
        }
        Self { versions }
    }

    fn place(&self, version: &ReturnSpec) -> Option<usize> {
        let is_it = |other: &&ReturnSpec| other.version == version.version;
        self.versions.iter().position(is_it)
    }

    /// The version before one of these.
    pub(crate) fn one_before(&self, version: &ReturnSpec) -> Option<&'a ReturnSpec> {
        self.versions.get(self.place(version)? + 1).copied()
    }

    /// What an item of one version was in an older one; `None`: that one did not ask for it, or for something else.
    /// A version that is none of these is asked by name.
    pub fn before(
        &self,
        (newer, table, item): (&'a ReturnSpec, &'a TableSpec, &'a Item),
        older: &'a ReturnSpec,
    ) -> Option<Before<'a>> {
        let mut now = Before {
            table,
            item,
            codes: BTreeMap::new(),
        };
        let (Some(from), Some(to)) = (self.place(newer), self.place(older)) else {
            return step(None, older, &now);
        };
        let mut after = *self.versions.get(from)?;
        for before in self.versions.get(from + 1..=to)? {
            now = step(after.lineage.as_ref(), before, &now)?;
            after = before;
        }
        Some(now)
    }

    /// What a table of one version was in an older one.
    pub fn table_before(
        &self,
        newer: &'a ReturnSpec,
        table: &'a str,
        older: &'a ReturnSpec,
    ) -> Option<&'a TableSpec> {
        let (Some(from), Some(to)) = (self.place(newer), self.place(older)) else {
            return older.table(table);
        };
        let mut name = table;
        let mut after = *self.versions.get(from)?;
        for before in self.versions.get(from + 1..=to)? {
            if let Some(said) = &after.lineage {
                name = said.table_was(name)?;
            }
            after = before;
        }
        after.table(name)
    }

    /// The oldest first: what each version says of the one before it.
    pub fn said(&self) -> impl Iterator<Item = (&'a ReturnSpec, &'a Lineage)> {
        let versions = self.versions.iter().rev();
        versions.filter_map(|version| Some((*version, version.lineage.as_ref()?)))
    }
}

fn step<'a>(
    said: Option<&'a Lineage>,
    older: &'a ReturnSpec,
    now: &Before<'a>,
) -> Option<Before<'a>> {
    let (table, (item, codes)) = match said {
        Some(said) => (
            said.table_was(&now.table.name)?,
            said.item_was(&now.table.name, &now.item.name)?,
        ),
        None => (now.table.name.as_str(), (now.item.name.as_str(), None)),
    };
    let table = older.table(table)?;
    let item = table.item(item)?;
    if !are_comparable(item, now.item) {
        return None;
    }
    let mut all = now.codes.clone();
    for (before, after) in codes.into_iter().flatten() {
        // What it became may have become something else since.
        let newest = now.codes.get(after).unwrap_or(after);
        all.insert(before.clone(), newest.clone());
    }
    Some(Before {
        table,
        item,
        codes: all,
    })
}
