//! `lineage.toml`: what the tables and items of the version before are called in this one, and what became of the rest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Deserialize;

use super::document::{Document, step};
use super::fault::{Fault, Faults};
use super::folder::Folder;
use super::format::FileKind;
use super::links;
use super::returns::{About, Sources};
use super::table::TableDraft;
use super::toml_document;
use crate::lineage::{are_comparable, codes_of};
use crate::link::version_dir;
use crate::{Confidence, Item, ItemLineage, Lineage, Provenance, TableLineage};

const FILE: &str = "lineage.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableDocument {
    was: String,
    now: Option<String>,
    note: Option<String>,
    source: String,
    confidence: Confidence,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemDocument {
    table: String,
    was: Vec<String>,
    #[serde(default)]
    now: Vec<String>,
    #[serde(default)]
    breaks: bool,
    #[serde(default)]
    codes: BTreeMap<String, String>,
    note: Option<String>,
    source: String,
    confidence: Confidence,
}

/// A version without the file says nothing of the one before it.
pub(crate) fn read(
    folder: &mut Folder,
    about: &About,
    tables: &[TableDraft],
    faults: &mut Faults,
) -> Option<Lineage> {
    if !folder.has(FILE) {
        return None;
    }
    let n_before = faults.len();
    let document = toml_document(folder, FILE, FileKind::Lineage, faults)?;
    let version: String = document.part("/version", faults)?;
    let lineage = Lineage {
        tables: table_lineages(&document, &about.sources, faults),
        items: item_lineages(&document, &about.sources, faults),
        version,
    };
    // What could not be read would be missed below.
    if faults.len() > n_before || !tables.iter().all(TableDraft::is_whole) {
        return None;
    }
    let old = before(folder, &document, about, &lineage.version, faults)?;
    let said = Said {
        document: &document,
        lineage: &lineage,
        old: &old,
        new: tables,
        is_cumulative: about.is_cumulative(),
    };
    said.check_tables(faults);
    if faults.len() == n_before {
        said.check_items(faults);
    }
    Some(lineage)
}

fn table_lineages(
    document: &Document,
    sources: &Sources,
    faults: &mut Faults,
) -> Vec<TableLineage> {
    let mut all = Vec::new();
    for pointer in document.elements("/table") {
        let Some(said) = document.part::<TableDocument>(&pointer, faults) else {
            continue;
        };
        sources.check(&said.source, document, &format!("{pointer}/source"), faults);
        all.push(TableLineage {
            was: said.was,
            now: said.now,
            note: said.note,
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        });
    }
    all
}

fn item_lineages(document: &Document, sources: &Sources, faults: &mut Faults) -> Vec<ItemLineage> {
    let mut all = Vec::new();
    for pointer in document.elements("/item") {
        let Some(said) = document.part::<ItemDocument>(&pointer, faults) else {
            continue;
        };
        sources.check(&said.source, document, &format!("{pointer}/source"), faults);
        all.push(ItemLineage {
            table: said.table,
            was: said.was,
            now: said.now,
            breaks: said.breaks,
            codes: said.codes,
            note: said.note,
            provenance: Provenance {
                source: said.source,
                confidence: said.confidence,
            },
        });
    }
    all
}

/// The tables of the version before. Its own faults are its own: here it is one, that it can't be used.
fn before(
    folder: &Folder,
    document: &Document,
    about: &About,
    version: &str,
    faults: &mut Faults,
) -> Option<Vec<TableDraft>> {
    let dir = version_dir(&folder.dir, about.id()?, version);
    let mut of_other = Faults::default();
    let read = links::tables_of(&dir, &mut of_other);
    let why = match of_other.or(read) {
        Err(error) => {
            let first = error.faults.first().map(Fault::to_string);
            format!(
                "version {version} can't be used: {}",
                first.unwrap_or_default()
            )
        }
        Ok(other) => {
            let from: Option<NaiveDate> = other.about.valid_from();
            if from < about.valid_from() {
                return Some(other.tables);
            }
            "is not before this one: it serves from the same day or later".to_owned()
        }
    };
    document.fault(faults, "/version", why);
    None
}

