//! Examples: a drawn workbook and what assessing it says.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;
use sheet::grid::Grid;

use crate::load::Faults;
use crate::{LoadError, Organisations, Period, PeriodKind};
use text::{ExampleText, Header};

/// One `examples/<name>.example`, with `from` resolved.
#[derive(Debug, Clone)]
pub struct Example {
    pub name: String,
    pub title: String,
    /// GSS code.
    pub organisation: String,
    pub period: String,
    pub received_on: NaiveDate,
    /// Names of other examples of the folder.
    pub previous: Option<String>,
    pub year_ago: Option<String>,
    pub workbook: ExampleWorkbook,
    /// Where the expected report lies, whether or not it does.
    pub report: PathBuf,
}

#[derive(Debug, Clone)]
pub enum ExampleWorkbook {
    Drawn(Grid),
    File(PathBuf),
}

/// Reads every example of a version folder, by name; files that belong to no example are faults too.
pub fn load_examples(dir: &Path) -> Result<Vec<Example>, LoadError> {
    let mut faults = Faults::default();
    let examples = read(dir, &mut faults);
    faults.or(examples)
}

fn read(dir: &Path, faults: &mut Faults) -> Option<Vec<Example>> {
    let examples_dir = dir.join("examples");
    let files = match list(&examples_dir) {
        Ok(files) => files,
        Err(error) => {
            faults.add("examples", "", format!("can't be listed: {error}"));
            return None;
        }
    };
    let mut texts = BTreeMap::new();
    for name in files.iter().filter_map(|file| file.strip_suffix(".example")) {
        match fs::read_to_string(examples_dir.join(format!("{name}.example"))) {
            Ok(text) => {
                texts.insert(name.to_owned(), text::read(name, &text, faults));
            }
            Err(error) => faults.add(file_of(name), "", format!("can't be read: {error}")),
        }
    }
    let world = World {
        examples_dir,
        period_kind: period_kind(dir),
        organisations: Organisations::load(&dir.join("../../organisations.csv")).ok(),
        texts,
    };
    check_leftovers(&files, &world.texts, faults);
    let examples: Vec<Option<Example>> = world
        .texts
        .iter()
        .map(|(name, text)| world.example(name, text, faults))
        .collect();
    examples.into_iter().collect()
}

