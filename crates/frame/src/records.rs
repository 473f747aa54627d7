//! A header row found by name; every row below it is a record.

use std::collections::HashSet;

use finding::{CellRef, Finding, Findings, Severity, column_letters};
use sheet::{Cell, Sheet, Value as Raw};
use spec::layout::Records;
use spec::{ExtraColumns, ReturnSpec, TableSpec};

use crate::account::Account;
use crate::columns::{Builder, Values};
use crate::heading::{item_of, normalise};
use crate::locate::n_rows;
use crate::read::{Origin, Read, normalised_finding, read, show_raw, unreadable_finding};
use crate::{Frame, Places, Unreadable};

/// Frames a table of records; `new_key` is a turn-around table's key, blank on new rows.
pub(crate) fn frame(
    sheet: &Sheet,
    spec: &ReturnSpec,
    table: &TableSpec,
    layout: &Records,
    new_key: Option<&str>,
    findings: &mut Findings,
) -> Option<Frame> {
    let rows: Vec<&[Cell]> = sheet
        .cells
        .chunk_by(|a, b| a.row_idx == b.row_idx)
        .collect();
    let header = find_header(&rows, sheet, table, layout, findings)?;
    let columns = Columns::new(
        sheet,
        spec,
        table,
        rows[header],
        &rows[header + 1..],
        findings,
    )?;
    let mut building = Building::new(sheet, table, &columns, rows.len());
    building.account.n_rows = n_rows(sheet);
    building
        .account
        .ignore_many("above the headings", u64::from(rows[header][0].row_idx));
    building.account.ignore("the row of headings");
    let mut last_row_idx = rows[header][0].row_idx;
    for cells in &rows[header + 1..] {
        let row_idx = cells[0].row_idx;
        building
            .account
            .ignore_many("blank row", u64::from(row_idx - last_row_idx - 1));
        last_row_idx = row_idx;
        building.row(cells, layout, findings);
    }
    Some(building.finish(new_key))
}

/// The row among the first ones that names most items; a blocker if none names enough.
fn find_header(
    rows: &[&[Cell]],
    sheet: &Sheet,
    table: &TableSpec,
    layout: &Records,
    findings: &mut Findings,
) -> Option<usize> {
    let named = |cells: &[Cell]| {
        cells
            .iter()
            .filter_map(|cell| heading(cell).and_then(|text| item_of(table, text)))
            .collect::<HashSet<_>>()
            .len()
    };
    let best = rows
        .iter()
        .take_while(|cells| cells[0].row_idx < layout.search_rows)
        .map(|cells| named(cells))
        .enumerate()
        .max_by_key(|&(idx, n_named)| (n_named, std::cmp::Reverse(idx)));
    match best {
        Some((idx, n_named)) if n_named >= table.items.len().div_ceil(3).max(1) => Some(idx),
        _ => {
            findings.push(no_header(sheet, table, layout));
            None
        }
    }
}

