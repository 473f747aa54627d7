//! What a release leaves out of its tables, form by form, and what is told of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use db::records::Counted;
use serde::{Deserialize, Serialize};
use spec::disclosure::{Disclosure, SumOf};
use spec::{Item, ItemKind, Layout, ReturnSpec, TableSpec};
use uuid::Uuid;

use crate::disclosure::{Cells, Sum, Why, suppress};
use crate::rows::Rows;
use crate::write::From;
use crate::{DatasetError, Manifest, Shape};

/// What stands in a cell that is not published.
pub const MARK: &str = "[c]";

/// How a release is protected: decided when it is drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Counts above zero and below this are not published.
    pub threshold: u32,
    /// The protected releases that were published before, the oldest first: what one leaves out must not follow from another.
    #[serde(default)]
    pub after: Vec<Uuid>,
}

/// A release that was published before.
#[derive(Debug, Clone)]
pub struct Before {
    pub threshold: u32,
    pub manifest: Manifest,
}

/// What earlier releases told and left out.
#[derive(Debug, Default)]
pub(super) struct Told {
    left_out: HashSet<Key>,
    published: HashMap<Key, String>,
}

/// Organisation, period, line and column.
type Key = (String, String, String, String);

/// What is left out of a table.
#[derive(Debug, Default)]
pub struct Suppressed {
    threshold: u32,
    /// By submission and row of its sheet.
    rows: HashMap<(Uuid, u32), Row>,
    pub n_small: u64,
    pub n_linked: u64,
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
        format!(
            "{MARK} stands for a figure that is not published so that nobody can be recognised: {} because it is a count from 1 to {upper} or part of a total that small, and {} so that none of these can be worked out from the sums. The column suppressed names them in each row.",
            self.n_small, self.n_linked
        )
    }

    fn add(
        &mut self,
        (submission, row_number): (Uuid, u32),
        (item, name): (usize, &str),
        why: Why,
    ) {
        match why {
            Why::Small => self.n_small += 1,
            Why::Linked => self.n_linked += 1,
        }
        let row = self.rows.entry((submission, row_number)).or_default();
        if row.items.insert(item) {
            if !row.names.is_empty() {
                row.names.push_str("; ");
            }
            row.names.push_str(name);
        }
    }
}

/// A form as it is read: each row with its values, in the columns' order.
type Form = Vec<(u32, Vec<Option<String>>)>;

/// Reads a table once and decides, and adds it to what is told. Each form is one by itself: sums go over its cells and no further.
pub(super) async fn decide(
    from: From<'_>,
    manifest: &Manifest,
    (spec, shape): (&ReturnSpec, &Shape),
    threshold: u32,
    told: &mut Told,
) -> Result<Suppressed, DatasetError> {
    let mut suppressed = Suppressed {
        threshold,
        ..Suppressed::default()
    };
    let mut rows = Rows::open(from, manifest, shape).await?;
    let mut form: Form = Vec::new();
    let mut of: Option<Uuid> = None;
    let mut decide = |of: Uuid, form: &Form, suppressed: &mut Suppressed| {
        let mut submissions = manifest.submissions.iter();
        let counted = submissions.find(|counted| counted.submission_id == of);
        let Some(counted) = counted else { return };
        let version = {
            let is_it = |one: &&ReturnSpec| {
                one.id == manifest.return_id && one.version == counted.return_version
            };
            from.versions.iter().find(is_it)
        };
        let version = version.unwrap_or(spec);
        of_form(version, shape, (counted, form), suppressed, told);
    };
    while let Some(batch) = rows.next().await? {
        let next = batch.head.submission_id;
        if let Some(before) = of.replace(next).filter(|before| *before != next) {
            decide(before, &form, &mut suppressed);
            form.clear();
        }
        for record in batch.records.iter() {
            let values = (0..shape.n_items()).map(|idx| record.value(idx).map(str::to_owned));
            form.push((record.row_number, values.collect()));
        }
    }
    if let Some(last) = of {
        decide(last, &form, &mut suppressed);
    }
    Ok(suppressed)
}

