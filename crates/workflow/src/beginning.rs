//! What a new form begins with: whose it is, and what that organisation sent last.

use std::collections::BTreeMap;

use access::{Action, Object};
use db::records::{self, Newest, Record, Source, Span};
use db::submissions::Submission;
use db::{Db, DbError, Sees, Tx, submissions};
use spec::{Accumulation, Layout, Organisation, Period, ReturnSpec, TableSpec};
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
    /// What stands for this period or else for the last one before, by table:
    /// the values in the order of the new version's items, in Postgres text form.
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
    for table in &spec.tables {
        let is_sent_out = match &table.layout {
            Layout::TurnAround { .. } | Layout::Matrix(_) => true,
            // Records of people are handed out to nobody for the sake of a form.
            Layout::Records(_) => !spec.sensitivity.personal_data,
        };
        let earlier = made_with.and_then(|spec| Some((spec, spec.table(&table.name)?)));
        if let (true, Some((earlier_spec, earlier))) = (is_sent_out, earlier) {
            let rows = rows_of(&mut tx, (earlier_spec, earlier), &last, table).await?;
            beginning.rows.insert(table.name.clone(), rows);
        }
    }
    beginning.sent_for = Some(last.round.period);
    tx.commit().await?;
    Ok(Some(beginning))
}

/// Items are found by their name; those that the earlier version did not have are blank.
async fn rows_of(
    tx: &mut Tx,
    (spec, earlier): (&ReturnSpec, &TableSpec),
    last: &Submission,
    table: &TableSpec,
) -> Result<Vec<Vec<Option<String>>>, DbError> {
    let names = table.items.iter();
    let names = names.map(|item| earlier.item(&item.name).map(|item| item.name.as_str()));
    let items: Vec<Option<&str>> = names.collect();
    let keys: Vec<Option<&str>> = earlier.keys.iter().map(|key| Some(key.as_str())).collect();
    let source = Source {
        spec,
        table: earlier,
        items: &items,
        codes: &[],
        keys: &keys,
    };
    match spec.accumulation {
        Accumulation::Replace => of_submission(tx, &source, last.id).await,
        Accumulation::Cumulative => newest(tx, &source, last).await,
    }
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
