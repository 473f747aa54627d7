//! A file that is no form of this return: another return's, or this one's of another year.
//!
//! A form made from a spec says which it is, and is believed before a row is read; of any other file it is told by what it looks like.

use std::collections::{BTreeMap, BTreeSet};

use finding::{CellRef, Finding, Findings, Severity};
use frame::{day_in_words, normalise_heading};
use sheet::{Properties, Raw, RawCell, Refusal, Sink};
use spec::known::{Form, FormTable};
use spec::stamp::{PROPERTY, Stamp};

use crate::Request;

/// What is said of a file whose form is not this return's; nothing of it matters once it is known whose it is.
const OF_THE_FORM: [&str; 9] = [
    ".headings-missing",
    ".wrong-form",
    ".sheet-missing",
    ".column-missing",
    ".column-not-asked-for",
    ".column-ignored",
    ".form-moved",
    ".lines-moved",
    ".columns-moved",
];

/// What follows from them.
const OF_OTHER_SHEETS: &str = "file.sheet-ignored";

/// Puts one finding in the place of all about the form, where it can be told what the file is.
pub(super) fn single_out(request: &Request<'_>, findings: Findings) -> Findings {
    let is_of_the_form = |finding: &Finding| {
        let rule = finding.rule.as_str();
        OF_THE_FORM.iter().any(|ending| rule.ends_with(ending))
    };
    let doubted = findings
        .iter()
        .any(|finding| finding.severity == Severity::Blocker && is_of_the_form(finding));
    let cause = doubted.then(|| cause(request)).flatten();
    let Some(cause) = cause else {
        return findings;
    };
    let others = findings
        .into_iter()
        .filter(|finding| !is_of_the_form(finding) && finding.rule.as_str() != OF_OTHER_SHEETS);
    others.chain([cause]).collect()
}

/// Which other form a file says it is; `None` where it says nothing, or that it is the one that was asked for.
pub(crate) fn by_its_stamp(request: &Request<'_>, properties: &Properties) -> Option<Refusal> {
    let stamp = Stamp::parse(properties.get(PROPERTY)?)?;
    if stamp.is_of(request.spec) {
        return None;
    }
    let own = Form::of(request.spec);
    let is_it = |form: &Form| form.id == stamp.return_id && form.version == stamp.version;
    let known = request.returns.forms().into_iter().find(is_it);
    Some(match known {
        Some(form) => told(&own, &form, Sure::Is),
        None => told_of_unknown(&own, &stamp),
    })
}

/// How sure it is which form a file is.
#[derive(Clone, Copy)]
enum Sure {
    Is,
    LooksLike,
}

fn cause(request: &Request<'_>) -> Option<Finding> {
    let file = request.file;
    let opened = sheet::open(file.bytes, file.name, request.limits).ok()?;
    let mut heads = Heads::new(opened.sheets().iter().map(|info| info.name.clone()));
    opened.read(&mut heads).ok()?;
    let own = Form::of(request.spec);
    let own_likeness = heads.likeness(&own);
    another_year(&own, &heads).or_else(|| {
        let (form, likeness) = request
            .returns
            .forms()
            .into_iter()
            .filter(|form| (&form.id, &form.version) != (&own.id, &own.version))
            .map(|form| {
                let likeness = heads.likeness(&form);
                (form, likeness)
            })
            .max_by_key(|(_, likeness)| *likeness)?;
        let clear = likeness >= LIKE && likeness >= own_likeness + CLEARLY;
        clear.then(|| crate::refused(told(&own, &form, Sure::LooksLike)))
    })
}

/// Of a hundred.
pub(crate) const LIKE: u32 = 60;
const CLEARLY: u32 = 25;

const ANOTHER_FORM: &str = "file.another-form";
const ANOTHER_RETURN: &str = "file.another-return";
const COPY: &str = "Copy your figures into the form for this period, and upload that.";

fn told(own: &Form, found: &Form, sure: Sure) -> Refusal {
    if own.id == found.id {
        let used = match found.valid_to {
            Some(last) => format!(
                "for periods from {} to {}",
                day_in_words(found.valid_from),
                day_in_words(last)
            ),
            None => format!("for periods from {}", day_in_words(found.valid_from)),
        };
        return Refusal {
            rule: ANOTHER_FORM,
            message: format!("This is another form of this return: the one that is used {used}."),
            fix: COPY.to_owned(),
        };
    }
    let is = match sure {
        Sure::Is => "This is the form of the return",
        Sure::LooksLike => "This looks like the return",
    };
    Refusal {
        rule: ANOTHER_RETURN,
        message: format!(
            "{is} \"{}\" ({}), not \"{}\" ({}).",
            found.title, found.acronym, own.title, own.acronym
        ),
        fix: format!(
            "Choose the file for {}, or send this one in for {}.",
            own.acronym, found.acronym
        ),
    }
}

/// A form of a version, or of a return, that is no longer here.
fn told_of_unknown(own: &Form, stamp: &Stamp) -> Refusal {
    if own.id == stamp.return_id {
        return Refusal {
            rule: ANOTHER_FORM,
            message: format!(
                "This is version {} of the {} form, and version {} is asked for.",
                stamp.version, own.acronym, own.version
            ),
            fix: COPY.to_owned(),
        };
    }
    Refusal {
        rule: ANOTHER_RETURN,
        message: format!(
            "This is the {} form, not \"{}\" ({}).",
            stamp.acronym, own.title, own.acronym
        ),
        fix: format!("Choose the file for {}.", own.acronym),
    }
}

