//! Which columns a dataset has, and how each version of the return fills them.
//!
//! Where the periods asked for were collected with more than one version, the columns are the newest version's,
//! followed by what only older ones asked for, or asked for otherwise; the versions' `lineage.toml` say which is which.

mod lasting;
mod left_out;
pub(crate) mod mapping;
pub(crate) mod series;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use db::records::{Counted, Places, RecordRef, Records, Source};
use spec::{Ancestry, Item, ItemKind, ReturnSpec, TableSpec};
use uuid::Uuid;

pub use self::mapping::{Mapped, Until, until};
use self::mapping::{Told, ended};
pub use self::series::column_name;
use self::series::{Series, labels_of, series};
use crate::cell::Cell;
use crate::manifest::Manifest;
use crate::release::Suppressed;
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
            FilledBy::Item(idx) => {
                let value = record.value(idx)?;
                if head.leaves_out(record.row_number, idx) {
                    return Some(Cell::LeftOut);
                }
                let now = filling.and_then(|filling| filling.codes.get(idx)?.get(value));
                Some(Cell::Text(now.map_or(value, String::as_str)))
            }
            FilledBy::LeftOut => head.left_out(record.row_number).map(Cell::Text),
            FilledBy::NotAsked => filling?.not_asked.as_deref().map(Cell::Text),
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
    /// By what the row's version did not ask for.
    NotAsked,
    /// By what a release leaves out of the row.
    LeftOut,
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

/// What a release leaves out of a row.
const LEFT_OUT_COLUMN: &str = "suppressed";

/// Which blanks of a row are there because nobody asked.
const NOT_ASKED_COLUMN: &str = "not_asked_for";

/// Whether a dataset has a column of this name whatever its return asks for.
fn is_every_datasets(name: &str) -> bool {
    let others = [ROW_COLUMN, OWN_COLUMN, LEFT_OUT_COLUMN, NOT_ASKED_COLUMN];
    let mut all = HEAD.iter().map(|(name, ..)| *name).chain(others);
    all.any(|of_all| of_all.eq_ignore_ascii_case(name))
}

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
    /// How the versions belong together, where there is more than one.
    pub mapping: Vec<Mapped>,
    /// What a release leaves out.
    left_out: Option<Arc<Suppressed>>,
    /// The columns' names that are items, in order.
    item_names: Vec<String>,
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
    /// What its codes are called now, where they are called otherwise.
    codes: Vec<BTreeMap<String, String>>,
    /// The columns that it did not ask for.
    not_asked: Option<String>,
    table: String,
}

#[derive(Debug, Clone)]
struct Label {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    text: String,
}

/// What is the same for all rows of a submission.
#[derive(Debug)]
pub(crate) struct Head {
    values: Vec<Option<String>>,
    version: String,
    period_end: NaiveDate,
    places: Places,
    pub(crate) submission_id: Uuid,
    /// What a release leaves out.
    left_out: Option<Arc<Suppressed>>,
}

impl Head {
    fn leaves_out(&self, row_number: u32, item: usize) -> bool {
        let left_out = self.left_out.as_ref();
        left_out.is_some_and(|left_out| left_out.has(self.submission_id, row_number, item))
    }

    /// What is left out of a row, by name.
    fn left_out(&self, row_number: u32) -> Option<&str> {
        let left_out = self.left_out.as_ref()?;
        left_out.names(self.submission_id, row_number)
    }

