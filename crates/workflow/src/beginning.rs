//! What a new form begins with: whose it is, and what that organisation sent last.

use std::collections::BTreeMap;

use access::{Action, Object};
use db::records::{self, Newest, Record, Source, Span};
use db::submissions::Submission;
use db::{Db, DbError, Sees, Tx, submissions};
use spec::{Accumulation, Ancestry, Before, Layout, Organisation, Period, ReturnSpec, TableSpec};
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
    /// what it is now; what was not asked for, or meant something else, is blank.
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
    let made_with = versions.iter().find(|other| {
        other.id == last.round.return_id && other.version == last.round.return_version
    });
    if let Some(earlier) = made_with {
        let ancestry = Ancestry::of(versions, spec);
        for table in spec.tables.iter().filter(|table| is_sent_out(spec, table)) {
            let was = ancestry.table_before(spec, &table.name, earlier);
            let Some(was) = was else { continue };
            let before = |item| ancestry.before((spec, table, item), earlier);
            let keys = table.keys.iter().filter_map(|key| table.item(key));
            // Nobody could tell whose figures they are.
            if keys.map(before).any(|key| key.is_none()) {
                continue;
            }
            let items: Vec<Option<Before<'_>>> = table.items.iter().map(before).collect();
            let rows = rows_of(&mut tx, (earlier, was), &last, &items).await?;
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

/// The records of a table as the earlier version has it, as the items of the new one.
async fn rows_of(
    tx: &mut Tx,
    (spec, table): (&ReturnSpec, &TableSpec),
    last: &Submission,
    items: &[Option<Before<'_>>],
) -> Result<Vec<Vec<Option<String>>>, DbError> {
    let names = items.iter();
    let names = names.map(|before| Some(before.as_ref()?.item.name.as_str()));
    let names: Vec<Option<&str>> = names.collect();
    let keys: Vec<Option<&str>> = table.keys.iter().map(|key| Some(key.as_str())).collect();
    let source = Source {
        spec,
        table,
        items: &names,
        codes: &[],
        keys: &keys,
    };
    let mut rows = match spec.accumulation {
        Accumulation::Replace => of_submission(tx, &source, last.id).await?,
        Accumulation::Cumulative => newest(tx, &source, last).await?,
    };
    for row in &mut rows {
        for (value, before) in row.iter_mut().zip(items) {
            let codes = before.as_ref().map(|before| &before.codes);
            let now = codes.and_then(|codes| codes.get(value.as_deref()?));
            if let Some(now) = now {
                *value = Some(now.clone());
            }
        }
    }
    Ok(rows)
}

async fn of_submission(
    tx: &mut Tx,
    source: &Source<'_>,
    id: Uuid,
) -> Result<Vec<Vec<Option<String>>>, DbError> {
    let (mut rows, mut after) = (Vec::new(), 0);
    loop {
        let batch = records::page(tx, source, id, after, BATCH).await?;
        let Some(end) = batch.last() else {
            return Ok(rows);
        };
        after = end.row_number;
        rows.extend(batch.into_iter().map(values));
    }
}

/// Of each record what came last up to the period of the submission.
async fn newest(
    tx: &mut Tx,
    source: &Source<'_>,
    last: &Submission,
) -> Result<Vec<Vec<Option<String>>>, DbError> {
    let of_it_alone = Sees::Organisations(vec![last.organisation.clone()]);
    let span = Span {
        return_id: &source.spec.id,
        from_end: last.round.period.end,
        to_end: last.round.period.end,
        accumulation: Accumulation::Cumulative,
        sees: &of_it_alone,
        organisations: &[],
        only_accepted: false,
    };
    let counted = records::counted(tx, &span).await?;
    let ids: Vec<Uuid> = counted
        .iter()
        .map(|counted| counted.submission_id)
        .collect();
    let mut newest = Newest::open(tx, std::slice::from_ref(source), &ids).await?;
    let mut rows = Vec::new();
    loop {
        let batch = newest.fetch(tx, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        rows.extend(batch.into_iter().map(values));
    }
    newest.close(tx).await?;
    Ok(rows)
}

fn values(record: Record) -> Vec<Option<String>> {
    record.values
}
