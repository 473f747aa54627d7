//! Fixed cells: a record is one line of the form.

mod stands;

use finding::{CellRef, Finding, Findings, Name, Severity};
use sheet::{Beside, Cell, Line as TextLine, Raw, RawCell, Sheet};
use spec::layout::{Line, Matrix, MatrixColumn};
use spec::{Applies, IdentityPlace, Organisation, TableSpec};

use crate::account::Account;
use crate::columns::{Builder, Value};
use crate::framer::kept;
use crate::read::{Asked, Origin, Read, normalised_finding, read, show_raw, unreadable_finding};
use crate::{Frame, Places, Unreadable, item_rule, ragged};

/// Whether a form that nobody filled in is one that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// No table on its sheet has to be there.
    MayBeLeftOut,
}

/// A form while its rows come: nothing is known of it before the last.
pub(crate) struct Reading<'a> {
    table: &'a TableSpec,
    layout: &'a Matrix,
    /// The rows as far as the form asks for any, and the codes below, which say where lines have gone.
    sheet: Sheet,
    beside: Beside,
    last_row_idx: u32,
    /// Of separated values.
    first_line: Option<TextLine>,
    /// The first with another number of values: from there on nobody knows which figure belongs where.
    ragged: Option<TextLine>,
}

impl<'a> Reading<'a> {
    /// `sheet` has no cells yet.
    pub(crate) fn new(
        sheet: Sheet,
        beside: Beside,
        table: &'a TableSpec,
        layout: &'a Matrix,
    ) -> Self {
        let lines = layout.lines.iter().map(|line| line.row_idx);
        let anchors = layout.anchors.iter().map(|anchor| anchor.row_idx);
        let identities = table
            .identities
            .iter()
            .filter_map(|identity| match identity.place {
                IdentityPlace::Cell { row_idx, .. } => Some(row_idx),
                IdentityPlace::Item(_) => None,
            });
        Self {
            table,
            layout,
            sheet,
            beside,
            last_row_idx: lines.chain(anchors).chain(identities).max().unwrap_or(0),
            first_line: None,
            ragged: None,
        }
    }

    pub(crate) fn line(&mut self, line: TextLine) {
        let first = *self.first_line.get_or_insert(line);
        if line.n_values != first.n_values {
            self.ragged.get_or_insert(line);
        }
    }

    pub(crate) fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        let below = row_idx > self.last_row_idx;
        let code_column_idx = self.layout.code_column_idx;
        self.sheet.cells.extend(
            kept(row_idx, cells).filter(|cell| !below || code_column_idx == Some(cell.column_idx)),
        );
    }

    /// What of the sheet is of use, and the frame, unless this is not the form.
    pub(crate) fn finish(
        self,
        n_rows: u64,
        need: Need,
        organisation: Option<&Organisation>,
        findings: &mut Findings,
    ) -> (Sheet, Option<Frame>) {
        let (table, layout) = (self.table, self.layout);
        if let (Some(line), Some(first)) = (self.ragged, self.first_line) {
            let first_line = format!("line {}", first.number);
            findings.push(ragged::file(table, line, &first_line, first.n_values));
            return (self.sheet, None);
        }
        let sheet = self.sheet;
        if let Some(fault) = stands::fault(&sheet, table, layout) {
            findings.push(fault);
            return (sheet, None);
        }
        if need == Need::MayBeLeftOut && is_left_blank(&sheet, layout) {
            findings.push(left_blank_note(&sheet, table));
            let frame = left_blank(&sheet, n_rows, table);
            return (sheet, Some(frame));
        }
        let mut frame = frame(&sheet, n_rows, table, layout, organisation, findings);
        frame.typed_over = typed_over(&self.beside, table, layout, organisation, &frame);
        (sheet, Some(frame))
    }
}

