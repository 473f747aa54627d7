//! What a new form begins with: whose it is, and what that organisation sent last.

use std::collections::{BTreeMap, HashMap};

use access::{Action, Object};
use db::records::{self, Newest, Record, Source, Span};
use db::submissions::Submission;
use db::{Db, DbError, Sees, Tx, submissions};
use spec::{
    Accumulation, Ancestry, Before, Item, ItemKind, Layout, Organisation, Period, ReturnSpec,
    TableSpec,
};
use uuid::Uuid;

use crate::actor::{allowed, sees};
use crate::{Actor, Denied};

/// Rows fetched at a time.
const BATCH: u32 = 500;

/// What is known of a form before it is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Without its older codes and other names.
    pub organisation: Organisation,
    /// What stands for this period or else for the last one before, by table: the values in the order of the new
    /// version's items, in Postgres text form. An item that was called otherwise is found all the same, and a code is
    /// what it is now; what was not asked for, or meant something else, is blank. Records that are one now are not there:
    /// nothing is added up.
    pub rows: BTreeMap<String, Vec<Vec<Option<String>>>>,
    /// Which period that is; `None` where nothing stands.
    pub sent_for: Option<Period>,
}

/// `None` where there is no such organisation, or it is not to be seen.
///
/// `versions` are all published ones: the last submission may have been made with an earlier one.
pub async fn beginning(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    spec: &ReturnSpec,
    period: &Period,
    organisation: &str,
) -> Result<Option<Beginning>, Denied> {
    let whose = Object {
        organisation: Some(organisation),
        return_id: Some(&spec.id),
        ..Object::default()
    };
    allowed(actor, Action::FillTemplate, &whose)?;
    let mut tx = db.begin_snapshot(&sees(actor)).await?;
    let Some(named) = db::organisations::find(&mut tx, organisation).await? else {
        return Ok(None);
    };
    let mut beginning = Beginning {
        organisation: named,
        rows: BTreeMap::new(),
        sent_for: None,
    };
    let last = submissions::standing_last(&mut tx, organisation, &spec.id, period.end).await?;
    let Some(last) = last else {
        return Ok(Some(beginning));
    };
    let ancestry = Ancestry::of(versions, spec);
    for table in spec.tables.iter().filter(|table| is_sent_out(spec, table)) {
        let was = |version: &str| {
            let earlier = versions.iter();
            let mut earlier = earlier.filter(|other| other.id == spec.id);
            let earlier = earlier.find(|other| other.version == version)?;
            Was::of(&ancestry, (spec, table), earlier)
        };
        let rows = match spec.accumulation {
            Accumulation::Replace => match was(&last.round.return_version) {
                Some(was) => Some(of_submission(&mut tx, &was, last.id).await?),
                None => None,
            },
            Accumulation::Cumulative => newest(&mut tx, was, &last).await?,
        };
        if let Some(rows) = rows {
            beginning.rows.insert(table.name.clone(), rows);
        }
    }
    beginning.sent_for = Some(last.round.period);
    tx.commit().await?;
    Ok(Some(beginning))
}

fn is_sent_out(spec: &ReturnSpec, table: &TableSpec) -> bool {
    match &table.layout {
        Layout::TurnAround { .. } | Layout::Matrix(_) => true,
        // Records of people are handed out to nobody for the sake of a form.
        Layout::Records(_) => !spec.sensitivity.personal_data,
    }
}

/// A table of an earlier version, as the new one asks for it.
struct Was<'a> {
    spec: &'a ReturnSpec,
    table: &'a TableSpec,
    /// Each item of the new one.
    items: Vec<(&'a Item, Option<Before<'a>>)>,
    /// Their names and those of the keys, as the earlier version has them.
    names: Vec<Option<&'a str>>,
    keys: Vec<Option<&'a str>>,
    /// Where the keys are among the items.
    key_idxs: Vec<usize>,
}

impl<'a> Was<'a> {
    /// `None` where it had no such table, or nobody could tell which record is which.
    fn of(
        ancestry: &Ancestry<'a>,
        (spec, table): (&'a ReturnSpec, &'a TableSpec),
        earlier: &'a ReturnSpec,
    ) -> Option<Self> {
        let was = ancestry.table_before(spec, &table.name, earlier)?;
        let before = |item| ancestry.before((spec, table, item), earlier);
        let name_of = |before: Option<&Before<'a>>| Some(before?.item.name.as_str());
        let keys = table.keys.iter().filter_map(|key| table.item(key));
        let keys: Vec<Option<&str>> = keys.map(|key| name_of(before(key).as_ref())).collect();
        if keys.contains(&None) {
            return None;
        }
        let items: Vec<(&Item, Option<Before<'_>>)> = table
            .items
            .iter()
            .map(|item| (item, before(item)))
            .collect();
        let names = items.iter();
        let key_idxs = table.keys.iter().filter_map(|key| table.item_idx(key));
        Some(Self {
            spec: earlier,
            table: was,
            names: names.map(|(_, before)| name_of(before.as_ref())).collect(),
            items,
            keys,
            key_idxs: key_idxs.collect(),
        })
    }

    fn source(&self) -> Source<'_> {
        Source {
            spec: self.spec,
            table: self.table,
            items: &self.names,
            codes: &[],
            keys: &self.keys,
        }
    }

