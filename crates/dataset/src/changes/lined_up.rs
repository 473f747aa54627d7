//! A table over the versions of its return, item beside item, so that records of one can be compared with those of
//! another: what is called otherwise now with what it was, a code with what it is now, and never one thing with another.

use std::collections::BTreeMap;
use std::sync::Arc;

use db::records::{Compared, Comparison, InVersion, LeftOut, RecordPlace, Side};
use spec::{Accumulation, Ancestry, Item, ReturnSpec, TableSpec};
use uuid::Uuid;

use crate::ShapeError;
use crate::release::CellsLeftOut;
use crate::shape::mapping::Told;
use crate::shape::series::{Series, series};
use crate::shape::{Mapped, Until};

/// Which items are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemsOf {
    /// That any version asks for, each in the column of a dataset.
    Any,
    /// That every version asks for.
    Every,
}

/// A return's tables, and what of them is not compared.
#[derive(Debug, Default)]
pub struct LinedUpTables<'a> {
    pub tables: Vec<Arc<LinedUp<'a>>>,
    /// Titles of tables and items that not every version asks for.
    pub not_in_all: Vec<String>,
    /// Titles of items that are called the same, and are something else now or in another unit.
    pub asked_otherwise: Vec<String>,
}

/// A table over the versions of its return.
#[derive(Debug)]
pub struct LinedUp<'a> {
    /// As the newest version has it.
    pub table: &'a TableSpec,
    /// What is compared: its name, which of items of any version is that of its column in a dataset, and the item as the newest version that has it says it.
    pub columns: Vec<(String, &'a Item)>,
    /// How the versions belong together, where there is more than one.
    pub mapping: Vec<Mapped>,
    items: Vec<Compared>,
    versions: Vec<InVersion<'a>>,
}

/// A submission, and the version of the return that it answers.
pub type Answering<'a> = (Uuid, &'a str);

/// One of two sets of submissions that are compared.
#[derive(Debug, Clone, Copy)]
pub struct SideOf<'a> {
    /// In the order in which they count, the last one most.
    pub submissions: &'a [Answering<'a>],
    pub accumulation: Accumulation,
    /// What is not told of them; of what both sides leave out nothing is.
    pub left_out: Option<&'a CellsLeftOut>,
}

impl<'a> LinedUpTables<'a> {
    /// `published` are all versions; of those in `until` there is something to compare.
    pub fn of(
        published: &'a [ReturnSpec],
        return_id: &str,
        until: &Until,
        which: ItemsOf,
    ) -> Result<Self, ShapeError> {
        let mut used: Vec<&'a ReturnSpec> = Vec::new();
        for version in until.keys() {
            let is_it = |spec: &&ReturnSpec| spec.id == return_id && spec.version == *version;
            let found = published.iter().find(is_it);
            used.push(found.ok_or_else(|| ShapeError::UnknownVersion(version.clone()))?);
        }
        used.sort_by_key(|version| std::cmp::Reverse(version.valid_from));
        let mut all = Self::default();
        let Some(newest) = used.first().copied() else {
            return Ok(all);
        };
        let ancestry = Ancestry::of(published, newest);
        let mut lined_up: Vec<(&str, &str)> = Vec::new();
        for table in &newest.tables {
            let before = used.iter().filter_map(|version| {
                let table = ancestry.table_before(newest, &table.name, version)?;
                Some((*version, table))
            });
            let tables: Vec<(&ReturnSpec, &TableSpec)> = before.collect();
            lined_up.extend(
                tables
                    .iter()
                    .map(|(version, table)| (version.version.as_str(), table.name.as_str())),
            );
            if which == ItemsOf::Every && tables.len() < used.len() {
                all.not_in_all.push(table.title.clone());
                continue;
            }
            all.add((&ancestry, newest, table), &tables, until, which);
        }
        for version in &used {
            let is_lined_up = |table: &&TableSpec| {
                lined_up.contains(&(version.version.as_str(), table.name.as_str()))
            };
            let alone = version.tables.iter().filter(|table| !is_lined_up(table));
            all.not_in_all
                .extend(alone.map(|table| table.title.clone()));
        }
        Ok(all)
    }

