//! What the forms of all returns look like: enough to tell which one a file is, and no more.
//!
//! Gathering takes the texts as they are; they are understood only when a file has to be recognised, which is seldom.
//! A folder with faults tells what it can: this is about another return's file, not about its spec.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use finding::CellRef;
use serde::Deserialize;

use crate::layout::Anchor;
use crate::{IdentityKind, IdentityPlace, Layout, PeriodKind, ReturnSpec, TableSpec, load};

/// The specs of all returns, not yet understood.
#[derive(Debug, Clone, Default)]
pub struct Returns {
    versions: Vec<Texts>,
}

#[derive(Debug, Clone, Default)]
struct Texts {
    about: String,
    /// A table's layout and record, by the table's name.
    tables: BTreeMap<String, (String, String)>,
}

/// One version of a return, by its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub id: String,
    pub version: String,
    pub title: String,
    pub acronym: String,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub period_kind: PeriodKind,
    pub tables: Vec<FormTable>,
}

/// A table by what is written around its data: headings, or a form's anchors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormTable {
    pub sheet_names: Vec<String>,
    /// What each item's column may be headed; of a table with a row of headings.
    pub headings: Vec<Vec<String>>,
    /// Of a form.
    pub anchors: Vec<Anchor>,
    /// Where it says which period it is for, if it does.
    pub period: Option<PeriodPlace>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodPlace {
    /// 0-based.
    Cell { row_idx: u32, column_idx: u32 },
    /// A column of every record, by what it may be headed.
    Column(Vec<String>),
}

impl Returns {
    /// Takes the texts of every version folder below `return-specs/`, as far as they can be read.
    pub fn gather(root: &Path) -> Self {
        let dirs = load::version_dirs(root).unwrap_or_default();
        Self {
            versions: dirs.iter().filter_map(|dir| Texts::read(dir)).collect(),
        }
    }

    /// The forms of all versions that can be understood.
    pub fn forms(&self) -> Vec<Form> {
        self.versions.iter().filter_map(Texts::form).collect()
    }
}

impl Texts {
    fn read(dir: &Path) -> Option<Self> {
        let about = fs::read_to_string(dir.join("return.toml")).ok()?;
        let mut tables: BTreeMap<String, (String, String)> = BTreeMap::new();
        for entry in fs::read_dir(dir.join("tables")).ok()?.flatten() {
            let path = entry.path();
            let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if let Some(name) = file.strip_suffix(".schema.json") {
                tables.entry(name.to_owned()).or_default().1 = fs::read_to_string(&path).ok()?;
            } else if let Some(name) = file.strip_suffix(".toml") {
                tables.entry(name.to_owned()).or_default().0 = fs::read_to_string(&path).ok()?;
            }
        }
        Some(Self { about, tables })
    }

    fn form(&self) -> Option<Form> {
        let About { about, period } = toml::from_str(&self.about).ok()?;
        let tables = about
            .tables
            .iter()
            .filter_map(|name| {
                let (layout, record) = self.tables.get(name)?;
                let layout: LayoutText = toml::from_str(layout).ok()?;
                let record: RecordText = serde_json::from_str(record).ok()?;
                Some(form_table(layout, &record))
            })
            .collect();
        Some(Form {
            id: about.id,
            version: about.version,
            title: about.title,
            acronym: about.acronym,
            valid_from: day(&about.valid_from)?,
            valid_to: about.valid_to.as_ref().and_then(day),
            period_kind: period.kind,
            tables,
        })
    }
}

#[derive(Deserialize)]
struct About {
    #[serde(rename = "return")]
    about: AboutReturn,
    period: AboutPeriod,
}

#[derive(Deserialize)]
struct AboutPeriod {
    kind: PeriodKind,
}

#[derive(Deserialize)]
struct AboutReturn {
    id: String,
    version: String,
    title: String,
    acronym: String,
    valid_from: toml::value::Datetime,
    valid_to: Option<toml::value::Datetime>,
    tables: Vec<String>,
}

fn day(written: &toml::value::Datetime) -> Option<NaiveDate> {
    written.to_string().parse().ok()
}

#[derive(Deserialize)]
struct LayoutText {
    layout: String,
    sheet: SheetText,
    #[serde(default)]
    columns: BTreeMap<String, ColumnText>,
    #[serde(default)]
    anchors: Vec<AnchorText>,
    #[serde(default)]
    identity: Vec<IdentityText>,
}

#[derive(Deserialize)]
struct IdentityText {
    kind: IdentityKind,
    cell: Option<String>,
    item: Option<String>,
}

#[derive(Deserialize)]
struct SheetText {
    names: Vec<String>,
}