    /// A record's values as the new version would have them.
    fn values_now(&self, record: Record) -> Vec<Option<String>> {
        let values = record.values.into_iter().zip(&self.items);
        let now = values.map(|(value, (item, before))| {
            let (value, before) = (value?, before.as_ref()?);
            match (before.item.kind, item.kind) {
                (ItemKind::Decimal { .. }, ItemKind::Integer) => exactly(&value, 0),
                (ItemKind::Decimal { .. }, ItemKind::Decimal { scale }) => exactly(&value, scale),
                _ => Some(before.codes.get(&value).cloned().unwrap_or(value)),
            }
        });
        now.collect()
    }

    /// The records of a submission as the new version would have them, without those that were apart and are known by the
    /// same now: neither of them is the whole. What was there twice before stays so.
    fn rows_now(&self, records: Vec<Record>) -> Vec<Vec<Option<String>>> {
        let rows = records.into_iter().map(|record| {
            let was_known_by = self.key_of(&record.values);
            (was_known_by, self.values_now(record))
        });
        let rows: Vec<(Key, Vec<Option<String>>)> = rows.collect();
        // `None`: by several.
        let mut were_known_by: HashMap<Key, Option<&Key>> = HashMap::new();
        for (was, row) in &rows {
            let one = were_known_by.entry(self.key_of(row)).or_insert(Some(was));
            if *one != Some(was) {
                *one = None;
            }
        }
        let stays = rows.iter().map(|(_, row)| {
            let one = were_known_by.get(&self.key_of(row));
            one.is_some_and(Option::is_some)
        });
        let stays: Vec<bool> = stays.collect();
        let rows = rows.into_iter().zip(stays);
        rows.filter_map(|((_, row), stays)| stays.then_some(row))
            .collect()
    }

    fn key_of(&self, values: &[Option<String>]) -> Key {
        let keys = self.key_idxs.iter();
        keys.map(|&idx| values.get(idx).cloned().flatten())
            .collect()
    }
}

/// The values that a record is known by.
type Key = Vec<Option<String>>;

/// A figure with so many places at most; `None` where that is another figure.
fn exactly(figure: &str, scale: u8) -> Option<String> {
    let (whole, places) = figure.split_once('.').unwrap_or((figure, ""));
    let (kept, left_out) = places
        .split_at_checked(usize::from(scale))
        .unwrap_or((places, ""));
    match (left_out.bytes().all(|digit| digit == b'0'), kept) {
        (false, _) => None,
        (true, "") => Some(whole.to_owned()),
        (true, kept) => Some(format!("{whole}.{kept}")),
    }
}

async fn of_submission(
    tx: &mut Tx,
    was: &Was<'_>,
    id: Uuid,
) -> Result<Vec<Vec<Option<String>>>, DbError> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let batch = records::page(tx, &was.source(), id, after, BATCH).await?;
        let Some(end) = batch.last() else {
            return Ok(was.rows_now(all));
        };
        after = end.row_number;
        all.extend(batch);
    }
}

/// Of each record what came last up to the period of the submission, whichever versions asked for it; `None` where none of
/// these can be read as the new one. No version of such a return changes what its records are known by, nor its codes, so
/// that none are one with others now.
async fn newest<'a>(
    tx: &mut Tx,
    was: impl Fn(&str) -> Option<Was<'a>>,
    last: &Submission,
) -> Result<Option<Vec<Vec<Option<String>>>>, DbError> {
    let of_it_alone = Sees::Organisations(vec![last.organisation.clone()]);
    let span = Span {
        return_id: &last.round.return_id,
        from_end: last.round.period.end,
        to_end: last.round.period.end,
        accumulation: Accumulation::Cumulative,
        sees: &of_it_alone,
        organisations: &[],
        only_accepted: false,
    };
    let counted = records::counted(tx, &span).await?;
    let mut versions: BTreeMap<&str, Was<'a>> = BTreeMap::new();
    let mut made_with: BTreeMap<Uuid, &str> = BTreeMap::new();
    for counted in &counted {
        let version = counted.return_version.as_str();
        if !versions.contains_key(version) {
            versions.extend(was(version).map(|was| (version, was)));
        }
        made_with.insert(counted.submission_id, version);
    }
    if versions.is_empty() {
        return Ok(None);
    }
    let ids: Vec<Uuid> = counted.iter().map(|one| one.submission_id).collect();
    let sources: Vec<Source<'_>> = versions.values().map(Was::source).collect();
    let mut newest = Newest::open(tx, &sources, &ids).await?;
    let mut rows = Vec::new();
    loop {
        let batch = newest.fetch(tx, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        rows.extend(batch.into_iter().filter_map(|record| {
            let version = made_with.get(&record.submission_id)?;
            Some(versions.get(version)?.values_now(record))
        }));
    }
    newest.close(tx).await?;
    Ok(Some(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_same_or_not_there() {
        for (figure, scale, now) in [
            ("41.50", 0, None),
            ("41.00", 0, Some("41")),
            ("-41.00", 0, Some("-41")),
            ("41.50", 1, Some("41.5")),
            ("41.55", 1, None),
            ("41.5", 3, Some("41.5")),
            ("41", 2, Some("41")),
        ] {
            assert_eq!(exactly(figure, scale).as_deref(), now, "{figure} {scale}");
        }
    }
}
