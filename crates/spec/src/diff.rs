//! What changed between two versions of a return, one thing at a time.
//!
//! Everything that a version says is compared by name: items by table and name, codes by list, lines by code, rules by id;
//! what the newer one says of the older (`lineage.toml`) goes before that.
//! What a version only looks like (the order of its files' sections, comments, examples) is no change.

mod facets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{CodeList, Item, ItemLineage, Layout, Lineage, Relation, ReturnSpec, TableSpec};
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
    let said = after.lineage.as_ref();
    let said = said.filter(|said| before.id == after.id && said.version == before.version);
    let mut compare = Compare {
        changes: &mut changes,
        lineage: said,
    };
    compare.facets(
        Subject::Return,
        None,
        &after.id,
        &facets::of_return(before),
        &facets::of_return(after),
    );
    compare.tables(before, after);
    for (earlier, list, said) in lists(before, after, compare.lineage) {
        compare.codes(earlier, list, &said);
    }
    for (subject, of) in [
        (
            Subject::Rule,
            facets::rules as fn(&ReturnSpec) -> Vec<Named>,
        ),
        (Subject::Fact, facets::facts),
        (Subject::Source, facets::sources),
    ] {
        let (was, is) = (of(before), of(after));
        compare.all(subject, None, (&was, &is), &Names::new(), |_, _| None);
    }
    changes.sort_by_key(|change| change.subject);
    changes
}

/// What a thing is called now, and what the newer version says that it was called.
type Names = BTreeMap<String, String>;

/// Why two are the same.
const SAID: &str = "as lineage.toml says";

/// A list of codes as it was and as it is, and which code is said to have been which.
type Lists<'a> = (&'a CodeList, &'a CodeList, Names);

/// The code lists of items that both versions have, each with what it was; by the newer one's name.
fn lists<'a>(
    before: &'a ReturnSpec,
    after: &'a ReturnSpec,
    said: Option<&'a Lineage>,
) -> Vec<Lists<'a>> {
    let mut lists: BTreeMap<(&str, &str), Lists<'a>> = BTreeMap::new();
    let all = |spec: &'a ReturnSpec| {
        let items = spec.tables.iter().flat_map(|table| &table.items);
        items.filter_map(|item| Some(&item.codes.as_ref()?.list))
    };
    for list in all(after) {
        if let Some(earlier) = all(before).find(|earlier| earlier.name == list.name) {
            lists.insert((&list.name, &earlier.name), (earlier, list, Names::new()));
        }
    }
    // Another list, or another version of a shared one, in the same item's place.
    for (table, item, list) in after.tables.iter().flat_map(|table| {
        let items = table.items.iter();
        items.filter_map(move |item| Some((table, item, &item.codes.as_ref()?.list)))
    }) {
        let Some((was, codes)) = item_was(before, said, table, item) else {
            continue;
        };
        if let Some(earlier) = was.codes.as_ref().map(|codes| &codes.list) {
            lists.insert((&list.name, &earlier.name), (earlier, list, codes));
        }
    }
    lists.into_values().collect()
}

