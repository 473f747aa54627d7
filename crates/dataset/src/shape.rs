//! Which columns a dataset has, and how each version of the return fills them.
//!
//! Where the periods asked for were collected with more than one version, the columns are the newest version's,
//! followed by what only older ones asked for.

use std::collections::HashMap;

use chrono::NaiveDate;
use db::records::{Counted, Places, RecordRef, Records, Source};
use spec::{Code, Item, ItemKind, Layout, ReturnSpec, TableSpec};

use crate::cell::Cell;
use crate::manifest::{Codes, Manifest};
use crate::{Asked, Lineage};

#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    #[error("{return_id} has no table {table}")]
    UnknownTable { return_id: String, table: String },
    #[error("{table} has no item {item}")]
    UnknownItem { table: String, item: String },
    #[error("version {0} of the return is not there any more")]
    UnknownVersion(String),
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub title: String,
    pub description: String,
    pub kind: ItemKind,
    pub unit: Option<String>,
    /// Codes and what they mean, where it has codes.
    pub codes: Vec<(String, String)>,
    pub(crate) filled_by: FilledBy,
}

impl Column {
    fn cell<'a>(
        &self,
        filling: Option<&'a Filling>,
        head: &'a Head,
        record: RecordRef<'a>,
    ) -> Option<Cell<'a>> {
        match self.filled_by {
            FilledBy::Head(idx) => head.values.get(idx)?.as_deref().map(Cell::Text),
            FilledBy::Row => Some(Cell::Number(record.row_number)),
            FilledBy::Item(idx) => record.value(idx).map(Cell::Text),
            FilledBy::Label(idx) => {
                let labels = filling?.labels.get(idx)?.get(record.value(idx)?)?;
                let on = head.period_end;
                let in_force = |label: &&Label| {
                    label.from.is_none_or(|first| first <= on)
                        && label.to.is_none_or(|last| on <= last)
                };
                let label = labels.iter().find(in_force).or(labels.last())?;
                Some(Cell::Text(&label.text))
            }
            FilledBy::Gss(idx) => {
                let gss = filling?.gss.get(idx)?.get(record.value(idx)?)?;
                Some(Cell::Text(gss))
            }
            FilledBy::Cell(idx) => {
                let item = filling?.items.get(idx)?.as_deref()?;
                let letters = head.places.columns.get(item)?;
                Some(Cell::Place(letters, record.row_number))
            }
            FilledBy::Own => record.own().filter(|own| *own != "{}").map(Cell::Own),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilledBy {
    /// By what is the same for a whole submission: its place in [`Head`].
    Head(usize),
    Row,
    Item(usize),
    Label(usize),
    Gss(usize),
    Cell(usize),
    Own,
}

/// What is said of every row of a submission, in order: name, title, kind, from which lineage on.
const HEAD: [(&str, &str, ItemKind, Lineage); 14] = [
    (
        "organisation_code",
        "GSS code of the organisation",
        ItemKind::Text,
        Lineage::None,
    ),
    (
        "organisation_name",
        "Name of the organisation",
        ItemKind::Text,
        Lineage::None,
    ),
    (
        "organisation_sg_code",
        "The Scottish Government's code of the organisation",
        ItemKind::Text,
        Lineage::None,
    ),
    (
        "organisation_phs_code",
        "Public Health Scotland's code of the organisation",
        ItemKind::Text,
        Lineage::None,
    ),
    (
        "period",
        "Period that the row was sent for",
        ItemKind::Text,
        Lineage::None,
    ),
    (
        "period_start",
        "First day of that period",
        ItemKind::Date,
        Lineage::None,
    ),
    (
        "period_end",
        "Last day of that period",
        ItemKind::Date,
        Lineage::None,
    ),
    (
        "submission_version",
        "Which version of the organisation's return it is from",
        ItemKind::Integer,
        Lineage::None,
    ),
    (
        "submission_state",
        "accepted; or, provisionally, signed_off or submitted",
        ItemKind::Text,
        Lineage::None,
    ),
    (
        "return_version",
        "Which version of the return was asked for",
        ItemKind::Text,
        Lineage::Row,
    ),
    (
        "submission_id",
        "Number of the submission in this service",
        ItemKind::Text,
        Lineage::Row,
    ),
    (
        "source_file",
        "Name of the file it was read from",
        ItemKind::Text,
        Lineage::Row,
    ),
    (
        "source_sha256",
        "SHA-256 of that file",
        ItemKind::Text,
        Lineage::Row,
    ),
    (
        "source_sheet",
        "Sheet it was read from",
        ItemKind::Text,
        Lineage::Row,
    ),
];

/// The two of [`HEAD`] that are local codes.
const LOCAL_CODES: [&str; 2] = ["organisation_sg_code", "organisation_phs_code"];

const ROW_COLUMN: &str = "source_row";

/// One column, whatever the senders bring, so that the dataset's columns are the spec's.
const OWN_COLUMN: &str = "own_columns";

/// The columns of a dataset, and what fills them.
#[derive(Debug)]
pub struct Shape {
    pub columns: Vec<Column>,
    pub table: String,
    pub title: String,
    pub description: String,
    pub asked: Asked,
    /// By version.
    versions: HashMap<String, Filling>,
    n_items: usize,
    has_head_of: Lineage,
}

/// How one version fills the columns.
#[derive(Debug)]
struct Filling {
    /// For each item of the dataset this version's item.
    items: Vec<Option<String>>,
    keys: Vec<Option<String>>,
    labels: Vec<HashMap<String, Vec<Label>>>,
    gss: Vec<HashMap<String, String>>,
    table: String,
}

#[derive(Debug)]
struct Label {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    text: String,
}

/// An item of the dataset: as the newest version that has it says it, and in which versions it is called what.
struct Series<'a> {
    item: &'a Item,
    kind: ItemKind,
    labelled: bool,
    is_of_organisations: bool,
}

