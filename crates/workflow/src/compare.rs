//! Two versions side by side: which records came, went and changed, and what became of the findings.

use std::time::Duration;

use access::{Action, ActorId};
use dataset::{DatasetError, ItemsOf, LinedUpTables, Mapped, SideOf, Until, tables_of_two};
use db::records::{self, Asked as AskedOfTable};
use db::submissions::{self, Answering, Submission, TableRows};
use db::{Conn, Db, DbError, Sees, findings};
use spec::layout::Layout;
use spec::{Accumulation, ReturnSpec, TableSpec};
use tokio::io::AsyncWrite;
use uuid::Uuid;

use crate::Actor;
use crate::actor::{Denied, allowed, may, object, sees};

pub use dataset::TableOfTwo;
pub use db::findings::RuleChanges;
pub use db::records::{Change, ChangeCounts, ChangedRecord, Figure};

/// The largest return is compared well within it.
pub(crate) const COMPARED_WITHIN: Duration = Duration::from_mins(1);

/// A version, and what it can be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToCompare {
    pub this: Submission,
    /// The one that was asked for, or the one before it with something in it; `None`: there is none.
    pub with: Option<Submission>,
    /// The others of the same period, newest first, then what stands for the period before.
    pub others: Vec<Submission>,
}

/// Finds a version and the other one: any of the same organisation and return that may be compared by whoever asks.
pub async fn to_compare(
    db: &Db,
    actor: &Actor,
    id: Uuid,
    with: Option<Uuid>,
) -> Result<ToCompare, Denied> {
    if actor.id == ActorId::Nobody {
        return Err(Denied::SignInNeeded);
    }
    let mut conn = db.read(&sees(actor)).await?;
    let this = submissions::find(&mut conn, id).await?;
    let this = this.ok_or(Denied::NotThere)?;
    allowed(actor, Action::Compare, &object(&this))?;
    let mut others = submissions::of_obligation(&mut conn, this.obligation_id).await?;
    others.retain(|other| other.id != id && may(actor, Action::Compare, other));
    let before = submissions::standing_before(&mut conn, Answering::Submission(id)).await?;
    others.extend(before.filter(|before| may(actor, Action::Compare, before)));
    let with = match with {
        None => {
            let is_before = |other: &&Submission| {
                order(other) < order(&this) && other.assessed_at.is_some() && !other.is_nil
            };
            others.iter().find(is_before).cloned()
        }
        Some(with) => {
            let other = submissions::find(&mut conn, with).await?;
            let is_like = |other: &Submission| {
                other.id != id
                    && other.organisation == this.organisation
                    && other.round.return_id == this.round.return_id
                    && may(actor, Action::Compare, other)
            };
            Some(other.filter(is_like).ok_or(Denied::NotThere)?)
        }
    };
    Ok(ToCompare { this, with, others })
}

fn order(submission: &Submission) -> (chrono::NaiveDate, u32) {
    (submission.round.period.end, submission.version_number)
}

impl ToCompare {
    /// Both, the earlier one first.
    pub fn versions(self) -> Option<Versions> {
        let with = self.with?;
        Some(if order(&with) < order(&self.this) {
            Versions {
                old: with,
                new: self.this,
            }
        } else {
            Versions {
                old: self.this,
                new: with,
            }
        })
    }
}

/// Two versions, the earlier one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    pub old: Submission,
    pub new: Submission,
}

/// Why nothing of a version can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NothingIn {
    /// It is not checked yet.
    NotChecked,
    /// It says that there is nothing to report.
    Nil,
    /// No row of it could be read.
    NotRead,
}

/// What is asked for of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedOfTwo {
    pub only: Option<Change>,
    pub text: Option<String>,
    pub skipped: u64,
    pub limit: u32,
}

/// What is different between two versions, and a page of it.
#[derive(Debug)]
pub struct Changes<'a> {
    /// Why there is nothing to compare in the old one, and in the new one.
    pub nothing_in: (Option<NothingIn>, Option<NothingIn>),
    pub tables: Vec<TableChanges<'a>>,
    /// Titles of tables and items that one of them does not ask for.
    pub not_compared: Vec<String>,
    /// Titles of items of which one of them asks for something else under the same name.
    pub asked_otherwise: Vec<String>,
    /// What the older one called otherwise.
    pub mapping: Vec<Mapped>,
    pub findings: Vec<RuleChanges>,
}

/// A table's changed records.
#[derive(Debug)]
pub struct TableChanges<'a> {
    pub of: TableOfTwo<'a>,
    /// All of them.
    pub counts: ChangeCounts,
    /// That were asked for.
    pub n_found: u64,
    /// Those of the page.
    pub records: Vec<ChangedRecord>,
}

