//! What a file was compared with, so that its assessment can be repeated, and what it could not be compared with.

use std::collections::{BTreeMap, BTreeSet};

use check::Reference;
use finding::RuleId;
use serde::{Deserialize, Serialize};
use spec::{Link, Rule};

use crate::Request;
use crate::outcome::digest;

/// One thing beyond the file that rules in force read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub kind: ComparisonKind,
    /// `previous`, `year_ago`, the other return's id, or the set of figures with its period: `circular/2026-27`.
    pub name: String,
    /// As a sentence calls it: `NDRI PCA`.
    pub title: String,
    /// The other return's version.
    pub version: Option<String>,
    /// The SHA-256 of the other return's spec, in hex.
    pub spec_hash: Option<String>,
    /// The SHA-256 of the file that it was compared with, in hex; `None`: it is not known, or can't be read.
    pub sha256: Option<String>,
    /// By their ids: the rules that did not run, because it is not known, or that did not or compared less, because it was
    /// asked for otherwise.
    pub rules_not_run: Vec<RuleId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonKind {
    /// The same return of an earlier period.
    Earlier,
    /// Another return of the same organisation.
    Return,
    /// Central figures.
    ReferenceValues,
}

impl ComparisonKind {
    /// The word in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            ComparisonKind::Earlier => "earlier",
            ComparisonKind::Return => "return",
            ComparisonKind::ReferenceValues => "reference_values",
        }
    }
}

/// Everything that the rules in force read beyond the file, known or not.
pub(crate) fn comparisons(request: &Request<'_>, reference: &Reference<'_>) -> Vec<Comparison> {
    let mut readers: BTreeMap<Link, Vec<&Rule>> = BTreeMap::new();
    for (rule, links) in check::links(request.spec, request.period) {
        for link in links {
            readers.entry(link).or_default().push(rule);
        }
    }
    readers
        .into_iter()
        .filter_map(|(link, readers)| {
            let is_known = reference.has(&link);
            let comparison = about(request, &link)?;
            let spec = request.spec;
            let stops = |rule: &&Rule| !is_known || reference.compares_less(spec, rule, &link);
            let stopped = readers.into_iter().filter(stops);
            let stopped: BTreeSet<RuleId> =
                stopped.map(|rule| RuleId::from(rule.id.as_str())).collect();
            Some(Comparison {
                sha256: comparison.sha256.filter(|_| is_known),
                rules_not_run: stopped.into_iter().collect(),
                ..comparison
            })
        })
        .collect()
}

fn about(request: &Request<'_>, link: &Link) -> Option<Comparison> {
    let earlier = |name: &str, title: &str, file: Option<crate::SourceFile<'_>>| Comparison {
        kind: ComparisonKind::Earlier,
        name: name.to_owned(),
        title: title.to_owned(),
        version: None,
        spec_hash: None,
        sha256: file.map(|file| digest(file.bytes)),
        rules_not_run: Vec::new(),
    };
    Some(match link {
        Link::Previous => earlier("previous", "the period before", request.previous),
        Link::YearAgo => earlier("year_ago", "a year before", request.year_ago),
        Link::Return(id) => {
            let other = request.spec.compared_with(id)?;
            let file = request.others.iter().find(|file| file.spec.id == *id);
            Comparison {
                kind: ComparisonKind::Return,
                name: id.clone(),
                title: other.acronym.clone(),
                version: Some(other.version.clone()),
                spec_hash: Some(other.hash.clone()),
                sha256: file.map(|other| digest(other.file.bytes)),
                rules_not_run: Vec::new(),
            }
        }
        Link::Values(table) => {
            let set = request.spec.reference_set(table)?;
            let file = request.values.iter().find(|file| file.table == *table);
            let period = request.period.and_then(|period| set.period_of(period));
            Comparison {
                kind: ComparisonKind::ReferenceValues,
                name: match period {
                    Some(period) => format!("{}/{}", set.set, period.label),
                    None => set.table.clone(),
                },
                title: set.title.clone(),
                version: None,
                spec_hash: None,
                sha256: file.map(|file| file.values.sha256.clone()),
                rules_not_run: Vec::new(),
            }
        }
    })
}
