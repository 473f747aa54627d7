//! How the versions of a return belong together in one table, in words and for machines.

use std::collections::BTreeMap;

use db::records::Counted;
use serde::Serialize;
use spec::{Ancestry, Before, Relation, ReturnSpec, TableSpec};

use super::series::Series;

/// A column that an older version called otherwise, coded otherwise or did not ask for; or a note on what became of items
/// and tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// The column's name, or that of a table that ended.
    pub column: String,
    /// The version that it was otherwise in.
    pub version: String,
    /// The last period that was collected with that version.
    pub until: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// It was called otherwise.
    Called {
        name: String,
        title: String,
    },
    /// A code of it is another now.
    Coded {
        code: String,
        is_now: String,
    },
    NotAsked,
    /// Only this version and older ones have it.
    OnlyThen,
    /// The version that follows says what became of it.
    Became {
        was: String,
        now: Vec<String>,
        note: String,
    },
    /// The whole table is not asked for any more, and is in no dataset of the versions since.
    TableEnded {
        note: Option<String>,
    },
}

impl Mapped {
    /// A sentence, without the column's name.
    pub fn in_words(&self) -> String {
        let until = format!("Until {} (version {})", self.until, self.version);
        match &self.what {
            What::Called { name, title } => format!("{until} called {name}, \"{title}\"."),
            What::Coded { code, is_now } => {
                format!("{until} the code {code} stood for what is {is_now} now.")
            }
            What::NotAsked => format!("{until} nobody was asked for it."),
            What::OnlyThen => format!("{until} and not since."),
            What::TableEnded { note } => {
                let since = match note {
                    Some(note) => format!("not since: {note}"),
                    None => "not since.".to_owned(),
                };
                format!(
                    "{until} a table of its own, which datasets and releases up to that period have and this one does not, and {since}"
                )
            }
            What::Became { was, now, note }
                if now.is_empty() || now == std::slice::from_ref(was) =>
            {
                format!("{until} as {was}, and not since: {note}")
            }
            What::Became { was, now, note } => {
                format!(
                    "{until} as {was}, and since then as {}: {note}",
                    now.join(", ")
                )
            }
        }
    }
}

/// What mappings are told from.
pub(crate) struct Told<'a> {
    pub(crate) ancestry: &'a Ancestry<'a>,
    /// The version whose words are used.
    pub(crate) spec: &'a ReturnSpec,
    /// The versions that are used, the newest first.
    pub(crate) tables: &'a [(&'a ReturnSpec, &'a TableSpec)],
    pub(crate) wanted: &'a [&'a Series<'a>],
    pub(crate) until: &'a Until,
}

/// The last period of each version with which something was collected.
pub type Until = BTreeMap<String, String>;

pub fn until<'a>(submissions: impl IntoIterator<Item = &'a Counted>) -> Until {
    let mut last: BTreeMap<&str, &Counted> = BTreeMap::new();
    for counted in submissions {
        let of_version = last.entry(&counted.return_version).or_insert(counted);
        if counted.period_end >= of_version.period_end {
            *of_version = counted;
        }
    }
    let labels = last.into_iter();
    labels
        .map(|(version, counted)| (version.to_owned(), counted.period_label.clone()))
        .collect()
}

impl Told<'_> {
    pub(crate) fn all(&self) -> Vec<Mapped> {
        let mut all: Vec<Mapped> = Vec::new();
        for series in self.wanted {
            let n_before = all.len();
            for (idx, (version, _)) in self.tables.iter().enumerate() {
                let what = match series.before.get(idx).and_then(Option::as_ref) {
                    None if version.valid_from < series.version.valid_from => vec![What::NotAsked],
                    None => Vec::new(),
                    Some(before) => of_item(series, before),
                };
                all.extend(
                    what.into_iter()
                        .filter_map(|what| self.mapped(&series.name, &version.version, what)),
                );
            }
            all.extend(self.became(series));
            let is_gone = series.version.version != self.spec.version;
            if is_gone && all.len() == n_before {
                all.extend(self.mapped(&series.name, &series.version.version, What::OnlyThen));
            }
        }
        all
    }

    /// `None` where nothing in the dataset was collected with the version.
    fn mapped(&self, column: &str, version: &str, what: What) -> Option<Mapped> {
        Some(Mapped {
            column: column.to_owned(),
            version: version.to_owned(),
            until: self.until.get(version)?.clone(),
            what,
        })
    }

    /// What the version that follows a column's last one says of its item.
    fn became(&self, series: &Series<'_>) -> Vec<Mapped> {
        let of_last = |(_, lineage): &(&ReturnSpec, &spec::Lineage)| {
            lineage.version == series.version.version
        };
        let Some((_, lineage)) = self.ancestry.said().find(of_last) else {
            return Vec::new();
        };
        let said = lineage.items.iter().filter(|said| {
            said.relation() != Relation::Same
                && lineage.table_was(&said.table) == Some(series.table.name.as_str())
                && said.was.contains(&series.item.name)
        });
        said.filter_map(|said| {
            let what = What::Became {
                was: series.item.name.clone(),
                now: said.now.clone(),
                note: said.note.clone().unwrap_or_default(),
            };
            self.mapped(&series.name, &lineage.version, what)
        })
        .collect()
    }
}

/// The tables of older versions that the newest does not have: each as the last of the versions that are used has it.
/// `used` are those, the newest first.
pub(crate) fn ended(
    ancestry: &Ancestry<'_>,
    spec: &ReturnSpec,
    used: &[&ReturnSpec],
    until: &Until,
) -> Vec<Mapped> {
    let mut all = Vec::new();
    let mut are_there: Vec<(&str, &str)> = Vec::new();
    let newest_first = std::iter::once(&spec).chain(used);
    for version in newest_first.filter(|version| version.valid_from <= spec.valid_from) {
        for table in &version.tables {
            if are_there.contains(&(&version.version, &table.name)) {
                continue;
            }
            for older in used {
                let before = ancestry.table_before(version, &table.name, older);
                are_there
                    .extend(before.map(|before| (older.version.as_str(), before.name.as_str())));
            }
            // Of the newest version's own it is said nothing, and of what nobody was asked for neither.
            let until = until.get(&version.version);
            let Some(until) = until.filter(|_| version.version != spec.version) else {
                continue;
            };
            all.push(Mapped {
                column: table.name.clone(),
                version: version.version.clone(),
                until: until.clone(),
                what: What::TableEnded {
                    note: why_ended(ancestry, version, &table.name),
                },
            });
        }
    }
    all
}

/// What is said of a version's table where it ended, which may have had another name by then.
fn why_ended(ancestry: &Ancestry<'_>, version: &ReturnSpec, table: &str) -> Option<String> {
    let mut name = table;
    let said = ancestry.said();
    for (_, lineage) in said.filter(|(newer, _)| newer.valid_from > version.valid_from) {
        let Some(said) = lineage.tables.iter().find(|said| said.was == name) else {
            continue;
        };
        match &said.now {
            Some(now) => name = now,
            None => return said.note.clone(),
        }
    }
    None
}

fn of_item(series: &Series<'_>, before: &Before<'_>) -> Vec<What> {
    let mut all = Vec::new();
    if before.item.name != series.item.name {
        all.push(What::Called {
            name: before.item.name.clone(),
            title: before.item.title.clone(),
        });
    }
    all.extend(before.codes.iter().map(|(code, is_now)| What::Coded {
        code: code.clone(),
        is_now: is_now.clone(),
    }));
    all
}
