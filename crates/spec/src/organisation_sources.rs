//! Where what `organisations.csv` says of each kind of organisation is from.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::code_list::{ListFault, rows};
use crate::{Confidence, Fault, LoadError, Organisation, Organisations};

/// The source of one column's values, of all organisations of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationSource {
    pub kind: String,
    /// The column of `organisations.csv`: `sg_code`.
    pub about: String,
    /// In words.
    pub source: String,
    pub url: Option<String>,
    pub confidence: Confidence,
}

/// All sources of `organisation-sources.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationSources(pub Vec<OrganisationSource>);

const HEADER: [&str; 5] = ["kind", "about", "source", "url", "confidence"];

impl OrganisationSources {
    /// Reads `organisation-sources.csv`, with every fault; where there is none, no source is told.
    pub fn load(path: &Path, organisations: &Organisations) -> Result<Self, LoadError> {
        let file = path.file_name().unwrap_or(path.as_os_str());
        let fault = |place: String, why: String| Fault {
            file: file.into(),
            place,
            why,
        };
        let csv = match fs::read_to_string(path) {
            Ok(csv) => csv,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                let why = format!("can't be read: {error}");
                return Err(LoadError {
                    faults: vec![fault(String::new(), why)],
                });
            }
        };
        Self::read(&csv, organisations).map_err(|faults| LoadError {
            faults: faults
                .into_iter()
                .map(|one| fault(format!("line {}", one.line), one.why))
                .collect(),
        })
    }

    /// Reads the text: every column that is filled in for some organisation of a kind has a source, and no other has.
    pub fn read(csv: &str, organisations: &Organisations) -> Result<Self, Vec<ListFault>> {
        let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
        for organisation in &organisations.0 {
            let facts = organisation.facts().into_iter();
            wanted.extend(facts.map(|(about, _)| (organisation.kind.clone(), about.to_owned())));
        }
        let mut faults = Vec::new();
        let mut sources = Vec::new();
        for row in rows(csv, &HEADER, &mut faults) {
            let [kind, about, source, url, confidence] = row.cells() else {
                continue;
            };
            if !wanted.remove(&(kind.clone(), about.clone())) {
                let why = format!(
                    "no {about} of a {kind} is in organisations.csv, or its source is told above"
                );
                row.fault(&mut faults, why);
            }
            if source.is_empty() {
                row.fault(&mut faults, "source is blank".to_owned());
            }
            let Some(confidence) = Confidence::parse(confidence) else {
                let why =
                    format!("confidence \"{confidence}\" is not published, partial or inferred");
                row.fault(&mut faults, why);
                continue;
            };
            sources.push(OrganisationSource {
                kind: kind.clone(),
                about: about.clone(),
                source: source.clone(),
                url: (!url.is_empty()).then(|| url.clone()),
                confidence,
            });
        }
        for (kind, about) in wanted {
            faults.push(ListFault {
                line: 1,
                why: format!("where the {about} of a {kind} is from is not told"),
            });
        }
        if faults.is_empty() {
            Ok(Self(sources))
        } else {
            Err(faults)
        }
    }

    /// Of a column of this organisation.
    pub fn of(&self, organisation: &Organisation, about: &str) -> Option<&OrganisationSource> {
        self.0
            .iter()
            .find(|source| source.kind == organisation.kind && source.about == about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisations() -> Organisations {
        Organisations::read(
            "code,name,kind,sg_code,phs_code,superseded_codes,aliases,valid_from,valid_to\n\
             S1,One,council,100,,,Uno|Un,1996-04-01,\n",
        )
        .unwrap()
    }

    #[test]
    fn every_fact_of_the_real_organisations_has_its_source() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../return-specs");
        let organisations = Organisations::load(&root.join("organisations.csv")).unwrap();
        let sources =
            OrganisationSources::load(&root.join("organisation-sources.csv"), &organisations)
                .unwrap();
        let mut n_facts = 0;
        for organisation in &organisations.0 {
            for (about, value) in organisation.facts() {
                assert!(
                    sources.of(organisation, about).is_some(),
                    "{about} {value} of {}",
                    organisation.name
                );
                n_facts += 1;
            }
        }
        assert!(n_facts > 300, "{n_facts}");
    }

    #[test]
    fn what_has_no_source_and_what_is_none_are_told() {
        let told = |csv: &str| -> Vec<String> {
            let faults = OrganisationSources::read(csv, &organisations()).unwrap_err();
            let told = faults.iter();
            told.map(|fault| format!("{}: {}", fault.line, fault.why))
                .collect()
        };
        let header = "kind,about,source,url,confidence\n";
        assert_eq!(
            told(&format!(
                "{header}council,code,A book,,published\ncouncil,name,,,published\ncouncil,name,A book,,published\n\
                 council,phs_code,A book,,published\ncouncil,aliases,A book,,sure\ncouncil,sg_code,A book,,partial\n"
            )),
            [
                "3: source is blank",
                "4: no name of a council is in organisations.csv, or its source is told above",
                "5: no phs_code of a council is in organisations.csv, or its source is told above",
                "6: confidence \"sure\" is not published, partial or inferred",
                "1: where the valid_from of a council is from is not told",
            ]
        );
    }

    #[test]
    fn where_there_is_no_file_no_source_is_told() {
        let nowhere = Path::new("/nowhere/organisation-sources.csv");
        let sources = OrganisationSources::load(nowhere, &organisations()).unwrap();
        assert_eq!(sources, OrganisationSources::default());
    }
}
