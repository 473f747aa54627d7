//! Who may return: organisations with every code system and alias they are known by.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::NaiveDate;

use crate::code_list::{ListFault, Row, rows};
use crate::{Fault, LoadError};

/// A council or another body that owes returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// The GSS code; for a body without one, a code of lgdp's own of the same form that begins with X.
    pub code: String,
    pub name: String,
    /// `council` or another: what a return's respondents are named by.
    pub kind: String,
    /// The Scottish Government's three digits.
    pub sg_code: Option<String>,
    /// Public Health Scotland's two digits.
    pub phs_code: Option<String>,
    pub superseded_codes: Vec<String>,
    pub aliases: Vec<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
}

impl Organisation {
    /// What is known of it, by the file's columns: a value for each code, name and day.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let day = |day: &Option<NaiveDate>| day.map(|day| day.to_string());
        let mut facts = vec![("code", self.code.clone()), ("name", self.name.clone())];
        let some = [
            ("sg_code", self.sg_code.clone()),
            ("phs_code", self.phs_code.clone()),
            ("valid_from", day(&self.valid_from)),
            ("valid_to", day(&self.valid_to)),
        ];
        facts.extend(
            some.into_iter()
                .filter_map(|(about, value)| Some((about, value?))),
        );
        let lists = [
            ("superseded_codes", &self.superseded_codes),
            ("aliases", &self.aliases),
        ];
        for (about, values) in lists {
            facts.extend(values.iter().map(|value| (about, value.clone())));
        }
        facts
    }

    /// Everything that it may be called.
    fn names(&self) -> impl Iterator<Item = &String> {
        [&self.code, &self.name]
            .into_iter()
            .chain(&self.sg_code)
            .chain(&self.phs_code)
            .chain(&self.superseded_codes)
            .chain(&self.aliases)
    }
}

/// All organisations of `organisations.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisations(pub Vec<Organisation>);

const HEADER: [&str; 9] = [
    "code",
    "name",
    "kind",
    "sg_code",
    "phs_code",
    "superseded_codes",
    "aliases",
    "valid_from",
    "valid_to",
];

impl Organisations {
    /// Reads `organisations.csv`, with every fault.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let file = path.file_name().unwrap_or(path.as_os_str());
        let csv = fs::read_to_string(path).map_err(|error| LoadError {
            faults: vec![Fault {
                file: file.into(),
                place: String::new(),
                why: format!("can't be read: {error}"),
            }],
        })?;
        Self::read(&csv).map_err(|faults| LoadError {
            faults: faults
                .into_iter()
                .map(|fault| Fault {
                    file: file.into(),
                    place: format!("line {}", fault.line),
                    why: fault.why,
                })
                .collect(),
        })
    }

    /// Reads the text of `organisations.csv`.
    pub fn read(csv: &str) -> Result<Self, Vec<ListFault>> {
        let mut faults = Vec::new();
        let mut organisations: Vec<Organisation> = Vec::new();
        let mut owners: BTreeMap<String, usize> = BTreeMap::new();
        for row in rows(csv, &HEADER, &mut faults) {
            let Some(organisation) = read_organisation(&row, &mut faults) else {
                continue;
            };
            for name in organisation.names() {
                let owner_idx = *owners.entry(words(name)).or_insert(organisations.len());
                if let Some(owner) = organisations.get(owner_idx) {
                    let why = format!("\"{name}\" is {} ({}) already", owner.name, owner.code);
                    row.fault(&mut faults, why);
                }
            }
            organisations.push(organisation);
        }
        if faults.is_empty() {
            Ok(Self(organisations))
        } else {
            Err(faults)
        }
    }

    /// By GSS code, as it is now.
    pub fn get(&self, code: &str) -> Option<&Organisation> {
        self.0.iter().find(|organisation| organisation.code == code)
    }

    /// By any code system, superseded code, name or alias, without regard to case, spaces and punctuation; `&` is `and`.
    pub fn find(&self, text: &str) -> Option<&Organisation> {
        let wanted = words(text);
        if wanted.is_empty() {
            return None;
        }
        self.0
            .iter()
            .find(|organisation| organisation.names().any(|name| words(name) == wanted))
    }
}

/// What two ways of writing a name have in common.
fn words(text: &str) -> String {
    text.replace('&', " and ")
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn read_organisation(row: &Row, faults: &mut Vec<ListFault>) -> Option<Organisation> {
    let n_before = faults.len();
    let [
        code,
        name,
        kind,
        sg_code,
        phs_code,
        superseded,
        aliases,
        valid_from,
        valid_to,
    ] = row.cells()
    else {
        return None;
    };
    for (column, value) in [("code", code), ("name", name), ("kind", kind)] {
        if value.is_empty() {
            row.fault(faults, format!("{column} is blank"));
        }
    }
    let (valid_from, valid_to) = row.period(valid_from, valid_to, faults);
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let list = |text: &String| {
        text.split('|')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    (faults.len() == n_before).then(|| Organisation {
        code: code.clone(),
        name: name.clone(),
        kind: kind.clone(),
        sg_code: some(sg_code),
        phs_code: some(phs_code),
        superseded_codes: list(superseded),
        aliases: list(aliases),
        valid_from,
        valid_to,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real() -> Organisations {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
        Organisations::load(&root.join("organisations.csv")).unwrap()
    }

    #[test]
    fn an_organisation_is_found_by_every_code_and_name_it_has() {
        let organisations = real();
        let n_of = |kind: &str| {
            organisations
                .0
                .iter()
                .filter(|one| one.kind == kind)
                .count()
        };
        assert_eq!(n_of("council"), 32);
        assert_eq!(n_of("integration-authority"), 31);
        for (text, code) in [
            ("S12000049", "S12000049"),
            ("s12000046", "S12000049"),
            ("260", "S12000049"),
            ("17", "S12000049"),
            ("Glasgow", "S12000049"),
            ("  GLASGOW  CITY ", "S12000049"),
            ("Edinburgh, City of", "S12000036"),
            ("Argyll & Bute", "S12000035"),
            ("Argyll and Bute", "S12000035"),
            ("01", "S12000033"),
            ("Western Isles", "S12000013"),
            ("Comhairle nan Eilean Siar", "S12000013"),
            ("Cairngorms NP", "S21000003"),
            ("SEStran", "X02000004"),
            ("S37000015", "S37000034"),
            ("Fife HSCP", "S37000032"),
            ("LGDO", "X06000001"),
        ] {
            let found = organisations.find(text).map(|found| found.code.as_str());
            assert_eq!(found, Some(code), "{text}");
        }
    }

    #[test]
    fn what_is_no_council_is_not_found() {
        let organisations = real();
        for text in ["", " - ", "1", "900", "Ayrshire", "Glasgow Cit"] {
            assert_eq!(organisations.find(text), None, "{text}");
        }
        assert_eq!(organisations.get("S12000046"), None);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let csv = "code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to\n\
            S1,One,council,100,01,S0,Uno,,\n\
            S2,Two,council,100,02,,UNO,,\n\
            S3,,council,,,,,,\n\
            S4,Four,council,,,,,2026-04-02,2026-04-01\n";
        let told: Vec<String> = Organisations::read(csv)
            .unwrap_err()
            .iter()
            .map(|fault| format!("{}: {}", fault.line, fault.why))
            .collect();
        assert_eq!(
            told,
            [
                "3: \"100\" is One (S1) already",
                "3: \"UNO\" is One (S1) already",
                "4: name is blank",
                "5: valid_to 2026-04-01 is before valid_from 2026-04-02",
            ]
        );
    }
}