fn no_header(sheet: &Sheet, table: &TableSpec, layout: &Records) -> Finding {
    let some = table
        .items
        .iter()
        .take(4)
        .map(|item| item.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    Finding::new(
        format!("{}.headings-missing", table.name),
        Severity::Blocker,
        format!(
            "No row of headings was found in the first {} rows of \"{}\".",
            layout.search_rows, sheet.name
        ),
        format!("Put the headings ({some} …) in one row above the data, as in the template."),
    )
    .in_table(&table.name)
}

fn heading(cell: &Cell) -> Option<&str> {
    match &cell.value {
        Raw::Text(text) => Some(text),
        _ => None,
    }
}

/// Which sheet column holds which item.
struct Columns {
    /// By item.
    of_item: Vec<u32>,
}

impl Columns {
    fn new(
        sheet: &Sheet,
        spec: &ReturnSpec,
        table: &TableSpec,
        header: &[Cell],
        below: &[&[Cell]],
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut of_item: Vec<Option<u32>> = vec![None; table.items.len()];
        let mut usable = true;
        let mut extra = Vec::new();
        for cell in header {
            let item_idx = heading(cell).and_then(|text| item_of(table, text));
            match item_idx {
                Some(item_idx) if of_item[item_idx].is_none() => {
                    of_item[item_idx] = Some(cell.column_idx);
                }
                Some(item_idx) => {
                    usable = false;
                    findings.push(column_twice(sheet, table, item_idx, cell));
                }
                None if normalise(&show_raw(&cell.value)).is_empty() => {}
                None => extra.push(cell),
            }
        }
        for (item, column_idx) in table.items.iter().zip(&of_item) {
            if column_idx.is_none() {
                usable = false;
                findings.push(column_missing(sheet, table, item, header));
            }
        }
        for cell in extra {
            usable &= spec.extra_columns == ExtraColumns::Ignore;
            findings.push(extra_column(
                sheet,
                spec,
                table,
                cell.row_idx,
                cell.column_idx,
                Some(&show_raw(&cell.value)),
            ));
        }
        for column_idx in columns_without_heading(header, below) {
            usable &= spec.extra_columns == ExtraColumns::Ignore;
            findings.push(extra_column(
                sheet,
                spec,
                table,
                header[0].row_idx,
                column_idx,
                None,
            ));
        }
        usable.then(|| Self {
            of_item: of_item.into_iter().flatten().collect(),
        })
    }
}

/// Columns below the header that hold something and have no heading.
fn columns_without_heading(header: &[Cell], below: &[&[Cell]]) -> Vec<u32> {
    let headed: HashSet<u32> = header.iter().map(|cell| cell.column_idx).collect();
    let mut columns: Vec<u32> = below
        .iter()
        .flat_map(|cells| cells.iter())
        .filter(|cell| !is_blank(cell) && !headed.contains(&cell.column_idx))
        .map(|cell| cell.column_idx)
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    columns.sort_unstable();
    columns
}

fn column_twice(sheet: &Sheet, table: &TableSpec, item_idx: usize, cell: &Cell) -> Finding {
    let item = &table.items[item_idx];
    Finding::new(
        format!("{}.column-twice", table.name),
        Severity::Blocker,
        format!("The column {} is there twice.", item.name),
        "Delete the one that is not meant, and upload again.",
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .at_cell(CellRef::new(&sheet.name, cell.row_idx, cell.column_idx))
    .with_value(show_raw(&cell.value))
}

fn column_missing(sheet: &Sheet, table: &TableSpec, item: &spec::Item, header: &[Cell]) -> Finding {
    Finding::new(
        format!("{}.column-missing", table.name),
        Severity::Blocker,
        format!(
            "The column {} ({}) is missing from \"{}\".",
            item.name, item.title, sheet.name
        ),
        format!(
            "Add a column headed {}, and leave its cells blank where you have nothing to report.",
            item.name
        ),
    )
    .in_table(&table.name)
    .on_item(&item.name)
    .at_row(header[0].row_idx + 1)
}

fn extra_column(
    sheet: &Sheet,
    spec: &ReturnSpec,
    table: &TableSpec,
    row_idx: u32,
    column_idx: u32,
    heading: Option<&str>,
) -> Finding {
    let named = heading.map_or_else(
        || {
            format!(
                "Column {} has values but no heading",
                column_letters(column_idx)
            )
        },
        |heading| {
            format!(
                "The column \"{}\" is not part of this return",
                heading.trim()
            )
        },
    );
    let finding = match spec.extra_columns {
        ExtraColumns::Refuse => Finding::new(
            format!("{}.column-not-asked-for", table.name),
            Severity::Blocker,
            format!(
                "{named}, and this return holds personal data, so nothing more than is asked for may be sent."
            ),
            "Delete the column, or correct its heading, and upload again.",
        ),
        ExtraColumns::Ignore => Finding::new(
            format!("{}.column-ignored", table.name),
            Severity::Note,
            format!("{named}, and was not read."),
            "Nothing to do, unless the heading is misspelt.",
        ),
    };
    finding
        .in_table(&table.name)
        .at_cell(CellRef::new(&sheet.name, row_idx, column_idx))
}

fn is_blank(cell: &Cell) -> bool {
    matches!(&cell.value, Raw::Text(text) if text.trim().is_empty())
}

/// A frame under construction.
struct Building<'a> {
    sheet: &'a Sheet,
    table: &'a TableSpec,
    columns: &'a Columns,
    values: Vec<Builder>,
    row_idxs: Vec<u32>,
    unreadable: Unreadable,
    account: Account,
}

impl<'a> Building<'a> {
    fn new(sheet: &'a Sheet, table: &'a TableSpec, columns: &'a Columns, n_rows: usize) -> Self {
        Self {
            sheet,
            table,
            columns,
            values: table
                .items
                .iter()
                .map(|item| Builder::new(item.kind))
                .collect(),
            row_idxs: Vec::with_capacity(n_rows),
            unreadable: Unreadable::default(),
            account: Account::default(),
        }
    }

    fn row(&mut self, cells: &[Cell], layout: &Records, findings: &mut Findings) {
        let raw = |item_idx: usize| {
            let column_idx = self.columns.of_item[item_idx];
            cells
                .binary_search_by_key(&column_idx, |cell| cell.column_idx)
                .ok()
                .map(|idx| &cells[idx])
                .filter(|cell| !is_blank(cell))
        };
        let row: Vec<Option<&Cell>> = (0..self.table.items.len()).map(raw).collect();
        let filled: Vec<usize> = (0..row.len()).filter(|&idx| row[idx].is_some()).collect();
        if filled.is_empty() {
            self.account.ignore("blank row");
        } else if let Some(reason) = self.ignored(&row, layout) {
            self.account.ignore(&reason);
        } else if filled.len() == 1 && self.n_required() > 2 {
            self.not_a_record(row[filled[0]], filled[0], findings);
        } else {
            self.record(cells[0].row_idx, &row, findings);
        }
    }

    fn n_required(&self) -> usize {
        self.table.items.iter().filter(|item| item.required).count()
    }

    fn ignored(&self, row: &[Option<&Cell>], layout: &Records) -> Option<String> {
        layout.ignores.iter().find_map(|ignored| {
            let item_idx = self.table.item_idx(&ignored.item)?;
            let text = show_raw(&row[item_idx]?.value).trim().to_lowercase();
            ignored
                .starts_with
                .iter()
                .any(|start| text.starts_with(&start.to_lowercase()))
                .then(|| ignored.reason.clone())
        })
    }

    /// A total, a note or a stray value: one finding, not one per item.
    fn not_a_record(&mut self, cell: Option<&Cell>, item_idx: usize, findings: &mut Findings) {
        let Some(cell) = cell else { return };
        self.account.rejected_row_idxs.push(cell.row_idx);
        findings.push(
            Finding::new(
                format!("{}.row-not-a-record", self.table.name),
                Severity::Error,
                format!(
                    "Row {} has only one value, so it is not a record.",
                    cell.row_idx + 1
                ),
                "Delete the row if it is a note or a total; fill it in if it is a record.",
            )
            .in_table(&self.table.name)
            .on_item(&self.table.items[item_idx].name)
            .at_cell(CellRef::new(
                &self.sheet.name,
                cell.row_idx,
                cell.column_idx,
            ))
            .with_value(show_raw(&cell.value)),
        );
    }

    fn record(&mut self, row_idx: u32, row: &[Option<&Cell>], findings: &mut Findings) {
        let record_idx = self.row_idxs.len();
        self.row_idxs.push(row_idx);
        for (item_idx, item) in self.table.items.iter().enumerate() {
            let raw = row[item_idx].map(|cell| &cell.value);
            let value = match read(raw, item, Origin::Entered) {
                Read::Blank => None,
                Read::Value(value) => Some(value),
                Read::Normalised(value) => {
                    findings.extend(raw.map(|raw| {
                        self.placed(
                            normalised_finding(self.table, item, raw, Some(&value)),
                            row_idx,
                            item_idx,
                        )
                    }));
                    Some(value)
                }
                Read::BlankMarker => {
                    findings.extend(raw.map(|raw| {
                        self.placed(
                            normalised_finding(self.table, item, raw, None),
                            row_idx,
                            item_idx,
                        )
                    }));
                    None
                }
                Read::Unreadable(unreadable) => {
                    self.unreadable.insert(item_idx, record_idx);
                    findings.extend(raw.map(|raw| {
                        self.placed(
                            unreadable_finding(self.table, item, raw, unreadable),
                            row_idx,
                            item_idx,
                        )
                    }));
                    None
                }
            };
            self.values[item_idx].push(value);
        }
    }

    fn placed(&self, finding: Finding, row_idx: u32, item_idx: usize) -> Finding {
        finding.at_cell(CellRef::new(
            &self.sheet.name,
            row_idx,
            self.columns.of_item[item_idx],
        ))
    }

    fn finish(self, new_key: Option<&str>) -> Frame {
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
                sheet: self.sheet.name.clone(),
                row_idxs: self.row_idxs,
                column_idxs: self.columns.of_item.iter().copied().map(Some).collect(),
            },
            unreadable: self.unreadable,
            new_rows,
            account: self.account,
        }
    }
}