/// This return's form but for the numbers in what its anchors say.
fn another_year(own: &Form, heads: &Heads) -> Option<Finding> {
    let tables: Vec<&FormTable> = own
        .tables
        .iter()
        .filter(|table| !table.anchors.is_empty())
        .collect();
    let mut differing = None;
    for table in &tables {
        let found = heads.sheets.iter().find(|sheet| {
            let stands = |anchor: &spec::layout::Anchor| {
                let found = sheet.at(anchor.row_idx, anchor.column_idx);
                without_digits(found).contains(&without_digits(&normalise_heading(&anchor.text)))
            };
            table.anchors.iter().all(stands)
        });
        // A form need not have all of its sheets.
        let Some(sheet) = found else { continue };
        let other = table.anchors.iter().find(|anchor| {
            let found = sheet.at(anchor.row_idx, anchor.column_idx);
            !found.contains(&normalise_heading(&anchor.text))
        });
        differing = differing.or(other.map(|anchor| (sheet, anchor)));
    }
    let (sheet, anchor) = differing?;
    let place = CellRef::new(&sheet.name, anchor.row_idx, anchor.column_idx);
    let said = sheet.said(anchor.row_idx, anchor.column_idx);
    Some(
        Finding::new(
            ANOTHER_FORM,
            Severity::Blocker,
            format!(
                "This is the form of another year: {} says \"{said}\", and this period's form says \"{}\".",
                place.address(),
                anchor.text
            ),
            COPY,
        )
        .at_cell(place)
        .with_value(said),
    )
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_numeric()).collect()
}

/// The first rows of every sheet, where titles and headings are.
pub(crate) struct Heads {
    sheets: Vec<Head>,
    sheet_idx: usize,
}

struct Head {
    name: String,
    /// By row and column: as it stands, and without what doesn't count in a heading.
    texts: BTreeMap<(u32, u32), (String, String)>,
}

const FIRST_ROWS: u32 = 60;
const FIRST_COLUMNS: u32 = 300;

impl Sink for Heads {
    fn start_sheet(&mut self, sheet_idx: usize) {
        self.sheet_idx = sheet_idx;
        self.sheets[sheet_idx].texts.clear();
    }

    fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        if row_idx >= FIRST_ROWS {
            return;
        }
        for cell in cells {
            if let Raw::Text(text) = cell.raw
                && cell.column_idx < FIRST_COLUMNS
            {
                let texts = (text.trim().to_owned(), normalise_heading(text));
                self.sheets[self.sheet_idx]
                    .texts
                    .insert((row_idx, cell.column_idx), texts);
            }
        }
    }
}

impl Head {
    fn at(&self, row_idx: u32, column_idx: u32) -> &str {
        self.texts
            .get(&(row_idx, column_idx))
            .map_or("", |texts| &texts.1)
    }

    fn said(&self, row_idx: u32, column_idx: u32) -> &str {
        self.texts
            .get(&(row_idx, column_idx))
            .map_or("", |texts| &texts.0)
    }

    /// Of a hundred: anchors that stand, or items that one row names.
    fn likeness(&self, table: &FormTable) -> u32 {
        let share = |n: usize, of: usize| u32::try_from(n * 100 / of.max(1)).unwrap_or_default();
        if !table.anchors.is_empty() {
            let stands = |anchor: &&spec::layout::Anchor| {
                self.at(anchor.row_idx, anchor.column_idx)
                    .contains(&normalise_heading(&anchor.text))
            };
            let n = table.anchors.iter().filter(stands).count();
            return share(n, table.anchors.len());
        }
        let items: Vec<Vec<String>> = table
            .headings
            .iter()
            .map(|names| names.iter().map(|name| normalise_heading(name)).collect())
            .collect();
        let named = |row_idx: u32| {
            let row: BTreeSet<&str> = self
                .texts
                .range((row_idx, 0)..(row_idx + 1, 0))
                .map(|(_, texts)| texts.1.as_str())
                .collect();
            items
                .iter()
                .filter(|names| names.iter().any(|name| row.contains(name.as_str())))
                .count()
        };
        let most = (0..FIRST_ROWS).map(named).max().unwrap_or_default();
        share(most, items.len())
    }
}

impl Heads {
    pub(crate) fn new(names: impl Iterator<Item = String>) -> Self {
        Self {
            sheets: names
                .map(|name| Head {
                    name,
                    texts: BTreeMap::new(),
                })
                .collect(),
            sheet_idx: 0,
        }
    }

    /// Of a hundred, over all the tables of a form, each on the sheet that is most like it.
    pub(crate) fn likeness(&self, form: &Form) -> u32 {
        let of_table = |table: &FormTable| {
            let sheets = self.sheets.iter().map(|sheet| sheet.likeness(table));
            sheets.max().unwrap_or_default()
        };
        let n_tables = u32::try_from(form.tables.len()).unwrap_or(u32::MAX).max(1);
        form.tables.iter().map(of_table).sum::<u32>() / n_tables
    }
}
