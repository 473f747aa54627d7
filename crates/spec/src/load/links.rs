//! `[[compared_with]]` and `[[reference_values]]` of `return.toml`: other returns, read as far as rules need them, and central figures.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::LoadError;
use super::bodies::Bodies;
use super::codes::Lists;
use super::document::Document;
use super::fault::{Fault, Faults};
use super::folder::Folder;
use super::returns::{self, About};
use super::table::{self, TableDraft};
use crate::link::version_dir;
use crate::rule::{ALL_ORGANISATIONS, Against, all_name};
use crate::{ComparedWith, OtherPeriod, PeriodKind, ReferenceSet, ValuePeriod};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComparedWithDocument {
    #[serde(rename = "return")]
    return_id: String,
    version: String,
    period: OtherPeriod,
}

/// Another return with its tables, which rules are checked against.
#[derive(Debug)]
pub(crate) struct OtherReturn {
    pub(crate) link: ComparedWith,
    pub(crate) tables: Vec<TableDraft>,
}

/// Everything beyond the return's own tables that its rules may name.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) others: Vec<OtherReturn>,
    pub(crate) values: Vec<ReferenceSet>,
}

impl Links {
    /// Whether SQL may name a table that is not the return's own.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table(name).is_some() || self.values.iter().any(|set| set.table == name)
    }

    /// The table of another return that SQL means by a name.
    pub(crate) fn table(&self, name: &str) -> Option<&TableDraft> {
        self.others.iter().find_map(|other| {
            other
                .tables
                .iter()
                .find(|table| other.link.table_name(&table.name) == name)
        })
    }
}

/// Reads the other returns' folders. Their own faults are theirs: here it is one, that they can't be used.
pub(crate) fn read(
    folder: &Folder,
    document: Option<&Document>,
    own_id: Option<&str>,
    period_kind: Option<PeriodKind>,
    faults: &mut Faults,
) -> Links {
    let mut links = Links::default();
    let Some(document) = document else {
        return links;
    };
    for pointer in document.elements("/compared_with") {
        let Some(said) = document.part::<ComparedWithDocument>(&pointer, faults) else {
            continue;
        };
        let at = format!("{pointer}/return");
        if own_id == Some(said.return_id.as_str()) {
            let why = "is this return itself; earlier periods need no declaration";
            document.fault(faults, &at, why);
            continue;
        }
        let is_there = |other: &OtherReturn| other.link.return_id == said.return_id;
        if links.others.iter().any(is_there) {
            let why = format!("\"{}\" is there twice", said.return_id);
            document.fault(faults, &at, why);
            continue;
        }
        let dir = version_dir(&folder.dir, &said.return_id, &said.version);
        match other(&dir, &said) {
            Ok((other, kind)) => {
                if let (OtherPeriod::Same, Some(own)) = (said.period, period_kind)
                    && own != kind
                {
                    let why = format!(
                        "\"same\" needs the same kind of period, but {} is about a {}",
                        said.return_id,
                        kind.in_words()
                    );
                    document.fault(faults, &format!("{pointer}/period"), why);
                }
                links.others.push(other);
            }
            Err(error) => {
                let first = error.faults.first().map(Fault::to_string);
                let why = format!(
                    "version {} of {} can't be used: {}",
                    said.version,
                    said.return_id,
                    first.unwrap_or_default()
                );
                document.fault(faults, &at, why);
            }
        }
    }
    values(document, period_kind, &mut links, faults);
    links
}

/// Which central figures the rules need.
fn values(
    document: &Document,
    period_kind: Option<PeriodKind>,
    links: &mut Links,
    faults: &mut Faults,
) {
    for pointer in document.elements("/reference_values") {
        let Some(set) = document.part::<ReferenceSet>(&pointer, faults) else {
            continue;
        };
        if set.period == ValuePeriod::Next && period_kind == Some(PeriodKind::SnapshotDate) {
            let why = "which snapshot comes next only the rounds know";
            document.fault(faults, &format!("{pointer}/period"), why);
        }
        let is_there = |known: &ReferenceSet| known.set == set.set && known.period == set.period;
        if links.values.iter().any(is_there) {
            let why = format!("the same figures of \"{}\" are there twice", set.set);
            document.fault(faults, &format!("{pointer}/set"), why);
        }
        links.values.push(set);
    }
}

/// No two tables that SQL can name share a name.
pub(crate) fn check_names(
    links: &Links,
    own: &[TableDraft],
    document: Option<&Document>,
    faults: &mut Faults,
) {
    let Some(document) = document else { return };
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let everyone = ALL_ORGANISATIONS.to_owned();
    taken.insert(everyone, "the table of all organisations".to_owned());
    for table in own {
        let all = format!("every organisation's {}", table.name);
        taken.insert(all_name(&table.name), all);
        taken.insert(table.name.clone(), format!("the table {}", table.name));
        for against in [Against::Previous, Against::YearAgo] {
            let name = format!("{}{}", against.prefix(), table.name);
            taken.insert(name, format!("an earlier {}", table.name));
        }
    }
    for (idx, other) in links.others.iter().enumerate() {
        for table in &other.tables {
            let name = other.link.table_name(&table.name);
            if let Some(owner) = taken.get(&name) {
                let why = format!("its table would be called \"{name}\", as {owner} is");
                document.fault(faults, &format!("/compared_with/{idx}/return"), why);
            }
            taken.insert(name, format!("{} of {}", table.name, other.link.return_id));
        }
    }
    for (idx, set) in links.values.iter().enumerate() {
        let at = format!("/reference_values/{idx}/table");
        if let Some(owner) = taken.get(&set.table) {
            document.fault(faults, &at, format!("\"{}\" is {owner} already", set.table));
        }
        taken.insert(set.table.clone(), format!("the figures of {}", set.set));
    }
}

/// The other return's tables and period kind. Its rules and its own links are not looked at:
/// two returns may be compared with each other.
fn other(dir: &Path, said: &ComparedWithDocument) -> Result<(OtherReturn, PeriodKind), LoadError> {
    let mut faults = Faults::default();
    let read = read_other(dir, said, &mut faults);
    faults.or(read)
}

fn read_other(
    dir: &Path,
    said: &ComparedWithDocument,
    faults: &mut Faults,
) -> Option<(OtherReturn, PeriodKind)> {
    let OtherFolder {
        folder,
        about,
        tables,
    } = tables_of(dir, faults)?;
    let link = ComparedWith {
        return_id: said.return_id.clone(),
        version: said.version.clone(),
        acronym: about.acronym()?.to_owned(),
        hash: folder.hash(faults),
        period: said.period,
        tables: about.tables.clone(),
    };
    Some((OtherReturn { link, tables }, about.period_kind()?))
}

/// Another version's folder, as far as its tables.
pub(crate) struct OtherFolder {
    pub(crate) folder: Folder,
    pub(crate) about: About,
    pub(crate) tables: Vec<TableDraft>,
}

pub(crate) fn tables_of(dir: &Path, faults: &mut Faults) -> Option<OtherFolder> {
    let mut folder = Folder::open(dir, faults)?;
    let bodies = Bodies::read(&folder, faults);
    let about = returns::read(&mut folder, &bodies, faults);
    let mut lists = Lists::default();
    let tables = about
        .tables
        .iter()
        .map(|name| {
            let sources = &about.sources;
            table::read(&mut folder, &mut lists, name, sources, &bodies, faults)
        })
        .collect();
    Some(OtherFolder {
        folder,
        about,
        tables,
    })
}
