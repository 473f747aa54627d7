//! What a release leaves out of its tables, form by form, and what is told of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::Path;

use db::records::Counted;
use serde::{Deserialize, Serialize};
use spec::disclosure::{CellOf, Disclosure, MARK, SumOf, TogetherOf};
use spec::{Item, ItemKind, Layout, Part, ReturnSpec, TableSpec};
use uuid::Uuid;

use crate::disclosure::{Cells, Decided, Edition, Sum, Why, suppress};
use crate::rows::Rows;
use crate::write::From;
use crate::{DatasetError, Manifest, Shape, bytes_of};

/// What is told of a figure that is left out. Whether it is small itself or was linked to one that is, is not: of two
/// figures that add up to 8, both small with 5 as the threshold, each is 4.
pub const LEFT_OUT: &str = "left out";
/// Why it can't be hidden any more.
pub const PUBLISHED_BEFORE: &str = "published before";

/// How a release is protected: decided when it is drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Counts above zero and below this are not published.
    pub threshold: u32,
    /// The protected releases that were published before, the oldest first: what one leaves out must not follow from another.
    #[serde(default)]
    pub after: Vec<Uuid>,
    /// Its files tell nothing of those that its figures came in. Of what was drafted before they did: their hashes.
    #[serde(default)]
    pub hides_files: bool,
}

/// A release that was published before.
#[derive(Debug, Clone)]
pub struct Before {
    pub manifest: Manifest,
    pub left_out: CellsLeftOut,
}

/// The cells that a release left out, as its file has them: what was published is read and not decided anew.
/// By submission: table, row and item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellsLeftOut(HashMap<Uuid, HashSet<(String, u32, String)>>);

impl CellsLeftOut {
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let mut reader = csv::Reader::from_path(path)?;
        let mut all = Self::default();
        for cell in reader.deserialize() {
            let CellLeftOut {
                table,
                submission_id,
                source_row,
                item,
                ..
            } = cell?;
            let of_it = all.0.entry(submission_id).or_default();
            of_it.insert((table, source_row, item));
        }
        Ok(all)
    }

    /// Whether of a submission the same cells are left out of another release.
    pub fn is_same_in(&self, other: &Self, submission: Uuid) -> bool {
        self.0.get(&submission) == other.0.get(&submission)
    }

    /// Rows and items that are left out of a submission's table.
    pub(crate) fn of(&self, submission: Uuid, table: &str) -> impl Iterator<Item = (u32, &str)> {
        let all = self.0.get(&submission).into_iter().flatten();
        all.filter(move |(of, _, _)| of == table)
            .map(|(_, row_number, item)| (*row_number, item.as_str()))
    }
}

/// A line of that file. Why a figure is left out is not in it: that it is not small itself would tell more of those that
/// are. Table, row and item are those of the version of the return that the form was made with, which
/// never change, whatever columns are called later and in which order they stand.
#[derive(Debug, Serialize, Deserialize)]
struct CellLeftOut {
    organisation_code: String,
    period: String,
    table: String,
    source_row: u32,
    item: String,
    submission_id: Uuid,
}

/// The cells that the tables of a release leave out.
pub(super) fn cells_csv<'a>(
    tables: impl Iterator<Item = &'a Suppressed>,
) -> Result<Vec<u8>, DatasetError> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record([
        "organisation_code",
        "period",
        "table",
        "source_row",
        "item",
        "submission_id",
    ])?;
    for cell in tables.flat_map(|table| &table.cells) {
        writer.serialize(cell)?;
    }
    bytes_of(writer)
}

/// What is left out of a table.
#[derive(Debug, Default)]
pub struct Suppressed {
    threshold: u32,
    /// By submission and row of its sheet.
    rows: HashMap<(Uuid, u32), Row>,
    cells: Vec<CellLeftOut>,
    /// How many of them are small and how many linked. Only the log says so.
    pub(super) n_small: u64,
    pub(super) n_linked: u64,
    /// Small counts that stand, since an earlier release published them.
    pub n_published_before: u64,
    /// Left out, but they follow from what earlier releases published. No file says so: somebody would look for them.
    pub n_told_before: u64,
    /// Forms of which all that is linked is left out, since looking for less took too long.
    pub n_all_linked: u64,
}

#[derive(Debug, Default)]
struct Row {
    /// Items, by their place among the columns that are items.
    items: BTreeSet<usize>,
    /// Their columns' names.
    names: String,
}

impl Suppressed {
    pub(crate) fn has(&self, submission: Uuid, row_number: u32, item: usize) -> bool {
        let row = self.rows.get(&(submission, row_number));
        row.is_some_and(|row| row.items.contains(&item))
    }

