//! One mistake, one finding: findings that come of one mistake are said as that mistake.
//!
//! A file that is another return's, columns under each other's headings, rows that slipped a column, dates in the American order,
//! a column that is wrong from top to bottom, a form or a line of it that was not filled in: each would be told as hundreds of wrong cells.
//! Where a file has many, it is looked at once more for what they have in common; a file with few is told of each.

mod again;
mod another_return;
mod blank;
mod merged;
mod month_first;
mod moved;
mod shifted;
mod swapped;
mod whole_column;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use finding::{Finding, Findings, Outcome, Severity};
use frame::{Frame, Framed};
use sheet::SheetInfo;
use spec::{Layout, TableSpec};

use crate::Request;

pub(crate) use another_return::{Heads, LIKE, by_its_stamp};

/// Rows to be rejected, 0-based, by table: a finding that stands for many has no row of its own for each.
pub(crate) type Rows = HashMap<String, HashSet<u32>>;

/// What is left of the findings, and the rows whose findings are gone.
pub(crate) fn single_out(
    request: &Request<'_>,
    sheets: &[SheetInfo],
    framed: &Framed,
    findings: Findings,
) -> (Findings, Rows) {
    if findings.outcome() == Outcome::Refused {
        let findings = another_return::single_out(request, findings);
        return (moved::single_out(findings), Rows::new());
    }
    let mut causes = Causes {
        findings: findings.into_vec(),
        found: Vec::new(),
        rows: Rows::new(),
    };
    for table in &request.spec.tables {
        let Some(frame) = framed.frame(&table.name) else {
            continue;
        };
        if let Layout::Matrix(matrix) = &table.layout {
            blank::single_out(request, table, matrix, frame, &mut causes);
        } else {
            merged::single_out(table, frame, sheets, &mut causes);
            in_table(request, table, frame, &mut causes);
        }
        whole_column::single_out(request, table, frame, &mut causes);
    }
    let mut all = causes.findings;
    all.append(&mut causes.found);
    (all.into(), causes.rows)
}

fn in_table(request: &Request<'_>, table: &TableSpec, frame: &Frame, causes: &mut Causes) {
    let faults = Faults::of(table, frame, &causes.findings);
    if faults.cells.is_empty() {
        return;
    }
    let wanted = again::Wanted {
        sheet: &frame.places.sheet,
        rows: faults.rows_with_many(),
        sample: faults.sample(frame),
        columns: faults.month_first_columns(frame),
    };
    if !wanted.rows.is_empty() || !wanted.sample.is_empty() || !wanted.columns.is_empty() {
        let columns = shifted::Column::of(table, frame);
        // A sheet whose rows are out of order is shown again from its start.
        let mut shifts = BTreeMap::new();
        let seen = again::look(request, wanted, &mut |row_idx, cells| {
            let shift = shifted::shift(&columns, cells);
            shifts.extend(shift.map(|shift| (row_idx, shift)));
        });
        swapped::single_out(table, frame, &faults, &seen, causes);
        let shifts: Vec<_> = shifts.into_iter().collect();
        shifted::single_out(table, frame, &columns, &shifts, causes);
        month_first::single_out(table, frame, &seen, causes);
    }
}

/// The findings that are still to be told, and what was found behind the others.
struct Causes {
    findings: Vec<Finding>,
    found: Vec<Finding>,
    rows: Rows,
}

impl Causes {
    /// Puts one finding in the place of those of a table that come of it; their rows stay rejected.
    fn replace(
        &mut self,
        table: &TableSpec,
        comes_of_it: impl Fn(&Finding) -> bool,
        cause: Finding,
    ) {
        let rows = self.rows.entry(table.name.clone()).or_default();
        self.findings.retain(|finding| {
            let gone = finding.table.as_deref() == Some(&table.name) && comes_of_it(finding);
            if gone && finding.severity == Severity::Error {
                rows.extend(finding.row_number.map(|number| number.saturating_sub(1)));
            }
            !gone
        });
        self.found.push(cause);
    }

    fn reject(&mut self, table: &TableSpec, row_idxs: impl IntoIterator<Item = u32>) {
        let rows = self.rows.entry(table.name.clone()).or_default();
        rows.extend(row_idxs);
    }
}

/// Which cells of a table have to be mended.
struct Faults {
    /// 0-based row and item position of each cell, in order.
    cells: Vec<(u32, usize)>,
    /// How many rows, by item.
    n_of_item: Vec<usize>,
    /// Items of which a cell is a date once its month is taken to come first.
    month_first: BTreeSet<usize>,
}

impl Faults {
    fn of(table: &TableSpec, frame: &Frame, findings: &[Finding]) -> Self {
        let mut faults = Self {
            cells: Vec::new(),
            n_of_item: vec![0; table.items.len()],
            month_first: BTreeSet::new(),
        };
        for finding in findings {
            let (Some(row_number), Some(item)) = (finding.row_number, &finding.item) else {
                continue;
            };
            let of_table = finding.table.as_deref() == Some(&frame.table);
            if !of_table || finding.severity != Severity::Error {
                continue;
            }
            let Some(item_idx) = table.item_idx(item) else {
                continue;
            };
            faults.cells.push((row_number.saturating_sub(1), item_idx));
            let value = finding.value.as_deref().unwrap_or_default();
            let order = frame::day_order(value);
            if finding.rule.as_str().ends_with("-not-a-date")
                && matches!(order, Some(frame::DayOrder::MonthFirst(_)))
            {
                faults.month_first.insert(item_idx);
            }
        }
        faults.cells.sort_unstable();
        faults.cells.dedup();
        for (_, item_idx) in &faults.cells {
            faults.n_of_item[*item_idx] += 1;
        }
        faults
    }

    /// A row with faults in this many cells may be a sound one in the wrong place.
    const MANY: usize = 3;
    /// So many records are enough to see whose values stand in a column.
    const SAMPLE: usize = 200;

    /// Nearly all the values of an item that there are.
    fn is_wrong_throughout(&self, item_idx: usize, frame: &Frame) -> bool {
        let n = self.n_of_item[item_idx];
        n >= Self::MANY && n * 10 >= n_values(frame, item_idx) * 8
    }

    fn rows_with_many(&self) -> HashSet<u32> {
        self.cells
            .chunk_by(|one, next| one.0 == next.0)
            .filter(|row| row.len() >= Self::MANY)
            .map(|row| row[0].0)
            .collect()
    }

    /// Rows of records; none where no column is wrong throughout.
    fn sample(&self, frame: &Frame) -> HashSet<u32> {
        let any_column = (0..self.n_of_item.len()).any(|idx| self.is_wrong_throughout(idx, frame));
        let n_rows = if any_column { Self::SAMPLE } else { 0 };
        frame.places.row_idxs.iter().copied().take(n_rows).collect()
    }

    fn month_first_columns(&self, frame: &Frame) -> HashSet<u32> {
        self.month_first
            .iter()
            .filter_map(|item_idx| frame.places.column_idxs[*item_idx])
            .collect()
    }
}

/// How many cells of an item hold something, readable or not.
fn n_values(frame: &Frame, item_idx: usize) -> usize {
    let n_readable = frame.n_records() - frame.values[item_idx].n_nulls();
    n_readable + frame.unreadable.of_item(item_idx).len()
}

/// `3 to 12 (10 rows)`, or one number.
fn rows_in_words(first: u32, last: u32, n_rows: usize) -> String {
    if first == last {
        format!("Row {}", first + 1)
    } else {
        format!("Rows {} to {} ({n_rows} rows)", first + 1, last + 1)
    }
}