#[derive(Deserialize)]
struct ColumnText {
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct AnchorText {
    cell: String,
    text: String,
}

#[derive(Deserialize)]
struct RecordText {
    properties: BTreeMap<String, PropertyText>,
}

#[derive(Deserialize)]
struct PropertyText {
    title: String,
}

fn form_table(layout: LayoutText, record: &RecordText) -> FormTable {
    let of_item = |(name, property): (&String, &PropertyText)| -> Vec<String> {
        let aliases = layout
            .columns
            .get(name)
            .map_or(&[][..], |column| &column.aliases);
        let own = [name.clone(), property.title.clone()];
        own.into_iter().chain(aliases.iter().cloned()).collect()
    };
    let period = layout
        .identity
        .iter()
        .find(|identity| identity.kind == IdentityKind::Period);
    let period = period.and_then(|identity| match (&identity.cell, &identity.item) {
        (Some(cell), _) => {
            let cell: CellRef = format!("A!{cell}").parse().ok()?;
            Some(PeriodPlace::Cell {
                row_idx: cell.row_idx,
                column_idx: cell.column_idx,
            })
        }
        (None, Some(item)) => {
            let property = record.properties.get_key_value(item)?;
            Some(PeriodPlace::Column(of_item(property)))
        }
        (None, None) => None,
    });
    FormTable {
        period,
        headings: if layout.layout == "matrix" {
            Vec::new()
        } else {
            record.properties.iter().map(of_item).collect()
        },
        sheet_names: layout.sheet.names,
        anchors: layout
            .anchors
            .into_iter()
            .filter_map(|anchor| {
                let cell: CellRef = format!("A!{}", anchor.cell).parse().ok()?;
                Some(Anchor {
                    row_idx: cell.row_idx,
                    column_idx: cell.column_idx,
                    text: anchor.text,
                })
            })
            .collect(),
    }
}

impl Form {
    pub fn of(spec: &ReturnSpec) -> Self {
        Self {
            id: spec.id.clone(),
            version: spec.version.clone(),
            title: spec.title.clone(),
            acronym: spec.acronym.clone(),
            valid_from: spec.valid_from,
            valid_to: spec.valid_to,
            period_kind: spec.period_kind,
            tables: spec.tables.iter().map(FormTable::of).collect(),
        }
    }
}

impl FormTable {
    fn of(table: &TableSpec) -> Self {
        let of_item = |item: &crate::Item| -> Vec<String> {
            let own = [item.name.clone(), item.title.clone()];
            own.into_iter().chain(item.headings.clone()).collect()
        };
        let headings = || table.items.iter().map(of_item).collect();
        let period = table
            .identities
            .iter()
            .find(|identity| identity.kind == IdentityKind::Period);
        let period = period.and_then(|identity| match &identity.place {
            IdentityPlace::Cell {
                row_idx,
                column_idx,
            } => Some(PeriodPlace::Cell {
                row_idx: *row_idx,
                column_idx: *column_idx,
            }),
            IdentityPlace::Item(item) => Some(PeriodPlace::Column(of_item(table.item(item)?))),
        });
        let (headings, anchors) = match &table.layout {
            Layout::Matrix(matrix) => (Vec::new(), matrix.anchors.clone()),
            Layout::Records(_) | Layout::TurnAround { .. } => (headings(), Vec::new()),
        };
        Self {
            sheet_names: table.sheet.names.clone(),
            headings,
            anchors,
            period,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut form: Form) -> Form {
        for table in &mut form.tables {
            table.headings.sort();
            if let Some(PeriodPlace::Column(names)) = &mut table.period {
                names.sort();
            }
        }
        form
    }

    #[test]
    fn a_form_is_the_same_from_its_texts_as_from_its_spec() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
        let forms = Returns::gather(&root).forms();
        let specs = load::load_all(&root).unwrap();
        assert!(!specs.is_empty());
        assert_eq!(forms.len(), specs.len());
        for spec in &specs {
            let form = forms
                .iter()
                .find(|form| (&form.id, &form.version) == (&spec.id, &spec.version));
            assert_eq!(sorted(form.unwrap().clone()), sorted(Form::of(spec)));
        }
    }

    #[test]
    fn what_can_not_be_understood_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let version = dir.path().join("odd/1");
        fs::create_dir_all(version.join("tables")).unwrap();
        fs::write(version.join("return.toml"), "not toml").unwrap();
        assert!(Returns::gather(dir.path()).forms().is_empty());
        assert!(
            Returns::gather(&dir.path().join("nowhere"))
                .forms()
                .is_empty()
        );
    }
}
