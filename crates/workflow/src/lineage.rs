//! Where a value came from, and where it went: the cell of a council's file on one side, releases on the other.
use access::{Action, ActorId, Object};
use db::records::{self, InVersion, Source, Span};
use db::releases::{self, Release};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError, findings, handovers};
use finding::CellRef;
use spec::{Accumulation, Ancestry, Item, ReturnSpec, TableSpec};
use uuid::Uuid;

use crate::actor::{allowed, may, object, sees};
use crate::{Actor, Denied, Explanation, Handover, NumberedFinding, Waiver};

/// A value of a version: an item of a record.
#[derive(Debug, Clone, Copy)]
pub struct WhichValue<'a> {
    pub submission_id: Uuid,
    pub table: &'a str,
    /// 1-based, as the sheet has it.
    pub row_number: u32,
    pub item: &'a str,
}

/// A value with everything that is known of it.
#[derive(Debug, Clone)]
pub struct Traced {
    pub submission: Submission,
    pub table_title: String,
    pub item: String,
    pub item_title: String,
    pub row_number: u32,
    /// In Postgres text form; `None`: it is blank.
    pub value: Option<String>,
    /// The items that the record is known by, by title, with their values.
    pub keys: Vec<(String, String)>,
    /// Where it stands in the file.
    pub cell: Option<CellRef>,
    /// What was done with the version, the oldest first.
    pub history: Vec<Handover>,
    /// What was found about it, for whoever may see that.
    pub remarks: Vec<Remark>,
    /// Whether the dataset of its period has it that is taken now.
    pub counts_now: bool,
    /// Releases that are made of its version, for whoever may see them, the newest first.
    pub releases: Vec<Release>,
}

/// Something that was found about a value, and what was said to it.
#[derive(Debug, Clone)]
pub struct Remark {
    pub finding: NumberedFinding,
    pub explanation: Option<Explanation>,
    /// Exceptions that were granted for it, whether or not they still hold.
    pub waivers: Vec<Waiver>,
}

/// A version whose figures an actor may have: their own, or what was handed over of a return that they ask for.
async fn version(conn: &mut Conn, actor: &Actor, id: Uuid) -> Result<Submission, Denied> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded);
    }
    let found = submissions::find(conn, id).await?.ok_or(Denied::NotThere)?;
    allowed(actor, Action::TraceValue, &object(&found))?;
    Ok(found)
}

fn spec_of<'a>(versions: &'a [ReturnSpec], submission: &Submission) -> Option<&'a ReturnSpec> {
    let round = &submission.round;
    let mut versions = versions.iter();
    versions.find(|spec| spec.id == round.return_id && spec.version == round.return_version)
}

/// Where a value came from and where it went; not there where there is no such value.
pub async fn trace(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    which: WhichValue<'_>,
) -> Result<Traced, Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    let submission = version(&mut conn, actor, which.submission_id).await?;
    let spec = spec_of(versions, &submission).ok_or(Denied::NotThere)?;
    let (table, item) = named(versions, spec, which).ok_or(Denied::NotThere)?;
    let (value, keys) = record(&mut conn, (spec, table), item, which)
        .await?
        .ok_or(Denied::NotThere)?;
    let all = submissions::tables(&mut conn, submission.id).await?;
    let rows = all.iter().find(|rows| rows.table == table.name);
    let cell = rows.and_then(|rows| rows.cell(&item.name, which.row_number));
    let remarks = match &cell {
        Some(cell) if may(actor, Action::SeeFindings, &submission) => {
            remarks(&mut conn, &submission, cell).await?
        }
        _ => Vec::new(),
    };
    // Releases are seen by whoever sees everybody's figures.
    let releases = match allowed(
        actor,
        Action::SeeReleases,
        &Object {
            return_id: Some(&spec.id),
            ..Object::default()
        },
    ) {
        Ok(_) => releases::of_submission(&mut conn, submission.id).await?,
        Err(_) => Vec::new(),
    };
    let counts_now = match spec.accumulation {
        Accumulation::Replace => submissions::counts_now(&mut conn, submission.id).await?,
        Accumulation::Cumulative => {
            let known_by: Vec<Option<String>> =
                keys.iter().map(|(_, value)| value.clone()).collect();
            {
                let record = (which.row_number, known_by.as_slice());
                is_newest(&mut conn, actor, (&submission, spec, table), record).await?
            }
        }
    };
    Ok(Traced {
        table_title: table.title.clone(),
        item: item.name.clone(),
        item_title: item.title.clone(),
        row_number: which.row_number,
        value,
        keys: keys
            .into_iter()
            .map(|(key, value)| (key.title.clone(), value.unwrap_or_default()))
            .collect(),
        cell,
        history: handovers::of_submission(&mut conn, submission.id).await?,
        remarks,
        counts_now,
        releases,
        submission,
    })
}

/// The item that is meant: by its own name, or by what a newer version calls it, since a dataset of several versions has
/// the newest names.
fn named<'a>(
    versions: &'a [ReturnSpec],
    spec: &'a ReturnSpec,
    which: WhichValue<'_>,
) -> Option<(&'a TableSpec, &'a Item)> {
    let own = spec.table(which.table);
    if let Some(found) = own.and_then(|table| Some((table, item_of(table, which.item)?))) {
        return Some(found);
    }
    let mut newer: Vec<&ReturnSpec> = versions
        .iter()
        .filter(|one| one.id == spec.id && one.valid_from > spec.valid_from)
        .collect();
    newer.sort_by_key(|one| one.valid_from);
    newer.into_iter().find_map(|newer| {
        let table = newer.table(which.table)?;
        let ancestry = Ancestry::of(versions, newer);
        let before = ancestry.before((newer, table, item_of(table, which.item)?), spec)?;
        Some((before.table, before.item))
    })
}

