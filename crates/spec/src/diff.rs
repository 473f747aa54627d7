//! What changed between two versions of a return, one thing at a time.
//!
//! Everything that a version says is compared by name: items by table and name, codes by list, lines by code, rules by id.
//! What a version only looks like (the order of its files' sections, comments, examples) is no change.

mod facets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{CodeList, ReturnSpec, TableSpec};
use facets::Facets;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub subject: Subject,
    /// The table, or the list of codes, that it belongs to.
    pub table: Option<String>,
    /// What it is called in the newer version, or in the older one where it is gone: an item, code, line, rule id or fact.
    pub name: String,
    #[serde(flatten)]
    pub what: What,
}

/// What a difference is about, in the order in which differences are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Return,
    Table,
    Item,
    Line,
    Code,
    Rule,
    Fact,
    Source,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Added {
        /// What it is, in a few words.
        after: String,
    },
    Removed {
        before: String,
    },
    /// The same under another name; how it was known to be is in `why`.
    Renamed {
        before: String,
        why: &'static str,
    },
    Changed {
        property: String,
        before: Option<String>,
        after: Option<String>,
    },
}

/// Every difference, in the order of [`Subject`], then by table and place.
pub fn diff(before: &ReturnSpec, after: &ReturnSpec) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = Compare {
        changes: &mut changes,
    };
    compare.facets(
        Subject::Return,
        None,
        &after.id,
        &facets::of_return(before),
        &facets::of_return(after),
    );
    compare.tables(before, after);
    for (earlier, list) in lists(before, after) {
        compare.codes(earlier, list);
    }
    for (subject, of) in [
        (
            Subject::Rule,
            facets::rules as fn(&ReturnSpec) -> Vec<Named>,
        ),
        (Subject::Fact, facets::facts),
        (Subject::Source, facets::sources),
    ] {
        compare.all(subject, None, &of(before), &of(after), |_, _| None);
    }
    changes.sort_by_key(|change| change.subject);
    changes
}

/// The code lists of items that both versions have, each with what it was; by the newer one's name.
fn lists<'a>(before: &'a ReturnSpec, after: &'a ReturnSpec) -> Vec<(&'a CodeList, &'a CodeList)> {
    let mut lists: BTreeMap<(&str, &str), (&CodeList, &CodeList)> = BTreeMap::new();
    let all = |spec: &'a ReturnSpec| {
        let items = spec.tables.iter().flat_map(|table| &table.items);
        items.filter_map(|item| Some(&item.codes.as_ref()?.list))
    };
    for list in all(after) {
        if let Some(earlier) = all(before).find(|earlier| earlier.name == list.name) {
            lists.insert((&list.name, &earlier.name), (earlier, list));
        }
    }
    // Another list, or another version of a shared one, in the same item's place.
    for (table, item, list) in after.tables.iter().flat_map(|table| {
        let items = table.items.iter();
        items.filter_map(move |item| Some((table, item, &item.codes.as_ref()?.list)))
    }) {
        let earlier = before
            .table(&table.name)
            .and_then(|table| Some(&table.item(&item.name)?.codes.as_ref()?.list));
        if let Some(earlier) = earlier {
            lists.insert((&list.name, &earlier.name), (earlier, list));
        }
    }
    lists.into_values().collect()
}

/// Something with a name, and all that is said of it.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    /// What it is, in a few words.
    summary: String,
    facets: Facets,
}

struct Compare<'c> {
    changes: &'c mut Vec<Change>,
}

