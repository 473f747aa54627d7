//! Figures of a form in another unit than it asks for: pounds where it asks for thousands.
//!
//! Nearly all figures of a column are then about a thousand times, or a thousandth of, what they were.

use finding::{CellRef, Finding, Findings, Severity, column_letters};
use frame::{Frame, Framed, Value};
use spec::{Item, Layout, ReturnSpec, RuleKind, TableSpec};

/// What a form may ask for, from small to large: each is a thousand of the one before.
const UNITS: [(&str, &str); 3] = [
    ("£", "pounds"),
    ("£000", "thousands of pounds"),
    ("£m", "millions of pounds"),
];

/// So many figures have to be compared before a column is judged.
const ENOUGH: usize = 3;

/// Puts one query in the place of those about single movements, for each column or for a whole form.
pub(super) fn single_out(
    spec: &ReturnSpec,
    framed: &Framed,
    earlier: &Framed,
    findings: Findings,
) -> Findings {
    let mut findings = findings;
    for table in &spec.tables {
        let frames = framed
            .frame(&table.name)
            .zip(earlier.frame(&table.name))
            .filter(|_| matches!(table.layout, Layout::Matrix(_)));
        if let Some((now, before)) = frames {
            findings = in_table(spec, table, now, before, findings);
        }
    }
    findings
}

fn in_table(
    spec: &ReturnSpec,
    table: &TableSpec,
    now: &Frame,
    before: &Frame,
    findings: Findings,
) -> Findings {
    let columns: Vec<Column<'_>> = table
        .items
        .iter()
        .enumerate()
        .filter_map(|(item_idx, item)| Column::of(item, item_idx, now, before))
        .collect();
    let (wrong, right): (Vec<&Column<'_>>, Vec<&Column<'_>>) = columns
        .iter()
        .partition(|column| column.taken_for().is_some());
    if wrong.is_empty() {
        return findings;
    }
    let is_movement = |finding: &Finding| {
        let rule = spec
            .rules
            .iter()
            .find(|rule| rule.id == finding.rule.as_str());
        let of_a_change = rule.is_some_and(|rule| matches!(rule.kind, RuleKind::Change(_)));
        finding.table.as_deref() == Some(table.name.as_str())
            && finding.severity > Severity::Error
            && of_a_change
            && wrong.iter().any(|column| column.has(finding, now))
    };
    let mut told: Findings = findings
        .into_iter()
        .filter(|finding| !is_movement(finding))
        .collect();
    let same = wrong
        .windows(2)
        .all(|two| two[0].taken_for() == two[1].taken_for());
    if right.is_empty() && same && wrong.len() > 1 {
        told.extend(of_form(table, now, before, &wrong));
    } else {
        let of_columns = wrong.iter();
        told.extend(of_columns.filter_map(|column| of_column(table, now, before, column)));
    }
    told
}

/// A column's figures against the earlier ones.
struct Column<'a> {
    item: &'a Item,
    item_idx: usize,
    /// The position of the unit that the form asks for.
    unit: usize,
    /// Figures that are not nought now and were not before.
    n_compared: usize,
    /// Whether most of those that are not of the same size are larger.
    is_larger: bool,
    /// These, by record.
    record_idxs: Vec<usize>,
}

impl<'a> Column<'a> {
    fn of(item: &'a Item, item_idx: usize, now: &Frame, before: &Frame) -> Option<Self> {
        let said = item.unit.as_deref()?;
        let unit = UNITS.iter().position(|(unit, _)| *unit == said)?;
        if now.n_records() != before.n_records() {
            return None;
        }
        let (mut larger, mut smaller, mut n_compared) = (Vec::new(), Vec::new(), 0);
        // A form's records are its lines, in the spec's order.
        for record_idx in 0..now.n_records() {
            let both = figure(now, item_idx, record_idx).zip(figure(before, item_idx, record_idx));
            let Some((now, before)) = both else { continue };
            if now == 0 || now.signum() != before.signum() {
                continue;
            }
            n_compared += 1;
            if is_a_thousand(now, before) {
                larger.push(record_idx);
            } else if is_a_thousand(before, now) {
                smaller.push(record_idx);
            }
        }
        let is_larger = larger.len() >= smaller.len();
        (n_compared >= ENOUGH).then_some(Self {
            item,
            item_idx,
            unit,
            n_compared,
            is_larger,
            record_idxs: if is_larger { larger } else { smaller },
        })
    }

