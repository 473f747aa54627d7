//! Gives each finding the key by which it is known again in the sender's next file.

use std::collections::{HashMap, HashSet};

use finding::{Finding, FindingKey, Findings};
use frame::{Frame, Framed};
use spec::{Layout, ReturnSpec, RuleKind, TableSpec};

/// Findings with the same key but for their number are told apart in report order.
pub(crate) fn give(spec: &ReturnSpec, framed: &Framed, findings: &mut Findings) {
    let tables: HashMap<&str, Records<'_>> = framed
        .frames
        .iter()
        .filter_map(|frame| Some((frame.table.as_str(), Records::new(spec, frame)?)))
        .collect();
    // What these are about stands in an earlier file: it has no row here, and only their words tell one from another.
    let of_absent: HashSet<&str> = spec
        .rules
        .iter()
        .filter(|rule| matches!(rule.kind, RuleKind::Present { .. }))
        .map(|rule| rule.id.as_str())
        .collect();
    // Nearly every key is given once: those that are not are counted, and of the others only that they were.
    let mut given: HashSet<u64> = HashSet::with_capacity(findings.len());
    let mut n_again: HashMap<u128, usize> = HashMap::new();
    for finding in findings {
        let record = if of_absent.contains(finding.rule.as_str()) {
            vec![finding.message.clone()]
        } else {
            record_of(&tables, finding)
        };
        let parts: Vec<&str> = record.iter().map(String::as_str).collect();
        let key = |nth| {
            FindingKey::new(
                &finding.rule,
                finding.table.as_deref(),
                finding.item.as_deref(),
                &parts,
                nth,
            )
        };
        let first = key(0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "half of a key tells keys apart"
        )]
        let is_new = given.insert(first.bits() as u64);
        finding.key = Some(if is_new {
            first
        } else {
            let nth = n_again.entry(first.bits()).or_default();
            *nth += 1;
            key(*nth)
        });
    }
}

/// What tells the finding's record from every other; nothing for a finding about no one record.
fn record_of(tables: &HashMap<&str, Records<'_>>, finding: &Finding) -> Vec<String> {
    let Some(row_number) = finding.row_number else {
        return Vec::new();
    };
    let table = finding.table.as_deref().and_then(|name| tables.get(name));
    table
        .and_then(|records| records.of_row(row_number.checked_sub(1)?))
        // A row that is no record has nothing but its place.
        .unwrap_or_else(|| vec![row_number.to_string()])
}

/// The records of a table, and what tells one from every other.
struct Records<'a> {
    rows: Rows<'a>,
    key_idxs: Vec<usize>,
}

impl<'a> Records<'a> {
    fn new(spec: &ReturnSpec, frame: &'a Frame) -> Option<Self> {
        Some(Self {
            rows: Rows::of(frame),
            key_idxs: key_idxs(spec.table(&frame.table)?),
        })
    }

    fn of_row(&self, row_idx: u32) -> Option<Vec<String>> {
        let values = &self.rows.frame.values;
        let record_idx = self.rows.record_idx(row_idx)?;
        let of_key = self
            .key_idxs
            .iter()
            .map(|&item_idx| values[item_idx].plain(record_idx))
            .collect::<Option<Vec<_>>>()
            .filter(|values| !values.is_empty());
        // Without a key of its own, or with one that can't be read, a record is what it says.
        of_key.or_else(|| {
            Some(
                values
                    .iter()
                    .map(|values| values.plain(record_idx).unwrap_or_default())
                    .collect(),
            )
        })
    }
}

/// The rows of a table's records.
pub(crate) struct Rows<'a> {
    pub(crate) frame: &'a Frame,
    /// The lines of a form stand in the spec's order, which need not be the sheet's.
    in_order: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(frame: &'a Frame) -> Self {
        Self {
            frame,
            in_order: frame.places.row_idxs.is_sorted(),
        }
    }

    pub(crate) fn record_idx(&self, row_idx: u32) -> Option<usize> {
        let row_idxs = &self.frame.places.row_idxs;
        if self.in_order {
            row_idxs.binary_search(&row_idx).ok()
        } else {
            row_idxs.iter().position(|other| *other == row_idx)
        }
    }
}

fn key_idxs(table: &TableSpec) -> Vec<usize> {
    let names = match &table.layout {
        Layout::Matrix(matrix) => std::slice::from_ref(&matrix.line_item),
        Layout::Records(_) | Layout::TurnAround { .. } => table.keys.as_slice(),
    };
    names
        .iter()
        .filter_map(|name| table.item_idx(name))
        .collect()
}
