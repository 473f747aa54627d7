//! Which submissions an organisation's figures of each period are made of, and what those figures are known by.

use std::collections::{BTreeMap, BTreeSet};

use db::records::Source;
use db::records::look::{self, Adding, Key, Members, Sums, Wanted};
use db::{Conn, DbError};
use sha2::{Digest as _, Sha256};
use spec::{Accumulation, ReturnSpec};
use uuid::Uuid;

use super::Place;
use crate::shape::OwnedSource;
use crate::{DatasetError, Manifest, Part, Shape};

/// A submission whose records are added up.
struct Member<'a> {
    id: Uuid,
    organisation: &'a str,
    /// The period that it is for. Where records accumulate, those before the first belong to it.
    period_idx: usize,
    /// Its place in [`States::sources`]; `None`: its version has no such table.
    source: Option<usize>,
}

/// The submissions of a manifest, by organisation and period.
pub(super) struct States<'a> {
    sources: Vec<OwnedSource<'a>>,
    accumulation: Accumulation,
    /// In the order in which they count, the last one of an organisation most.
    members: Vec<Member<'a>>,
    pub(super) n_periods: usize,
}

impl<'a> States<'a> {
    pub(super) fn of(
        (versions, spec): (&'a [ReturnSpec], &ReturnSpec),
        (manifest, shape): (&'a Manifest, &'a Shape),
        periods: &[Part],
    ) -> Self {
        let (mut sources, mut places) = (Vec::new(), BTreeMap::new());
        for (version, _) in &manifest.versions {
            if let Some(source) = shape.source(versions, &manifest.return_id, version) {
                places.insert(version.as_str(), sources.len());
                sources.push(source);
            }
        }
        let first = periods.first().map(|period| period.end);
        let idx_of = |label: &str| periods.iter().position(|period| period.label == label);
        let counted = manifest.submissions.iter();
        let members = counted
            .filter(|counted| !counted.is_nil)
            .filter_map(|counted| {
                let is_before = first.is_some_and(|first| counted.period_end < first);
                let period_idx = match idx_of(&counted.period_label) {
                    None if manifest.accumulates && is_before => Some(0),
                    idx => idx,
                };
                Some(Member {
                    id: counted.submission_id,
                    organisation: &counted.organisation,
                    period_idx: period_idx?,
                    source: places.get(counted.return_version.as_str()).copied(),
                })
            })
            .collect();
        Self {
            sources,
            accumulation: spec.accumulation,
            members,
            n_periods: periods.len(),
        }
    }

    /// Whether a submission's records may count in a period.
    fn is_in(&self, member: &Member<'_>, period_idx: usize) -> bool {
        match self.accumulation {
            Accumulation::Replace => member.period_idx == period_idx,
            Accumulation::Cumulative => member.period_idx <= period_idx,
        }
    }

    fn by_organisation(&self) -> impl Iterator<Item = &[Member<'a>]> {
        self.members
            .chunk_by(|one, other| one.organisation == other.organisation)
    }

    /// Each period in which an organisation has submissions that may count.
    pub(super) fn all(&self) -> Vec<Wanted> {
        let mut all = Vec::new();
        for members in self.by_organisation() {
            for period_idx in 0..self.n_periods {
                let mut those = members.iter();
                if let Some(member) = those.find(|member| self.is_in(member, period_idx)) {
                    all.push((member.organisation.to_owned(), period_idx));
                }
            }
        }
        all
    }

    /// What the figures of each period are known by: the submissions that may count in it, in their order, and what is
    /// read of each.
    pub(super) fn keys(&self, adding: Adding) -> Result<BTreeMap<Wanted, Key>, DbError> {
        let sources: Vec<Source<'_>> = self.sources.iter().map(OwnedSource::as_source).collect();
        let mut made_from = Vec::new();
        for source in &sources {
            let from = look::made_from((&sources, self.accumulation), source, adding)?;
            made_from.push(Sha256::digest(from));
        }
        let nothing = Sha256::digest("no such table");
        let mut keys = BTreeMap::new();
        for members in self.by_organisation() {
            let mut those: Vec<&Member<'_>> = members.iter().collect();
            those.sort_by_key(|member| member.period_idx);
            let mut rest = those.as_slice();
            let mut hash = Sha256::new();
            let mut n_in = 0_usize;
            for period_idx in 0..self.n_periods {
                if self.accumulation == Accumulation::Replace {
                    (hash, n_in) = (Sha256::new(), 0);
                }
                while let [member, others @ ..] = rest
                    && member.period_idx == period_idx
                {
                    let from = member.source.and_then(|source| made_from.get(source));
                    hash.update(member.id.as_bytes());
                    hash.update(from.unwrap_or(&nothing));
                    n_in += 1;
                    rest = others;
                }
                if let Some(member) = members.first().filter(|_| n_in > 0) {
                    let wanted = (member.organisation.to_owned(), period_idx);
                    keys.insert(wanted, hash.clone().finalize().into());
                }
            }
        }
        Ok(keys)
    }

    /// The submissions that may count in these periods.
    fn members_of<'b>(&'b self, wanted: &[Wanted]) -> Vec<&'b Member<'a>> {
        let mut last: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (organisation, period_idx) in wanted {
            last.entry(organisation).or_default().insert(*period_idx);
        }
        let is_wanted = |member: &&Member<'_>| {
            let periods = last.get(member.organisation);
            periods.is_some_and(|periods| periods.iter().any(|idx| self.is_in(member, *idx)))
        };
        self.members.iter().filter(is_wanted).collect()
    }

    /// How many records there are to add up for these periods.
    pub(super) async fn n_loaded(
        &self,
        conn: &mut Conn,
        wanted: &[Wanted],
    ) -> Result<u64, DbError> {
        let ids: Vec<Uuid> = self
            .members_of(wanted)
            .iter()
            .map(|member| member.id)
            .collect();
        let sources: Vec<Source<'_>> = self.sources.iter().map(OwnedSource::as_source).collect();
        let tables: Vec<&str> = sources
            .iter()
            .map(|source| source.table.name.as_str())
            .collect();
        look::n_loaded(conn, &ids, &tables).await
    }

    /// Adds up the records of these periods, of one line or of all: what is added up, by its place, for each of them.
    pub(super) async fn add_up(
        &self,
        conn: &mut Conn,
        wanted: &[Wanted],
        adding: &[Adding],
        line: Option<(usize, &str)>,
    ) -> Result<Vec<(usize, Wanted, Sums)>, DatasetError> {
        let members = self.members_of(wanted);
        let ids: Vec<Uuid> = members.iter().map(|member| member.id).collect();
        let period_idxs: Vec<usize> = members.iter().map(|member| member.period_idx).collect();
        let members = Members {
            submissions: &ids,
            period_idxs: &period_idxs,
        };
        let sources: Vec<Source<'_>> = self.sources.iter().map(OwnedSource::as_source).collect();
        let of = (sources.as_slice(), self.accumulation);
        Ok(look::add_up(conn, of, members, wanted, adding, line).await?)
    }

    /// The place of the only value of a period; where records accumulate, it is not known.
    pub(super) fn place(
        &self,
        (period_idx, organisation): (usize, &str),
        row_number: u32,
        item: usize,
    ) -> Option<Place> {
        let mut those = self
            .members
            .iter()
            .filter(|member| member.organisation == organisation && self.is_in(member, period_idx));
        let (Some(member), None) = (those.next(), those.next()) else {
            return None;
        };
        let source = self.sources.get(member.source?)?.as_source();
        Some(Place {
            submission_id: member.id,
            table: source.table.name.clone(),
            row_number,
            item: (*source.items.get(item)?)?.to_owned(),
        })
    }
}