/// Cells that the form calculates and that hold a figure, where a cell of the same calculated line or column has a formula.
///
/// A form whose figures were all pasted as values has none, and neither has a line whose total is all that is asked of it.
fn typed_over(
    beside: &Beside,
    table: &TableSpec,
    layout: &Matrix,
    organisation: Option<&Organisation>,
    frame: &Frame,
) -> Vec<(usize, usize)> {
    let has_formula =
        |line: &Line, column: &MatrixColumn| beside.is_calculated(line.row_idx, column.column_idx);
    let applies = |line: &Line, column: &MatrixColumn| {
        layout.applies(line, &column.item, organisation) != Applies::No
    };
    let (lines, columns) = (&layout.lines, &layout.columns);
    // A line is calculated from lines and a column from columns: with one of them there is nothing to add up.
    let is_like_line = |line: &Line, column: &MatrixColumn| {
        let mut parts = lines
            .iter()
            .filter(|part| !part.computed && applies(part, column));
        line.computed
            && columns.iter().any(|other| has_formula(line, other))
            && parts.nth(1).is_some()
    };
    let is_like_column = |line: &Line, column: &MatrixColumn| {
        let mut parts = columns
            .iter()
            .filter(|part| !part.computed && applies(line, part));
        column.computed
            && lines.iter().any(|other| has_formula(other, column))
            && parts.nth(1).is_some()
    };
    let mut typed_over = Vec::new();
    for (item_idx, item) in table.items.iter().enumerate() {
        let Some(column) = column_of(layout, &item.name) else {
            continue;
        };
        for (record_idx, line) in lines.iter().enumerate() {
            if !frame.values[item_idx].is_null(record_idx)
                && !has_formula(line, column)
                && (is_like_line(line, column) || is_like_column(line, column))
            {
                typed_over.push((item_idx, record_idx));
            }
        }
    }
    typed_over
}

/// Whether nothing was entered: what the form calculates from blank cells is nought.
fn is_left_blank(sheet: &Sheet, layout: &Matrix) -> bool {
    layout.lines.iter().all(|line| {
        layout.columns.iter().all(|column| {
            match cell_at(sheet, line.row_idx, column.column_idx).map(|cell| Raw::from(&cell.value))
            {
                None => true,
                Some(Raw::Text(text)) => text.trim().is_empty(),
                Some(raw) => (column.computed || line.computed) && is_nought(raw),
            }
        })
    })
}

fn left_blank(sheet: &Sheet, n_rows: u64, table: &TableSpec) -> Frame {
    let mut frame = crate::empty(table);
    frame.places.sheet = Name::from(&sheet.name);
    frame.account.n_rows = n_rows;
    frame.account.ignore_many("left blank", n_rows);
    frame
}

fn left_blank_note(sheet: &Sheet, table: &TableSpec) -> Finding {
    Finding::new(
        format!("{}.left-blank", table.name),
        Severity::Note,
        format!(
            "Nothing is filled in on the sheet \"{}\" ({}), so it counts as left out.",
            sheet.name, table.title
        ),
        "Fill it in if it is asked of you; otherwise there is nothing to do.",
    )
    .in_table(&table.name)
}

fn frame(
    sheet: &Sheet,
    n_rows: u64,
    table: &TableSpec,
    layout: &Matrix,
    organisation: Option<&Organisation>,
    findings: &mut Findings,
) -> Frame {
    let asked = Asked::all(table);
    let mut building = Building {
        asked: &asked,
        columns: table
            .items
            .iter()
            .map(|item| Builder::new(item.kind))
            .collect(),
        unreadable: Unreadable::default(),
        organisation,
        entered: Vec::new(),
        calculated: Vec::new(),
    };
    for (record_idx, line) in layout.lines.iter().enumerate() {
        building.record(sheet, table, layout, line, record_idx, findings);
    }
    findings.extend(building.calculated_by_themselves());
    let last_line = layout.lines.iter().map(|line| u64::from(line.row_idx) + 1);
    let mut account = Account {
        n_rows: n_rows.max(last_line.max().unwrap_or(0)),
        ..Account::default()
    };
    let n_other = account.n_rows - layout.lines.len() as u64;
    account.ignore_many("not a line of the form", n_other);
    Frame {
        table: table.name.clone(),
        values: building.columns.into_iter().map(Builder::finish).collect(),
        places: Places {
            sheet: Name::from(&sheet.name),
            row_idxs: layout.lines.iter().map(|line| line.row_idx).collect(),
            column_idxs: table
                .items
                .iter()
                .map(|item| column_of(layout, &item.name).map(|column| column.column_idx))
                .collect(),
        },
        unreadable: building.unreadable,
        new_rows: None,
        own: Vec::new(),
        typed_over: Vec::new(),
        account,
    }
}

/// A frame under construction.
struct Building<'a> {
    asked: &'a [Asked<'a>],
    columns: Vec<Builder>,
    unreadable: Unreadable,
    /// Whose form it is, where that is known.
    organisation: Option<&'a Organisation>,
    /// By item and record: cells of others that were filled in, and those of them that the form calculates.
    entered: Vec<(usize, usize)>,
    calculated: Vec<(usize, usize, Finding)>,
}

fn column_of<'a>(layout: &'a Matrix, item: &str) -> Option<&'a MatrixColumn> {
    layout.columns.iter().find(|column| column.item == item)
}