/// By its own name, or by its column's.
fn item_of<'a>(table: &'a TableSpec, name: &str) -> Option<&'a Item> {
    let by_column = || {
        let mut items = table.items.iter();
        items.find(|item| dataset::column_name(table, item) == name)
    };
    table.item(name).or_else(by_column)
}

type Value<'a> = (Option<String>, Vec<(&'a Item, Option<String>)>);

/// The value and the keys of its record; `None`: there is no such record.
async fn record<'a>(
    conn: &mut Conn,
    (spec, table): (&'a ReturnSpec, &'a TableSpec),
    item: &'a Item,
    which: WhichValue<'_>,
) -> Result<Option<Value<'a>>, DbError> {
    let keys: Vec<&Item> = table
        .keys
        .iter()
        .filter_map(|key| table.item(key))
        .collect();
    let items: Vec<Option<&str>> = std::iter::once(item)
        .chain(keys.iter().copied())
        .map(|item| Some(item.name.as_str()))
        .collect();
    let source = Source {
        spec,
        table,
        items: &items,
        codes: &[],
        keys: &[],
    };
    let Some(before) = which.row_number.checked_sub(1) else {
        return Ok(None);
    };
    let found = records::page(conn, &source, which.submission_id, before, 1).await?;
    let found = found.into_iter().next();
    let Some(found) = found.filter(|record| record.row_number == which.row_number) else {
        return Ok(None);
    };
    let mut values = found.values.into_iter();
    let value = values.next().flatten();
    Ok(Some((value, keys.into_iter().zip(values).collect())))
}

/// Whether of all that counts up to the end of its period it is the record that came last of those that are known by the
/// same: where records accumulate, that one is in the dataset.
async fn is_newest(
    conn: &mut Conn,
    actor: &Actor,
    (submission, spec, table): (&Submission, &ReturnSpec, &TableSpec),
    (row_number, known_by): (u32, &[Option<String>]),
) -> Result<bool, DbError> {
    let round = &submission.round;
    let span = Span {
        return_id: &round.return_id,
        from_end: round.period.end,
        to_end: round.period.end,
        accumulation: Accumulation::Cumulative,
        sees: &sees(actor),
        organisations: std::slice::from_ref(&submission.organisation),
        only_accepted: false,
    };
    let counted = records::counted(conn, &span).await?;
    // What comes after it is of the same period, and so of the same version of the return.
    let from_it_on: Vec<Uuid> = counted
        .iter()
        .map(|counted| counted.submission_id)
        .skip_while(|id| *id != submission.id)
        .collect();
    if from_it_on.is_empty() || table.keys.is_empty() {
        return Ok(!from_it_on.is_empty());
    }
    let keys = InVersion {
        spec,
        table,
        items: table.keys.iter().map(|key| Some(key.as_str())).collect(),
        codes: Vec::new(),
    };
    let last = records::last_known_by(conn, &keys, &from_it_on, known_by).await?;
    Ok(last == Some((submission.id, row_number)))
}

async fn remarks(
    conn: &mut Conn,
    submission: &Submission,
    cell: &CellRef,
) -> Result<Vec<Remark>, DbError> {
    let found = findings::at_cell(conn, submission.id, cell).await?;
    let keys: Vec<String> = found
        .iter()
        .filter_map(|numbered| numbered.finding.key.as_ref())
        .map(|key| key.as_str().to_owned())
        .collect();
    let explanations = db::explanations::of_records(conn, submission.id, &keys).await?;
    let (organisation, return_id) = (&submission.organisation, &submission.round.return_id);
    let waivers = db::waivers::list(conn, Some(organisation), Some(return_id)).await?;
    Ok(found
        .into_iter()
        .map(|numbered| {
            let finding = &numbered.finding;
            let key = finding.key.as_ref().map(finding::FindingKey::as_str);
            let is_granted = |waiver: &&Waiver| {
                waiver.rule == finding.rule.as_str()
                    && waiver.key.as_deref().is_none_or(|of| Some(of) == key)
                    && waiver
                        .decision
                        .as_ref()
                        .is_some_and(|decision| decision.ends_on.is_some())
            };
            Remark {
                explanation: explanations
                    .iter()
                    .find(|explanation| Some(explanation.key.as_str()) == key)
                    .cloned(),
                waivers: waivers.iter().filter(is_granted).cloned().collect(),
                finding: numbered,
            }
        })
        .collect())
}

/// The item of a version that was read from a cell; not there where that cell is none's. Tables may share a sheet and
/// its columns: it is the one's that has a record in that row.
pub async fn value_at(
    db: &Db,
    actor: &Actor,
    versions: &[ReturnSpec],
    submission_id: Uuid,
    cell: &CellRef,
) -> Result<(String, u32, String), Denied> {
    let mut conn = db.read(&sees(actor)).await?;
    let submission = version(&mut conn, actor, submission_id).await?;
    let spec = spec_of(versions, &submission).ok_or(Denied::NotThere)?;
    let row_number = cell.row_idx + 1;
    for rows in submissions::tables(&mut conn, submission.id).await? {
        let mut items = rows.columns.keys();
        let item = items.find(|item| rows.cell(item, row_number).as_ref() == Some(cell));
        let table = spec.table(&rows.table);
        let found = table.zip(item.and_then(|item| table?.item(item)));
        let Some((table, item)) = found else { continue };
        let which = WhichValue {
            submission_id,
            table: &table.name,
            row_number,
            item: &item.name,
        };
        if record(&mut conn, (spec, table), item, which)
            .await?
            .is_some()
        {
            return Ok((table.name.clone(), row_number, item.name.clone()));
        }
    }
    Err(Denied::NotThere)
}