impl Compare<'_> {
    fn push(&mut self, subject: Subject, table: Option<&str>, name: &str, what: What) {
        self.changes.push(Change {
            subject,
            table: table.map(str::to_owned),
            name: name.to_owned(),
            what,
        });
    }

    fn facets(
        &mut self,
        subject: Subject,
        table: Option<&str>,
        name: &str,
        before: &Facets,
        after: &Facets,
    ) {
        let mut names: Vec<&String> = after.keys().collect();
        names.extend(before.keys().filter(|name| !after.contains_key(*name)));
        for property in names {
            let (was, is) = (before.get(property), after.get(property));
            if was != is {
                let what = What::Changed {
                    property: property.clone(),
                    before: was.cloned(),
                    after: is.cloned(),
                };
                self.push(subject, table, name, what);
            }
        }
    }

    /// `same` says why a thing that is gone and a new one are the same.
    fn all(
        &mut self,
        subject: Subject,
        table: Option<&str>,
        before: &[Named],
        after: &[Named],
        same: impl Fn(&Named, &Named) -> Option<&'static str>,
    ) {
        let has = |things: &[Named], name: &str| things.iter().any(|thing| thing.name == name);
        let mut gone: Vec<&Named> = before
            .iter()
            .filter(|thing| !has(after, &thing.name))
            .collect();
        for thing in after {
            if let Some(earlier) = before.iter().find(|earlier| earlier.name == thing.name) {
                self.facets(subject, table, &thing.name, &earlier.facets, &thing.facets);
                continue;
            }
            let renamed = gone
                .iter()
                .enumerate()
                .find_map(|(idx, earlier)| Some((idx, same(earlier, thing)?)));
            if let Some((idx, why)) = renamed {
                let earlier = gone.remove(idx);
                let what = What::Renamed {
                    before: earlier.name.clone(),
                    why,
                };
                self.push(subject, table, &thing.name, what);
                self.facets(subject, table, &thing.name, &earlier.facets, &thing.facets);
            } else {
                let after = thing.summary.clone();
                self.push(subject, table, &thing.name, What::Added { after });
            }
        }
        for thing in gone {
            let before = thing.summary.clone();
            self.push(subject, table, &thing.name, What::Removed { before });
        }
    }

    fn tables(&mut self, before: &ReturnSpec, after: &ReturnSpec) {
        let (was, is) = (facets::tables(before), facets::tables(after));
        self.all(Subject::Table, None, &was, &is, |_, _| None);
        self.order(
            Subject::Return,
            None,
            &after.id,
            "order of tables",
            &was,
            &is,
        );
        let names = after.tables.iter().chain(&before.tables);
        let names: BTreeSet<&str> = names.map(|table| table.name.as_str()).collect();
        for name in names {
            self.table(name, before.table(name), after.table(name));
        }
    }

    /// A table that only one version has is told with all that is in it.
    fn table(&mut self, name: &str, before: Option<&TableSpec>, after: Option<&TableSpec>) {
        let of = |table: Option<&TableSpec>, things: fn(&TableSpec) -> Vec<Named>| {
            table.map(things).unwrap_or_default()
        };
        let (was, is) = (of(before, facets::items), of(after, facets::items));
        self.all(Subject::Item, Some(name), &was, &is, same_item);
        self.order(Subject::Table, None, name, "order of items", &was, &is);
        let (was, is) = (of(before, facets::lines), of(after, facets::lines));
        self.all(Subject::Line, Some(name), &was, &is, |earlier, line| {
            (earlier.facets.get("label") == line.facets.get("label")).then_some("same label")
        });
    }

    fn codes(&mut self, before: &CodeList, after: &CodeList) {
        let (was, is) = (facets::codes(before), facets::codes(after));
        let list = Some(after.name.as_str());
        self.all(Subject::Code, list, &was, &is, |_, _| None);
        self.order(
            Subject::Code,
            list,
            &after.name,
            "order of codes",
            &was,
            &is,
        );
    }

    /// Of the things that both have: it is the order of columns and of drop-downs.
    fn order(
        &mut self,
        subject: Subject,
        of: Option<&str>,
        name: &str,
        property: &str,
        before: &[Named],
        after: &[Named],
    ) {
        let common = |things: &[Named], others: &[Named]| -> Vec<String> {
            let is_there = |thing: &&Named| others.iter().any(|other| other.name == thing.name);
            let common = things.iter().filter(is_there);
            common.map(|thing| thing.name.clone()).collect()
        };
        let (was, is) = (common(before, after), common(after, before));
        if was != is {
            let what = What::Changed {
                property: property.to_owned(),
                before: Some(was.join(", ")),
                after: Some(is.join(", ")),
            };
            self.push(subject, of, name, what);
        }
    }
}

/// An item that has another name now: it says the same, or stands where the other stood.
fn same_item(before: &Named, after: &Named) -> Option<&'static str> {
    let same = |facet: &str| {
        let was = before.facets.get(facet);
        was.is_some() && was == after.facets.get(facet)
    };
    if same("title") {
        Some("same title")
    } else if same("description") {
        Some("same description")
    } else if same("column") && same("type") {
        Some("same column")
    } else {
        None
    }
}
