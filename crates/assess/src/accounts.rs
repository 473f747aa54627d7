//! What became of every row: loaded, rejected, or ignored for a stated reason.

use std::collections::{BTreeMap, HashMap};

use finding::{Findings, Outcome, Severity};
use frame::{Frame, Framed, IgnoredRows};
use serde::{Deserialize, Serialize};
use spec::ReturnSpec;

use crate::causes::Rows;

/// The rows of one table; `n_rows = loaded + rejected + ignored`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAccount {
    pub name: String,
    /// The sheet it was read from.
    pub sheet: String,
    /// Rows of the sheet down to the last one with something in it.
    pub n_rows: u64,
    pub loaded: u64,
    pub rejected: u64,
    pub ignored: u64,
    /// `ignored`, by reason.
    pub ignored_rows: Vec<IgnoredRows>,
    /// The sheet column of each item, in letters.
    pub columns: BTreeMap<String, String>,
}

/// Records of one table, as Postgres reads text: dates ISO, decimals exact, blank absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowBlock {
    pub table: String,
    /// The sheet row of each record, 1-based.
    pub row_numbers: Vec<u32>,
    /// One per item, in the spec's order, each in parallel with `row_numbers`.
    pub columns: Vec<ColumnBlock>,
    /// The sender's own columns that the sheet has, each in parallel with `row_numbers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<OwnBlock>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnBlock {
    pub item: String,
    pub values: Vec<Option<String>>,
}

/// A column of the sender's own, as the sender sees its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnBlock {
    pub heading: String,
    pub values: Vec<Option<String>>,
}

/// Which records of which table are rejected.
#[derive(Debug, Default)]
pub(crate) struct Rejected {
    /// Nothing of a refused file is loaded.
    all: bool,
    /// Whether each record is, by table.
    records: HashMap<String, Vec<bool>>,
}

impl Rejected {
    /// Whether a record of the frame is rejected, by its position.
    fn of<'a>(&'a self, frame: &Frame) -> impl Fn(usize) -> bool + 'a {
        let rejected = self.records.get(&frame.table);
        let is_rejected = move |record_idx| rejected.and_then(|all| all.get(record_idx)).copied();
        move |record_idx| self.all || is_rejected(record_idx).unwrap_or_default()
    }
}

/// A record is rejected if anything on its row has to be fixed: as a finding says, or one that stands for those of many rows.
pub(crate) fn rejected(framed: &Framed, findings: &Findings, of_many: &Rows) -> Rejected {
    let of_frame = |frame: &Frame| {
        let of_table = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .filter(|finding| finding.table.as_deref() == Some(&frame.table))
            .filter_map(|finding| Some(finding.row_number?.saturating_sub(1)));
        let of_many = of_many.get(&frame.table).into_iter().flatten().copied();
        let mut by_row: Vec<bool> = Vec::new();
        for row_idx in of_table.chain(of_many) {
            let row_idx = row_idx as usize;
            by_row.resize(by_row.len().max(row_idx + 1), false);
            by_row[row_idx] = true;
        }
        let is_rejected = |row_idx: &u32| by_row.get(*row_idx as usize).copied();
        let records = frame.places.row_idxs.iter();
        let records = records.map(|row_idx| is_rejected(row_idx).unwrap_or_default());
        (frame.table.clone(), records.collect())
    };
    Rejected {
        all: findings.outcome() == Outcome::Refused,
        records: framed.frames.iter().map(of_frame).collect(),
    }
}

pub(crate) fn table_accounts(
    spec: &ReturnSpec,
    framed: &Framed,
    rejected: &Rejected,
) -> Vec<TableAccount> {
    framed
        .frames
        .iter()
        .filter_map(|frame| {
            let n_records = frame.n_records() as u64;
            let is_rejected = rejected.of(frame);
            let n_rejected = (0..frame.n_records())
                .filter(|&record_idx| is_rejected(record_idx))
                .count() as u64;
            Some(TableAccount {
                name: frame.table.clone(),
                sheet: frame.places.sheet.to_string(),
                n_rows: frame.account.n_rows,
                loaded: n_records - n_rejected,
                rejected: n_rejected + frame.account.rejected_row_idxs.len() as u64,
                ignored: frame.account.n_ignored(),
                ignored_rows: frame.account.ignored.clone(),
                columns: frame.places.letters(spec.table(&frame.table)?),
            })
        })
        .collect()
}

pub(crate) fn row_blocks<'a>(
    spec: &'a ReturnSpec,
    framed: &'a Framed,
    rejected: &'a Rejected,
    n_rows: usize,
) -> impl Iterator<Item = RowBlock> + 'a {
    framed.frames.iter().flat_map(move |frame| {
        let is_rejected = rejected.of(frame);
        let kept: Vec<usize> = (0..frame.n_records())
            .filter(|&record_idx| !is_rejected(record_idx))
            .collect();
        let n_blocks = kept.len().div_ceil(n_rows.max(1));
        (0..n_blocks).filter_map(move |block_idx| {
            let from = block_idx * n_rows;
            let to = (from + n_rows).min(kept.len());
            block(spec, frame, kept.get(from..to)?)
        })
    })
}

fn block(spec: &ReturnSpec, frame: &Frame, record_idxs: &[usize]) -> Option<RowBlock> {
    let table = spec.table(&frame.table)?;
    Some(RowBlock {
        table: frame.table.clone(),
        row_numbers: record_idxs
            .iter()
            .filter_map(|&idx| frame.places.row_idxs.get(idx).map(|row_idx| row_idx + 1))
            .collect(),
        columns: table
            .items
            .iter()
            .zip(&frame.values)
            .map(|(item, values)| ColumnBlock {
                item: item.name.clone(),
                values: record_idxs.iter().map(|&idx| values.plain(idx)).collect(),
            })
            .collect(),
        own: frame
            .own
            .iter()
            .map(|column| OwnBlock {
                heading: column.heading.clone(),
                values: record_idxs.iter().map(|&idx| column.value(idx)).collect(),
            })
            .collect(),
    })
}