pub(crate) fn cell_at(sheet: &Sheet, row_idx: u32, column_idx: u32) -> Option<&Cell> {
    sheet
        .cells
        .binary_search_by_key(&(row_idx, column_idx), |cell| {
            (cell.row_idx, cell.column_idx)
        })
        .ok()
        .map(|idx| &sheet.cells[idx])
}

impl Building<'_> {
    /// What is calculated from a cell that was filled in is wrong with that one, and not again.
    fn calculated_by_themselves(&mut self) -> Vec<Finding> {
        let entered = std::mem::take(&mut self.entered);
        let adds_up = |item_idx: usize, record_idx: usize| {
            entered
                .iter()
                .any(|&(item, record)| item == item_idx || record == record_idx)
        };
        std::mem::take(&mut self.calculated)
            .into_iter()
            .filter(|(item_idx, record_idx, _)| !adds_up(*item_idx, *record_idx))
            .map(|(_, _, finding)| finding)
            .collect()
    }

    fn record(
        &mut self,
        sheet: &Sheet,
        table: &TableSpec,
        layout: &Matrix,
        line: &Line,
        record_idx: usize,
        findings: &mut Findings,
    ) {
        for (item_idx, item) in table.items.iter().enumerate() {
            let Some(column) = column_of(layout, &item.name) else {
                let code =
                    (item.name == layout.line_item).then(|| Value::Text(line.code.as_str().into()));
                self.columns[item_idx].push(code);
                continue;
            };
            let place = CellRef::new(&sheet.name, line.row_idx, column.column_idx);
            let raw =
                cell_at(sheet, line.row_idx, column.column_idx).map(|cell| Raw::from(&cell.value));
            let raw = raw.filter(|raw| !matches!(raw, Raw::Text(text) if text.trim().is_empty()));
            let origin = if column.computed || line.computed {
                Origin::Computed
            } else {
                Origin::Entered
            };
            if layout.applies(line, &item.name, self.organisation) == Applies::No {
                self.columns[item_idx].push(None);
                let is_calculated = !line.lacks(&item.name) && origin == Origin::Computed;
                let finding = raw.map(|raw| {
                    not_applicable(table, item, line, raw, self.organisation).at_cell(place)
                });
                match (raw, finding) {
                    // A form goes on adding up what an organisation leaves blank.
                    (Some(raw), _) if is_calculated && is_nought(raw) => {}
                    (_, Some(finding)) if is_calculated => {
                        self.calculated.push((item_idx, record_idx, finding));
                    }
                    (_, Some(finding)) => {
                        self.entered.push((item_idx, record_idx));
                        findings.push(finding);
                    }
                    (_, None) => {}
                }
                continue;
            }
            let value = match (read(raw, &self.asked[item_idx], origin), raw) {
                (Read::Value(value), _) => Some(value),
                (Read::Normalised(value), Some(raw)) => {
                    findings
                        .push(normalised_finding(table, item, raw, Some(&value)).at_cell(place));
                    Some(value)
                }
                (Read::BlankMarker, Some(raw)) => {
                    findings.push(normalised_finding(table, item, raw, None).at_cell(place));
                    None
                }
                (Read::Unreadable(unreadable), Some(raw)) => {
                    self.unreadable.insert(item_idx, record_idx);
                    let mut finding =
                        unreadable_finding(table, item, raw, unreadable).at_cell(place);
                    finding.message = format!("Line {}: {}", line.code, finding.message);
                    findings.push(finding);
                    None
                }
                (_, _) => None,
            };
            self.columns[item_idx].push(value);
        }
    }
}

/// What a form calculates from blank cells.
fn is_nought(raw: Raw<'_>) -> bool {
    matches!(raw, Raw::Number(number) if number == 0.0)
}

fn not_applicable(
    table: &TableSpec,
    item: &spec::Item,
    line: &Line,
    raw: Raw<'_>,
    organisation: Option<&Organisation>,
) -> Finding {
    let message = match organisation.filter(|_| !line.lacks(&item.name)) {
        Some(organisation) => format!(
            "Line {} ({}), {}: this cell is not for {}, but it is filled in.",
            line.code, line.label, item.title, organisation.name
        ),
        None => format!(
            "Line {} ({}) does not ask for {}, but the cell is filled in.",
            line.code, line.label, item.title
        ),
    };
    Finding::new(
        item_rule(table, item, "not-applicable"),
        Severity::Error,
        message,
        "Clear the cell; if the figure belongs to another line or column, move it there.",
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .with_value(show_raw(raw))
}
