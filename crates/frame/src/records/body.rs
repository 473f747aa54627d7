//! The rows below the headings: each is a record, or is not one for a stated reason.

use std::collections::BTreeSet;

use finding::{CellRef, Finding, Findings, Name, Severity};
use sheet::{Line, Raw, RawCell, Sheet};
use spec::TableSpec;
use spec::layout::Records;

use super::Columns;
use super::spans::Span;
use crate::account::Account;
use crate::columns::{Builder, Values};
use crate::own::OwnColumns;
use crate::read::{
    Asked, Origin, Read, normalised_finding, plain, read, show_raw, unreadable_finding,
};
use crate::{Frame, Places, Unreadable, ragged};

/// Takes the rows below the headings.
pub(super) struct Body<'a> {
    header_row_idx: u32,
    last_row_idx: u32,
    /// What a cell is, by its column.
    slots: Vec<Slot>,
    /// Columns that hold something and have no heading.
    unheaded: BTreeSet<u32>,
    spans: Vec<Span>,
    /// `None` where it is not certain which column holds which item.
    building: Option<Building<'a>>,
    /// How many values the line of headings has, in a file of separated values.
    n_headings: Option<usize>,
    /// Per item, the place of its cell in the row at hand; kept to be used again.
    at: Vec<Option<usize>>,
}

#[derive(Clone, Copy)]
enum Slot {
    Item(usize),
    /// Under a heading over several columns.
    Span(usize),
    /// Has a heading and is no item's.
    Other,
    Unheaded,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        sheet: &Sheet,
        table: &'a TableSpec,
        layout: &'a Records,
        columns: Columns,
        n_headings: Option<usize>,
    ) -> Self {
        let n_columns = columns.headed.iter().max().map_or(0, |last| last + 1);
        let slots = (0..n_columns).map(|column_idx| {
            if let Some(span_idx) = columns.spans.iter().position(|span| span.has(column_idx)) {
                return Slot::Span(span_idx);
            }
            let mut of_item = columns.of_item.iter().flatten();
            match of_item.position(|of_item| *of_item == column_idx) {
                Some(item_idx) => Slot::Item(item_idx),
                None if columns.headed.contains(&column_idx) => Slot::Other,
                None => Slot::Unheaded,
            }
        });
        Self {
            header_row_idx: columns.row_idx,
            last_row_idx: columns.row_idx,
            slots: slots.collect(),
            unheaded: BTreeSet::new(),
            spans: columns.spans,
            building: columns.of_item.map(|column_idxs| {
                let mut building = Building::new(
                    sheet,
                    table,
                    layout,
                    columns.row_idx,
                    column_idxs,
                    columns.texts,
                );
                building.own = columns.own;
                building
            }),
            n_headings,
            at: vec![None; table.items.len()],
        }
    }

    pub(super) fn header_row_idx(&self) -> u32 {
        self.header_row_idx
    }

    pub(super) fn columns_without_heading(&self) -> &BTreeSet<u32> {
        &self.unheaded
    }

    /// `line` is where it stands in a file of separated values.
    pub(super) fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>], line: Option<Line>) {
        let ragged = line
            .zip(self.n_headings)
            .filter(|(line, n_headings)| line.n_values != *n_headings);
        self.at.fill(None);
        for (idx, cell) in cells.iter().enumerate() {
            let slot = self.slots.get(cell.column_idx as usize);
            match slot {
                Some(Slot::Other) => {}
                _ if is_blank(cell.raw) => {}
                Some(&Slot::Item(item_idx)) => self.at[item_idx] = Some(idx),
                Some(&Slot::Span(span_idx)) => {
                    let span = &mut self.spans[span_idx];
                    if span.choose(cell.column_idx) {
                        self.at[span.item_idx] = Some(idx);
                        if let Some(building) = &mut self.building {
                            building.column_idxs[span.item_idx] = cell.column_idx;
                        }
                    }
                }
                Some(Slot::Unheaded) | None if ragged.is_some() => {}
                Some(Slot::Unheaded) | None => {
                    self.unheaded.insert(cell.column_idx);
                }
            }
        }
        let n_between = row_idx - self.last_row_idx - 1;
        self.last_row_idx = row_idx;
        if let Some(building) = &mut self.building {
            building.account.ignore_many(BLANK_ROW, n_between.into());
            building.row(row_idx, cells, &self.at, ragged);
        }
    }

    /// The frame, and what was found in its rows.
    pub(super) fn finish(
        self,
        n_rows: u64,
        new_key: Option<&str>,
        findings: &mut Findings,
    ) -> Option<Frame> {
        let building = self.building?;
        let spans = self.spans.iter();
        findings
            .extend(spans.filter_map(|span| span.finding(&building.sheet_name, building.table)));
        if !self.spans.iter().all(Span::is_clear) {
            return None;
        }
        if let Some(finding) = building.ragged_throughout() {
            findings.push(finding);
            return None;
        }
        Some(building.finish(n_rows, new_key, findings))
    }
}