/// What is the same for all rows of a submission.
#[derive(Debug)]
pub(crate) struct Head {
    values: Vec<Option<String>>,
    version: String,
    period_end: NaiveDate,
    places: Places,
}

impl Head {
    pub(crate) fn of(counted: &Counted, places: Places) -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            values: vec![
                text(&counted.organisation),
                text(&counted.organisation_name),
                counted.sg_code.clone(),
                counted.phs_code.clone(),
                text(&counted.period_label),
                Some(counted.period_start.to_string()),
                Some(counted.period_end.to_string()),
                Some(counted.version_number.to_string()),
                text(counted.state.as_str()),
                text(&counted.return_version),
                Some(counted.submission_id.to_string()),
                text(&counted.file_name),
                text(&counted.sha256),
                places.sheet.clone(),
            ],
            version: counted.return_version.clone(),
            period_end: counted.period_end,
            places,
        }
    }
}

impl Shape {
    /// `versions` are all published ones; `spec` is the one whose words are used.
    pub fn of(
        versions: &[ReturnSpec],
        spec: &ReturnSpec,
        table: &str,
        manifest: &Manifest,
        asked: &Asked,
    ) -> Result<Self, ShapeError> {
        let unknown = || ShapeError::UnknownTable {
            return_id: spec.id.clone(),
            table: table.to_owned(),
        };
        let newest = spec.table(table).ok_or_else(unknown)?;
        let mut used = Vec::new();
        for (version, _) in &manifest.versions {
            let is_it = |known: &&ReturnSpec| known.id == spec.id && known.version == *version;
            let found = versions.iter().find(is_it);
            used.push(found.ok_or_else(|| ShapeError::UnknownVersion(version.clone()))?);
        }
        used.sort_by_key(|version| std::cmp::Reverse(version.valid_from));
        let tables: Vec<(&ReturnSpec, &TableSpec)> = used
            .iter()
            .filter_map(|version| Some((*version, version.table(table)?)))
            .collect();
        let all = series(newest, &tables, &manifest.codes);
        for name in &asked.items {
            if !all.iter().any(|series| series.item.name == *name) {
                return Err(ShapeError::UnknownItem {
                    table: table.to_owned(),
                    item: name.clone(),
                });
            }
        }
        let wanted: Vec<Series<'_>> = all
            .into_iter()
            .filter(|series| asked.items.is_empty() || asked.items.contains(&series.item.name))
            .collect();
        let has_own = tables.iter().any(|(version, table)| {
            version.own_columns.is_some() && table.layout.records().is_some()
        });
        let fillings = tables
            .iter()
            .map(|(version, old)| {
                let filling = Filling::of(newest, old, &wanted, &manifest.codes);
                (version.version.clone(), filling)
            })
            .collect();
        Ok(Self {
            columns: columns(newest, &wanted, asked, has_own),
            table: newest.name.clone(),
            title: newest.title.clone(),
            description: newest.description.clone(),
            versions: fillings,
            n_items: wanted.len(),
            has_head_of: asked.lineage,
            asked: asked.clone(),
        })
    }