/// Compares two versions; `specs` are all versions of returns.
pub async fn changes<'a>(
    db: &Db,
    actor: &Actor,
    versions: &Versions,
    specs: &'a [ReturnSpec],
    asked: &AskedOfTwo,
) -> Result<Changes<'a>, Denied> {
    let mut tx = db.begin_snapshot(&seen(actor, versions)?).await?;
    tx.set_statement_timeout(COMPARED_WITHIN).await?;
    let (tables, lined_up, nothing_in) = tables_of(&mut tx, versions, specs).await?;
    let mapping = lined_up.tables.iter().flat_map(|table| &table.mapping);
    let mut changes = Changes {
        nothing_in,
        tables: Vec::new(),
        mapping: mapping.cloned().collect(),
        not_compared: lined_up.not_in_all,
        asked_otherwise: lined_up.asked_otherwise,
        findings: findings::changes(&mut tx, versions.old.id, versions.new.id).await?,
    };
    let (mut skipped, mut limit) = (asked.skipped, asked.limit);
    for of in tables {
        let lines = asked
            .text
            .as_deref()
            .map(|text| lines(of.lined_up.table, text));
        let of_table = AskedOfTable {
            only: asked.only,
            text: asked.text.as_deref(),
            or_first_key: lines.as_deref().unwrap_or_default(),
            skipped,
            limit,
        };
        let found = records::changes(&mut tx, &of.comparison, &of_table).await?;
        skipped = skipped.saturating_sub(found.n_found);
        limit = limit.saturating_sub(u32::try_from(found.records.len()).unwrap_or(u32::MAX));
        changes.tables.push(TableChanges {
            of,
            counts: found.counts,
            n_found: found.n_found,
            records: found.records,
        });
    }
    tx.commit().await?;
    Ok(changes)
}

/// Why there is nothing to compare in the old one, and in the new one.
pub async fn nothing_to_compare(
    db: &Db,
    actor: &Actor,
    versions: &Versions,
) -> Result<(Option<NothingIn>, Option<NothingIn>), Denied> {
    let mut conn = db.read(&seen(actor, versions)?).await?;
    let old = submissions::tables(&mut conn, versions.old.id).await?;
    let new = submissions::tables(&mut conn, versions.new.id).await?;
    Ok((
        nothing_in(&versions.old, &old),
        nothing_in(&versions.new, &new),
    ))
}

/// Writes everything that is different as CSV; gives the number of records.
pub async fn changes_csv<W: AsyncWrite + Unpin + Send>(
    db: &Db,
    actor: &Actor,
    versions: &Versions,
    specs: &[ReturnSpec],
    mut out: W,
) -> Result<u64, ChangesCsvError> {
    let mut tx = db
        .begin_long_snapshot(&seen(actor, versions)?, COMPARED_WITHIN)
        .await?;
    let (tables, _, _) = tables_of(&mut tx, versions, specs).await?;
    let n = dataset::changes_csv(&mut tx, &tables, &mut out).await?;
    tx.commit().await.map_err(DatasetError::from)?;
    Ok(n)
}

#[derive(Debug, thiserror::Error)]
pub enum ChangesCsvError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What the database shows of two versions, to whoever may compare both.
fn seen(actor: &Actor, versions: &Versions) -> Result<Sees, Denied> {
    for version in [&versions.old, &versions.new] {
        allowed(actor, Action::Compare, &object(version))?;
    }
    Ok(sees(actor))
}

type Found<'a> = (
    Vec<TableOfTwo<'a>>,
    LinedUpTables<'a>,
    (Option<NothingIn>, Option<NothingIn>),
);

/// The tables that both ask for, what only one of them does, and whether there is nothing in one of them.
async fn tables_of<'a>(
    conn: &mut Conn,
    versions: &Versions,
    specs: &'a [ReturnSpec],
) -> Result<Found<'a>, Denied> {
    let Versions { old, new } = versions;
    let old_rows = submissions::tables(conn, old.id).await?;
    let new_rows = submissions::tables(conn, new.id).await?;
    let nothing_in = (nothing_in(old, &old_rows), nothing_in(new, &new_rows));
    let mut until = Until::new();
    for version in [new, old] {
        let round = &version.round;
        until.insert(round.return_version.clone(), round.period.label.clone());
    }
    let return_id = &new.round.return_id;
    // Not there: a version of the return that is not in use any more.
    let lined_up = LinedUpTables::of(specs, return_id, &until, ItemsOf::Every)
        .map_err(|_| Denied::NotThere)?;
    let tables = if nothing_in == (None, None) {
        let [old, new] = [old, new].map(|of| [(of.id, of.round.return_version.as_str())]);
        let [old, new] = [&old, &new].map(|submissions| SideOf {
            submissions,
            // Each by itself, also where records accumulate.
            accumulation: Accumulation::Replace,
            left_out: None,
        });
        tables_of_two(conn, &lined_up.tables, old, new).await?
    } else {
        Vec::new()
    };
    Ok((tables, lined_up, nothing_in))
}

fn nothing_in(version: &Submission, tables: &[TableRows]) -> Option<NothingIn> {
    if version.is_nil {
        Some(NothingIn::Nil)
    } else if version.outcome.is_none() {
        Some(NothingIn::NotChecked)
    } else if tables.iter().all(|table| table.n_loaded == 0) {
        Some(NothingIn::NotRead)
    } else {
        None
    }
}

/// The codes of a form's lines whose names have a text in them.
fn lines(table: &TableSpec, text: &str) -> Vec<String> {
    let Layout::Matrix(matrix) = &table.layout else {
        return Vec::new();
    };
    let text = text.to_lowercase();
    let named = matrix.lines.iter();
    let named = named.filter(|line| line.label.to_lowercase().contains(&text));
    named.map(|line| line.code.clone()).collect()
}

/// Whether an actor may have a version compared.
pub fn may_compare(actor: &Actor, submission: &Submission) -> bool {
    may(actor, Action::Compare, submission)
}
