//! A header row found by name; every row below it is a record.

mod body;
mod misspelt;
mod spans;

use std::collections::{HashMap, HashSet};

use finding::{CellRef, Finding, Findings, Severity, column_letters};
use sheet::{Area, Cell, Line, Raw, RawCell, Sheet, Value};
use spec::layout::Records;
use spec::{ExtraColumns, IdentityPlace, Item, ReturnSpec, TableSpec};

use crate::Frame;
use crate::framer::kept;
use crate::heading::{Headings, normalise};
use crate::matrix::cell_at;
use crate::own::OwnColumns;
use crate::read::show_raw;
use body::Body;
use spans::Span;

/// A table of records while its rows come.
pub(crate) struct Reading<'a> {
    spec: &'a ReturnSpec,
    table: &'a TableSpec,
    layout: &'a Records,
    /// A turn-around table's key, blank on new rows.
    new_key: Option<&'a str>,
    /// The rows among which the headings are, and later cells that say whose file it is.
    head: Sheet,
    merged: Vec<Area>,
    /// Of separated values: by row, for the rows of the head.
    lines: HashMap<u32, Line>,
    /// Of the next row.
    line: Option<Line>,
    stage: Stage<'a>,
    findings: Findings,
}

enum Stage<'a> {
    /// The headings may still come.
    Head,
    /// There are none.
    Unusable,
    Body(Box<Body<'a>>),
}

impl<'a> Reading<'a> {
    /// `sheet` has no cells yet; `merged` are cells of it that are shown as one.
    pub(crate) fn new(
        sheet: Sheet,
        merged: Vec<Area>,
        spec: &'a ReturnSpec,
        table: &'a TableSpec,
        layout: &'a Records,
        new_key: Option<&'a str>,
    ) -> Self {
        Self {
            spec,
            table,
            layout,
            new_key,
            head: sheet,
            merged,
            lines: HashMap::new(),
            line: None,
            stage: Stage::Head,
            findings: Findings::new(),
        }
    }

    pub(crate) fn line(&mut self, line: Line) {
        self.line = Some(line);
    }

    pub(crate) fn row(&mut self, row_idx: u32, cells: &[RawCell<'_>]) {
        let line = self.line.take();
        if row_idx < self.layout.search_rows {
            self.head.cells.extend(kept(row_idx, cells));
            self.lines.extend(line.map(|line| (row_idx, line)));
            return;
        }
        if let Some(body) = self.body() {
            body.row(row_idx, cells, line);
        }
        for cell in cells {
            if says_whose(self.table, row_idx, cell.column_idx) {
                let cell = kept(row_idx, std::slice::from_ref(cell));
                self.head.cells.extend(cell);
            }
        }
    }

    /// What of the sheet is of use beside its records, and the frame, unless the columns are not usable.
    pub(crate) fn finish(mut self, n_rows: u64, findings: &mut Findings) -> (Sheet, Option<Frame>) {
        self.body();
        findings.append(self.findings);
        let Stage::Body(body) = self.stage else {
            return (self.head, None);
        };
        let mut usable = true;
        for &column_idx in body.columns_without_heading() {
            usable &= self.spec.extra_columns == ExtraColumns::Ignore;
            let row_idx = body.header_row_idx();
            let finding =
                extra_column(&self.head, self.spec, self.table, row_idx, column_idx, None);
            findings.push(finding);
        }
        let frame = usable.then(|| body.finish(n_rows, self.new_key, findings));
        (self.head, frame.flatten())
    }

    /// The rows below the headings; these are looked for now, if that was not done before.
    fn body(&mut self) -> Option<&mut Body<'a>> {
        if let Stage::Head = self.stage {
            self.stage = start(
                &self.head,
                &self.merged,
                &self.lines,
                self.spec,
                self.table,
                self.layout,
                &mut self.findings,
            );
        }
        match &mut self.stage {
            Stage::Body(body) => Some(body),
            Stage::Head | Stage::Unusable => None,
        }
    }
}

