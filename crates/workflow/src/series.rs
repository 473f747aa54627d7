//! Figures that a check asks about because they moved, with what they were in the periods before.

use access::Action;
use db::records::{self, Side};
use db::submissions::{self, Submission};
use db::{Conn, Db, DbError};
use finding::Finding;
use spec::layout::Layout;
use spec::rule::Figure;
use spec::{Item, Period, ReturnSpec, RuleKind, TableSpec};

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
    let mut all = Vec::new();
    for (finding_idx, moved) in moved {
        let points = points(&mut conn, submission, spec, &versions, moved).await?;
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

async fn points(
    conn: &mut Conn,
    submission: &Submission,
    spec: &ReturnSpec,
    versions: &[(&Submission, &ReturnSpec)],
    moved: Moved<'_>,
) -> Result<Vec<(Period, Option<String>)>, DbError> {
    let mut points = Vec::new();
    let keys = match moved {
        Moved::Records(_) => None,
        Moved::Item {
            table, row_number, ..
        } => {
            let own = Side {
                spec,
                table,
                submission_id: submission.id,
            };
            records::keys_of(conn, &own, row_number).await?
        }
    };
    for (version, spec) in versions {
        let value = match (moved, &keys) {
            (Moved::Records(table), _) => {
                let tables = submissions::tables(conn, version.id).await?;
                let rows = tables.iter().find(|rows| rows.table == table.name);
                rows.map(|rows| rows.n_loaded.to_string())
            }
            (Moved::Item { table, item, .. }, Some(keys)) => match spec.table(&table.name) {
                Some(table) => {
                    let side = Side {
                        spec,
                        table,
                        submission_id: version.id,
                    };
                    records::value_of(conn, &side, &item.name, keys).await?
                }
                None => None,
            },
            (Moved::Item { .. }, None) => None,
        };
        points.push((version.round.period.clone(), value));
    }
    Ok(points)
}