    pub(crate) fn of(counted: &Counted, places: Places, shape: &Shape) -> Self {
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
            submission_id: counted.submission_id,
            left_out: shape.left_out.clone(),
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
        let ancestry = Ancestry::of(versions, spec);
        let tables: Vec<(&ReturnSpec, &TableSpec)> = used
            .iter()
            .filter_map(|version| {
                let table = ancestry.table_before(spec, &newest.name, version)?;
                Some((*version, table))
            })
            .collect();
        let all = series(&ancestry, (spec, newest), &tables, &manifest.codes);
        for name in &asked.items {
            if !all.iter().any(|series| series.name == *name) {
                return Err(ShapeError::UnknownItem {
                    table: table.to_owned(),
                    item: name.clone(),
                });
            }
        }
        let wanted: Vec<&Series<'_>> = all
            .iter()
            .filter(|series| asked.items.is_empty() || asked.items.contains(&series.name))
            .collect();
        let has_own = tables.iter().any(|(version, table)| {
            version.own_columns.is_some() && table.layout.records().is_some()
        });
        let fillings: HashMap<String, Filling> = tables
            .iter()
            .enumerate()
            .map(|(idx, (version, old))| {
                let filling = Filling::of((&all, newest), (idx, old), &wanted, &manifest.codes);
                (version.version.clone(), filling)
            })
            .collect();
        let has_not_asked = fillings.values().any(|filling| filling.not_asked.is_some());
        let until = until(&manifest.submissions);
        let mapping = Told {
            ancestry: &ancestry,
            spec,
            tables: &tables,
            wanted: &wanted,
            until: &until,
        };
        let mut mapping = mapping.all();
        // Once in a release, and where nobody asked for another table.
        let is_first = spec.tables.first().is_some_and(|first| first.name == table);
        if is_first {
            mapping.extend(ended(&ancestry, spec, &used, &until));
        }
        Ok(Self {
            columns: columns((&all, &wanted), asked, has_own, has_not_asked),
            mapping,
            left_out: None,
            item_names: wanted.iter().map(|series| series.name.clone()).collect(),
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

    /// What the table is called in a version.
    pub(crate) fn table_in(&self, version: &str) -> Option<&str> {
        Some(&self.versions.get(version)?.table)
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
            codes: &filling.codes,
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

    pub(crate) fn item_names(&self) -> &[String] {
        &self.item_names
    }

    /// The table of a version that fills it, and that version's items in the order of the columns.
    pub(crate) fn items_of<'a>(
        &self,
        version: &'a ReturnSpec,
    ) -> Option<(&'a TableSpec, Vec<Option<&'a Item>>)> {
        let filling = self.versions.get(&version.version)?;
        let table = version.table(&filling.table)?;
        let items = filling.items.iter();
        let items = items.map(|name| table.item(name.as_deref()?));
        Some((table, items.collect()))
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
    codes: &'a [BTreeMap<String, String>],
    keys: Vec<Option<&'a str>>,
}

impl OwnedSource<'_> {
    pub(crate) fn as_source(&self) -> Source<'_> {
        Source {
            spec: self.spec,
            table: self.table,
            items: &self.items,
            codes: self.codes,
            keys: &self.keys,
        }
    }
}

/// `all` have their names whichever of them are wanted.
fn columns(
    (all, wanted): (&[Series<'_>], &[&Series<'_>]),
    asked: &Asked,
    has_own: bool,
    has_not_asked: bool,
) -> Vec<Column> {
    let plain = |name: &str, title: &str, kind, filled_by| Column {
        name: name.to_owned(),
        title: title.to_owned(),
        description: String::new(),
        kind,
        unit: None,
        codes: Vec::new(),
        filled_by,
    };
    // What is beside a column gives way to an item of that name.
    let beside = |series: &Series<'_>, what: &str| {
        let mut name = format!("{}_{what}", series.name);
        while all
            .iter()
            .any(|other| other.name.eq_ignore_ascii_case(&name))
        {
            name.push('_');
        }
        name
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
        let codes = labels_of(series.table, item);
        columns.push(Column {
            name: series.name.clone(),
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
            let name = beside(series, "label");
            columns.push(plain(
                &name,
                &title("what the code means"),
                ItemKind::Text,
                FilledBy::Label(idx),
            ));
        }
        if asked.labels && series.is_of_organisations {
            let name = beside(series, "gss");
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
            let name = beside(series, "cell");
            let title = format!("{}: the cell it was read from", series.item.title);
            columns.push(plain(&name, &title, ItemKind::Text, FilledBy::Cell(idx)));
        }
    }
    if has_not_asked {
        let title =
            "Columns that are blank because this version of the return did not ask for them";
        let filled_by = FilledBy::NotAsked;
        columns.push(plain(NOT_ASKED_COLUMN, title, ItemKind::Text, filled_by));
    }
    if has_own && asked.items.is_empty() {
        let title = "The sender's own columns of the row, as JSON";
        columns.push(plain(OWN_COLUMN, title, ItemKind::Text, FilledBy::Own));
    }
    columns
}
