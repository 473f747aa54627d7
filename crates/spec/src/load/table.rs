//! `tables/<table>.toml`: where a table stands, joined with what its record is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::bodies::Bodies;
use super::codes::Lists;
use super::document::{Document, step};
use super::fault::Faults;
use super::folder::Folder;
use super::format::FileKind;
use super::record;
use super::returns::Sources;
use super::{matrix, toml_document};
use crate::layout::{IgnoredRow, Records};
use crate::stamp;
use crate::{
    Condition, Identity, IdentityKind, IdentityPlace, Item, Layout, SheetMatch, TableSpec,
};

/// A table as far as it could be read; rules are checked against this.
#[derive(Debug)]
pub(crate) struct TableDraft {
    pub(crate) name: String,
    /// Whether the items' names are known at all.
    pub(crate) is_known: bool,
    pub(crate) names: Vec<String>,
    pub(crate) items: Vec<Item>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) layout: Option<Layout>,
    pub(crate) has_keys: bool,
    /// Items that say whose and which period the file is: the same in every record.
    pub(crate) identity_items: Vec<String>,
    /// `None` where something is wrong.
    pub(crate) table: Option<TableSpec>,
}

impl TableDraft {
    /// What is wrong with naming this item; nothing where the items are not known.
    pub(crate) fn lacks(&self, item: &str) -> Option<String> {
        if !self.is_known || self.names.iter().any(|name| name == item) {
            return None;
        }
        let near = self
            .names
            .iter()
            .find(|name| name.eq_ignore_ascii_case(item));
        let hint = near.map_or(String::new(), |near| format!("; write it \"{near}\""));
        Some(format!("{} has no item \"{item}\"{hint}", self.name))
    }

