//! Central figures that returns are checked against: who gave which figure for whom, in `reference-values/`.
//!
//! They arrive after a return version is published, so they are no part of one: a version says which figures
//! its rules need, and the figures of a period lie in a file of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::code_list::{ListFault, Row, rows};
use crate::{Fault, LoadError, Organisations, Period, ReturnSpec};

/// Figures that a return's rules may read, as a table of `name` and `value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSet {
    /// The folder in `reference-values/`.
    pub set: String,
    /// What a sentence calls it: `the finance circular of the next year`.
    pub title: String,
    /// What SQL calls the table.
    pub table: String,
    pub period: ValuePeriod,
    /// The figures' names. An organisation that lacks one of them is checked against none.
    pub figures: Vec<String>,
    /// Places after the point; with none the values are whole numbers.
    #[serde(default)]
    pub decimals: u8,
}

/// Whose period's figures are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuePeriod {
    /// Those of the return's own period.
    Same,
    /// Those of the period after it.
    Next,
}

impl ReferenceSet {
    /// The period whose figures are meant; `None` where only the cycles know it.
    pub fn period_of(&self, period: &Period) -> Option<Period> {
        match self.period {
            ValuePeriod::Same => Some(period.clone()),
            ValuePeriod::Next => period.next(),
        }
    }

    /// An organisation's figures, scaled as `decimals` says; `None` where one of them is not there.
    pub fn of_organisation(
        &self,
        values: &ReferenceValues,
        organisation: &str,
    ) -> Option<Vec<(String, i128)>> {
        self.figures
            .iter()
            .map(|figure| {
                let value = values.find(organisation, figure)?;
                Some((figure.clone(), value.scaled(self.decimals)?))
            })
            .collect()
    }
}

/// One file of figures: `reference-values/<set>/<period>.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceValues {
    pub values: Vec<ReferenceValue>,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceValue {
    /// GSS code.
    pub organisation: String,
    pub name: String,
    /// As written: digits, with a point and places where it has any.
    pub value: String,
    /// Where the figure is from, in words or as an address.
    pub source: String,
    pub confidence: ValueConfidence,
}

/// How sure a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueConfidence {
    /// Stated in the source.
    Published,
    /// Worked out from what the source states.
    Partial,
    /// An estimate.
    Inferred,
    /// Made up: for examples and the demo only.
    Demo,
}

const HEADER: [&str; 5] = ["organisation", "name", "value", "source", "confidence"];

/// A value has no more places than a decimal item has.
const MOST_PLACES: usize = 9;

/// Digits that surely fit, scaled by the most places.
const MOST_DIGITS: usize = 20;

impl ReferenceValue {
    /// As a whole number of `10^-decimals`; `None` where it has more places than that.
    fn scaled(&self, decimals: u8) -> Option<i128> {
        let (whole, places) = self.value.split_once('.').unwrap_or((&self.value, ""));
        let missing = usize::from(decimals).checked_sub(places.len())?;
        format!("{whole}{places}{}", "0".repeat(missing))
            .parse()
            .ok()
    }

    fn n_places(&self) -> usize {
        self.value
            .split_once('.')
            .map_or(0, |(_, places)| places.len())
    }
}

impl ReferenceValues {
    /// Reads `organisation,name,value,source,confidence`, with every fault.
    pub fn read(csv: &str) -> Result<Self, Vec<ListFault>> {
        let mut faults = Vec::new();
        let mut values = Vec::new();
        let mut seen = BTreeSet::new();
        for row in rows(csv, &HEADER, &mut faults) {
            let Some(value) = read_value(&row, &mut faults) else {
                continue;
            };
            if !seen.insert((value.organisation.clone(), value.name.clone())) {
                let why = format!("{} of {} is there twice", value.name, value.organisation);
                row.fault(&mut faults, why);
            }
            values.push(value);
        }
        if faults.is_empty() && values.is_empty() {
            faults.push(ListFault {
                line: 1,
                why: "has no values".to_owned(),
            });
        }
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() {
            Ok(Self {
                values,
                sha256: hex::encode(Sha256::digest(csv)),
            })
        } else {
            Err(faults)
        }
    }

    fn find(&self, organisation: &str, name: &str) -> Option<&ReferenceValue> {
        self.values
            .iter()
            .find(|value| value.organisation == organisation && value.name == name)
    }
}

