//! Which return a file is, and for which period, as far as it says so or looks like it: before anybody has said.

use std::collections::BTreeSet;

use frame::{normalise_heading, show_raw};
use serde::{Deserialize, Serialize};
use sheet::{Limits, RawCell, Sink};
use spec::known::{Form, PeriodPlace};
use spec::stamp::{PROPERTY, Stamp};
use spec::{Period, Returns};

use crate::SourceFile;
use crate::causes::{Heads, LIKE};

/// What a file was taken for. No value of the file is in it, but for the period's label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recognition {
    /// Forms that it may be, the likeliest first; never none. More than one where they can't be told apart.
    Forms {
        forms: Vec<RecognisedForm>,
        how: How,
    },
    /// It is like no form that is known.
    Unknown,
    /// It can't be read: why, in a sentence, and what to do.
    Unreadable { message: String, fix: String },
}

/// A version of a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecognisedForm {
    pub return_id: String,
    pub version: String,
    /// Label of the period that the file says it is for, read as this return's periods are.
    pub period: Option<String>,
}

/// By what a form was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It says so itself: it was made from a template of this service.
    Stamp,
    /// By its headings and fixed texts.
    Looks,
}

/// Forms nearer to each other than this can't be told apart by what they look like.
const APART: u32 = 10;

/// Tells which form a file is.
pub fn recognise(file: SourceFile<'_>, limits: &Limits, returns: &Returns) -> Recognition {
    match recognised(file, limits, &returns.forms()) {
        Ok(recognition) => recognition,
        Err(refusal) => Recognition::Unreadable {
            message: refusal.message,
            fix: refusal.fix,
        },
    }
}

fn recognised(
    file: SourceFile<'_>,
    limits: &Limits,
    forms: &[Form],
) -> Result<Recognition, sheet::Refusal> {
    let opened = sheet::open(file.bytes, file.name, limits)?;
    let stamp = opened.properties().get(PROPERTY);
    let stamp = stamp.and_then(|text| Stamp::parse(text));
    let stamped = stamp.and_then(|stamp| {
        forms
            .iter()
            .find(|form| form.id == stamp.return_id && form.version == stamp.version)
    });
    let (found, how) = if let Some(form) = stamped {
        (vec![form], How::Stamp)
    } else {
        let mut heads = Heads::new(opened.sheets().iter().map(|info| info.name.clone()));
        opened.read(&mut heads)?;
        (alike(&heads, forms), How::Looks)
    };
    if found.is_empty() {
        return Ok(Recognition::Unknown);
    }
    let mut said = Said::new(&found);
    sheet::open(file.bytes, file.name, limits)?.read(&mut said)?;
    Ok(Recognition::Forms {
        forms: found
            .iter()
            .map(|form| RecognisedForm {
                return_id: form.id.clone(),
                version: form.version.clone(),
                period: said.period(form),
            })
            .collect(),
        how,
    })
}

/// The forms that a file is like, the likeliest first; none unless it is clearly like them.
fn alike<'f>(heads: &Heads, forms: &'f [Form]) -> Vec<&'f Form> {
    let mut likely: Vec<(u32, &Form)> = forms
        .iter()
        .map(|form| (heads.likeness(form), form))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .collect();
    likely.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
    let Some(&(best, _)) = likely.first() else {
        return Vec::new();
    };
    likely
        .into_iter()
        .take_while(|(likeness, _)| likeness + APART > best)
        .map(|(_, form)| form)
        .collect()
}

/// Where periods may stand is in the first rows: a heading, or a cell of a form's head.
const FIRST_ROWS: u32 = 200;

/// The texts of the places where some forms say their period.
struct Said {
    /// By form and table: where to look.
    places: Vec<(String, String, PeriodPlace)>,
    /// By place, what was found there.
    found: Vec<BTreeSet<String>>,
    /// By place, the column that was found to be it on the sheet that is read.
    columns: Vec<Option<u32>>,
}

impl Said {
    fn new(forms: &[&Form]) -> Self {
        let places: Vec<_> = forms
            .iter()
            .flat_map(|form| {
                let of_tables = form.tables.iter().filter_map(|table| table.period.clone());
                of_tables.map(|place| (form.id.clone(), form.version.clone(), place))
            })
            .collect();
        Self {
            found: vec![BTreeSet::new(); places.len()],
            columns: vec![None; places.len()],
            places,
        }
    }

    /// The one period that a file says in the places of a form; `None` where it says none or several.
    fn period(&self, form: &Form) -> Option<String> {
        let mut labels = BTreeSet::new();
        for ((id, version, _), texts) in self.places.iter().zip(&self.found) {
            if (id, version) == (&form.id, &form.version) {
                let periods = texts
                    .iter()
                    .filter_map(|text| Period::recognise(form.period_kind, text));
                labels.extend(periods.map(|period| period.label));
            }
        }
        match labels.len() {
            1 => labels.pop_first(),
            _ => None,
        }
    }
}

impl Sink for Said {
    fn start_sheet(&mut self, _sheet_idx: usize) {
        self.columns.fill(None);
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        if row_idx >= FIRST_ROWS {
            return;
        }
        for (idx, (_, _, place)) in self.places.iter().enumerate() {
            let wanted = match place {
                PeriodPlace::Cell {
                    row_idx: wanted,
                    column_idx,
                } if *wanted == row_idx => Some(*column_idx),
                PeriodPlace::Cell { .. } => None,
                PeriodPlace::Column(names) => {
                    let heading = cells.iter().find(|cell| is_headed(cell, names));
                    if let Some(heading) = heading {
                        self.columns[idx] = Some(heading.column_idx);
                        None
                    } else {
                        self.columns[idx]
                    }
                }
            };
            let cell = cells.iter().find(|cell| Some(cell.column_idx) == wanted);
            if let Some(cell) = cell {
                let text = show_raw(cell.raw).trim().to_owned();
                self.found[idx].insert(text);
            }
        }
    }
}

fn is_headed(cell: &RawCell<'_>, names: &[String]) -> bool {
    let sheet::Raw::Text(text) = cell.raw else {
        return false;
    };
    let heading = normalise_heading(text);
    names.iter().any(|name| normalise_heading(name) == heading)
}