    /// Whether it is told where the columns of a file stand.
    pub(crate) fn needs_places(&self) -> bool {
        self.has_head_of > Lineage::None
    }

    /// Reads one version's records as these columns, and gives them to `then`; `None` where that version has no such table.
    pub(crate) fn source<'a>(
        &'a self,
        versions: &'a [ReturnSpec],
        return_id: &str,
        version: &str,
    ) -> Option<OwnedSource<'a>> {
        let filling = self.versions.get(version)?;
        let spec = versions
            .iter()
            .find(|spec| spec.id == return_id && spec.version == version)?;
        let names = |names: &'a [Option<String>]| names.iter().map(Option::as_deref).collect();
        Some(OwnedSource {
            spec,
            table: spec.table(&filling.table)?,
            items: names(&filling.items),
            keys: names(&filling.keys),
        })
    }

    /// The cells of a record, one for each column.
    pub(crate) fn cells<'a>(
        &'a self,
        head: &'a Head,
        record: RecordRef<'a>,
    ) -> impl Iterator<Item = Cell<'a>> {
        let filling = self.versions.get(&head.version);
        let columns = self.columns.iter();
        columns.map(move |column| column.cell(filling, head, record).unwrap_or(Cell::Blank))
    }

    /// The cells of one column.
    pub(crate) fn column<'a>(
        &'a self,
        column: &'a Column,
        head: &'a Head,
        records: &'a Records,
    ) -> impl Iterator<Item = Cell<'a>> {
        let filling = self.versions.get(&head.version);
        let records = records.iter();
        records.map(move |record| column.cell(filling, head, record).unwrap_or(Cell::Blank))
    }

    /// How many of its columns are items.
    pub fn n_items(&self) -> usize {
        self.n_items
    }
}

/// A [`Source`] with its own lists.
pub(crate) struct OwnedSource<'a> {
    spec: &'a ReturnSpec,
    table: &'a TableSpec,
    items: Vec<Option<&'a str>>,
    keys: Vec<Option<&'a str>>,
}

impl OwnedSource<'_> {
    pub(crate) fn as_source(&self) -> Source<'_> {
        Source {
            spec: self.spec,
            table: self.table,
            items: &self.items,
            keys: &self.keys,
        }
    }
}

/// The item of an older table that an item continues.
fn continued<'a>(old: &'a TableSpec, item: &Item) -> Option<&'a Item> {
    old.item(&item.name)
}

/// The newest version's items, then what only older ones have, the newer first.
fn series<'a>(
    newest: &'a TableSpec,
    tables: &[(&'a ReturnSpec, &'a TableSpec)],
    codes: &[Codes],
) -> Vec<Series<'a>> {
    let mut items: Vec<&Item> = newest.items.iter().collect();
    for (_, old) in tables {
        for item in &old.items {
            let is_it =
                |newer: &&Item| continued(old, newer).is_some_and(|it| it.name == item.name);
            if !items.iter().any(is_it) {
                items.push(item);
            }
        }
    }
    items
        .into_iter()
        .map(|item| {
            let all = || {
                let older = tables
                    .iter()
                    .filter_map(|(_, old)| Some((*old, continued(old, item)?)));
                std::iter::once((newest, item)).chain(older)
            };
            Series {
                item,
                kind: all().fold(item.kind, |kind, (_, it)| wider(kind, it.kind)),
                labelled: all().any(|(table, it)| !labels_of(table, it).is_empty()),
                is_of_organisations: all().any(|(_, it)| !gss_of(it, codes).is_empty()),
            }
        })
        .collect()
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
        _ => ItemKind::Text,
    }
}