    /// The names of the columns that are left out of a row.
    pub(crate) fn names(&self, submission: Uuid, row_number: u32) -> Option<&str> {
        let row = self.rows.get(&(submission, row_number))?;
        Some(&row.names)
    }

    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// What readers are told.
    pub fn in_words(&self) -> String {
        let upper = self.threshold.saturating_sub(1);
        let mut words = format!(
            "{MARK} stands for a figure that is not published so that nobody can be recognised: {} are left out, which are counts from 1 to {upper} or parts of a total that small, or from which these could be worked out by the sums. The column suppressed names them in each row. Names and hashes of the files that the figures came in are not published either, since guesses at them could be tried with a hash.",
            self.n_left_out()
        );
        if self.n_published_before > 0 {
            words.push_str(&format!(
                " Counts from 1 to {upper} that an earlier release published stand as they are: {}.",
                self.n_published_before
            ));
        }
        if self.n_all_linked > 0 {
            words.push_str(&format!(
                " Forms of which more is left out than may be needed, since the least was not found: {}.",
                self.n_all_linked
            ));
        }
        words
    }

    fn n_left_out(&self) -> u64 {
        self.n_small + self.n_linked
    }

    /// How many figures are left out, and how many can't be any more.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let before = (PUBLISHED_BEFORE, self.n_published_before);
        let before = Some(before).filter(|(_, n_cells)| *n_cells > 0);
        let left_out = (LEFT_OUT, self.n_left_out());
        std::iter::once(left_out).chain(before).collect()
    }

    fn add(&mut self, of: &OfForm<'_>, decided: &Decided) {
        let n_cells = of.cells.values.len();
        let told_before = decided.told_before.iter().filter(|place| **place < n_cells);
        self.n_told_before += told_before.count() as u64;
        self.n_published_before += decided.n_published_before;
        self.n_all_linked += u64::from(decided.is_all_linked);
        for (place, why) in decided.left_out.range(..n_cells) {
            let (row, column) = (place / of.items.len(), place % of.items.len());
            let (Some((row_number, _)), Some(name), Some(Some(item))) =
                (of.form.get(row), of.names.get(column), of.items.get(column))
            else {
                continue;
            };
            match why {
                Why::Small => self.n_small += 1,
                Why::Linked => self.n_linked += 1,
            }
            self.cells.push(CellLeftOut {
                organisation_code: of.counted.organisation.clone(),
                period: of.counted.period_label.clone(),
                table: of.table.name.clone(),
                source_row: *row_number,
                item: item.name.clone(),
                submission_id: of.counted.submission_id,
            });
            let row = (of.counted.submission_id, *row_number);
            let row = self.rows.entry(row).or_default();
            if row.items.insert(column) {
                if !row.names.is_empty() {
                    row.names.push_str("; ");
                }
                row.names.push_str(name);
            }
        }
    }
}

/// A form as it is read: each row with its values, in the columns' order.
type Form = Vec<(u32, Vec<Option<String>>)>;

/// A form of the release, as its version of the return has it.
pub(super) struct OfForm<'a> {
    counted: &'a Counted,
    table: &'a TableSpec,
    items: Vec<Option<&'a Item>>,
    /// The columns' names.
    names: &'a [String],
    form: Form,
    cells: Cells,
}

/// Line and column.
type Key = (String, String);

impl OfForm<'_> {
    /// What each cell is known by from one edition to the next, in the order of the cells.
    fn keys(&self) -> Vec<Key> {
        let line_item = line_item(self.table, &self.items);
        let lines = self.form.iter().map(|(_, values)| {
            let line = line_item.and_then(|item| values.get(item)?.clone());
            line.unwrap_or_default()
        });
        let cells = lines.flat_map(|line| {
            let names = self.names.iter();
            names.map(move |name| (line.clone(), name.clone()))
        });
        cells.collect()
    }

    fn left_out(&self, cells: &CellsLeftOut) -> BTreeSet<usize> {
        let of_it: HashSet<(u32, &str)> = cells
            .of(self.counted.submission_id, &self.table.name)
            .collect();
        let mut left_out = BTreeSet::new();
        for (row, (row_number, _)) in self.form.iter().enumerate() {
            for (column, item) in self.items.iter().enumerate() {
                let is_it = |item: &Item| of_it.contains(&(*row_number, item.name.as_str()));
                if item.is_some_and(is_it) {
                    left_out.insert(row * self.items.len() + column);
                }
            }
        }
        left_out
    }
}