/// What an item was in the version before, and what its codes were called.
fn item_was<'a>(
    before: &'a ReturnSpec,
    said: Option<&'a Lineage>,
    table: &'a TableSpec,
    item: &'a Item,
) -> Option<(&'a Item, Names)> {
    let (was, (name, codes)) = match said {
        Some(said) => (
            said.table_was(&table.name)?,
            said.item_was(&table.name, &item.name)?,
        ),
        None => (table.name.as_str(), (item.name.as_str(), None)),
    };
    let was = before.table(was)?.item(name)?;
    let codes = codes.into_iter().flatten();
    Some((
        was,
        codes.map(|(was, now)| (now.clone(), was.clone())).collect(),
    ))
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
    /// What the newer version says of the older.
    lineage: Option<&'c Lineage>,
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

    /// `said` are those that are known to be the same; `same` says why a thing that is gone and a new one are.
    fn all(
        &mut self,
        subject: Subject,
        table: Option<&str>,
        (before, after): (&[Named], &[Named]),
        said: &Names,
        same: impl Fn(&Named, &Named) -> Option<&'static str>,
    ) {
        let has = |things: &[Named], name: &str| things.iter().any(|thing| thing.name == name);
        let goes_on = |name: &str| said.values().any(|was| was == name);
        let is_new = |name: &str| said.contains_key(name);
        let mut gone: Vec<&Named> = before
            .iter()
            .filter(|thing| {
                let name = &thing.name;
                !goes_on(name) && (!has(after, name) || is_new(name))
            })
            .collect();
        for thing in after {
            let was = said.get(&thing.name).unwrap_or(&thing.name);
            let is_it = |earlier: &&Named| earlier.name == *was;
            let is_free = is_new(&thing.name) || !goes_on(was);
            if let Some(earlier) = before.iter().find(is_it).filter(|_| is_free) {
                if earlier.name != thing.name {
                    let what = What::Renamed {
                        before: earlier.name.clone(),
                        why: SAID,
                    };
                    self.push(subject, table, &thing.name, what);
                }
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
        let mut said = Names::new();
        for table in self.lineage.iter().flat_map(|said| &said.tables) {
            said.extend(table.now.clone().map(|now| (now, table.was.clone())));
        }
        self.all(Subject::Table, None, (&was, &is), &said, |_, _| None);
        self.order(
            Subject::Return,
            None,
            &after.id,
            "order of tables",
            &was,
            &is,
        );
        let mut pairs: Vec<(&str, Option<&TableSpec>, Option<&TableSpec>)> = Vec::new();
        for table in &after.tables {
            let was = match self.lineage {
                Some(said) => said.table_was(&table.name),
                None => Some(table.name.as_str()),
            };
            let earlier = was.and_then(|was| before.table(was));
            pairs.push((&table.name, earlier, Some(table)));
        }
        for table in &before.tables {
            let is_it = |earlier: &TableSpec| earlier.name == table.name;
            if !pairs
                .iter()
                .any(|(_, earlier, _)| earlier.is_some_and(is_it))
            {
                pairs.push((&table.name, Some(table), None));
            }
        }
        pairs.sort_by_key(|(name, _, after)| (*name, after.is_some()));
        for (name, earlier, table) in pairs {
            self.table(name, earlier, table);
        }
    }

    /// A table that only one version has is told with all that is in it.
    fn table(&mut self, name: &str, before: Option<&TableSpec>, after: Option<&TableSpec>) {
        let of = |table: Option<&TableSpec>, things: fn(&TableSpec) -> Vec<Named>| {
            table.map(things).unwrap_or_default()
        };
        let (was, is) = (of(before, facets::items), of(after, facets::items));
        let lineage: Vec<&ItemLineage> = match (self.lineage, after) {
            (Some(said), Some(table)) => {
                let items = said.items.iter();
                items.filter(|said| said.table == table.name).collect()
            }
            _ => Vec::new(),
        };
        let one_to_one = |said: &&ItemLineage| {
            let (was, now) = (said.was.first()?, said.now.first()?);
            let is_one = said.was.len() == 1 && said.now.len() == 1;
            is_one.then(|| (now.clone(), was.clone()))
        };
        let said: Names = lineage.iter().filter_map(one_to_one).collect();
        let is_guessed = self.lineage.is_none();
        self.all(Subject::Item, Some(name), (&was, &is), &said, |a, b| {
            // Where a version says what became of its items, nothing is guessed.
            is_guessed.then(|| same_item(a, b)).flatten()
        });
        self.lineage_of(name, &lineage);
        self.order(Subject::Table, None, name, "order of items", &was, &is);
        let (was, is) = (of(before, facets::lines), of(after, facets::lines));
        let said = after
            .and_then(|table| self.line_codes(table))
            .unwrap_or_default();
        self.all(
            Subject::Line,
            Some(name),
            (&was, &is),
            &said,
            |earlier, line| {
                (earlier.facets.get("label") == line.facets.get("label")).then_some("same label")
            },
        );
    }

    /// What a form's lines were called.
    fn line_codes(&self, table: &TableSpec) -> Option<Names> {
        let Layout::Matrix(matrix) = &table.layout else {
            return None;
        };
        let (_, codes) = self.lineage?.item_was(&table.name, &matrix.line_item)?;
        let codes = codes?.iter();
        Some(codes.map(|(was, now)| (now.clone(), was.clone())).collect())
    }

    /// What became of items that did not just go on.
    fn lineage_of(&mut self, table: &str, lineage: &[&ItemLineage]) {
        for said in lineage {
            let property = match said.relation() {
                Relation::Same => continue,
                Relation::Break => "the series breaks",
                Relation::Split => "split",
                Relation::Merged => "merged",
                Relation::Dropped => "not asked for any more",
            };
            let now = match (said.now.as_slice(), &said.note) {
                ([], note) => note.clone(),
                (now, None) => Some(now.join(", ")),
                (now, Some(note)) => Some(format!("{}: {note}", now.join(", "))),
            };
            let name = said.now.first().or(said.was.first());
            let what = What::Changed {
                property: property.to_owned(),
                before: Some(said.was.join(", ")),
                after: now,
            };
            let name = name.cloned().unwrap_or_default();
            self.push(Subject::Item, Some(table), &name, what);
        }
    }

    fn codes(&mut self, before: &CodeList, after: &CodeList, said: &Names) {
        let (was, is) = (facets::codes(before), facets::codes(after));
        let list = Some(after.name.as_str());
        self.all(Subject::Code, list, (&was, &is), said, |_, _| None);
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