    /// The unit that its figures seem to be in, where it is another one.
    fn taken_for(&self) -> Option<usize> {
        if self.record_idxs.len() * 10 < self.n_compared * 8 {
            return None;
        }
        if self.is_larger {
            self.unit.checked_sub(1)
        } else {
            Some(self.unit + 1).filter(|unit| *unit < UNITS.len())
        }
    }

    /// Whether a finding is about one of these figures.
    fn has(&self, finding: &Finding, now: &Frame) -> bool {
        let Some(cell) = &finding.cell else {
            return false;
        };
        let is_its =
            |record_idx: &usize| now.places.row_idxs.get(*record_idx) == Some(&cell.row_idx);
        finding.item.as_deref() == Some(self.item.name.as_str())
            && self.record_idxs.iter().any(is_its)
    }
}

/// Within a factor of about three.
fn is_a_thousand(large: i128, small: i128) -> bool {
    let (large, small) = (large.saturating_abs(), small.saturating_abs());
    large >= small.saturating_mul(300) && large <= small.saturating_mul(3_000)
}

/// As it is scaled: both frames are of one spec.
fn figure(frame: &Frame, item_idx: usize, record_idx: usize) -> Option<i128> {
    match frame.values.get(item_idx)?.get(record_idx)? {
        Value::Integer(figure) => Some(i128::from(figure)),
        Value::Decimal(figure) => Some(figure),
        Value::Text(_) | Value::Date(_) | Value::Boolean(_) => None,
    }
}

fn of_form(
    table: &TableSpec,
    now: &Frame,
    before: &Frame,
    wrong: &[&Column<'_>],
) -> Option<Finding> {
    let column = wrong.first()?;
    let what = format!("The figures of \"{}\" are nearly all", table.title);
    told(table, now, before, column, &what)
}

fn of_column(
    table: &TableSpec,
    now: &Frame,
    before: &Frame,
    column: &Column<'_>,
) -> Option<Finding> {
    let column_idx = now.places.column_idxs.get(column.item_idx).copied()??;
    let how_many = match (column.record_idxs.len(), column.n_compared) {
        (n, of) if n == of => format!("All {of}"),
        (n, of) => format!("{n} of the {of}"),
    };
    let what = format!(
        "{how_many} figures in column {} ({}) are",
        column_letters(column_idx),
        column.item.title
    );
    told(table, now, before, column, &what).map(|finding| finding.on_item(&column.item.name))
}

fn told(
    table: &TableSpec,
    now: &Frame,
    before: &Frame,
    column: &Column<'_>,
    what: &str,
) -> Option<Finding> {
    let (found, asked) = (UNITS.get(column.taken_for()?)?.1, UNITS.get(column.unit)?.1);
    let record_idx = *column.record_idxs.first()?;
    let cell: CellRef = now.cell(column.item_idx, record_idx)?;
    let shown = |frame: &Frame| frame.shown(column.item, column.item_idx, record_idx);
    let (value, was) = (shown(now)?, shown(before)?);
    let (times, size) = if column.is_larger {
        ("a thousand times", "larger")
    } else {
        ("a thousandth of", "smaller")
    };
    Some(
        Finding::new(
            format!("{}.another-unit", table.name),
            Severity::Query,
            format!(
                "{what} about {times} what they were before ({} is {value} and was {was}): they seem to be in {found}, and the form asks for {asked}. That each of them moved is not said again.",
                cell.address()
            ),
            format!("Enter them in {asked}; if they are right, say why they are so much {size}."),
        )
        .in_table(&table.name)
        .at_cell(cell)
        .with_value(value),
    )
}