/// What earlier releases told and left out, by organisation and period, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<(String, String), Vec<Earlier>>);

/// What its cells are known by.
type Earlier = (Vec<Key>, Edition);

impl Told {
    pub(super) fn add(&mut self, forms: Vec<OfForm<'_>>, left_out: &CellsLeftOut) {
        for of in forms {
            let edition = Edition {
                left_out: of.left_out(left_out),
                figures: Vec::new(),
                values: of.cells.values.clone(),
                sums: of.cells.sums.clone(),
                together: of.cells.together.clone(),
            };
            let editions = self.0.entry(whose(of.counted)).or_default();
            editions.push((of.keys(), edition));
        }
    }

    /// The earlier editions of a form, each of its cells with the one that it is now.
    fn editions_of(&self, of: &OfForm<'_>) -> Vec<Edition> {
        let keys = of.keys().into_iter().enumerate();
        let mut figures: HashMap<Key, usize> = keys.map(|(place, key)| (key, place)).collect();
        let mut n_figures = of.cells.values.len();
        let mut figure = |key: &Key| {
            *figures.entry(key.clone()).or_insert_with(|| {
                n_figures += 1;
                n_figures - 1
            })
        };
        let editions = self.0.get(&whose(of.counted)).into_iter().flatten();
        let editions = editions.map(|(keys, edition)| Edition {
            figures: keys.iter().map(&mut figure).collect(),
            ..edition.clone()
        });
        editions.collect()
    }
}

fn whose(counted: &Counted) -> (String, String) {
    (counted.organisation.clone(), counted.period_label.clone())
}

/// Reads the forms of a table. An error where a version of the return can't be protected.
pub(super) async fn forms<'a>(
    from: From<'a>,
    manifest: &'a Manifest,
    (spec, shape): (&'a ReturnSpec, &'a Shape),
) -> Result<Vec<OfForm<'a>>, DatasetError> {
    let mut rows = Rows::open(from, manifest, shape).await?;
    let mut read: Vec<(Uuid, Form)> = Vec::new();
    while let Some(batch) = rows.next().await? {
        let of = batch.head.submission_id;
        if read.last().is_none_or(|(last, _)| *last != of) {
            read.push((of, Form::new()));
        }
        if let Some((_, form)) = read.last_mut() {
            form.extend(batch.records.iter().map(|record| {
                let values = 0..shape.n_items();
                let values = values.map(|idx| record.value(idx).map(str::to_owned));
                (record.row_number, values.collect())
            }));
        }
    }
    let mut forms = Vec::new();
    for (of, form) in read {
        let mut submissions = manifest.submissions.iter();
        let Some(counted) = submissions.find(|counted| counted.submission_id == of) else {
            continue;
        };
        let is_it = |one: &&ReturnSpec| {
            one.id == manifest.return_id && one.version == counted.return_version
        };
        let version = from.versions.iter().find(is_it).unwrap_or(spec);
        let disclosure = version.disclosure()?;
        if let Some((table, items)) = shape.items_of(version) {
            forms.push(OfForm {
                cells: cells(version, disclosure, (table, &items), &form),
                names: shape.item_names(),
                counted,
                table,
                items,
                form,
            });
        }
    }
    Ok(forms)
}

/// Decides what a table leaves out. Each form is one by itself: sums go over its cells and no further.
pub(super) async fn decide(
    forms: Vec<OfForm<'_>>,
    threshold: u32,
    told: &Told,
) -> Result<Suppressed, DatasetError> {
    let mut suppressed = Suppressed {
        threshold,
        ..Suppressed::default()
    };
    for of in forms {
        let cells = of.cells.clone().after(&told.editions_of(&of));
        // It may take a second, and others wait for this thread.
        let deciding = tokio::task::spawn_blocking(move || suppress(&cells, threshold));
        suppressed.add(&of, &deciding.await.map_err(io::Error::other)?);
    }
    Ok(suppressed)
}

/// The cells of a form row by row, each row's items in the columns' order.
fn cells(
    version: &ReturnSpec,
    disclosure: &Disclosure,
    (table, items): (&TableSpec, &[Option<&Item>]),
    form: &Form,
) -> Cells {
    let scale = items.iter().flatten().map(|item| match item.kind {
        ItemKind::Decimal { scale } => scale,
        _ => 0,
    });
    let scale = scale.max().unwrap_or(0);
    let number = |item: Option<&Item>, value: &Option<String>| {
        match item?.kind {
            ItemKind::Integer | ItemKind::Decimal { .. } => {}
            ItemKind::Text | ItemKind::Date | ItemKind::Boolean => return None,
        }
        crate::write::units(value.as_deref()?, scale)
    };
    let values = form.iter().flat_map(|(_, values)| {
        let cells = items.iter().zip(values);
        cells.map(|(item, value)| number(*item, value))
    });
    let is_count = form.iter().flat_map(|_| {
        let items = items.iter();
        items.map(|item| item.is_some_and(|item| disclosure.is_count(&table.name, item)))
    });
    Cells {
        values: values.collect(),
        is_count: is_count.collect(),
        sums: sums(version, (table, items), form),
        together: together(disclosure, (table, items), form),
        one: 10_i128.pow(scale.into()),
        ..Cells::default()
    }
}