const BLANK_ROW: &str = "blank row";
const ONLY_OWN: &str = "nothing but your own columns";

fn is_blank(raw: Raw<'_>) -> bool {
    let Raw::Text(text) = raw else {
        return false;
    };
    // Nearly every text starts with something to see.
    !text.bytes().next().is_some_and(|b| b.is_ascii_graphic()) && text.trim().is_empty()
}

/// A frame under construction.
struct Building<'a> {
    sheet_name: Name,
    table: &'a TableSpec,
    asked: Vec<Asked<'a>>,
    ignores: Vec<Ignored<'a>>,
    /// Whether a row with just one value can't be a record.
    needs_more_than_one: bool,
    /// By item.
    column_idxs: Vec<u32>,
    /// What heads each item's column.
    headings: Vec<String>,
    values: Vec<Builder>,
    row_idxs: Vec<u32>,
    unreadable: Unreadable,
    own: OwnColumns,
    /// Lines with more or fewer values than there are headings, of which there are so many.
    ragged: Vec<(u32, Line, usize)>,
    account: Account,
    findings: Findings,
}

/// A kind of row that is no record.
struct Ignored<'a> {
    item_idx: usize,
    /// In lower case.
    starts_with: Vec<String>,
    reason: &'a str,
}

impl<'a> Building<'a> {
    fn new(
        sheet: &Sheet,
        table: &'a TableSpec,
        layout: &'a Records,
        header_row_idx: u32,
        column_idxs: Vec<u32>,
        headings: Vec<String>,
    ) -> Self {
        let mut account = Account::default();
        account.ignore_many("above the headings", header_row_idx.into());
        account.ignore("the row of headings");
        let ignores = layout.ignores.iter().filter_map(|ignored| {
            let starts = ignored.starts_with.iter();
            Some(Ignored {
                item_idx: table.item_idx(&ignored.item)?,
                starts_with: starts.map(|start| start.to_lowercase()).collect(),
                reason: &ignored.reason,
            })
        });
        let n_required = table.items.iter().filter(|item| item.required).count();
        Self {
            sheet_name: Name::from(&sheet.name),
            table,
            asked: Asked::all(table),
            ignores: ignores.collect(),
            needs_more_than_one: n_required > 2,
            column_idxs,
            headings,
            values: table
                .items
                .iter()
                .map(|item| Builder::new(item.kind))
                .collect(),
            row_idxs: Vec::new(),
            unreadable: Unreadable::default(),
            own: OwnColumns::default(),
            ragged: Vec::new(),
            account,
            findings: Findings::new(),
        }
    }

