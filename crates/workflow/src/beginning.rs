//! What a new form begins with: whose it is, and what that organisation sent last.

use std::collections::BTreeMap;

use access::{Action, Object};
use db::records::{Record, Records, Selection};
use db::{Db, DbError, Sees, Tx, submissions};
use spec::{Layout, Organisation, Period, ReturnSpec, TableSpec};

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
    let of_it_alone = Sees::Organisations(vec![organisation.to_owned()]);
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
            let selection = Selection {
                spec: earlier_spec,
                table: earlier,
                period_label: &last.round.period.label,
                sees: &of_it_alone,
            };
            let rows = rows_of(&mut tx, &selection, table).await?;
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
    selection: &Selection<'_>,
    table: &TableSpec,
) -> Result<Vec<Vec<Option<String>>>, DbError> {
    let places: Vec<Option<usize>> = table
        .items
        .iter()
        .map(|item| selection.table.item_idx(&item.name))
        .collect();
    let row = |record: &Record| -> Vec<Option<String>> {
        places
            .iter()
            .map(|place| record.values.get((*place)?)?.clone())
            .collect()
    };
    let mut records = Records::open(tx, selection).await?;
    let mut rows = Vec::new();
    loop {
        let batch = records.fetch(tx, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        rows.extend(batch.iter().map(row));
    }
    records.close(tx).await?;
    Ok(rows)
}
