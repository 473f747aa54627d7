//! An example's drawing made into an organisation's own: its identity put in, its records repeated, its figures multiplied.

use std::collections::BTreeMap;

use sheet::grid::{Grid, GridCell, GridSheet};
use spec::layout::Matrix;
use spec::{Layout, Organisation, ReturnSpec, TableSpec};

use super::number::{millions_more, multiplied};

/// Puts one organisation in another's place, and that one, should it occur, in the first one's.
/// A third one that stands where the sender should is a planted mistake and stays.
pub(super) fn change_identity(
    grid: &mut Grid,
    spec: &ReturnSpec,
    from: &Organisation,
    to: &Organisation,
) {
    let places = identity_places(grid, spec);
    for (sheet, places) in grid.sheets.iter_mut().zip(places) {
        let cells: Vec<(u32, u32, GridCell)> = sheet
            .cells()
            .filter_map(|(row_idx, column_idx, cell)| {
                let change = if places.contains(row_idx, column_idx) {
                    in_its_place
                } else {
                    by_its_own_name
                };
                let changed = change(cell, from, to).or_else(|| change(cell, to, from));
                Some((row_idx, column_idx, changed?))
            })
            .collect();
        for (row_idx, column_idx, cell) in cells {
            sheet.set_cell(row_idx, column_idx, cell);
        }
    }
}

/// Where a sheet says whose it is.
#[derive(Clone, Default)]
struct Places {
    cells: Vec<(u32, u32)>,
    /// Below this row, in this column.
    columns: Vec<(u32, u32)>,
}

impl Places {
    fn contains(&self, row_idx: u32, column_idx: u32) -> bool {
        self.cells.contains(&(row_idx, column_idx))
            || self
                .columns
                .iter()
                .any(|&(header_row_idx, idx)| column_idx == idx && row_idx > header_row_idx)
    }
}

/// Of each sheet.
fn identity_places(grid: &Grid, spec: &ReturnSpec) -> Vec<Places> {
    let mut places = vec![Places::default(); grid.sheets.len()];
    for table in &spec.tables {
        let Some(sheet_idx) = sheet_of(grid, table) else {
            continue;
        };
        let header = header(&grid.sheets[sheet_idx], table);
        let places = &mut places[sheet_idx];
        for identity in &table.identities {
            match &identity.place {
                spec::IdentityPlace::Cell {
                    row_idx,
                    column_idx,
                } => places.cells.push((*row_idx, *column_idx)),
                spec::IdentityPlace::Item(item) => {
                    if let Some(header) = &header
                        && let Some(&column_idx) = header.columns.get(item)
                    {
                        places.columns.push((header.row_idx, column_idx));
                    }
                }
            }
        }
    }
    places
}

/// The same kind of name: a code for a code, a name for a name.
fn in_its_place(cell: &GridCell, from: &Organisation, to: &Organisation) -> Option<GridCell> {
    let (text, is_number) = match cell {
        GridCell::Text(text) => (text.trim(), false),
        GridCell::Number(text) => (text.as_str(), true),
        _ => return None,
    };
    let is = |name: &str| name.eq_ignore_ascii_case(text);
    let code_like = |own: &Option<String>, other: &Option<String>| -> Option<String> {
        let is_own = own.as_deref().is_some_and(is);
        is_own.then(|| other.clone().unwrap_or_else(|| to.code.clone()))
    };
    let changed = if is(&from.code) || from.superseded_codes.iter().any(|code| is(code)) {
        to.code.clone()
    } else if let Some(code) =
        code_like(&from.sg_code, &to.sg_code).or_else(|| code_like(&from.phs_code, &to.phs_code))
    {
        code
    } else if is(&from.name) || from.aliases.iter().any(|alias| is(alias)) {
        to.name.clone()
    } else {
        return None;
    };
    let is_number = is_number && changed.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_number {
        GridCell::Number(changed)
    } else {
        GridCell::Text(changed)
    })
}

/// Anywhere else only what can mean nothing but the organisation.
fn by_its_own_name(cell: &GridCell, from: &Organisation, to: &Organisation) -> Option<GridCell> {
    match cell {
        GridCell::Text(text) if *text == from.code => Some(GridCell::Text(to.code.clone())),
        GridCell::Text(text) if *text == from.name => Some(GridCell::Text(to.name.clone())),
        GridCell::Text(text) if from.sg_code.as_ref() == Some(text) => {
            to.sg_code.clone().map(GridCell::Text)
        }
        _ => None,
    }
}