    /// `at` says which of the cells is which item's; blank ones are none's.
    fn row(
        &mut self,
        row_idx: u32,
        cells: &[RawCell<'_>],
        at: &[Option<usize>],
        ragged: Option<(Line, usize)>,
    ) {
        let mut filled = at.iter().flatten();
        match (filled.next(), filled.next()) {
            (None, _) if self.own.are_filled(cells) => self.account.ignore(ONLY_OWN),
            (None, _) => self.account.ignore(BLANK_ROW),
            (Some(_), _) if self.is_ignored(cells, at) => {}
            (Some(_), Some(_)) if self.repeats_headings(cells, at) => {
                self.headings_again(row_idx);
            }
            (Some(&only), None) if self.needs_more_than_one => {
                self.not_a_record(row_idx, cells, only, at);
            }
            _ => match ragged {
                Some((line, n_headings)) => {
                    self.account.rejected_row_idxs.push(row_idx);
                    self.ragged.push((row_idx, line, n_headings));
                }
                None => {
                    self.own.push(cells);
                    self.record(row_idx, cells, at);
                }
            },
        }
    }

    fn is_ignored(&mut self, cells: &[RawCell<'_>], at: &[Option<usize>]) -> bool {
        let ignored = self.ignores.iter().find(|ignored| {
            at[ignored.item_idx].is_some_and(|idx| {
                let text = show_raw(cells[idx].raw).trim().to_lowercase();
                ignored
                    .starts_with
                    .iter()
                    .any(|start| text.starts_with(start))
            })
        });
        match ignored {
            Some(ignored) => {
                self.account.ignore(ignored.reason);
                true
            }
            None => false,
        }
    }

    /// Whether each value that there is says what heads its column.
    fn repeats_headings(&self, cells: &[RawCell<'_>], at: &[Option<usize>]) -> bool {
        self.headings
            .iter()
            .zip(at)
            .filter_map(|(heading, idx)| Some((heading, cells[(*idx)?].raw)))
            .all(|(heading, raw)| matches!(raw, Raw::Text(text) if text.trim() == heading))
    }

    fn headings_again(&mut self, row_idx: u32) {
        self.account.ignore("the headings again");
        self.findings.push(
            Finding::new(
                format!("{}.headings-again", self.table.name),
                Severity::Note,
                format!(
                    "Row {} repeats the headings, and was passed over.",
                    row_idx + 1
                ),
                "Nothing to do.",
            )
            .in_table(&self.table.name)
            .at_row(row_idx + 1),
        );
    }

    /// A total, a note or a stray value: one finding, not one per item.
    fn not_a_record(
        &mut self,
        row_idx: u32,
        cells: &[RawCell<'_>],
        only: usize,
        at: &[Option<usize>],
    ) {
        let Some(item_idx) = at.iter().position(Option::is_some) else {
            return;
        };
        self.account.rejected_row_idxs.push(row_idx);
        self.findings.push(
            Finding::new(
                format!("{}.row-not-a-record", self.table.name),
                Severity::Error,
                format!(
                    "Row {} has only one value, so it is not a record.",
                    row_idx + 1
                ),
                "Delete the row if it is a note or a total; fill it in if it is a record.",
            )
            .in_table(&self.table.name)
            .on_item(&self.table.items[item_idx].name)
            .at_cell(self.place(row_idx, item_idx))
            .with_value(show_raw(cells[only].raw))
            .with_own(self.own.of_row(cells)),
        );
    }

    fn record(&mut self, row_idx: u32, cells: &[RawCell<'_>], at: &[Option<usize>]) {
        let record_idx = self.row_idxs.len();
        self.row_idxs.push(row_idx);
        for (item_idx, idx) in at.iter().enumerate() {
            let Some(idx) = *idx else {
                self.values[item_idx].push_null();
                continue;
            };
            let (raw, asked) = (cells[idx].raw, &self.asked[item_idx]);
            if let Some(value) = plain(raw, asked) {
                self.values[item_idx].push_plain(value);
                continue;
            }
            let (value, finding) = match read(Some(raw), asked, Origin::Entered) {
                Read::Blank => (None, None),
                Read::Value(value) => (Some(value), None),
                Read::Normalised(value) => {
                    let note = normalised_finding(self.table, asked.item, raw, Some(&value));
                    (Some(value), Some(note))
                }
                Read::BlankMarker => {
                    let note = normalised_finding(self.table, asked.item, raw, None);
                    (None, Some(note))
                }
                Read::Unreadable(why) => {
                    self.unreadable.insert(item_idx, record_idx);
                    let finding = unreadable_finding(self.table, asked.item, raw, why);
                    (None, Some(finding))
                }
            };
            if let Some(finding) = finding {
                let place = self.place(row_idx, item_idx);
                self.findings.push(finding.at_cell(place));
            }
            self.values[item_idx].push(value);
        }
    }

    fn place(&self, row_idx: u32, item_idx: usize) -> CellRef {
        CellRef::new(&self.sheet_name, row_idx, self.column_idxs[item_idx])
    }

    /// More lines than are records: a separator stands within the values, or it is not the one.
    fn ragged_throughout(&self) -> Option<Finding> {
        let (_, line, n_headings) = *self.ragged.first()?;
        let throughout = self.ragged.len() > self.row_idxs.len();
        throughout.then(|| ragged::file(self.table, line, "the line of headings", n_headings))
    }

    fn finish(self, n_rows: u64, new_key: Option<&str>, findings: &mut Findings) -> Frame {
        findings.append(self.findings);
        let ragged = self.ragged.iter();
        findings.extend(ragged.map(|&(row_idx, line, n_headings)| {
            ragged::row(self.table, row_idx, line, n_headings)
        }));
        let values: Vec<Values> = self.values.into_iter().map(Builder::finish).collect();
        let new_rows = new_key
            .and_then(|key| self.table.item_idx(key))
            .map(|item_idx| {
                (0..self.row_idxs.len())
                    .map(|record_idx| {
                        values[item_idx].is_null(record_idx)
                            && !self.unreadable.has(item_idx, record_idx)
                    })
                    .collect()
            });
        Frame {
            table: self.table.name.clone(),
            values,
            places: Places {
                sheet: self.sheet_name,
                row_idxs: self.row_idxs,
                column_idxs: self.column_idxs.into_iter().map(Some).collect(),
            },
            unreadable: self.unreadable,
            new_rows,
            own: self.own.finish(),
            typed_over: Vec::new(),
            account: Account {
                n_rows,
                ..self.account
            },
        }
    }
}
