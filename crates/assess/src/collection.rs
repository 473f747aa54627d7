//! The standing files of a round, checked against each other.

use std::collections::BTreeSet;

use check::{CheckError, Member, Round};
use chrono::NaiveDate;
use finding::{Finding, Outcome, RuleId, Severity};
use frame::{Expected, Framed};
use serde::{Deserialize, Serialize};
use sheet::Limits;
use spec::{Organisation, Organisations, Period, ReturnSpec, RuleKind, Stage};

use crate::outcome::{RuleCount, digest};
use crate::{SourceFile, keys};

/// A round of a return that files are added to, one at a time: only what rules read of them is kept.
#[derive(Debug)]
pub struct Collection<'a> {
    spec: &'a ReturnSpec,
    organisations: &'a Organisations,
    files: Vec<(MemberFile, &'a Organisation, Framed)>,
}

/// Whose file, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFile {
    /// GSS code.
    pub organisation: String,
    /// In hex.
    pub sha256: String,
}

/// Why a file can't be part of a collection.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("no organisation has the code {0}")]
    UnknownOrganisation(String),
    #[error("{0} has two files in the collection")]
    Twice(String),
    #[error("the file of {0} can't be used by itself, so it can't stand")]
    DoesNotStand(String),
}

/// What checking a collection came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionChecked {
    pub head: CollectionHead,
    /// By organisation in the order of `head.members`, each one's in report order.
    pub findings: Vec<Addressed>,
}

/// What was checked: enough to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionHead {
    #[serde(rename = "return")]
    pub return_id: String,
    pub version: String,
    /// SHA-256 of the spec, in hex.
    pub spec_hash: String,
    /// Its label.
    pub period: Option<String>,
    /// By code.
    pub members: Vec<MemberFile>,
    /// Findings by rule, worst first.
    pub counts: Vec<RuleCount>,
}

/// A finding with the organisation whose record it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressed {
    /// GSS code.
    pub organisation: String,
    #[serde(flatten)]
    pub finding: Finding,
}

impl<'a> Collection<'a> {
    pub fn new(spec: &'a ReturnSpec, organisations: &'a Organisations) -> Self {
        Self {
            spec,
            organisations,
            files: Vec::new(),
        }
    }

    /// Reads a file that stands: what is wrong with it by itself was said when it came in.
    pub fn add(
        &mut self,
        code: &str,
        file: SourceFile<'_>,
        limits: &Limits,
    ) -> Result<(), AddError> {
        let organisation = self
            .organisations
            .get(code)
            .ok_or_else(|| AddError::UnknownOrganisation(code.to_owned()))?;
        let is_there = |member: &MemberFile| member.organisation == code;
        if self.files.iter().any(|(member, _, _)| is_there(member)) {
            return Err(AddError::Twice(code.to_owned()));
        }
        let does_not_stand = || AddError::DoesNotStand(code.to_owned());
        let expected = Expected {
            organisation: None,
            period: None,
            organisations: self.organisations,
        };
        let read = sheet::open(file.bytes, file.name, limits)
            .and_then(|opened| crate::read(opened, self.spec, expected))
            .map_err(|_| does_not_stand())?;
        let mut framed = read.framed;
        if framed.findings.outcome() == Outcome::Refused {
            return Err(does_not_stand());
        }
        let wanted = tables_read(self.spec);
        framed
            .frames
            .retain(|frame| wanted.contains(frame.table.as_str()));
        let member = MemberFile {
            organisation: code.to_owned(),
            sha256: digest(file.bytes),
        };
        self.files.push((member, organisation, framed));
        Ok(())
    }

    /// Fails only where the spec itself can't be run.
    pub fn check(
        mut self,
        period: Option<&Period>,
        received_on: NaiveDate,
    ) -> Result<CollectionChecked, CheckError> {
        self.files
            .sort_by(|(a, _, _), (b, _, _)| a.organisation.cmp(&b.organisation));
        let members: Vec<Member<'_>> = self
            .files
            .iter()
            .map(|(_, organisation, framed)| Member {
                organisation,
                framed,
            })
            .collect();
        let round = Round {
            spec: self.spec,
            organisations: self.organisations,
            members: &members,
            period,
            received_on,
        };
        let mut findings = Vec::new();
        for (mut of_member, member) in check::check_collection(&round)?.into_iter().zip(&members) {
            keys::give(self.spec, member.framed, &mut of_member);
            findings.extend(of_member.iter().map(|finding| Addressed {
                organisation: member.organisation.code.clone(),
                finding: finding.clone(),
            }));
        }
        Ok(CollectionChecked {
            head: CollectionHead {
                return_id: self.spec.id.clone(),
                version: self.spec.version.clone(),
                spec_hash: self.spec.hash.clone(),
                period: period.map(|period| period.label.clone()),
                counts: counts(&findings),
                members: self
                    .files
                    .into_iter()
                    .map(|(member, _, _)| member)
                    .collect(),
            },
            findings,
        })
    }
}

/// The tables that collection rules read or point at.
fn tables_read(spec: &ReturnSpec) -> BTreeSet<&str> {
    let mut tables = BTreeSet::new();
    for rule in spec
        .rules
        .iter()
        .filter(|rule| rule.stage == Stage::Collection)
    {
        tables.insert(rule.table.as_str());
        if let RuleKind::Query { reads, .. } = &rule.kind {
            let named = |name: &str| reads.contains(&spec::rule::all_name(name));
            let read = spec.tables.iter().map(|table| table.name.as_str());
            tables.extend(read.filter(|name| named(name)));
        }
    }
    tables
}

/// How many of each severity and rule, worst first.
pub fn counts(findings: &[Addressed]) -> Vec<RuleCount> {
    let mut counts: Vec<RuleCount> = Vec::new();
    let mut all: Vec<(Severity, &RuleId)> = findings
        .iter()
        .map(|addressed| (addressed.finding.severity, &addressed.finding.rule))
        .collect();
    all.sort();
    for (severity, rule) in all {
        match counts.last_mut() {
            Some(last) if last.severity == severity && last.rule == *rule => last.n += 1,
            _ => counts.push(RuleCount {
                severity,
                rule: rule.clone(),
                n: 1,
            }),
        }
    }
    counts
}