/// Repeats every record until there are so many copies; these items differ in each.
pub(super) fn repeat_records(grid: &mut Grid, spec: &ReturnSpec, vary: &[String], n_copies: u32) {
    let headers = headers(grid, spec);
    for (sheet_idx, header) in headers {
        let sheet = &mut grid.sheets[sheet_idx];
        let records: Vec<(u32, u32, GridCell)> = sheet
            .cells()
            .filter(|(row_idx, _, _)| *row_idx > header.row_idx)
            .map(|(row_idx, column_idx, cell)| (row_idx, column_idx, cell.clone()))
            .collect();
        let Some(&(last_row_idx, _, _)) = records.last() else {
            continue;
        };
        let n_rows = last_row_idx - header.row_idx;
        for copy in 1..n_copies {
            for (row_idx, column_idx, cell) in &records {
                let varies = vary
                    .iter()
                    .any(|item| header.columns.get(item) == Some(column_idx));
                let cell = if varies {
                    varied(cell, copy)
                } else {
                    cell.clone()
                };
                sheet.set_cell(row_idx + copy * n_rows, *column_idx, cell);
            }
        }
    }
}

/// The header of each sheet with records: of its first table, where several stand on one.
fn headers(grid: &Grid, spec: &ReturnSpec) -> BTreeMap<usize, Header> {
    let mut headers = BTreeMap::new();
    for table in &spec.tables {
        if let Some(sheet_idx) = sheet_of(grid, table)
            && let Some(header) = header(&grid.sheets[sheet_idx], table)
        {
            headers.entry(sheet_idx).or_insert(header);
        }
    }
    headers
}

fn varied(cell: &GridCell, copy: u32) -> GridCell {
    match cell {
        GridCell::Text(text) => GridCell::Text(format!("{text}-{}", copy + 1)),
        GridCell::Number(figure) => {
            GridCell::Number(millions_more(figure, copy).unwrap_or_else(|| figure.clone()))
        }
        other => other.clone(),
    }
}

/// Multiplies every figure of every matrix, results of formulas included.
pub(super) fn multiply_figures(grid: &mut Grid, spec: &ReturnSpec, factor: u32) {
    for table in &spec.tables {
        if let Layout::Matrix(matrix) = &table.layout
            && let Some(sheet_idx) = sheet_of(grid, table)
        {
            multiply_matrix(&mut grid.sheets[sheet_idx], matrix, factor);
        }
    }
}

fn multiply_matrix(sheet: &mut GridSheet, matrix: &Matrix, factor: u32) {
    for line in &matrix.lines {
        for column in &matrix.columns {
            let (row_idx, column_idx) = (line.row_idx, column.column_idx);
            let changed = match sheet.cell(row_idx, column_idx) {
                GridCell::Number(figure) => multiplied(figure, factor).map(GridCell::Number),
                GridCell::Formula {
                    formula,
                    result: Some(result),
                } => match result.as_ref() {
                    GridCell::Number(figure) => {
                        multiplied(figure, factor).map(|product| GridCell::Formula {
                            formula: formula.clone(),
                            result: Some(Box::new(GridCell::Number(product))),
                        })
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(cell) = changed {
                sheet.set_cell(row_idx, column_idx, cell);
            }
        }
    }
}

/// A header row, with the column of each item that it names.
struct Header {
    row_idx: u32,
    columns: BTreeMap<String, u32>,
}

/// The row that names the most items; `None` for a matrix, and where no row names any.
fn header(sheet: &GridSheet, table: &TableSpec) -> Option<Header> {
    let records = table.layout.records()?;
    (0..records.search_rows)
        .map(|row_idx| Header {
            row_idx,
            columns: named_columns(sheet, table, row_idx),
        })
        // The first of equals, as a reader would take it.
        .rev()
        .max_by_key(|header| header.columns.len())
        .filter(|header| !header.columns.is_empty())
}

fn named_columns(sheet: &GridSheet, table: &TableSpec, row_idx: u32) -> BTreeMap<String, u32> {
    let mut columns = BTreeMap::new();
    for (column_idx, cell) in sheet.row(row_idx) {
        let GridCell::Text(text) = cell else { continue };
        let heading = words(text);
        let item = table.items.iter().find(|item| {
            [&item.name, &item.title]
                .into_iter()
                .chain(&item.headings)
                .any(|name| words(name) == heading)
        });
        if let Some(item) = item {
            columns.entry(item.name.clone()).or_insert(column_idx);
        }
    }
    columns
}

/// The one sheet that a table stands on, as a reader would find it: by its name, else the only one there is.
fn sheet_of(grid: &Grid, table: &TableSpec) -> Option<usize> {
    let named = |name: &String| {
        let mut sheets = grid.sheets.iter();
        sheets.position(|sheet| words(&sheet.name) == words(name))
    };
    table.sheet.names.iter().find_map(named).or_else(|| {
        let is_only = table.sheet.only_sheet && grid.sheets.len() == 1;
        is_only.then_some(0)
    })
}

/// What is left of a heading for comparing it.
fn words(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
