//! Examples: a drawn workbook and what assessing it says.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;
use sheet::grid::Grid;

use crate::link::version_dir;
use crate::load::Faults;
use crate::{LoadError, Organisations, Period, PeriodKind, ReferenceValues};
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
    /// Examples of other returns that it is compared with, by return.
    pub compared_with: BTreeMap<String, String>,
    /// Files of central figures beside it, by the table that they fill.
    pub values: BTreeMap<String, PathBuf>,
    /// Other organisations' examples of the round that it is checked against, by GSS code; empty: no collection is checked.
    pub others: BTreeMap<String, String>,
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
    for name in files
        .iter()
        .filter_map(|file| file.strip_suffix(".example"))
    {
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
        others: others(dir),
        value_tables: value_tables(dir),
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

/// The folders of the other returns that `return.toml` names, by return; its own faults are told where it is loaded.
fn others(dir: &Path) -> BTreeMap<String, PathBuf> {
    let read = || -> Option<BTreeMap<String, PathBuf>> {
        let text = fs::read_to_string(dir.join("return.toml")).ok()?;
        let document: toml::Table = toml::from_str(&text).ok()?;
        let others = document.get("compared_with")?.as_array()?;
        let folder = |other: &toml::Value| {
            let said = |name: &str| other.get(name)?.as_str();
            let (id, version) = (said("return")?, said("version")?);
            Some((id.to_owned(), version_dir(dir, id, version)))
        };
        Some(others.iter().filter_map(folder).collect())
    };
    read().unwrap_or_default()
}

/// The tables of reference values that `return.toml` names.
fn value_tables(dir: &Path) -> BTreeSet<String> {
    let read = || -> Option<BTreeSet<String>> {
        let text = fs::read_to_string(dir.join("return.toml")).ok()?;
        let document: toml::Table = toml::from_str(&text).ok()?;
        let sets = document.get("reference_values")?.as_array()?;
        let table = |set: &toml::Value| Some(set.get("table")?.as_str()?.to_owned());
        Some(sets.iter().filter_map(table).collect())
    };
    read().unwrap_or_default()
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
            let mut values = texts.values().filter_map(|text| text.value(Header::Values));
            let names_it = |value: &str| {
                text::pairs(value).is_some_and(|pairs| pairs.values().any(|name| name == file))
            };
            if workbooks.any(|(workbook, _)| workbook == file)
                || values.any(|(value, _)| names_it(value))
            {
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
    others: BTreeMap<String, PathBuf>,
    value_tables: BTreeSet<String>,
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
        let compared_with = self.compared_with(&file, text, faults);
        let values = self.values(&file, text, faults);
        let others = self.others_of(&organisation, &file, text, faults);
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
            compared_with,
            values,
            others,
            workbook: workbook?,
            report: self.examples_dir.join(format!("{name}.report")),
        })
    }

    /// Examples of the other returns that `return.toml` names.
    fn compared_with(
        &self,
        file: &Path,
        text: &ExampleText,
        faults: &mut Faults,
    ) -> BTreeMap<String, String> {
        let Some((value, line)) = text.value(Header::ComparedWith) else {
            return BTreeMap::new();
        };
        let Some(pairs) = text::pairs(value) else {
            let why = "write it as return = example, with a comma before the next return";
            faults.add(file, format!("line {line}"), why);
            return BTreeMap::new();
        };
        for (return_id, example) in &pairs {
            let why = match self.others.get(return_id) {
                None => format!("return.toml is not compared with \"{return_id}\""),
                Some(dir) if !dir.join(format!("examples/{example}.example")).is_file() => {
                    format!("{return_id} has no example \"{example}\"")
                }
                Some(_) => continue,
            };
            faults.add(file, format!("line {line}"), why);
        }
        pairs
    }

    /// The other organisations' examples; a kind of organisation stands for every one of it that is not named.
    fn others_of(
        &self,
        own: &str,
        file: &Path,
        text: &ExampleText,
        faults: &mut Faults,
    ) -> BTreeMap<String, String> {
        let Some((value, line)) = text.value(Header::Others) else {
            return BTreeMap::new();
        };
        let place = format!("line {line}");
        let Some(pairs) = text::pairs(value) else {
            let why = "write it as organisation = example, with a comma before the next one";
            faults.add(file, place, why);
            return BTreeMap::new();
        };
        let none = Organisations::default();
        let organisations = self.organisations.as_ref().unwrap_or(&none);
        let mut others = BTreeMap::new();
        for (who, example) in &pairs {
            if !self.texts.contains_key(example) {
                let why = format!("there is no example \"{example}\"");
                faults.add(file, &place, why);
            }
            let of_kind = organisations.0.iter().filter(|one| {
                one.kind == *who && one.code != own && !pairs.contains_key(&one.code)
            });
            let mut codes: Vec<String> = of_kind.map(|one| one.code.clone()).collect();
            if organisations.get(who).is_some() && who != own {
                codes.push(who.clone());
            }
            if codes.is_empty() {
                let why = format!("\"{who}\" is no other organisation and no kind of them");
                faults.add(file, &place, why);
            }
            others.extend(codes.into_iter().map(|code| (code, example.clone())));
        }
        others
    }

    /// Files of figures that lie beside the example and can be read.
    fn values(
        &self,
        file: &Path,
        text: &ExampleText,
        faults: &mut Faults,
    ) -> BTreeMap<String, PathBuf> {
        let Some((value, line)) = text.value(Header::Values) else {
            return BTreeMap::new();
        };
        let place = format!("line {line}");
        let Some(pairs) = text::pairs(value) else {
            let why = "write it as table = file, with a comma before the next table";
            faults.add(file, place, why);
            return BTreeMap::new();
        };
        let mut values = BTreeMap::new();
        for (table, name) in pairs {
            if !self.value_tables.contains(&table) {
                let why = format!("return.toml has no reference values \"{table}\"");
                faults.add(file, &place, why);
            }
            let path = self.examples_dir.join(&name);
            match fs::read_to_string(&path) {
                Ok(csv) if !name.contains(['/', '\\']) => {
                    for wrong in ReferenceValues::read(&csv).err().into_iter().flatten() {
                        let place = format!("line {}", wrong.line);
                        faults.add(format!("examples/{name}"), place, wrong.why);
                    }
                }
                _ => faults.add(file, &place, format!("there is no \"{name}\" beside it")),
            }
            values.insert(table, path);
        }
        values
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
                    tell(
                        1,
                        "draws no sheet, and has neither \"from\" nor \"file\"".to_owned(),
                    );
                    None
                }
                Ok(grid) => Some(grid),
                Err(error) => {
                    tell(error.line, error.message);
                    None
                }
            };
        };
        if is_first && self.starts_from_itself(name) {
            tell(line, format!("\"{from}\" starts from this example itself"));
        }
        if chain.contains(&from) || from == name {
            return None;
        }
        let base = self.texts.get(from)?;
        if base.value(Header::File).is_some() {
            tell(
                line,
                format!("\"{from}\" is a file, which can't be changed here"),
            );
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

    fn starts_from_itself(&self, name: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut current = name;
        while let Some((from, _)) = self
            .texts
            .get(current)
            .and_then(|text| text.value(Header::From))
        {
            if from == name {
                return true;
            }
            if !seen.insert(from) {
                return false;
            }
            current = from;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::sample::Sample;

    #[test]
    fn examples_are_drawn_with_the_changes_of_those_they_start_from() {
        let sample = Sample::new();
        let examples = load_examples(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<&str> = examples
            .iter()
            .map(|example| example.name.as_str())
            .collect();
        assert_eq!(names, ["valid", "worse", "wrong"]);
        let worse = &examples[1];
        assert_eq!(worse.year_ago.as_deref(), Some("valid"));
        assert_eq!(worse.previous, None);
        assert!(worse.report.ends_with("examples/worse.report"));
        let ExampleWorkbook::Drawn(grid) = &worse.workbook else {
            panic!("{:?}", worse.workbook);
        };
        let text = |column| grid.cell("Cases", 1, column).clone();
        assert_eq!(text(0), sheet::grid::GridCell::Text("999".to_owned()));
        assert_eq!(text(1), sheet::grid::GridCell::Text("a-1".to_owned()));
    }

    #[test]
    fn an_example_may_be_a_file() {
        let sample = Sample::new();
        let head = "title: A file\norganisation: S1\nperiod: 2026-27-Q1\nreceived: 2026-07-20\n";
        sample.write(
            "examples/filed.example",
            &format!("{head}file: book.xlsx\n"),
        );
        sample.write("examples/book.xlsx", "bytes");
        let examples = load_examples(&sample.dir()).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            matches!(&examples[0].workbook, ExampleWorkbook::File(path) if path.ends_with("book.xlsx"))
        );
    }

    #[test]
    fn single_faults_are_told_exactly() {
        let valid = "examples/valid.example";
        let worse = "examples/worse.example";
        for (file, from, to, expected) in [
            (
                valid,
                "title: All is well\n",
                "",
                "examples/valid.example: \"title\" is missing",
            ),
            (
                valid,
                "title:",
                "subject:",
                "examples/valid.example, line 1: \"subject\" is not known here; expected one of title, organisation, period, received, from, previous, year-ago, compared-with, values, others, file\nexamples/valid.example: \"title\" is missing",
            ),
            (
                valid,
                "period: 2026-27-Q1",
                "period: 2026-Q1",
                "examples/valid.example, line 3: \"2026-Q1\" is not a financial quarter; write it as YYYY-YY-Q1",
            ),
            (
                valid,
                "organisation: S1",
                "organisation: S9",
                "examples/valid.example, line 2: organisations.csv has no organisation with the code \"S9\"",
            ),
            (
                valid,
                "2026-07-20",
                "20/07/2026",
                "examples/valid.example, line 4: \"20/07/2026\" is not a date; write it as 2026-04-01",
            ),
            (
                valid,
                "period:",
                "title: Again\nperiod:",
                "examples/valid.example, line 3: \"title\" is there twice",
            ),
            (
                worse,
                "from: wrong",
                "from: rong",
                "examples/worse.example, line 5: there is no example \"rong\"",
            ),
            (
                worse,
                "year-ago: valid",
                "year-ago: valued",
                "examples/worse.example, line 6: there is no example \"valued\"",
            ),
            (
                worse,
                "from: wrong",
                "from: worse",
                "examples/worse.example, line 5: \"worse\" starts from this example itself",
            ),
            (
                "examples/wrong.example",
                "from: valid",
                "from: worse",
                "examples/worse.example, line 5: \"wrong\" starts from this example itself\nexamples/wrong.example, line 5: \"worse\" starts from this example itself",
            ),
            (
                worse,
                "from: wrong\n",
                "",
                "examples/worse.example, line 6: a drawing starts with its sheet: [name]",
            ),
            (
                worse,
                "received: 2026-07-20\n",
                "received: 2026-07-20\nfile: book.xlsx\n",
                "examples/worse.example, line 5: an example with a file has no drawing and no \"from\"\nexamples/worse.example, line 5: there is no \"book.xlsx\" beside it",
            ),
        ] {
            let sample = Sample::new();
            sample.edit(file, from, to);
            let told = load_examples(&sample.dir())
                .map_or_else(|error| error.to_string(), |_| String::new());
            assert_eq!(told, expected, "{from:?} → {to:?}");
        }
    }

    #[test]
    fn a_change_that_can_not_be_made_and_a_file_of_no_example_are_told() {
        let sample = Sample::new();
        sample.edit("examples/worse.example", "set Cases!A2", "put Cases!A2");
        sample.write("examples/best.report", "");
        sample.write("examples/book.xlsx", "");
        let error = load_examples(&sample.dir()).unwrap_err();
        let told: Vec<String> = error.faults.iter().map(ToString::to_string).collect();
        assert_eq!(told[0], "examples/best.report: no example has this report");
        assert_eq!(told[1], "examples/book.xlsx: no example names this file");
        assert!(told[2].starts_with("examples/worse.example, line 7: not an edit: put"));
    }
}