fn read_value(row: &Row, faults: &mut Vec<ListFault>) -> Option<ReferenceValue> {
    let n_before = faults.len();
    let [organisation, name, value, source, confidence] = row.cells() else {
        return None;
    };
    for (column, cell) in [
        ("organisation", organisation),
        ("name", name),
        ("source", source),
    ] {
        if cell.is_empty() {
            row.fault(faults, format!("{column} is blank"));
        }
    }
    if !is_exact(value) {
        let why = format!(
            "the value \"{value}\" is not a plain number, such as 1250 or -12.50, of at most {MOST_DIGITS} digits and {MOST_PLACES} places"
        );
        row.fault(faults, why);
    }
    let confidence = match confidence.as_str() {
        "published" => ValueConfidence::Published,
        "partial" => ValueConfidence::Partial,
        "inferred" => ValueConfidence::Inferred,
        "demo" => ValueConfidence::Demo,
        other => {
            let why =
                format!("confidence \"{other}\" is not one of published, partial, inferred, demo");
            row.fault(faults, why);
            ValueConfidence::Demo
        }
    };
    (faults.len() == n_before).then(|| ReferenceValue {
        organisation: organisation.clone(),
        name: name.clone(),
        value: value.clone(),
        source: source.clone(),
        confidence,
    })
}

/// `-12.50`: no sign but a minus, no thousands separators, no exponent.
fn is_exact(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, places) = match digits.split_once('.') {
        Some((_, "")) => return false,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty()
        && whole.len() + places.len() <= MOST_DIGITS
        && places.len() <= MOST_PLACES
        && are_digits(whole)
        && are_digits(places)
}

/// A file of `reference-values/` with what it is of.
#[derive(Debug, Clone)]
pub struct SetOfPeriod {
    pub set: String,
    /// The period's label.
    pub period: String,
    /// The file's text.
    pub csv: String,
    pub values: ReferenceValues,
}

/// Reads every file of `reference-values/` below the root, with every fault: a set that no return reads, a figure
/// that none names, an organisation that does not exist, a value that is made up.
pub fn load_reference_values(
    root: &Path,
    specs: &[ReturnSpec],
    organisations: &Organisations,
) -> Result<Vec<SetOfPeriod>, LoadError> {
    let mut faults = Vec::new();
    let mut sets = Vec::new();
    let folder = root.join("reference-values");
    for (set, path) in files(&folder).map_err(|fault| LoadError {
        faults: vec![fault],
    })? {
        let file = path.strip_prefix(root).unwrap_or(&path).to_owned();
        let mut fault = |place: String, why: String| {
            faults.push(Fault {
                file: file.clone(),
                place,
                why,
            });
        };
        let readers: Vec<(&ReturnSpec, &ReferenceSet)> = readers(specs, &set);
        if readers.is_empty() {
            fault(String::new(), format!("no return reads the set \"{set}\""));
            continue;
        }
        let period = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_period = |(spec, _): &(&ReturnSpec, &ReferenceSet)| {
            Period::parse(spec.period_kind, &period).is_ok()
        };
        if path.extension().is_none_or(|ending| ending != "csv") || !readers.iter().any(is_period) {
            let why = "is not called as a period of the returns that read it, with .csv after it";
            fault(String::new(), why.to_owned());
            continue;
        }
        let csv = match fs::read_to_string(&path) {
            Ok(csv) => csv,
            Err(error) => {
                fault(String::new(), format!("can't be read: {error}"));
                continue;
            }
        };
        match ReferenceValues::read(&csv) {
            Err(wrongs) => {
                for wrong in wrongs {
                    fault(format!("line {}", wrong.line), wrong.why);
                }
            }
            Ok(values) => {
                for (idx, value) in values.values.iter().enumerate() {
                    // The heading is line 1.
                    let place = format!("line {}", idx + 2);
                    if let Some(why) = unfit(value, &readers, organisations) {
                        fault(place, why);
                    }
                }
                sets.push(SetOfPeriod {
                    set,
                    period: period.into_owned(),
                    csv,
                    values,
                });
            }
        }
    }
    if faults.is_empty() {
        Ok(sets)
    } else {
        Err(LoadError { faults })
    }
}

fn readers<'a>(specs: &'a [ReturnSpec], set: &str) -> Vec<(&'a ReturnSpec, &'a ReferenceSet)> {
    specs
        .iter()
        .flat_map(|spec| {
            spec.reference_values
                .iter()
                .map(move |wanted| (spec, wanted))
        })
        .filter(|(_, wanted)| wanted.set == set)
        .collect()
}