/// The examples' files, sorted.
fn list(dir: &Path) -> std::io::Result<BTreeSet<String>> {
    fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn file_of(name: &str) -> PathBuf {
    PathBuf::from(format!("examples/{name}.example"))
}

/// What `return.toml` says, if it does: its own faults are told where it is loaded.
fn period_kind(dir: &Path) -> Option<PeriodKind> {
    let text = fs::read_to_string(dir.join("return.toml")).ok()?;
    let document: toml::Table = toml::from_str(&text).ok()?;
    PeriodKind::deserialize(document.get("period")?.get("kind")?.clone()).ok()
}

fn check_leftovers(
    files: &BTreeSet<String>,
    texts: &BTreeMap<String, ExampleText>,
    faults: &mut Faults,
) {
    for file in files {
        let why = if file.ends_with(".example") {
            continue;
        } else if let Some(name) = file.strip_suffix(".report") {
            if texts.contains_key(name) {
                continue;
            }
            "no example has this report"
        } else {
            let mut workbooks = texts.values().filter_map(|text| text.value(Header::File));
            if workbooks.any(|(workbook, _)| workbook == file) {
                continue;
            }
            "no example names this file"
        };
        faults.add(format!("examples/{file}"), "", why);
    }
}

/// All examples' texts and what they may refer to.
struct World {
    examples_dir: PathBuf,
    period_kind: Option<PeriodKind>,
    organisations: Option<Organisations>,
    texts: BTreeMap<String, ExampleText>,
}

impl World {
    fn example(&self, name: &str, text: &ExampleText, faults: &mut Faults) -> Option<Example> {
        let n_before = faults.len();
        let file = file_of(name);
        let mut needed = |header: Header| match text.value(header) {
            Some((value, _)) if !value.is_empty() => value.to_owned(),
            _ => {
                faults.add(&file, "", format!("\"{}\" is missing", header.name()));
                String::new()
            }
        };
        let title = needed(Header::Title);
        let organisation = needed(Header::Organisation);
        let period = needed(Header::Period);
        let received = needed(Header::Received);
        self.check_head(&file, text, faults);
        for header in [Header::Previous, Header::YearAgo, Header::From] {
            if let Some((other, line)) = text.value(header)
                && !self.texts.contains_key(other)
            {
                let why = format!("there is no example \"{other}\"");
                faults.add(&file, format!("line {line}"), why);
            }
        }
        let workbook = self.workbook(name, text, faults);
        if faults.len() > n_before {
            return None;
        }
        let other = |header| text.value(header).map(|(name, _)| name.to_owned());
        Some(Example {
            name: name.to_owned(),
            title,
            organisation,
            period,
            received_on: crate::code_list::iso_date(&received)?,
            previous: other(Header::Previous),
            year_ago: other(Header::YearAgo),
            workbook: workbook?,
            report: self.examples_dir.join(format!("{name}.report")),
        })
    }

    /// The organisation, period and day are ones that there are.
    fn check_head(&self, file: &Path, text: &ExampleText, faults: &mut Faults) {
        if let (Some((code, line)), Some(organisations)) =
            (text.value(Header::Organisation), &self.organisations)
            && organisations.get(code).is_none()
        {
            let why = format!("organisations.csv has no organisation with the code \"{code}\"");
            faults.add(file, format!("line {line}"), why);
        }
        if let (Some((label, line)), Some(kind)) = (text.value(Header::Period), self.period_kind)
            && let Err(error) = Period::parse(kind, label)
        {
            faults.add(file, format!("line {line}"), error.to_string());
        }
        if let Some((day, line)) = text.value(Header::Received)
            && crate::code_list::iso_date(day).is_none()
        {
            let why = format!("\"{day}\" is not a date; write it as 2026-04-01");
            faults.add(file, format!("line {line}"), why);
        }
    }

    /// `None` where it can't be drawn; the fault is told for the example that has it.
    fn workbook(
        &self,
        name: &str,
        text: &ExampleText,
        faults: &mut Faults,
    ) -> Option<ExampleWorkbook> {
        if let Some((workbook, line)) = text.value(Header::File) {
            let path = self.examples_dir.join(workbook);
            let is_beside = !workbook.contains(['/', '\\']);
            if is_beside && path.is_file() {
                return Some(ExampleWorkbook::File(path));
            }
            let why = format!("there is no \"{workbook}\" beside it");
            faults.add(file_of(name), format!("line {line}"), why);
            return None;
        }
        self.grid(name, &mut Vec::new(), faults)
            .map(ExampleWorkbook::Drawn)
    }

    /// An example's drawing: the one it starts from, with its changes. Only the first of a chain tells its faults.
    fn grid<'w>(
        &'w self,
        name: &'w str,
        chain: &mut Vec<&'w str>,
        faults: &mut Faults,
    ) -> Option<Grid> {
        let is_first = chain.is_empty();
        let mut tell = |line: usize, why: String| {
            if is_first {
                faults.add(file_of(name), format!("line {line}"), why);
            }
        };
        let text = self.texts.get(name)?;
        let Some((from, line)) = text.value(Header::From) else {
            return match Grid::parse(&text.drawing) {
                Ok(grid) if grid.sheets.is_empty() => {
                    tell(1, "draws no sheet, and has neither \"from\" nor \"file\"".to_owned());
                    None
                }
                Ok(grid) => Some(grid),
                Err(error) => {
                    tell(error.line, error.message);
                    None
                }
            };
        };
        if chain.contains(&from) || from == name {
            tell(line, format!("\"{from}\" starts from this example itself"));
            return None;
        }
        let base = self.texts.get(from)?;
        if base.value(Header::File).is_some() {
            tell(line, format!("\"{from}\" is a file, which can't be changed here"));
            return None;
        }
        chain.push(name);
        let mut inner = Faults::default();
        let mut grid = self.grid(from, chain, &mut inner)?;
        let mut is_whole = true;
        for (line_idx, edit) in text.drawing.lines().enumerate() {
            if let Err(error) = grid.apply(edit) {
                tell(line_idx + 1, error.to_string());
                is_whole = false;
            }
        }
        is_whole.then_some(grid)
    }
}