    fn add(
        &mut self,
        (ancestry, newest, table): (&Ancestry<'a>, &'a ReturnSpec, &'a TableSpec),
        tables: &[(&'a ReturnSpec, &'a TableSpec)],
        until: &Until,
        which: ItemsOf,
    ) {
        let all = series(ancestry, (newest, table), tables, &[]);
        let is_in_all = |series: &&Series<'a>| series.before.iter().all(Option::is_some);
        let (compared, alone): (Vec<&Series<'a>>, Vec<&Series<'a>>) = match which {
            ItemsOf::Any => (all.iter().collect(), Vec::new()),
            ItemsOf::Every => all.iter().partition(is_in_all),
        };
        for (idx, one) in alone.iter().enumerate() {
            let title = format!("{}: {}", table.title, one.item.title);
            let is_like = |other: &&&Series<'_>| other.item.name == one.item.name;
            if alone.iter().take(idx).any(|other| is_like(&other)) {
                continue;
            }
            if alone.iter().skip(idx + 1).any(|other| is_like(&other)) {
                self.asked_otherwise.push(title);
            } else {
                self.not_in_all.push(title);
            }
        }
        let told = Told {
            ancestry,
            spec: newest,
            tables,
            wanted: &compared,
            until,
        };
        let versions = tables.iter().enumerate().map(|(place, (spec, table))| {
            let before = || {
                let series = compared.iter();
                series.map(|series| series.before.get(place).and_then(Option::as_ref))
            };
            InVersion {
                spec,
                table,
                items: before()
                    .map(|before| Some(before?.item.name.as_str()))
                    .collect(),
                codes: before()
                    .map(|before| before.map_or_else(BTreeMap::new, |it| it.codes.clone()))
                    .collect(),
            }
        });
        // Of the same name is what only an older version has, too; the newest version's comes first.
        let is_key = |place: usize, series: &Series<'_>| {
            let is_first = |other: &&Series<'_>| other.item.name == series.item.name;
            table.keys.contains(&series.item.name)
                && compared.iter().position(is_first) == Some(place)
        };
        self.tables.push(Arc::new(LinedUp {
            table,
            columns: compared
                .iter()
                .map(|series| match which {
                    ItemsOf::Any => (series.name.clone(), series.item),
                    ItemsOf::Every => (series.item.name.clone(), series.item),
                })
                .collect(),
            mapping: told.all(),
            items: compared
                .iter()
                .enumerate()
                .map(|(place, series)| Compared {
                    kind: series.kind,
                    is_key: is_key(place, series),
                })
                .collect(),
            versions: versions.collect(),
        }));
    }
}

impl<'a> LinedUp<'a> {
    /// The table as each version has it, and its name there.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.versions
            .iter()
            .map(|version| version.table.name.as_str())
    }

    /// What is to be compared; of submissions whose version does not ask for the table there is nothing.
    pub fn comparison(&self, old: SideOf<'_>, new: SideOf<'_>) -> Comparison<'a> {
        let (old, new) = (self.side(old), self.side(new));
        let mut items = self.items.clone();
        let accumulate =
            [&old, &new].map(|side| side.accumulation) == [Accumulation::Cumulative; 2];
        if !accumulate && !self.are_known_by_keys([&old, &new]) {
            for item in &mut items {
                item.is_key = false;
            }
        }
        Comparison {
            items,
            versions: self.versions.clone(),
            old,
            new,
        }
    }

    fn side(&self, of: SideOf<'_>) -> Side {
        let known = of.submissions.iter().filter_map(|(id, version)| {
            let mut versions = self.versions.iter();
            let place = versions.position(|known| known.spec.version == *version)?;
            Some((*id, place))
        });
        let submissions: Vec<(Uuid, usize)> = known.collect();
        let all = submissions.iter();
        let left_out = all.flat_map(|(id, place)| self.left_out(of.left_out, *id, *place));
        Side {
            left_out: left_out.collect(),
            accumulation: of.accumulation,
            submissions,
        }
    }

    /// What is left out of a submission that answers the version at a place.
    fn left_out(&self, cells: Option<&CellsLeftOut>, id: Uuid, place: usize) -> Vec<LeftOut> {
        let (Some(cells), Some(version)) = (cells, self.versions.get(place)) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (row_number, name) in cells.of(id, &version.table.name) {
            let record = RecordPlace {
                submission_id: id,
                row_number,
            };
            let items = version.items.iter().enumerate();
            let items = items.filter(|(_, item)| **item == Some(name));
            all.extend(items.map(|(item, _)| LeftOut { record, item }));
        }
        all
    }

    /// Whether every version that is compared asks for every key.
    fn are_known_by_keys(&self, sides: [&Side; 2]) -> bool {
        let n_keys = self.items.iter().filter(|item| item.is_key).count();
        let mut involved = sides.iter().flat_map(|side| &side.submissions);
        n_keys == self.table.keys.len()
            && involved.all(|(_, place)| {
                let Some(version) = self.versions.get(*place) else {
                    return false;
                };
                let mut items = self.items.iter().zip(&version.items);
                items.all(|(item, name)| !item.is_key || name.is_some())
            })
    }
}