/// What is said, beside what there is.
struct Said<'a> {
    document: &'a Document,
    lineage: &'a Lineage,
    old: &'a [TableDraft],
    new: &'a [TableDraft],
    is_cumulative: bool,
}

fn named<'a>(tables: &'a [TableDraft], name: &str) -> Option<&'a TableDraft> {
    tables.iter().find(|table| table.name == name)
}

impl Said<'_> {
    fn fault(&self, faults: &mut Faults, pointer: &str, why: impl Into<String>) {
        self.document.fault(faults, pointer, why);
    }

    fn check_tables(&self, faults: &mut Faults) {
        let (mut was, mut now) = (BTreeSet::new(), BTreeSet::new());
        for (idx, said) in self.lineage.tables.iter().enumerate() {
            let at = format!("/table/{idx}");
            if named(self.old, &said.was).is_none() {
                let why = format!(
                    "version {} has no table \"{}\"",
                    self.lineage.version, said.was
                );
                self.fault(faults, &format!("{at}/was"), why);
            } else if !was.insert(said.was.as_str()) {
                let why = format!("what became of \"{}\" is there twice", said.was);
                self.fault(faults, &format!("{at}/was"), why);
            }
            match &said.now {
                Some(name) if named(self.new, name).is_none() => {
                    let why = format!("this version has no table \"{name}\"");
                    self.fault(faults, &format!("{at}/now"), why);
                }
                Some(name) if *name == said.was => {
                    self.fault(faults, &at, "says nothing: the name is the same");
                }
                Some(name) if !now.insert(name.as_str()) => {
                    let why = format!("what \"{name}\" was is there twice");
                    self.fault(faults, &format!("{at}/now"), why);
                }
                None if said.note.is_none() => {
                    let why = "\"note\" is missing: it is not asked for any more, and why?";
                    self.fault(faults, &at, why);
                }
                _ => {}
            }
        }
        for table in self.old {
            if was.contains(table.name.as_str()) {
                continue;
            }
            if now.contains(table.name.as_str()) || named(self.new, &table.name).is_none() {
                let why = format!(
                    "what became of the table \"{}\" of version {} is not said",
                    table.name, self.lineage.version
                );
                self.fault(faults, "", why);
            }
        }
    }

    fn check_items(&self, faults: &mut Faults) {
        for new in self.new {
            let was = self.lineage.table_was(&new.name);
            let old = was.and_then(|was| named(self.old, was));
            self.check_items_of(new, old, faults);
        }
        for (idx, said) in self.lineage.items.iter().enumerate() {
            if named(self.new, &said.table).is_none() {
                let why = format!("this version has no table \"{}\"", said.table);
                self.fault(faults, &format!("/item/{idx}/table"), why);
            }
        }
    }

    fn check_items_of(&self, new: &TableDraft, old: Option<&TableDraft>, faults: &mut Faults) {
        let (mut was, mut now) = (BTreeSet::new(), BTreeSet::new());
        let n_before = faults.len();
        for (idx, said) in self.lineage.items.iter().enumerate() {
            if said.table != new.name {
                continue;
            }
            let at = format!("/item/{idx}");
            for (of, names, table, seen) in [
                ("was", &said.was, old, &mut was),
                ("now", &said.now, Some(new), &mut now),
            ] {
                for (place, name) in names.iter().enumerate() {
                    let pointer = format!("{at}/{of}/{place}");
                    match table {
                        None => {
                            let why = format!("the table \"{}\" is new", new.name);
                            self.fault(faults, &pointer, why);
                        }
                        Some(table) => {
                            if let Some(why) = table.lacks(name) {
                                self.fault(faults, &pointer, why);
                            } else if !seen.insert(name.as_str()) {
                                let why = format!("\"{name}\" is there twice");
                                self.fault(faults, &pointer, why);
                            }
                        }
                    }
                }
            }
            self.check_form(said, &at, faults);
        }
        let Some(old) = old else { return };
        for name in &old.names {
            if was.contains(name.as_str()) {
                continue;
            }
            if now.contains(name.as_str()) || !new.names.contains(name) {
                let why = format!(
                    "what became of {}.{name} of version {} is not said",
                    old.name, self.lineage.version
                );
                self.fault(faults, "", why);
            }
        }
        if faults.len() == n_before {
            self.check_values(new, old, faults);
        }
    }

    /// Of what may be said together.
    fn check_form(&self, said: &ItemLineage, at: &str, faults: &mut Faults) {
        let is_one = said.was.len() == 1 && said.now.len() == 1;
        let why = if said.was.len() > 1 && said.now.len() > 1 {
            "several became several: say it of each by itself"
        } else if !is_one && (said.breaks || !said.codes.is_empty()) {
            "\"breaks\" and \"codes\" are for one item that became one"
        } else if said.breaks && !said.codes.is_empty() {
            "where the series breaks, codes are not told from before"
        } else if (!is_one || said.breaks) && said.note.is_none() {
            "\"note\" is missing: who reads a series has to know what changed"
        } else if is_one && said.was == said.now && !said.breaks && said.codes.is_empty() {
            "says nothing: the name is the same"
        } else {
            return;
        };
        self.fault(faults, at, why);
    }

    /// Values that go on are of one kind and unit, and their codes are known.
    fn check_values(&self, new: &TableDraft, old: &TableDraft, faults: &mut Faults) {
        for item in &new.items {
            let Some((was, codes)) = self.lineage.item_was(&new.name, &item.name) else {
                continue;
            };
            let Some(before) = old.item(was) else {
                continue;
            };
            let idx =
                self.lineage.items.iter().position(|said| {
                    said.table == new.name && said.now.first() == Some(&item.name)
                });
            let at = idx.map_or(String::new(), |idx| format!("/item/{idx}"));
            if !are_comparable(before, item) {
                let why = format!(
                    "{}.{} has another type or unit than {}.{was} of version {}: say that the series \"breaks\"",
                    new.name, item.name, old.name, self.lineage.version
                );
                self.fault(faults, &at, why);
            }
            if let Some(codes) = codes.filter(|codes| !codes.is_empty()) {
                self.check_codes((new, item), (old, before), (codes, &at), faults);
            }
        }
    }

    fn check_codes(
        &self,
        (new, item): (&TableDraft, &Item),
        (old, before): (&TableDraft, &Item),
        (codes, at): (&BTreeMap<String, String>, &str),
        faults: &mut Faults,
    ) {
        let at = format!("{at}/codes");
        let is_key = |table: &TableDraft, item: &Item| {
            let table = table.table.as_ref();
            table.is_some_and(|table| table.keys.contains(&item.name))
        };
        if self.is_cumulative && is_key(new, item) {
            let why = "records of this return are known by it over the periods, so its codes stay";
            self.fault(faults, &at, why);
        }
        let (of_old, of_new) = (
            codes_of(old.layout.as_ref(), before),
            codes_of(new.layout.as_ref(), item),
        );
        let (Some(of_old), Some(of_new)) = (of_old, of_new) else {
            self.fault(faults, &at, "one of the two has no list of codes");
            return;
        };
        for (was, now) in codes {
            let why = if !of_old.contains(was) {
                format!("\"{was}\" was no code of {}.{}", old.name, before.name)
            } else if !of_new.contains(now) {
                format!("\"{now}\" is no code of {}.{}", new.name, item.name)
            } else {
                continue;
            };
            self.fault(faults, &step(&at, was), why);
        }
    }
}