    /// Whether every item could be read.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_known && self.names.len() == self.items.len()
    }

    pub(crate) fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LayoutName {
    Records,
    Matrix,
    TurnAround,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityDocument {
    kind: IdentityKind,
    item: Option<String>,
    cell: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderDocument {
    search_rows: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnDocument {
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    blank: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoreDocument {
    item: String,
    starts_with: Vec<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TurnAroundDocument {
    key: String,
    #[serde(default)]
    asked_anew: Vec<String>,
}

pub(crate) fn read(
    folder: &mut Folder,
    lists: &mut Lists,
    name: &str,
    sources: &Sources,
    bodies: &Bodies,
    faults: &mut Faults,
) -> TableDraft {
    let n_before = faults.len();
    let record = record::read(folder, lists, name, sources, faults);
    let file = format!("tables/{name}.toml");
    let document = toml_document(folder, &file, FileKind::Table, faults);
    let record_schema = record.as_ref().map(|record| record.document.value.clone());
    let is_known = record.is_some();
    let (names, items, conditions) = record.map_or_else(Default::default, |record| {
        (record.names, record.items, record.conditions)
    });
    let mut draft = TableDraft {
        name: name.to_owned(),
        is_known,
        names,
        items,
        conditions,
        layout: None,
        has_keys: false,
        identity_items: Vec::new(),
        table: None,
    };
    let Some(document) = document else {
        return draft;
    };
    draft.has_keys = document.value.get("keys").is_some();
    let layout = layout_name(&document);
    let identities = identities(&document, layout, &draft, faults);
    draft.identity_items = identities
        .iter()
        .filter_map(|identity| match &identity.place {
            IdentityPlace::Item(item) => Some(item.clone()),
            IdentityPlace::Cell { .. } => None,
        })
        .collect();
    read_columns(&document, &mut draft, faults);
    let keys = keys(&document, &draft, faults);
    draft.layout = match layout {
        Some(LayoutName::Records) => records(&document, &draft, faults).map(Layout::Records),
        Some(LayoutName::TurnAround) => turn_around(&document, &draft, faults),
        Some(LayoutName::Matrix) => {
            matrix::read(&document, &draft, &identities, sources, bodies, faults)
                .map(Layout::Matrix)
        }
        None => None,
    };
    if draft
        .layout
        .as_ref()
        .is_some_and(|layout| layout.records().is_some())
    {
        check_headings(&document, &draft, faults);
    }
    let sheet: Option<SheetMatch> = document.part("/sheet", faults);
    check_sheet_names(&document, sheet.as_ref(), faults);
    let title = document.value.get("title").and_then(Value::as_str);
    if faults.len() > n_before {
        return draft;
    }
    draft.table = join(&draft, title, sheet, keys, identities, record_schema);
    draft
}

fn join(
    draft: &TableDraft,
    title: Option<&str>,
    sheet: Option<SheetMatch>,
    mut keys: Vec<String>,
    identities: Vec<Identity>,
    schema: Option<Value>,
) -> Option<TableSpec> {
    let layout = draft.layout.clone()?;
    if let (Layout::Matrix(matrix), true) = (&layout, keys.is_empty()) {
        keys.push(matrix.line_item.clone());
    }
    let schema = schema?;
    Some(TableSpec {
        name: draft.name.clone(),
        title: title?.to_owned(),
        description: schema.get("description")?.as_str()?.to_owned(),
        sheet: sheet?,
        layout,
        items: draft.items.clone(),
        keys,
        identities,
        conditions: draft.conditions.clone(),
        schema,
    })
}

fn layout_name(document: &Document) -> Option<LayoutName> {
    let name = document.value.get("layout")?;
    LayoutName::deserialize(name).ok()
}

fn keys(document: &Document, draft: &TableDraft, faults: &mut Faults) -> Vec<String> {
    let keys: Vec<String> = document.part("/keys", faults).unwrap_or_default();
    for (idx, key) in keys.iter().enumerate() {
        check_item(document, draft, key, &format!("/keys/{idx}"), faults);
    }
    keys
}

pub(crate) fn check_item(
    document: &Document,
    draft: &TableDraft,
    item: &str,
    pointer: &str,
    faults: &mut Faults,
) {
    if let Some(why) = draft.lacks(item) {
        document.fault(faults, pointer, why);
    }
}

fn identities(
    document: &Document,
    layout: Option<LayoutName>,
    draft: &TableDraft,
    faults: &mut Faults,
) -> Vec<Identity> {
    let mut identities = Vec::new();
    for pointer in document.elements("/identity") {
        let Some(said) = document.part::<IdentityDocument>(&pointer, faults) else {
            continue;
        };
        let place = match (said.item, said.cell) {
            (Some(item), None) => {
                let at = format!("{pointer}/item");
                check_item(document, draft, &item, &at, faults);
                if layout == Some(LayoutName::Matrix) {
                    document.fault(faults, &at, "a matrix says it in a cell");
                }
                IdentityPlace::Item(item)
            }
            (None, Some(cell)) => {
                let Some((row_idx, column_idx)) = cell_at(&cell) else {
                    let why = format!("\"{cell}\" is not a cell");
                    document.fault(faults, &format!("{pointer}/cell"), why);
                    continue;
                };
                IdentityPlace::Cell {
                    row_idx,
                    column_idx,
                }
            }
            _ => {
                document.fault(faults, &pointer, "needs either an item or a cell");
                continue;
            }
        };
        identities.push(Identity {
            kind: said.kind,
            place,
        });
    }
    identities
}

/// `C3` as row and column, 0-based.
pub(crate) fn cell_at(address: &str) -> Option<(u32, u32)> {
    let digits = address.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = address.split_at(digits);
    let column_idx = finding::parse_column_letters(letters)?;
    let row: u32 = row.parse().ok()?;
    (row <= 1_048_576 && column_idx < 16_384).then_some((row.checked_sub(1)?, column_idx))
}

/// Headings and blank markers go to their items.
fn read_columns(document: &Document, draft: &mut TableDraft, faults: &mut Faults) {
    let columns = document.value.get("columns").and_then(Value::as_object);
    let names: Vec<String> = columns
        .map(|columns| columns.keys().cloned().collect())
        .unwrap_or_default();
    for name in names {
        let pointer = step("/columns", &name);
        check_item(document, draft, &name, &pointer, faults);
        let said: ColumnDocument = document.part(&pointer, faults).unwrap_or_default();
        if let Some(item) = draft.items.iter_mut().find(|item| item.name == name) {
            item.headings = said.aliases;
            item.blank_markers = said.blank;
        }
    }
}

fn records(document: &Document, draft: &TableDraft, faults: &mut Faults) -> Option<Records> {
    let header: HeaderDocument = document.part("/header", faults)?;
    let mut ignores = Vec::new();
    for pointer in document.elements("/ignore") {
        let Some(said) = document.part::<IgnoreDocument>(&pointer, faults) else {
            continue;
        };
        check_item(
            document,
            draft,
            &said.item,
            &format!("{pointer}/item"),
            faults,
        );
        ignores.push(IgnoredRow {
            item: said.item,
            starts_with: said.starts_with,
            reason: said.reason,
        });
    }
    Some(Records {
        search_rows: header.search_rows,
        ignores,
    })
}

fn turn_around(document: &Document, draft: &TableDraft, faults: &mut Faults) -> Option<Layout> {
    let records = records(document, draft, faults)?;
    let said: TurnAroundDocument = document.part("/turn_around", faults)?;
    check_item(document, draft, &said.key, "/turn_around/key", faults);
    for (idx, item) in said.asked_anew.iter().enumerate() {
        let pointer = format!("/turn_around/asked_anew/{idx}");
        check_item(document, draft, item, &pointer, faults);
        if *item == said.key {
            let why = "the key is what a row that is sent out is known by";
            document.fault(faults, &pointer, why);
        }
    }
    Some(Layout::TurnAround {
        records,
        key: said.key,
        asked_anew: said.asked_anew,
    })
}

/// A template has sheets of its own beside the return's.
fn check_sheet_names(document: &Document, sheet: Option<&SheetMatch>, faults: &mut Faults) {
    for (idx, name) in sheet
        .iter()
        .flat_map(|sheet| sheet.names.iter().enumerate())
    {
        if stamp::is_own_sheet(name) {
            let why = format!("\"{name}\" is a sheet of the template itself");
            document.fault(faults, &format!("/sheet/names/{idx}"), why);
        }
    }
}

/// A heading that could be two items' would put values into the wrong one.
fn check_headings(document: &Document, draft: &TableDraft, faults: &mut Faults) {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for item in &draft.items {
        let aliases = item.headings.iter();
        for heading in [&item.name, &item.title].into_iter().chain(aliases) {
            let words: String = heading
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect();
            match owners.insert(words, &item.name) {
                Some(owner) if owner != item.name => {
                    let why = format!(
                        "the heading \"{heading}\" could be {owner} or {}",
                        item.name
                    );
                    document.fault(faults, &step("/columns", &item.name), why);
                }
                _ => {}
            }
        }
    }
}