fn of_form(
    version: &ReturnSpec,
    shape: &Shape,
    (counted, form): (&Counted, &Form),
    suppressed: &mut Suppressed,
    told: &mut Told,
) {
    let Some((table, items)) = shape.items_of(version) else {
        return;
    };
    let Some(disclosure) = version.disclosure() else {
        return;
    };
    let names = shape.item_names();
    let mut cells = cells(version, &disclosure, (table, &items), form);
    let keys = keys((table, &items), names, (counted, form));
    for (place, key) in keys.iter().enumerate() {
        let value = cells.values.get(place).copied().flatten();
        let is_known = told
            .published
            .get(key)
            .is_some_and(|before| Some(before) == value.map(|value| value.to_string()).as_ref());
        if is_known {
            cells.are_known.insert(place);
        } else if told.left_out.contains(key) {
            cells.left_out.insert(place);
        }
    }
    let decided = suppress(&cells, suppressed.threshold);
    for (place, key) in keys.into_iter().enumerate() {
        match (
            decided.get(&place),
            cells.values.get(place).copied().flatten(),
        ) {
            (Some(_), _) => {
                told.left_out.insert(key);
            }
            (None, Some(value)) => {
                told.published.insert(key, value.to_string());
            }
            (None, None) => {}
        }
    }
    for (place, why) in decided {
        let (row, item) = (place / items.len(), place % items.len());
        if let (Some((row_number, _)), Some(name)) = (form.get(row), names.get(item)) {
            suppressed.add((counted.submission_id, *row_number), (item, name), why);
        }
    }
}

/// What each cell of a form is known by from one edition to the next, in the order of the cells.
fn keys(
    (table, items): (&TableSpec, &[Option<&Item>]),
    names: &[String],
    (counted, form): (&Counted, &Form),
) -> Vec<Key> {
    let line_item = match &table.layout {
        Layout::Matrix(matrix) => items
            .iter()
            .position(|item| item.is_some_and(|item| item.name == matrix.line_item)),
        Layout::Records(_) | Layout::TurnAround { .. } => None,
    };
    let lines = form.iter().map(|(_, values)| {
        let line = line_item.and_then(|item| values.get(item)?.clone());
        line.unwrap_or_default()
    });
    let cells = lines.flat_map(|line| {
        names.iter().map(move |name| {
            (
                counted.organisation.clone(),
                counted.period_label.clone(),
                line.clone(),
                name.clone(),
            )
        })
    });
    cells.collect()
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
        one: 10_i128.pow(scale.into()),
        left_out: BTreeSet::new(),
        are_known: BTreeSet::new(),
    }
}

fn sums(
    version: &ReturnSpec,
    (table, items): (&TableSpec, &[Option<&Item>]),
    form: &Form,
) -> Vec<Sum> {
    let item_at = |name: &str| {
        let mut items = items.iter();
        items.position(|item| item.is_some_and(|item| item.name == name))
    };
    let line_item = match &table.layout {
        Layout::Matrix(matrix) => item_at(&matrix.line_item),
        Layout::Records(_) | Layout::TurnAround { .. } => None,
    };
    // As the file has it: the rules of its version say it so.
    let lines: BTreeMap<&str, usize> = form
        .iter()
        .enumerate()
        .filter_map(|(row, (_, values))| Some((values.get(line_item?)?.as_deref()?, row)))
        .collect();
    let place = |row: usize, item: usize| row * items.len() + item;
    let mut all = Vec::new();
    for sum in version.sums_of(&table.name) {
        match sum {
            SumOf::Across { total, parts } => {
                let Some(total) = item_at(&total) else {
                    continue;
                };
                let parts: Vec<(usize, bool)> = parts
                    .iter()
                    .filter_map(|part| Some((item_at(&part.name)?, part.subtract)))
                    .collect();
                for row in 0..form.len() {
                    let parts = parts.iter();
                    all.push(Sum {
                        total: place(row, total),
                        parts: parts
                            .map(|(item, sign)| (place(row, *item), *sign))
                            .collect(),
                    });
                }
            }
            SumOf::Down {
                total_line,
                part_lines,
                items: of,
            } => {
                let Some(total) = lines.get(total_line.as_str()) else {
                    continue;
                };
                for item in of.iter().filter_map(|name| item_at(name)) {
                    let parts = part_lines.iter().filter_map(|part| {
                        let row = lines.get(part.name.as_str())?;
                        Some((place(*row, item), part.subtract))
                    });
                    all.push(Sum {
                        total: place(*total, item),
                        parts: parts.collect(),
                    });
                }
            }
        }
    }
    all
}