fn unfit(
    value: &ReferenceValue,
    readers: &[(&ReturnSpec, &ReferenceSet)],
    organisations: &Organisations,
) -> Option<String> {
    let of_figure: BTreeMap<&str, u8> = readers
        .iter()
        .filter(|(_, wanted)| wanted.figures.contains(&value.name))
        .map(|(spec, wanted)| (spec.id.as_str(), wanted.decimals))
        .collect();
    if value.confidence == ValueConfidence::Demo {
        return Some("is made up, and made-up values are for examples and the demo".to_owned());
    }
    if organisations.get(&value.organisation).is_none() {
        let code = &value.organisation;
        return Some(format!(
            "organisations.csv has no organisation with the code \"{code}\""
        ));
    }
    if of_figure.is_empty() {
        return Some(format!("no return reads the figure \"{}\"", value.name));
    }
    let few = of_figure
        .into_iter()
        .find(|(_, decimals)| value.n_places() > usize::from(*decimals))?;
    Some(format!(
        "the value {} has more places than the {} that {} reads",
        value.value, few.1, few.0
    ))
}

/// Set and path of every file, sorted; none where the folder does not exist.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Fault> {
    let list = |dir: &Path| -> Result<Vec<PathBuf>, Fault> {
        let entries = fs::read_dir(dir).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut paths = entries.map_err(|error| Fault {
            file: dir.to_owned(),
            place: String::new(),
            why: format!("can't be listed: {error}"),
        })?;
        paths.sort();
        Ok(paths)
    };
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for set_dir in list(folder)? {
        if !set_dir.is_dir() {
            continue;
        }
        let set = set_dir.file_name().unwrap_or_default().to_string_lossy();
        for path in list(&set_dir)? {
            files.push((set.clone().into_owned(), path));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "organisation,name,value,source,confidence\n\
        S1,GRANT,1250.5,A circular,published\n\
        S1,RATES,-3,A circular,published\n\
        S2,GRANT,7,A circular,partial\n";

    fn set(figures: &[&str], decimals: u8) -> ReferenceSet {
        ReferenceSet {
            set: "circular".to_owned(),
            title: "the circular".to_owned(),
            table: "circular".to_owned(),
            period: ValuePeriod::Same,
            figures: figures.iter().map(|&name| name.to_owned()).collect(),
            decimals,
        }
    }

    #[test]
    fn an_organisations_figures_are_exact() {
        let values = ReferenceValues::read(CSV).unwrap();
        let named = |name: &str, scaled| (name.to_owned(), scaled);
        assert_eq!(
            set(&["GRANT", "RATES"], 2).of_organisation(&values, "S1"),
            Some(vec![named("GRANT", 125_050), named("RATES", -300)])
        );
        assert_eq!(
            set(&["GRANT"], 0).of_organisation(&values, "S2"),
            Some(vec![named("GRANT", 7)])
        );
        let none = [
            set(&["GRANT", "RATES"], 2).of_organisation(&values, "S2"),
            set(&["GRANT"], 0).of_organisation(&values, "S1"),
            set(&["GRANT"], 2).of_organisation(&values, "S3"),
        ];
        assert_eq!(
            none,
            [None, None, None],
            "a figure missing, too fine, nobody's"
        );
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let csv = "organisation,name,value,source,confidence\n\
            S1,A,1250,A circular,published\n\
            S1,A,1251,A circular,published\n\
            ,B,1,,guess\n\
            S1,C,\"1,250\",x,demo\n\
            S1,D,1.,x,demo\n\
            S1,E,+1,x,demo\n\
            S1,F,1e3,x,demo\n\
            S1,G,0.1234567890,x,demo\n\
            S1,H,,x,demo\n";
        let told: Vec<(u64, String)> = ReferenceValues::read(csv)
            .unwrap_err()
            .into_iter()
            .map(|fault| (fault.line, fault.why))
            .collect();
        let number = |line: u64, value: &str| {
            let why = format!(
                "the value \"{value}\" is not a plain number, such as 1250 or -12.50, of at most 20 digits and 9 places"
            );
            (line, why)
        };
        assert_eq!(
            told,
            [
                (3, "A of S1 is there twice".to_owned()),
                (4, "organisation is blank".to_owned()),
                (4, "source is blank".to_owned()),
                (
                    4,
                    "confidence \"guess\" is not one of published, partial, inferred, demo"
                        .to_owned()
                ),
                number(5, "1,250"),
                number(6, "1."),
                number(7, "+1"),
                number(8, "1e3"),
                number(9, "0.1234567890"),
                number(10, ""),
            ]
        );
        assert!(ReferenceValues::read("organisation,name,value,source,confidence\n").is_err());
    }
}
