//! Two versions side by side: which records came, went and changed, and what became of the findings.

use std::time::Duration;

use access::{Action, ActorId};
use dataset::DatasetError;
use db::records::{self, Asked as AskedOfTable, Pair, Side};
use db::submissions::{self, Answering, Submission, TableRows};
use db::{Conn, Db, DbError, Sees, findings};
use spec::layout::Layout;
use spec::{ReturnSpec, TableSpec};
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

impl TableChanges<'_> {
    /// Rows of the newer version.
    pub fn n_now(&self) -> u64 {
        self.of.new_rows.as_ref().map_or(0, |rows| rows.n_loaded)
    }
}

/// Compares two versions; the specs are theirs.
pub async fn changes<'a>(
    db: &Db,
    actor: &Actor,
    versions: &Versions,
    specs: (&'a ReturnSpec, &'a ReturnSpec),
    asked: &AskedOfTwo,
) -> Result<Changes<'a>, Denied> {
    let mut tx = db.begin_snapshot(&seen(actor, versions)?).await?;
    tx.set_statement_timeout(COMPARED_WITHIN).await?;
    let (tables, not_compared, nothing_in) = tables_of(&mut tx, versions, specs).await?;
    let mut changes = Changes {
        nothing_in,
        tables: Vec::new(),
        not_compared,
        findings: findings::changes(&mut tx, versions.old.id, versions.new.id).await?,
    };
    let (mut skipped, mut limit) = (asked.skipped, asked.limit);
    for of in tables {
        let lines = asked
            .text
            .as_deref()
            .map(|text| lines(of.pair.new.table, text));
        let of_table = AskedOfTable {
            only: asked.only,
            text: asked.text.as_deref(),
            or_first_key: lines.as_deref().unwrap_or_default(),
            skipped,
            limit,
        };
        let found = records::changes(&mut tx, &of.pair, &of_table).await?;
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
    specs: (&ReturnSpec, &ReturnSpec),
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
    Vec<String>,
    (Option<NothingIn>, Option<NothingIn>),
);

/// The tables that both ask for, what only one of them does, and whether there is nothing in one of them.
async fn tables_of<'a>(
    conn: &mut Conn,
    versions: &Versions,
    (old_spec, new_spec): (&'a ReturnSpec, &'a ReturnSpec),
) -> Result<Found<'a>, DbError> {
    let old_rows = submissions::tables(conn, versions.old.id).await?;
    let new_rows = submissions::tables(conn, versions.new.id).await?;
    let nothing_in = (
        nothing_in(&versions.old, &old_rows),
        nothing_in(&versions.new, &new_rows),
    );
    let mut tables = Vec::new();
    let mut not_compared = Vec::new();
    let rows_of =
        |all: &[TableRows], name: &str| all.iter().find(|rows| rows.table == name).cloned();
    for new in &new_spec.tables {
        let Some(old) = old_spec.table(&new.name) else {
            not_compared.push(new.title.clone());
            continue;
        };
        not_compared.extend(only_in(new, old).chain(only_in(old, new)));
        tables.push(TableOfTwo {
            pair: Pair {
                old: Side {
                    spec: old_spec,
                    table: old,
                    submission_id: versions.old.id,
                },
                new: Side {
                    spec: new_spec,
                    table: new,
                    submission_id: versions.new.id,
                },
            },
            old_rows: rows_of(&old_rows, &old.name),
            new_rows: rows_of(&new_rows, &new.name),
        });
    }
    let gone = old_spec.tables.iter();
    let gone = gone.filter(|table| new_spec.table(&table.name).is_none());
    not_compared.extend(gone.map(|table| table.title.clone()));
    if nothing_in != (None, None) {
        tables.clear();
    }
    Ok((tables, not_compared, nothing_in))
}

/// Titles of items that the other table does not have.
fn only_in<'a>(table: &'a TableSpec, other: &'a TableSpec) -> impl Iterator<Item = String> + 'a {
    let items = table.items.iter();
    let only = items.filter(|item| other.item(&item.name).is_none());
    only.map(|item| format!("{}: {}", table.title, item.title))
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