fn says_whose(table: &TableSpec, row_idx: u32, column_idx: u32) -> bool {
    table.identities.iter().any(|identity| {
        identity.place
            == IdentityPlace::Cell {
                row_idx,
                column_idx,
            }
    })
}

/// Finds the headings among the first rows, and takes the rows below them.
fn start<'a>(
    head: &Sheet,
    merged: &[Area],
    lines: &HashMap<u32, Line>,
    spec: &'a ReturnSpec,
    table: &'a TableSpec,
    layout: &'a Records,
    findings: &mut Findings,
) -> Stage<'a> {
    let rows: Vec<&[Cell]> = head.cells.chunk_by(|a, b| a.row_idx == b.row_idx).collect();
    let headings = Headings::of(table);
    let with_merged: Vec<Vec<Cell>> = rows
        .iter()
        .map(|cells| with_merged(cells, head, merged))
        .collect();
    let Some(header) = find_header(&with_merged, head, &headings, table, layout, findings) else {
        return Stage::Unusable;
    };
    let header_row = &with_merged[header];
    let mut columns = Columns::new(head, spec, table, &headings, header_row, findings);
    columns.find_spans(header_row, merged);
    let n_headings = lines.get(&columns.row_idx).map(|line| line.n_values);
    let mut body = Body::new(head, table, layout, columns, n_headings);
    for cells in &rows[header + 1..] {
        let raw: Vec<RawCell<'_>> = cells
            .iter()
            .map(|cell| RawCell {
                column_idx: cell.column_idx,
                raw: Raw::from(&cell.value),
            })
            .collect();
        let row_idx = cells[0].row_idx;
        body.row(row_idx, &raw, lines.get(&row_idx).copied());
    }
    Stage::Body(Box::new(body))
}

/// A row's cells, and the text of each cell above that is merged down to this row: a heading that goes over several rows.
fn with_merged(cells: &[Cell], head: &Sheet, merged: &[Area]) -> Vec<Cell> {
    let row_idx = cells[0].row_idx;
    let mut all = cells.to_vec();
    for area in merged {
        let column_idx = area.columns.0;
        if area.rows.0 < row_idx
            && area.has(row_idx, column_idx)
            && cells.iter().all(|cell| cell.column_idx != column_idx)
            && let Some(first) = cell_at(head, area.rows.0, column_idx)
        {
            all.push(Cell {
                row_idx,
                ..first.clone()
            });
        }
    }
    all.sort_by_key(|cell| cell.column_idx);
    all
}