/// Where the cells of a form are.
struct Places<'a> {
    items: &'a [Option<&'a Item>],
    /// As the file has them: the rules of its version say them so.
    lines: BTreeMap<&'a str, usize>,
    n_rows: usize,
}

impl<'a> Places<'a> {
    fn of(table: &TableSpec, items: &'a [Option<&'a Item>], form: &'a Form) -> Self {
        let line_item = line_item(table, items);
        let rows = form.iter().enumerate();
        let lines =
            rows.filter_map(|(row, (_, values))| Some((values.get(line_item?)?.as_deref()?, row)));
        Self {
            items,
            lines: lines.collect(),
            n_rows: form.len(),
        }
    }

    fn at(&self, row: usize, item: &str) -> Option<usize> {
        let mut items = self.items.iter();
        let item = items.position(|one| one.is_some_and(|one| one.name == item))?;
        Some(row * self.items.len() + item)
    }

    fn cell(&self, line: &str, item: &str) -> Option<usize> {
        self.at(*self.lines.get(line)?, item)
    }

    /// `None` where there is no such total.
    fn sum<T>(
        total: Option<usize>,
        parts: &[T],
        part: impl Fn(&T) -> (Option<usize>, bool),
    ) -> Option<Sum> {
        let parts = parts.iter().map(part);
        Some(Sum {
            total: Some(total?),
            parts: parts
                .filter_map(|(place, subtract)| Some((place?, subtract)))
                .collect(),
        })
    }
}

fn line_item(table: &TableSpec, items: &[Option<&Item>]) -> Option<usize> {
    match &table.layout {
        Layout::Matrix(matrix) => items
            .iter()
            .position(|item| item.is_some_and(|item| item.name == matrix.line_item)),
        Layout::Records(_) | Layout::TurnAround { .. } => None,
    }
}

fn sums(
    version: &ReturnSpec,
    (table, items): (&TableSpec, &[Option<&Item>]),
    form: &Form,
) -> Vec<Sum> {
    let places = Places::of(table, items, form);
    let mut all = Vec::new();
    for sum in version.sums_of(&table.name) {
        match sum {
            SumOf::Across { total, parts } => {
                all.extend((0..places.n_rows).filter_map(|row| {
                    let part = |part: &Part| (places.at(row, &part.name), part.subtract);
                    Places::sum(places.at(row, &total), &parts, part)
                }));
            }
            SumOf::Down {
                total_line,
                part_lines,
                items,
            } => {
                all.extend(items.iter().filter_map(|item| {
                    let part = |part: &Part| (places.cell(&part.name, item), part.subtract);
                    Places::sum(places.cell(&total_line, item), &part_lines, part)
                }));
            }
            SumOf::Cells { total, parts } => {
                let cell = |cell: &CellOf| places.cell(&cell.line, &cell.item);
                let part = |(of, subtract): &(CellOf, bool)| (cell(of), *subtract);
                all.extend(Places::sum(cell(&total), &parts, part));
            }
        }
    }
    all
}

fn together(
    disclosure: &Disclosure,
    (table, items): (&TableSpec, &[Option<&Item>]),
    form: &Form,
) -> Vec<Vec<usize>> {
    let places = Places::of(table, items, form);
    let of_table = disclosure.together.iter();
    let of_table = of_table.filter(|together| together.table == table.name);
    let of_table = of_table.flat_map(|together| -> Vec<Vec<usize>> {
        match &together.of {
            TogetherOf::Items(names) => {
                let rows = 0..places.n_rows;
                rows.map(|row| {
                    names
                        .iter()
                        .filter_map(|item| places.at(row, item))
                        .collect()
                })
                .collect()
            }
            TogetherOf::Lines(lines) => {
                let of_item = |item: &&Item| {
                    let lines = lines.iter();
                    lines
                        .filter_map(|line| places.cell(line, &item.name))
                        .collect()
                };
                items.iter().flatten().map(of_item).collect()
            }
        }
    });
    of_table.collect()
}