/// Codes and what they mean, with their days: an item's list, or a form's lines.
fn labels_of(table: &TableSpec, item: &Item) -> Vec<Code> {
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
    fn of(newest: &TableSpec, old: &TableSpec, wanted: &[Series<'_>], codes: &[Codes]) -> Self {
        let items: Vec<Option<&Item>> = wanted
            .iter()
            .map(|series| continued(old, series.item))
            .collect();
        let name = |item: &Item| item.name.clone();
        let keys = newest.keys.iter().map(|key| {
            let item = newest.item(key)?;
            continued(old, item).map(name)
        });
        let labels = items.iter().map(|item| {
            let mut labels: HashMap<String, Vec<Label>> = HashMap::new();
            for code in item.map(|item| labels_of(old, item)).unwrap_or_default() {
                labels.entry(code.code).or_default().push(Label {
                    from: code.valid_from,
                    to: code.valid_to,
                    text: code.label,
                });
            }
            labels
        });
        let gss = items
            .iter()
            .map(|item| item.map(|item| gss_of(item, codes)).unwrap_or_default());
        Self {
            labels: labels.collect(),
            gss: gss.collect(),
            keys: keys.collect(),
            items: items.iter().map(|item| item.map(name)).collect(),
            table: old.name.clone(),
        }
    }
}

fn columns(table: &TableSpec, wanted: &[Series<'_>], asked: &Asked, has_own: bool) -> Vec<Column> {
    let plain = |name: &str, title: &str, kind, filled_by| Column {
        name: name.to_owned(),
        title: title.to_owned(),
        description: String::new(),
        kind,
        unit: None,
        codes: Vec::new(),
        filled_by,
    };
    let mut columns: Vec<Column> = HEAD
        .iter()
        .enumerate()
        .filter(|(_, (name, _, _, from))| {
            *from <= asked.lineage && (asked.labels || !LOCAL_CODES.contains(name))
        })
        .map(|(idx, (name, title, kind, _))| plain(name, title, *kind, FilledBy::Head(idx)))
        .collect();
    if asked.lineage >= Lineage::Row {
        let title = "Row of that sheet";
        columns.push(plain(ROW_COLUMN, title, ItemKind::Integer, FilledBy::Row));
    }
    for (idx, series) in wanted.iter().enumerate() {
        let item = series.item;
        let codes = labels_of(table, item);
        columns.push(Column {
            name: item.name.clone(),
            title: item.title.clone(),
            description: item.description.clone(),
            kind: series.kind,
            unit: item.unit.clone(),
            codes: codes
                .into_iter()
                .map(|code| (code.code, code.label))
                .collect(),
            filled_by: FilledBy::Item(idx),
        });
        let title = |what: &str| format!("{}: {what}", item.title);
        if asked.labels && series.labelled {
            let name = format!("{}_label", item.name);
            columns.push(plain(
                &name,
                &title("what the code means"),
                ItemKind::Text,
                FilledBy::Label(idx),
            ));
        }
        if asked.labels && series.is_of_organisations {
            let name = format!("{}_gss", item.name);
            columns.push(plain(
                &name,
                &title("the GSS code"),
                ItemKind::Text,
                FilledBy::Gss(idx),
            ));
        }
    }
    if asked.lineage >= Lineage::Cell {
        for (idx, series) in wanted.iter().enumerate() {
            let item = series.item;
            let name = format!("{}_cell", item.name);
            let title = format!("{}: the cell it was read from", item.title);
            columns.push(plain(&name, &title, ItemKind::Text, FilledBy::Cell(idx)));
        }
    }
    if has_own && asked.items.is_empty() {
        let title = "The sender's own columns of the row, as JSON";
        columns.push(plain(OWN_COLUMN, title, ItemKind::Text, FilledBy::Own));
    }
    columns
}