/// The row among the first ones that names most items; a blocker if none names enough.
fn find_header(
    rows: &[Vec<Cell>],
    sheet: &Sheet,
    headings: &Headings,
    table: &TableSpec,
    layout: &Records,
    findings: &mut Findings,
) -> Option<usize> {
    let named = |cells: &[Cell]| {
        cells
            .iter()
            .filter_map(|cell| heading(cell).and_then(|text| headings.item_of(text)))
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
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn heading_at(header: &[Cell], column_idx: u32) -> String {
    let cell = header.iter().find(|cell| cell.column_idx == column_idx);
    cell.and_then(heading).unwrap_or_default().trim().to_owned()
}

/// What the header row says of the sheet's columns.
struct Columns {
    row_idx: u32,
    /// Those that have a heading.
    headed: HashSet<u32>,
    /// What heads each item's column, where it is certain which that is.
    texts: Vec<String>,
    /// Which holds which item, by item; `None` where that is not certain for each.
    of_item: Option<Vec<u32>>,
    /// Headings over several of them.
    spans: Vec<Span>,
    /// Those that the sender brought along for itself.
    own: OwnColumns,
}

impl Columns {
    /// Nothing is certain of them.
    fn unusable(header: &[Cell]) -> Self {
        Self {
            row_idx: header[0].row_idx,
            headed: header.iter().map(|cell| cell.column_idx).collect(),
            texts: Vec::new(),
            of_item: None,
            spans: Vec::new(),
            own: OwnColumns::default(),
        }
    }

    fn new(
        sheet: &Sheet,
        spec: &ReturnSpec,
        table: &TableSpec,
        headings: &Headings,
        header: &[Cell],
        findings: &mut Findings,
    ) -> Self {
        let twice = header.iter().find(|cell| cell.value == Value::GivenTwice);
        if let Some(cell) = twice {
            findings.push(heading_given_twice(sheet, table, cell));
            return Self::unusable(header);
        }
        let mut of_item: Vec<Option<u32>> = vec![None; table.items.len()];
        let mut usable = true;
        let mut extra = Vec::new();
        let mut own = OwnColumns::default();
        for cell in header {
            let item_idx = heading(cell).and_then(|text| headings.item_of(text));
            match item_idx {
                Some(item_idx) if of_item[item_idx].is_none() => {
                    of_item[item_idx] = Some(cell.column_idx);
                }
                Some(item_idx) => {
                    usable = false;
                    findings.push(column_twice(sheet, table, item_idx, cell));
                }
                None if normalise(&show_raw(&cell.value)).is_empty() => {}
                None if heading(cell).is_some_and(|text| spec.is_own_heading(text)) => {
                    findings.extend(own.add(sheet, table, cell));
                }
                None => extra.push(cell),
            }
        }
        let missing: Vec<&Item> = table
            .items
            .iter()
            .zip(&of_item)
            .filter(|(_, column_idx)| column_idx.is_none())
            .map(|(item, _)| item)
            .collect();
        usable &= missing.is_empty();
        let misspelt = misspelt::pairs(&missing, &extra);
        for item in missing {
            match misspelt.iter().find(|pair| pair.item.name == item.name) {
                Some(pair) => findings.push(misspelt::finding(sheet, table, pair)),
                None => findings.push(column_missing(sheet, table, item, header)),
            }
        }
        extra.retain(|cell| !misspelt.iter().any(|pair| pair.cell == *cell));
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
        Self {
            row_idx: header[0].row_idx,
            headed: header.iter().map(|cell| cell.column_idx).collect(),
            texts: of_item
                .iter()
                .flatten()
                .map(|column_idx| heading_at(header, *column_idx))
                .collect(),
            of_item: usable.then(|| of_item.into_iter().flatten().collect()),
            spans: Vec::new(),
            own,
        }
    }

    fn find_spans(&mut self, header: &[Cell], merged: &[Area]) {
        let of_item = self.of_item.iter().flatten().copied().map(Some);
        let of_item: Vec<Option<u32>> = of_item.collect();
        self.spans = Span::all(header, merged, &of_item);
        for span in &self.spans {
            self.headed.extend(span.columns.0..=span.columns.1);
        }
    }
}

fn heading_given_twice(sheet: &Sheet, table: &TableSpec, cell: &Cell) -> Finding {
    let place = CellRef::new(&sheet.name, cell.row_idx, cell.column_idx);
    Finding::new(
        format!("{}.heading-given-twice", table.name),
        Severity::Blocker,
        format!(
            "The heading in {} is given more than once in the file, so it is not clear what its column holds.",
            place.address()
        ),
        "Open the file in your spreadsheet program, check the headings, save the file and upload it again.",
    )
    .in_table(&table.name)
    .at_cell(place)
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

fn column_missing(sheet: &Sheet, table: &TableSpec, item: &Item, header: &[Cell]) -> Finding {
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
    let own = spec.own_columns.as_ref().map_or_else(String::new, |prefix| {
        format!(" A column that only ties the rows to your own system may stay: start its heading with \"{prefix}\".")
    });
    let finding = match spec.extra_columns {
        ExtraColumns::Refuse => Finding::new(
            format!("{}.column-not-asked-for", table.name),
            Severity::Blocker,
            format!(
                "{named}, and this return holds personal data, so nothing more than is asked for may be sent."
            ),
            format!("Delete the column, or correct its heading, and upload again.{own}"),
        ),
        ExtraColumns::Ignore => Finding::new(
            format!("{}.column-ignored", table.name),
            Severity::Note,
            format!("{named}, and was not read."),
            format!("Nothing to do, unless the heading is misspelt.{own}"),
        ),
    };
    finding
        .in_table(&table.name)
        .at_cell(CellRef::new(&sheet.name, row_idx, column_idx))
}
