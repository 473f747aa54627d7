//! Figures that a check asks about because they moved, with what they were in the periods before.

use access::Action;
use db::records::{self, InVersion, Source};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError};
use finding::Finding;
use spec::layout::Layout;
use spec::rule::Figure;
use spec::{Ancestry, Before, Item, Period, ReturnSpec, RuleKind, TableSpec};

use crate::actor::{Denied, allowed, object, sees};
use crate::{Actor, NumberedFinding};

/// Periods before that are looked at.
const PERIODS: u32 = 7;

/// A figure over the periods, the oldest first and the version's own last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The place in the findings that were given.
    pub finding_idx: usize,
    /// What the figure is: an item's title with its line, or a table's rows.
    pub title: String,
    /// Exact, in Postgres text form; `None`: blank, or not there.
    pub points: Vec<(Period, Option<String>)>,
}

/// The series of the first findings that ask about a movement, at most so many.
/// Figures of forms, and numbers of records: looking one record up in each of many large files takes too long for a page.
pub async fn series(
    db: &Db,
    actor: &Actor,
    submission: &Submission,
    specs: &[ReturnSpec],
    findings: &[NumberedFinding],
    n_most: usize,
) -> Result<Vec<Series>, Denied> {
    allowed(actor, Action::SeeFindings, &object(submission))?;
    let spec_of = |version: &Submission| {
        let (id, number) = (&version.round.return_id, &version.round.return_version);
        specs
            .iter()
            .find(|spec| spec.id == *id && spec.version == *number)
    };
    let Some(spec) = spec_of(submission) else {
        return Ok(Vec::new());
    };
    let moved: Vec<(usize, Moved<'_>)> = findings
        .iter()
        .enumerate()
        .filter_map(|(idx, one)| Some((idx, moved(spec, &one.finding)?)))
        .take(n_most)
        .collect();
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let mut conn = db.read(&sees(actor)).await?;
    let mut versions = submissions::standing_earlier(&mut conn, submission.id, PERIODS).await?;
    versions.reverse();
    versions.push(submission.clone());
    let versions: Vec<(&Submission, &ReturnSpec)> = versions
        .iter()
        .filter_map(|version| Some((version, spec_of(version)?)))
        .collect();
    let ancestry = Ancestry::of(specs, spec);
    let mut all = Vec::new();
    for (finding_idx, moved) in moved {
        let own = (submission, spec);
        let points = points(&mut conn, own, &ancestry, &versions, moved).await?;
        let n_known = points.iter().filter(|(_, value)| value.is_some()).count();
        // One figure by itself is no picture.
        if n_known > 1 {
            all.push(Series {
                finding_idx,
                title: moved.title(),
                points,
            });
        }
    }
    Ok(all)
}

/// A figure that moved.
#[derive(Debug, Clone, Copy)]
enum Moved<'a> {
    Records(&'a TableSpec),
    Item {
        table: &'a TableSpec,
        item: &'a Item,
        row_number: u32,
    },
}

impl Moved<'_> {
    fn title(self) -> String {
        match self {
            Moved::Records(table) => format!("{}: number of rows", table.title),
            Moved::Item {
                table,
                item,
                row_number,
            } => {
                let line = match &table.layout {
                    Layout::Matrix(matrix) => matrix
                        .lines
                        .iter()
                        .find(|line| line.row_idx + 1 == row_number),
                    Layout::Records(_) | Layout::TurnAround { .. } => None,
                };
                match line {
                    Some(line) => format!("{}: {}", line.label, item.title),
                    None => item.title.clone(),
                }
            }
        }
    }
}

fn moved<'a>(spec: &'a ReturnSpec, finding: &Finding) -> Option<Moved<'a>> {
    let rule = spec
        .rules
        .iter()
        .find(|rule| rule.id == finding.rule.as_str())?;
    let RuleKind::Change(change) = &rule.kind else {
        return None;
    };
    let table = spec.table(&rule.table)?;
    match change.figure {
        Figure::Records => Some(Moved::Records(table)),
        Figure::Items => {
            let item = table.item(finding.item.as_ref()?)?;
            let row_number = finding.cell.as_ref()?.row_idx + 1;
            matches!(table.layout, Layout::Matrix(_)).then_some(Moved::Item {
                table,
                item,
                row_number,
            })
        }
    }
}

/// What an older version called otherwise is the same figure; where it asked for something else, there is none.
async fn points(
    conn: &mut Conn,
    (submission, spec): (&Submission, &ReturnSpec),
    ancestry: &Ancestry<'_>,
    versions: &[(&Submission, &ReturnSpec)],
    moved: Moved<'_>,
) -> Result<Vec<(Period, Option<String>)>, DbError> {
    let mut points = Vec::new();
    let keys = match moved {
        Moved::Records(_) => None,
        Moved::Item {
            table, row_number, ..
        } => keys(conn, submission, (spec, table), row_number).await?,
    };
    for (version, older) in versions {
        let value = match (moved, &keys) {
            (Moved::Records(table), _) => {
                let tables = submissions::tables(conn, version.id).await?;
                let before = ancestry.table_before(spec, &table.name, older);
                let mut tables = tables.iter();
                let rows = before.and_then(|before| tables.find(|rows| rows.table == before.name));
                rows.map(|rows| rows.n_loaded.to_string())
            }
            (Moved::Item { table, item, .. }, Some(keys)) => {
                match figure(ancestry, (spec, table, item), older) {
                    Some(figure) => records::value_of(conn, &figure, version.id, keys).await?,
                    None => None,
                }
            }
            (Moved::Item { .. }, None) => None,
        };
        points.push((version.round.period.clone(), value));
    }
    Ok(points)
}

/// The values of a record's keys; `None`: there is no such record, or nothing that it is known by.
async fn keys(
    conn: &mut Conn,
    submission: &Submission,
    (spec, table): (&ReturnSpec, &TableSpec),
    row_number: u32,
) -> Result<Option<Vec<Option<String>>>, DbError> {
    let (Some(before), false) = (row_number.checked_sub(1), table.keys.is_empty()) else {
        return Ok(None);
    };
    let keys: Vec<Option<&str>> = table.keys.iter().map(|key| Some(key.as_str())).collect();
    let source = Source {
        spec,
        table,
        items: &keys,
        codes: &[],
        keys: &[],
    };
    let found = records::page(conn, &source, submission.id, before, 1).await?;
    let mut found = found.into_iter();
    let found = found.find(|record| record.row_number == row_number);
    Ok(found.map(|record| record.values))
}

/// An item and the keys of its records as an older version has them; `None`: it does not have all of them.
fn figure<'a>(
    ancestry: &Ancestry<'a>,
    (spec, table, item): (&'a ReturnSpec, &'a TableSpec, &'a Item),
    older: &'a ReturnSpec,
) -> Option<InVersion<'a>> {
    let keys = table.keys.iter().map(|key| table.item(key));
    let all: Vec<Before<'a>> = std::iter::once(Some(item))
        .chain(keys)
        .map(|item| ancestry.before((spec, table, item?), older))
        .collect::<Option<_>>()?;
    Some(InVersion {
        spec: older,
        table: all.first()?.table,
        items: all
            .iter()
            .map(|before| Some(before.item.name.as_str()))
            .collect(),
        codes: all.into_iter().map(|before| before.codes).collect(),
    })
}
